// Package nfs is an NFSv4 client: 4.0, 4.1 and 4.2, with the state of open files and locks and
// the recovery of it. It knows nothing of FUSE.
package nfs

import (
	"context"
	"math"

	"landfast/kit/cmd/mount.nfs/internal/rpc"
)

// Cred is who asks; at most 16 groups go on the wire.
type Cred = rpc.Cred

// Handle is the server's name of a file.
type Handle string

// Call is one request of a process. When Ctx ends, the process gets EINTR at once.
type Call struct {
	Ctx  context.Context
	Cred Cred
}

// Name is a place in a directory.
type Name struct {
	Dir  Handle
	Name string
}

// Access says what a file is opened for.
type Access uint32

const (
	Read      Access = 1
	Write     Access = 2
	ReadWrite        = Read | Write
)

// LockOwner is one process, or for flock(2) one open file.
type LockOwner struct {
	Flock bool
	ID    uint64
}

// Range is a part of a file. Length ToEnd covers whatever the file grows to.
type Range struct {
	Offset, Length uint64
}

// ToEnd is the length of a range without an end.
const ToEnd = math.MaxUint64

// Conflict is a lock that stands in the way; NFS does not tell whose process it is.
type Conflict struct {
	Range Range
	Write bool
}
