package filesystem

import (
	"math"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fuse"

	"landfast/kit/cmd/mount.nfs/internal/nfs"
)

var everything = nfs.Range{Length: nfs.ToEnd}

func rangeOf(l *fuse.FileLock) nfs.Range {
	if l.End >= math.MaxInt64 {
		return nfs.Range{Offset: l.Start, Length: nfs.ToEnd}
	}
	return nfs.Range{Offset: l.Start, Length: l.End - l.Start + 1}
}

// GetLk tells of a lock that stands in the way.
func (fs *FileSystem) GetLk(cancel <-chan struct{}, in *fuse.LkIn, out *fuse.LkOut) fuse.Status {
	return fs.onFile(cancel, &in.InHeader, in.Fh, func(r *request, f *file) error {
		owner := nfs.LockOwner{ID: in.Owner}
		conflict, err := f.nfs.TestLock(r.by(f.cred), owner, rangeOf(&in.Lk), in.Lk.Typ == syscall.F_WRLCK)
		if err != nil {
			return err
		}
		if conflict == nil {
			out.Lk = fuse.FileLock{Typ: syscall.F_UNLCK}
			return nil
		}
		out.Lk = inTheWay(conflict)
		return nil
	})
}

// inTheWay tells the kernel of a lock; what does not fit into an off_t goes on to the end.
func inTheWay(c *nfs.Conflict) fuse.FileLock {
	lock := fuse.FileLock{Start: min(c.Range.Offset, math.MaxInt64), End: math.MaxInt64, Typ: syscall.F_RDLCK}
	if l := c.Range.Length; l <= math.MaxInt64-lock.Start {
		lock.End = lock.Start + l - 1
	}
	if c.Write {
		lock.Typ = syscall.F_WRLCK
	}
	return lock
}

// SetLk takes a lock or gives one back, without waiting.
func (fs *FileSystem) SetLk(cancel <-chan struct{}, in *fuse.LkIn) fuse.Status {
	return fs.setLock(cancel, in, false)
}

// SetLkw waits for the lock, until a signal comes.
func (fs *FileSystem) SetLkw(cancel <-chan struct{}, in *fuse.LkIn) fuse.Status {
	return fs.setLock(cancel, in, true)
}

func (fs *FileSystem) setLock(cancel <-chan struct{}, in *fuse.LkIn, wait bool) fuse.Status {
	return fs.onFile(cancel, &in.InHeader, in.Fh, func(r *request, f *file) error {
		r.anyEnds = wait
		owner := nfs.LockOwner{Flock: in.LkFlags&fuse.LK_FLOCK != 0, ID: in.Owner}
		span := rangeOf(&in.Lk)
		if owner.Flock {
			span = everything
		}
		if in.Lk.Typ == syscall.F_UNLCK {
			// What was written under the lock is for others to read now.
			err := f.nfs.Sync(r.by(f.cred))
			if e := f.nfs.Unlock(r.by(f.cred), owner, span); err == nil {
				err = e
			}
			return err
		}
		err := f.nfs.Lock(r.by(f.cred), owner, span, in.Lk.Typ == syscall.F_WRLCK, wait)
		if err == nil {
			// Who has a lock sees what the one before it has written.
			fs.server.InodeNotify(f.node.id, 0, 0)
		}
		return err
	})
}
