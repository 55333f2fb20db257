package filesystem

import (
	"syscall"
	"time"

	"github.com/buildbarn/go-xdr/pkg/protocols/nfsv4"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"landfast/kit/cmd/mount.nfs/internal/nfs"
)

const (
	blockBytes     = 4096
	statBlockBytes = 512
	nameBytes      = 255
)

var modeOfType = map[nfsv4.NfsFtype4]uint32{
	nfsv4.NF4DIR: syscall.S_IFDIR, nfsv4.NF4LNK: syscall.S_IFLNK, nfsv4.NF4BLK: syscall.S_IFBLK,
	nfsv4.NF4CHR: syscall.S_IFCHR, nfsv4.NF4FIFO: syscall.S_IFIFO, nfsv4.NF4SOCK: syscall.S_IFSOCK,
}

func typeBits(t nfsv4.NfsFtype4) uint32 {
	if mode, ok := modeOfType[t]; ok {
		return mode
	}
	return syscall.S_IFREG
}

// fill sets what the kernel is told of a file.
func (fs *FileSystem) fill(out *fuse.Attr, h nfs.Handle, a nfs.Attr) {
	*out = fuse.Attr{
		Ino:     a.FileID,
		Size:    a.Size,
		Blocks:  (a.Used + statBlockBytes - 1) / statBlockBytes,
		Mode:    typeBits(a.Type) | a.Mode&0o7777,
		Nlink:   a.Nlink,
		Owner:   fuse.Owner{Uid: a.UID, Gid: a.GID},
		Rdev:    uint32(unix.Mkdev(a.Rdev[0], a.Rdev[1])),
		Blksize: blockBytes,
	}
	out.SetTimes(&a.Atime, &a.Mtime, &a.Ctime)
	if a.Nlink == 1 && fs.open.isHidden(h) {
		out.Nlink = 0
	}
}

func (fs *FileSystem) attributesStay(a nfs.Attr) time.Duration {
	if a.Type == nfsv4.NF4DIR {
		return fs.options.DirAttributes
	}
	return fs.options.FileAttributes
}

// entry tells the kernel what a name stands for.
func (fs *FileSystem) entry(out *fuse.EntryOut, h nfs.Handle, a nfs.Attr, at nfs.Name) *node {
	n := fs.nodes.found(h, at)
	n.placed()
	n.tell(a)
	fs.fill(&out.Attr, h, a)
	out.NodeId = n.id
	out.SetEntryTimeout(fs.options.Names)
	out.SetAttrTimeout(fs.attributesStay(a))
	return n
}

func (fs *FileSystem) attributes(out *fuse.AttrOut, n *node, a nfs.Attr) {
	n.tell(a)
	fs.fill(&out.Attr, n.handle, a)
	out.SetTimeout(fs.attributesStay(a))
}

// Lookup finds a name in a directory. That there is none is not for the kernel to remember: another
// node may be about to make it.
func (fs *FileSystem) Lookup(cancel <-chan struct{}, h *fuse.InHeader, name string, out *fuse.EntryOut) fuse.Status {
	return fs.onNode(cancel, h, func(r *request, dir *node) error {
		handle, attr, err := fs.mount.Lookup(r.call(h), dir.handle, name)
		if err != nil {
			return err
		}
		fs.entry(out, handle, attr, nfs.Name{Dir: dir.handle, Name: name})
		return nil
	})
}

// GetAttr asks the server: the kernel does so only when what it has is too old.
func (fs *FileSystem) GetAttr(cancel <-chan struct{}, in *fuse.GetAttrIn, out *fuse.AttrOut) fuse.Status {
	return fs.onNode(cancel, &in.InHeader, func(r *request, n *node) error {
		attr, err := fs.mount.GetAttr(r.anybody(&in.InHeader), n.handle)
		if err != nil {
			return err
		}
		fs.attributes(out, n, attr)
		return nil
	})
}

// SetAttr is chmod(2), chown(2), truncate(2), utimensat(2) and the like.
func (fs *FileSystem) SetAttr(cancel <-chan struct{}, in *fuse.SetAttrIn, out *fuse.AttrOut) fuse.Status {
	return fs.onNode(cancel, &in.InHeader, func(r *request, n *node) error {
		call := r.call(&in.InHeader)
		var changes nfs.Changes
		if mode, ok := in.GetMode(); ok {
			changes.Mode = &mode
		}
		if uid, ok := in.GetUID(); ok {
			changes.UID = &uid
		}
		if gid, ok := in.GetGID(); ok {
			changes.GID = &gid
		}
		if t, ok := in.GetATime(); ok {
			changes.Atime = &nfs.TimeChange{Time: t, Now: in.Valid&fuse.FATTR_ATIME_NOW != 0}
		}
		if t, ok := in.GetMTime(); ok {
			changes.Mtime = &nfs.TimeChange{Time: t, Now: in.Valid&fuse.FATTR_MTIME_NOW != 0}
		}
		var open *nfs.File
		if size, ok := in.GetSize(); ok {
			changes.Size = &size
			n.write()
			if handle, ok := in.GetFh(); ok { // ftruncate(2) may do what open(2) was allowed to
				if f := fs.file(handle); f != nil {
					open, call.Cred = f.nfs, f.cred
				}
			}
		}
		var attr nfs.Attr
		var err error
		if changes == (nfs.Changes{}) {
			attr, err = fs.mount.GetAttr(call, n.handle)
		} else {
			attr, err = fs.mount.SetAttr(call, n.handle, open, changes)
		}
		if err != nil {
			return err
		}
		fs.attributes(out, n, attr)
		return nil
	})
}

// StatFs is statfs(2).
func (fs *FileSystem) StatFs(cancel <-chan struct{}, h *fuse.InHeader, out *fuse.StatfsOut) fuse.Status {
	return fs.onNode(cancel, h, func(r *request, n *node) error {
		space, err := fs.mount.StatFS(r.anybody(h), n.handle)
		if err != nil {
			return err
		}
		*out = fuse.StatfsOut{
			Blocks:  space.TotalBytes / blockBytes,
			Bfree:   space.FreeBytes / blockBytes,
			Bavail:  space.AvailableBytes / blockBytes,
			Files:   space.TotalFiles,
			Ffree:   space.FreeFiles,
			Bsize:   blockBytes,
			Frsize:  blockBytes,
			NameLen: nameBytes,
		}
		return nil
	})
}
