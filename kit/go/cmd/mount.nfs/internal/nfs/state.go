package nfs

import "github.com/buildbarn/go-xdr/pkg/protocols/nfsv4"

// File is one open(2) of a file, with an OPEN and an open-owner of its own.
type File struct {
	mount  *Mount
	handle Handle
	writes writes // what is not yet committed: data.go
}

// Open opens a file that exists. at is where it was last seen; NFSv4.0 can only open by name, and
// tells ESTALE if another file is there now.
func (m *Mount) Open(c Call, h Handle, at Name, a Access) (*File, error) { panic("soon") }

// Create makes a file and opens it. With excl there must be none yet.
func (m *Mount) Create(c Call, at Name, a Access, excl bool, set Changes) (*File, Handle, Attr, error) {
	panic("soon")
}

// Close forgets the file and every lock made through it.
func (f *File) Close(c Call) error { panic("soon") }

// stateid is what READ, WRITE and SETATTR show.
func (f *File) stateid(o *LockOwner) nfsv4.Stateid4 { panic("soon") }

// lost is EIO once a lock of this file was lost with a lease.
func (f *File) lost() error { panic("soon") }
