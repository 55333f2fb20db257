package nfs

import (
	"context"
	"errors"
	"syscall"
	"time"

	"github.com/buildbarn/go-xdr/pkg/protocols/nfsv4"
)

const (
	pollMin = 10 * time.Millisecond // before a lock that is taken is asked for again
	pollMax = time.Second
)

// Lock waits, if it is told to, until the range is free or the call's Ctx has ended. Otherwise
// a conflict is EAGAIN.
func (f *File) Lock(c Call, o LockOwner, r Range, write, wait bool) error {
	if write && f.access&Write == 0 || !write && f.access&Read == 0 {
		return syscall.EBADF
	}
	for pause := pollMin; ; pause = min(2*pause, pollMax) {
		err := detach(c.Ctx, func(ctx context.Context) error {
			return f.tryLock(Call{ctx, c.Cred}, o, r.span(write))
		}, func() { f.Unlock(Call{context.Background(), c.Cred}, o, r) })
		if !wait || !errors.Is(err, Status(nfsv4.NFS4ERR_DENIED)) {
			return err
		}
		if err := f.mount.client.sleep(c.Ctx, pause); err != nil {
			return err
		}
	}
}

func (f *File) tryLock(c Call, o LockOwner, want span) error {
	s := f.mount.lockState(lockKey{f.handle, o})
	defer f.mount.release(s)
	s.op.Lock()
	defer s.op.Unlock()
	via := s.through(f)
	if err := via.widen(c, want.write); err != nil {
		return err
	}
	f.op.Lock() // a new lock-owner is introduced by the open-owner
	defer f.op.Unlock()
	_, err := f.mount.client.do(&request{
		ctx: c.Ctx, cred: c.Cred, mount: f.mount, file: via,
		build: func() []nfsv4.NfsArgop4 {
			return []nfsv4.NfsArgop4{putfh(f.handle), f.lockOperation(s, want, false)}
		},
		seen: func(p reply) { f.seeLock(s, want, p) },
	})
	return err
}

// widen opens the file for more, if its OPEN does not allow the lock: the process has another File
// that does. With NFSv4.0 it is ESTALE if the file has another name now.
func (f *File) widen(c Call, write bool) error {
	f.mu.Lock()
	need := Read
	if write {
		need = Write
	}
	enough := f.share&need != 0
	f.share |= need
	f.mu.Unlock()
	if enough {
		return nil
	}
	_, err := f.openExisting(c)
	if err != nil {
		f.mu.Lock()
		f.share &^= need
		f.mu.Unlock()
	}
	if errors.Is(err, Status(nfsv4.NFS4ERR_NOENT)) {
		return syscall.ESTALE
	}
	return err
}

// Unlock gives a range back, whether or not anything in it was locked. It is given back even if the
// caller leaves.
func (f *File) Unlock(c Call, o LockOwner, r Range) error {
	m := f.mount
	m.mu.Lock()
	known := m.locks[lockKey{f.handle, o}] != nil
	m.mu.Unlock()
	if !known {
		return nil
	}
	return detach(c.Ctx, func(ctx context.Context) error {
		s := m.lockState(lockKey{f.handle, o})
		defer m.release(s)
		// What was written under the lock must not be written again over what comes after it.
		m.client.pending.sync(ctx, f.handle)
		return s.unlock(m, Call{ctx, c.Cred}, r.span(false))
	}, func() {})
}

func (s *lockState) unlock(m *Mount, c Call, what span) error {
	s.op.Lock()
	defer s.op.Unlock()
	s.mu.Lock()
	file := s.file
	s.mu.Unlock()
	if file == nil {
		return nil
	}
	_, err := m.client.do(&request{
		ctx: c.Ctx, cred: c.Cred, mount: m, file: file,
		build: func() []nfsv4.NfsArgop4 { return s.unlockOperations(m, what) },
		seen:  func(p reply) { s.seeUnlock(m, what, p) },
	})
	return err
}

// TestLock gives the lock that stands in the way, or nil.
func (f *File) TestLock(c Call, o LockOwner, r Range, write bool) (*Conflict, error) {
	want := r.span(write)
	s := f.mount.lockState(lockKey{f.handle, o})
	defer f.mount.release(s)
	results, err := f.mount.client.compound(f.mount, c, func() []nfsv4.NfsArgop4 {
		return []nfsv4.NfsArgop4{putfh(f.handle), &nfsv4.NfsArgop4_OP_LOCKT{Oplockt: nfsv4.Lockt4args{
			Locktype: lockType(write), Offset: want.start, Length: want.length(),
			Owner: f.mount.client.stateOwner(s.name),
		}}}
	})
	if !errors.Is(err, Status(nfsv4.NFS4ERR_DENIED)) {
		return nil, err
	}
	res, err := result[*nfsv4.NfsResop4_OP_LOCKT](results, 1)
	if err != nil {
		return nil, err
	}
	denied, is := res.Oplockt.(*nfsv4.Lockt4res_NFS4ERR_DENIED)
	if !is {
		return nil, errMalformed
	}
	d := &denied.Denied
	if d.Length == 0 { // no such lock can be asked for; Ganesha means one without an end
		d.Length = ToEnd
	}
	writes := d.Locktype == nfsv4.WRITE_LT || d.Locktype == nfsv4.WRITEW_LT
	return &Conflict{Range{d.Offset, d.Length}, writes}, nil
}

func lockType(write bool) nfsv4.NfsLockType4 {
	if write {
		return nfsv4.WRITE_LT
	}
	return nfsv4.READ_LT
}
