package nfs

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/buildbarn/go-xdr/pkg/protocols/nfsv4"
)

func TestLocksSurviveARestart(t *testing.T) {
	eachMinorAtOnce(t, func(t *testing.T, s *testServer, minor uint32, g *together) {
		a, b := mountAt(t, s.address, minor, MountOptions{}), mountAt(t, s.address, minor, MountOptions{})
		fa, at := a.file("restart")
		fb := b.open(at)
		for _, r := range []Range{{0, 10}, {20, 10}, {1000, ToEnd}} {
			if err := a.lock(fa, 1, r); err != nil {
				t.Fatalf("lock: %v", err)
			}
		}
		if _, err := fa.Write(a.call(), []byte("before"), 0); err != nil {
			t.Fatalf("write: %v", err)
		}
		g.once(func() { s.do("kill"); s.do("restart") })
		if err := a.write(fa, "after", 6); err != nil {
			t.Fatalf("write after the restart: %v", err)
		}
		if got := a.read(fa, 100); got != "beforeafter" {
			t.Fatalf("read %q", got)
		}
		wantErrno(t, b.lock(fb, 1, Range{25, 1}), syscall.EAGAIN)
		wantErrno(t, b.lock(fb, 1, Range{5000, 1}), syscall.EAGAIN)
		if err := b.lock(fb, 1, Range{10, 10}); err != nil {
			t.Fatalf("lock of what is free: %v", err)
		}
		if stats := a.client.Stats(); stats.LocksHeld != 3 || stats.LocksLost != 0 || stats.Recoveries == 0 {
			t.Fatalf("stats: %+v", stats)
		}
		if err := fa.Unlock(a.call(), LockOwner{ID: 1}, wholeFile); err != nil {
			t.Fatalf("unlock: %v", err)
		}
		if err := b.lock(fb, 1, Range{5000, 1}); err != nil {
			t.Fatalf("lock after the unlock: %v", err)
		}
		if err := fa.Close(a.call()); err != nil {
			t.Fatalf("close: %v", err)
		}
	})
}

// A server that was restarted knows the client by another id.
func TestAnOwnerIsReleasedAcrossARestart(t *testing.T) {
	s := needServer(t)
	m := mountAt(t, s.address, 0, MountOptions{})
	f, _ := m.file("owner")
	if err := m.lock(f, 1, wholeFile); err != nil {
		t.Fatal(err)
	}
	name := f.locksOf()[0].name
	if err := f.Unlock(m.call(), LockOwner{ID: 1}, wholeFile); err != nil {
		t.Fatal(err)
	}
	s.do("kill")
	released := make(chan error)
	go func() { released <- m.releaseOwner(m.call(), name) }()
	s.do("restart")
	if err := <-released; err != nil {
		t.Fatalf("it took %d recoveries: %v", m.client.Stats().Recoveries, err)
	}
	if err := f.Close(m.call()); err != nil {
		t.Fatal(err)
	}
}

// Connections are cut all the time; each operation must have been carried out exactly once.
func TestCutConnectionsRepeatNothing(t *testing.T) {
	eachMinor(t, func(t *testing.T, s *testServer, minor uint32) {
		p := newProxy(t, s.address)
		m := mountAt(t, p.address(), minor, MountOptions{})
		load := newLoad(t)
		for w := range 4 {
			load.start(fmt.Sprintf("worker %d", w), m.makeOnce(w))
		}
		for m.client.Stats().Retransmits < 40 && !t.Failed() {
			p.cut()
			load.progress()
		}
		load.stop()
		if stats := m.client.Stats(); stats.Reconnects == 0 {
			t.Fatalf("nothing was cut: %+v", stats)
		}
	})
}

// makeOnce gives rounds of what fails when it is done twice.
func (m *testMount) makeOnce(worker int) func() error {
	mode := uint32(0o644)
	call := Call{Ctx: m.t.Context()}
	prefix, i := fmt.Sprintf("once-%d-%d", worker, time.Now().UnixNano()), 0
	return func() error {
		i++
		from := Name{m.root, fmt.Sprintf("%s-%d", prefix, i)}
		to := Name{m.root, from.Name + "-to"}
		recoveries := m.client.Stats().Recoveries
		f, _, _, err := m.Create(call, from, ReadWrite, true, Changes{Mode: &mode})
		if Errno(err) == syscall.EEXIST && m.client.Stats().Recoveries > recoveries && m.hasNoVerifier(from) {
			m.unverified.Add(1)
			return m.Remove(call, from)
		}
		if err != nil {
			return fmt.Errorf("exclusive create: %w", err)
		}
		owner := LockOwner{ID: 1}
		for _, step := range []struct {
			name string
			do   func() error
		}{
			{"lock", func() error { return f.Lock(call, owner, Range{uint64(i), 10}, true, false) }},
			{"rename", func() error { return m.Rename(call, from, to) }},
			{"link", func() error { _, err := m.Link(call, f.handle, from); return err }},
			{"unlock", func() error { return f.Unlock(call, owner, wholeFile) }},
			{"close", func() error { return f.Close(call) }},
			{"remove", func() error { return m.Remove(call, from) }},
			{"remove", func() error { return m.Remove(call, to) }},
		} {
			if err := step.do(); err != nil {
				return fmt.Errorf("%s: %w", step.name, err)
			}
		}
		return nil
	}
}

// hasNoVerifier tells of a file that Ganesha made before it was killed, without having come to note
// the verifier of the exclusive create in its times, which are those of its birth. Nobody can tell
// any more whose it is. Of 99 creates that a kill interrupted, in 60 kills, it was one.
func (m *testMount) hasNoVerifier(at Name) bool {
	_, attr, err := m.Lookup(Call{Ctx: m.t.Context()}, at.Dir, at.Name)
	return err == nil && attr.Size == 0 && attr.Atime.Equal(attr.Mtime) && attr.Mtime.Equal(attr.Ctime)
}

// The server knows an exclusive create that is sent again by its verifier, even when it has lost
// all it kept of the first.
func TestAnExclusiveCreateCanBeRepeated(t *testing.T) {
	eachMinor(t, func(t *testing.T, s *testServer, minor uint32) {
		m := mountAt(t, s.address, minor, MountOptions{})
		at := Name{m.root, fmt.Sprintf("exclusive-%d", time.Now().UnixNano())}
		defer m.Remove(m.call(), at)
		mode := uint32(0o600)
		how := m.client.createHow(true, Changes{Mode: &mode})
		for try := range 2 {
			f := m.newFile(Cred{}, "", at, ReadWrite)
			if _, err := f.request(m.call(), func() []nfsv4.NfsArgop4 { return f.createOperations(how) }); err != nil {
				t.Fatalf("try %d: %v", try, err)
			}
		}
		_, _, _, err := m.Create(m.call(), at, ReadWrite, true, Changes{Mode: &mode})
		wantErrno(t, err, syscall.EEXIST)
	})
}
