package nfs

import (
	"errors"
	"syscall"

	"github.com/buildbarn/go-xdr/pkg/protocols/nfsv4"
)

// again tells that the server has forgotten the client while state was recovered.
func forgotten(status nfsv4.Nfsstat4) bool {
	switch status {
	case nfsv4.NFS4ERR_STALE_CLIENTID, nfsv4.NFS4ERR_STALE_STATEID, nfsv4.NFS4ERR_BADSESSION,
		nfsv4.NFS4ERR_DEADSESSION, nfsv4.NFS4ERR_EXPIRED:
		return true
	}
	return false
}

// reclaim tells a server that knows nothing what the client had. What the server does not give
// back — the lease ran out, or it is not in its grace period — is opened like any other file.
func (r *recovery) reclaim() error {
	c := r.c
	r.unfinished = true
	c.pending.restarted()
	var late []*File
	files := c.openFiles()
	for _, f := range files {
		given, err := r.reclaimFile(f)
		if err != nil {
			return err
		}
		if !given {
			late = append(late, f)
		}
	}
	if err := r.complete(); err != nil {
		return err
	}
	r.unfinished = false
	for _, f := range late {
		if err := r.reopen(f); err != nil {
			return err
		}
	}
	c.config.Logf("%s: %d of %d open files reclaimed, lost %d locks", c.config.Address,
		len(files)-len(late), len(files), r.lost)
	return nil
}

// complete ends the reclaims, which a server may wait for.
func (r *recovery) complete() error {
	if r.c.minor == 0 {
		return nil
	}
	_, err := r.tell(&nfsv4.NfsArgop4_OP_RECLAIM_COMPLETE{})
	if errors.Is(err, Status(nfsv4.NFS4ERR_COMPLETE_ALREADY)) {
		return nil
	}
	return err
}

func (r *recovery) reclaimFile(f *File) (given bool, err error) {
	f.mu.Lock()
	opened := f.opened
	f.stray = nil
	f.mu.Unlock()
	if !opened {
		return true, nil
	}
	how := &nfsv4.Openflag4_default{Opentype: nfsv4.OPEN4_NOCREATE}
	claim := &nfsv4.OpenClaim4_CLAIM_PREVIOUS{DelegateType: nfsv4.OPEN_DELEGATE_NONE}
	status, err := r.open(f, func() []nfsv4.NfsArgop4 {
		return []nfsv4.NfsArgop4{putfh(f.handle), f.openOperation(claim, how), &nfsv4.NfsArgop4_OP_GETFH{}}
	})
	if err != nil || status != nfsv4.NFS4_OK {
		return false, err
	}
	for _, s := range f.locksOf() {
		if err := r.reclaimLocks(f, s); err != nil {
			return false, err
		}
	}
	return true, nil
}

// reclaimLocks loses the locks that the server does not give back.
func (r *recovery) reclaimLocks(f *File, s *lockState) error {
	s.mu.Lock()
	spans := s.held
	s.file, s.held = nil, nil
	s.mu.Unlock()
	for i, span := range spans {
		p, err := r.send(r.slots[0], f.cred,
			[]nfsv4.NfsArgop4{putfh(f.handle), f.lockOperation(s, span, true)})
		if err == nil && forgotten(p.status) {
			err = errForgotten
		}
		if err != nil {
			s.mu.Lock() // for the next try
			s.file, s.held = f, spans
			s.mu.Unlock()
			return err
		}
		f.seeLock(s, span, p)
		if p.status != nfsv4.NFS4_OK {
			r.lose(f, len(spans)-i)
			return nil
		}
	}
	return nil
}

// open sends an OPEN until the server follows the owner's sequence ids, and is out of grace.
func (r *recovery) open(f *File, build func() []nfsv4.NfsArgop4) (nfsv4.Nfsstat4, error) {
	for try := 1; ; try++ {
		p, err := r.send(r.slots[0], f.cred, build())
		if err != nil {
			return 0, err
		}
		f.seeOpen(p)
		switch {
		case forgotten(p.status):
			return 0, errForgotten
		case p.status == nfsv4.NFS4ERR_BAD_SEQID && try < openTries:
			f.mu.Lock()
			f.owner = &openOwner{name: r.c.newName("open")}
			f.mu.Unlock()
		case p.status == nfsv4.NFS4ERR_GRACE:
			if err := r.c.sleep(r.ctx, pauseMax); err != nil {
				return 0, err
			}
		case p.status != nfsv4.NFS4_OK:
			return p.status, nil
		default:
			return r.confirm(f)
		}
	}
}

func (r *recovery) confirm(f *File) (nfsv4.Nfsstat4, error) {
	operations := f.confirmation()
	if operations == nil {
		return nfsv4.NFS4_OK, nil
	}
	p, err := r.send(r.slots[0], f.cred, operations)
	if err == nil && forgotten(p.status) {
		err = errForgotten
	}
	if err == nil {
		f.seeConfirmation(p)
	}
	return p.status, err
}

// reopen is for a file whose state is gone without a restart. Its locks may have been others'
// meanwhile, so they are lost.
func (r *recovery) reopen(f *File) error {
	f.mu.Lock()
	opened := f.opened
	f.opened = false
	f.mu.Unlock()
	if !opened {
		return nil
	}
	asked := f.handle
	how := &nfsv4.Openflag4_default{Opentype: nfsv4.OPEN4_NOCREATE}
	status, err := r.open(f, func() []nfsv4.NfsArgop4 { return f.openOperations(how) })
	if err != nil {
		f.mu.Lock()
		f.opened = true // for the next try
		f.mu.Unlock()
		return err
	}
	for _, s := range f.locksOf() {
		s.mu.Lock()
		n := len(s.held)
		s.file, s.held, s.sequence = nil, nil, 0
		s.mu.Unlock()
		r.lose(f, n)
	}
	if status == nfsv4.NFS4_OK && f.handle != asked { // in NFSv4.0 its name is another file's now
		status = nfsv4.NFS4ERR_STALE
	}
	if status != nfsv4.NFS4_OK {
		r.c.config.Logf("%s: an open file cannot be opened again: %v", r.c.config.Address, Status(status))
		f.fail(syscall.EIO)
	}
	return nil
}

func (r *recovery) lose(f *File, locks int) {
	if locks == 0 {
		return
	}
	r.lost += locks
	r.c.counts.locksLost.Add(uint64(locks))
	r.c.config.Logf("%s: lost %d locks of an open file: all further use of it is an error",
		r.c.config.Address, locks)
	f.fail(syscall.EIO)
}

// test recovers the files whose state ids the server has revoked.
func (r *recovery) test() error {
	if r.c.minor == 0 {
		return nil
	}
	for _, f := range r.c.openFiles() {
		ids := f.stateids()
		if len(ids) == 0 {
			continue
		}
		results, err := r.tell(&nfsv4.NfsArgop4_OP_TEST_STATEID{
			OptestStateid: nfsv4.TestStateid4args{TsStateids: ids},
		})
		if err != nil {
			return err
		}
		res, err := result[*nfsv4.NfsResop4_OP_TEST_STATEID](results, 0)
		if err != nil {
			return err
		}
		ok, is := res.OptestStateid.(*nfsv4.TestStateid4res_NFS4_OK)
		if !is || len(ok.TsrResok4.TsrStatusCodes) != len(ids) {
			return errMalformed
		}
		bad := false
		for i, status := range ok.TsrResok4.TsrStatusCodes {
			if status == nfsv4.NFS4_OK || status == nfsv4.NFS4ERR_OLD_STATEID {
				continue
			}
			bad = true
			// The server shows its flag until it knows that the client knows.
			_, err := r.tell(&nfsv4.NfsArgop4_OP_FREE_STATEID{
				OpfreeStateid: nfsv4.FreeStateid4args{FsaStateid: ids[i]},
			})
			if errors.Is(err, errForgotten) {
				return err
			}
		}
		if bad {
			if err := r.reopen(f); err != nil {
				return err
			}
		}
	}
	return nil
}

// stateids are those of the file and its locks.
func (f *File) stateids() []nfsv4.Stateid4 {
	f.mu.Lock()
	opened, open := f.opened, f.open
	f.mu.Unlock()
	if !opened {
		return nil
	}
	ids := []nfsv4.Stateid4{open}
	for _, s := range f.locksOf() {
		s.mu.Lock()
		ids = append(ids, s.id)
		s.mu.Unlock()
	}
	return ids
}
