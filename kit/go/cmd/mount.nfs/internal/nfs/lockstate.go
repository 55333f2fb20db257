package nfs

import (
	"sync"

	"github.com/buildbarn/go-xdr/pkg/protocols/nfsv4"
)

type lockKey struct {
	handle Handle
	owner  LockOwner
}

// lockState is what an owner has locked in a file, through whichever File.
type lockState struct {
	key   lockKey
	name  []byte     // of the lock-owner
	users int        // guarded by Mount.mu
	op    sync.Mutex // held from request to reply: sequence ids, and the order of what is noted

	// Changed with op and a slot, or by a recovery, which has all slots.
	mu       sync.Mutex
	file     *File // through which the server knows the owner; nil: it does not
	id       nfsv4.Stateid4
	sequence uint32 // NFSv4.0: of the next request
	held     held
}

// lockState is to be given back with release.
func (m *Mount) lockState(key lockKey) *lockState {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.locks[key]
	if s == nil {
		s = &lockState{key: key, name: m.client.newName("lock")}
		m.locks[key] = s
	}
	s.users++
	return s
}

func (m *Mount) release(s *lockState) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.users--; s.users == 0 && s.file == nil {
		delete(m.locks, s.key)
	}
}

// through is the File by which the server knows the owner, or will know it: f. A lock-owner
// belongs to the open-owner that introduced it, for as long as it has locks.
func (s *lockState) through(f *File) *File {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file != nil && s.file != f && len(s.held) == 0 {
		s.file, s.sequence, s.name = nil, 0, f.mount.client.newName("lock")
	}
	if s.file != nil {
		return s.file
	}
	return f
}

func (f *File) lockOperation(s *lockState, want span, reclaim bool) nfsv4.NfsArgop4 {
	args := nfsv4.Lock4args{
		Locktype: lockType(want.write), Reclaim: reclaim, Offset: want.start, Length: want.length(),
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file != nil {
		args.Locker = &nfsv4.Locker4_FALSE{LockOwner: nfsv4.ExistLockOwner4{
			LockStateid: s.id, LockSeqid: s.sequence,
		}}
		return &nfsv4.NfsArgop4_OP_LOCK{Oplock: args}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	first := nfsv4.OpenToLockOwner4{
		OpenStateid: f.open, LockSeqid: s.sequence, LockOwner: f.mount.client.stateOwner(s.name),
	}
	if f.mount.client.minor == 0 {
		first.OpenSeqid = f.owner.sequence
	}
	args.Locker = &nfsv4.Locker4_TRUE{OpenOwner: first}
	return &nfsv4.NfsArgop4_OP_LOCK{Oplock: args}
}

func (f *File) seeLock(s *lockState, want span, p reply) {
	status, is := reached(p, 1)
	if !is {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	introduced := s.file == nil
	if introduced && countsForOwner(status) {
		f.mu.Lock()
		f.owner.sequence++
		f.mu.Unlock()
	}
	if f.mount.client.minor == 0 && countsForOwner(status) && (!introduced || status == nfsv4.NFS4_OK) {
		s.sequence++
	}
	res, err := result[*nfsv4.NfsResop4_OP_LOCK](p.results, 1)
	if err != nil {
		return
	}
	if ok, is := res.Oplock.(*nfsv4.Lock4res_NFS4_OK); is {
		s.id, s.held = ok.Resok4.LockStateid, s.held.with(want)
		if introduced {
			s.file = f
		}
	}
}

// unlockOperations are none when there is nothing to unlock: the server has what is in held.
func (s *lockState) unlockOperations(m *Mount, what span) []nfsv4.NfsArgop4 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file == nil || !s.held.overlaps(what) {
		return nil
	}
	return []nfsv4.NfsArgop4{putfh(s.file.handle), &nfsv4.NfsArgop4_OP_LOCKU{Oplocku: nfsv4.Locku4args{
		Locktype: nfsv4.WRITE_LT, Seqid: s.sequence, LockStateid: s.id,
		Offset: what.start, Length: what.length(),
	}}}
}

func (s *lockState) seeUnlock(m *Mount, what span, p reply) {
	status, is := reached(p, 1)
	if !is {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if m.client.minor == 0 && countsForOwner(status) {
		s.sequence++
	}
	res, err := result[*nfsv4.NfsResop4_OP_LOCKU](p.results, 1)
	if err != nil {
		return
	}
	if ok, is := res.Oplocku.(*nfsv4.Locku4res_NFS4_OK); is {
		s.id, s.held = ok.LockStateid, s.held.without(what)
	}
}

// locksOf are the states that the server knows through f.
func (f *File) locksOf() []*lockState {
	m := f.mount
	m.mu.Lock()
	defer m.mu.Unlock()
	var states []*lockState
	for _, s := range m.locks {
		s.mu.Lock()
		if s.file == f {
			states = append(states, s)
		}
		s.mu.Unlock()
	}
	return states
}

// releaseLocks is for the end of a File: some servers refuse to CLOSE what is locked.
func (f *File) releaseLocks(c Call) {
	m := f.mount
	for _, s := range f.locksOf() {
		m.lockState(s.key)
		s.unlock(m, c, Range{0, ToEnd}.span(false))
		s.mu.Lock()
		s.file = nil
		s.mu.Unlock()
		m.release(s)
		if m.client.minor == 0 {
			go m.releaseOwner(c, s.name)
		}
	}
}

// releaseOwner lets an NFSv4.0 server forget a lock-owner.
func (m *Mount) releaseOwner(c Call, name []byte) error {
	_, err := m.client.compound(m, c, func() []nfsv4.NfsArgop4 {
		return []nfsv4.NfsArgop4{&nfsv4.NfsArgop4_OP_RELEASE_LOCKOWNER{
			OpreleaseLockowner: nfsv4.ReleaseLockowner4args{LockOwner: m.client.stateOwner(name)},
		}}
	})
	return err
}
