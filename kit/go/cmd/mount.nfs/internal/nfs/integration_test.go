package nfs

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/buildbarn/go-xdr/pkg/protocols/nfsv4"
)

var wholeFile = Range{0, ToEnd}

func TestLocksOfTwoClientsConflict(t *testing.T) {
	eachMinor(t, func(t *testing.T, s *testServer, minor uint32) {
		a, b := mountAt(t, s.address, minor, MountOptions{}), mountAt(t, s.address, minor, MountOptions{})
		fa, at := a.file("conflict")
		fb := b.open(at)
		if err := a.lock(fa, 1, Range{100, 100}); err != nil {
			t.Fatalf("first lock: %v", err)
		}
		wantErrno(t, b.lock(fb, 1, Range{150, 10}), syscall.EAGAIN)
		if err := b.lock(fb, 1, Range{200, 10}); err != nil {
			t.Fatalf("lock beside it: %v", err)
		}
		conflict, err := fb.TestLock(b.call(), LockOwner{ID: 1}, wholeFile, false)
		if err != nil || conflict == nil || conflict.Range != (Range{100, 100}) || !conflict.Write {
			t.Fatalf("test: %+v, %v", conflict, err)
		}
		// Two owners of one client are strangers too, through whatever File.
		other := a.open(at)
		wantErrno(t, a.lock(other, 2, Range{100, 1}), syscall.EAGAIN)
		if err := a.lock(other, 1, Range{100, 1}); err != nil {
			t.Fatalf("the owner's own lock through another File: %v", err)
		}
		flock := LockOwner{Flock: true, ID: 1}
		wantErrno(t, fb.Lock(b.call(), flock, wholeFile, true, false), syscall.EAGAIN)
		got := make(chan error, 1)
		go func() { got <- fb.Lock(b.call(), LockOwner{ID: 1}, Range{120, 1}, true, true) }()
		if err := fa.Unlock(a.call(), LockOwner{ID: 1}, wholeFile); err != nil {
			t.Fatalf("unlock: %v", err)
		}
		if err := <-got; err != nil {
			t.Fatalf("lock that waited: %v", err)
		}
		for _, f := range []*File{fa, other, fb} {
			if err := f.Close(a.call()); err != nil {
				t.Fatalf("close: %v", err)
			}
		}
		if held := b.client.Stats().LocksHeld; held != 0 {
			t.Fatalf("%d locks held after close", held)
		}
	})
}

// A process may read-lock through one descriptor and write-lock through another.
func TestALockGrowsThroughAnotherFile(t *testing.T) {
	eachMinor(t, func(t *testing.T, s *testServer, minor uint32) {
		a, b := mountAt(t, s.address, minor, MountOptions{}), mountAt(t, s.address, minor, MountOptions{})
		both, at := a.file("grow")
		reads, _, err := a.Open(a.call(), both.handle, at, Read)
		if err != nil {
			t.Fatal(err)
		}
		owner := LockOwner{ID: 1}
		wantErrno(t, reads.Lock(a.call(), owner, wholeFile, true, false), syscall.EBADF)
		if err := reads.Lock(a.call(), owner, wholeFile, false, false); err != nil {
			t.Fatalf("read lock: %v", err)
		}
		if err := both.Lock(a.call(), owner, Range{0, 10}, true, false); err != nil {
			t.Fatalf("write lock: %v", err)
		}
		fb := b.open(at)
		wantErrno(t, fb.Lock(b.call(), owner, Range{5, 1}, false, false), syscall.EAGAIN)
		if err := fb.Lock(b.call(), owner, Range{10, 1}, false, false); err != nil {
			t.Fatalf("read lock of another client: %v", err)
		}
		// What POSIX wants when the process closes either descriptor.
		if err := reads.Unlock(a.call(), owner, wholeFile); err != nil {
			t.Fatal(err)
		}
		if err := both.Lock(a.call(), owner, Range{0, 5}, true, false); err != nil {
			t.Fatalf("write lock after it: %v", err)
		}
		if err := reads.Close(a.call()); err != nil {
			t.Fatal(err)
		}
		wantErrno(t, fb.Lock(b.call(), owner, Range{0, 1}, false, false), syscall.EAGAIN)
		for _, f := range []*File{both, fb} {
			if err := f.Close(a.call()); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestAnInterruptedLockIsNotHeld(t *testing.T) {
	eachMinor(t, func(t *testing.T, s *testServer, minor uint32) {
		a, b := mountAt(t, s.address, minor, MountOptions{}), mountAt(t, s.address, minor, MountOptions{})
		fa, at := a.file("interrupt")
		fb := b.open(at)
		s.pause()
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		start := time.Now()
		err := fa.Lock(Call{Ctx: ctx}, LockOwner{ID: 1}, wholeFile, true, true)
		wantErrno(t, err, syscall.EINTR)
		if took := time.Since(start); took > time.Second {
			t.Fatalf("it took %v to leave", took)
		}
		s.do("resume")
		time.Sleep(200 * time.Millisecond)
		if err := b.lock(fb, 1, wholeFile); err != nil {
			t.Fatalf("lock of the other: %v", err)
		}
	})
}

func TestLocksSurviveARestart(t *testing.T) {
	eachMinor(t, func(t *testing.T, s *testServer, minor uint32) {
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
		s.do("kill")
		s.do("restart")
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

// Both clients' leases run out while the server stands still. A file without locks is opened
// again; one with a lock is an error for good.
func TestALockLostWithTheLeaseIsAnError(t *testing.T) {
	eachMinor(t, func(t *testing.T, s *testServer, minor uint32) {
		p := newProxy(t, s.address)
		a := mountAt(t, p.address(), minor, MountOptions{})
		b := mountAt(t, s.address, minor, MountOptions{})
		locked, at := a.file("lease")
		free, from := a.file("lease-free")
		if err := a.Rename(a.call(), from, Name{a.root, from.Name + "-renamed"}); err != nil {
			t.Fatalf("rename: %v", err)
		}
		if err := a.lock(locked, 1, wholeFile); err != nil {
			t.Fatalf("lock: %v", err)
		}
		if err := a.write(locked, "first", 0); err != nil {
			t.Fatalf("write: %v", err)
		}
		p.stop()
		fb := b.open(at)
		wait := Call{Ctx: context.Background()}
		if err := fb.Lock(wait, LockOwner{ID: 1}, wholeFile, true, true); err != nil {
			t.Fatalf("lock of the other: %v", err)
		}
		if err := b.write(fb, "other", 0); err != nil {
			t.Fatalf("write of the other: %v", err)
		}
		p.goOn()
		wantErrno(t, a.write(locked, "silent", 0), syscall.EIO)
		_, _, err := locked.Read(a.call(), make([]byte, 5), 0)
		wantErrno(t, err, syscall.EIO)
		if err := a.write(free, "fine", 0); err != nil {
			t.Fatalf("write without a lock: %v", err)
		}
		if !a.logs.has("lost 1 locks") {
			t.Fatal("the log does not tell of the lost lock")
		}
		wantErrno(t, locked.Close(a.call()), syscall.EIO)
		if got := b.read(fb, 10); got != "other" {
			t.Fatalf("the file holds %q", got)
		}
		fb.Close(b.call())
		again := a.open(at)
		if err := a.lock(again, 1, wholeFile); err != nil {
			t.Fatalf("lock of a new File: %v", err)
		}
	})
}

// Connections are cut all the time; each operation must have been carried out exactly once.
func TestCutConnectionsRepeatNothing(t *testing.T) {
	eachMinor(t, func(t *testing.T, s *testServer, minor uint32) {
		p := newProxy(t, s.address)
		m := mountAt(t, p.address(), minor, MountOptions{})
		stop := make(chan struct{})
		var cutting sync.WaitGroup
		cutting.Add(1)
		go func() {
			defer cutting.Done()
			for {
				select {
				case <-stop:
					return
				case <-time.After(30 * time.Millisecond):
					p.cut()
				}
			}
		}()
		var workers sync.WaitGroup
		for w := range 4 {
			workers.Add(1)
			go func() {
				defer workers.Done()
				m.exactlyOnce(w, func() bool { return m.client.Stats().Retransmits >= 40 })
			}()
		}
		workers.Wait()
		close(stop)
		cutting.Wait()
		if stats := m.client.Stats(); stats.Reconnects == 0 || stats.Retransmits == 0 {
			t.Fatalf("nothing was cut: %+v", stats)
		}
	})
}

// The server is killed all the time; what it had done before it must not be an error, nor be done
// again.
func TestRestartsRepeatNothing(t *testing.T) {
	const restarts = 3
	eachMinor(t, func(t *testing.T, s *testServer, minor uint32) {
		m := mountAt(t, s.address, minor, MountOptions{})
		over := make(chan struct{})
		var workers sync.WaitGroup
		for w := range 4 {
			workers.Add(1)
			go func() {
				defer workers.Done()
				m.exactlyOnce(w, func() bool {
					select {
					case <-over:
						return true
					default:
						return false
					}
				})
			}()
		}
		for range restarts {
			time.Sleep(300 * time.Millisecond)
			s.do("restart")
			time.Sleep(7 * time.Second) // the grace period of the test's server
		}
		close(over)
		workers.Wait()
		if stats := m.client.Stats(); stats.Recoveries == 0 || stats.LocksLost > 0 {
			t.Fatalf("stats: %+v", stats)
		}
	})
}

func (m *testMount) exactlyOnce(worker int, over func() bool) {
	mode := uint32(0o644)
	prefix := fmt.Sprintf("once-%d-%d", worker, time.Now().UnixNano())
	for i := 0; !over(); i++ {
		from := Name{m.root, fmt.Sprintf("%s-%d", prefix, i)}
		to := Name{m.root, from.Name + "-to"}
		f, _, _, err := m.Create(m.call(), from, ReadWrite, true, Changes{Mode: &mode})
		if Errno(err) == syscall.EEXIST && m.client.Stats().Recoveries > 0 {
			continue // the server died after it had made the file and before it had noted the verifier
		}
		if err != nil {
			m.t.Errorf("exclusive create: %v", err)
			return
		}
		for _, step := range []struct {
			name string
			do   func() error
		}{
			{"lock", func() error { return m.lock(f, 1, Range{uint64(i), 10}) }},
			{"rename", func() error { return m.Rename(m.call(), from, to) }},
			{"link", func() error { _, err := m.Link(m.call(), f.handle, from); return err }},
			{"unlock", func() error { return f.Unlock(m.call(), LockOwner{ID: 1}, wholeFile) }},
			{"close", func() error { return f.Close(m.call()) }},
			{"remove", func() error { return m.Remove(m.call(), from) }},
			{"remove", func() error { return m.Remove(m.call(), to) }},
		} {
			if err := step.do(); err != nil {
				m.t.Errorf("%s: %v", step.name, err)
				return
			}
		}
	}
}

func TestASoftMountRunsOut(t *testing.T) {
	eachMinor(t, func(t *testing.T, s *testServer, minor uint32) {
		m := mountAt(t, s.address, minor, MountOptions{Soft: true, Timeo: 200 * time.Millisecond, Retrans: 2})
		f, _ := m.file("soft")
		s.pause()
		start := time.Now()
		_, err := m.GetAttr(m.call(), f.handle)
		wantErrno(t, err, syscall.EIO)
		if took := time.Since(start); took < 400*time.Millisecond || took > 2*time.Second {
			t.Fatalf("it took %v", took)
		}
		s.do("resume")
		if _, err := m.GetAttr(m.call(), f.handle); err != nil {
			t.Fatalf("after it: %v", err)
		}
	})
}

func TestConnectFallsBackOverMinorVersions(t *testing.T) {
	address := os.Getenv("NFS_TEST_SERVER_40")
	if address == "" {
		t.Skip("NFS_TEST_SERVER_40 names no server that speaks NFSv4.0 only")
	}
	ctx, cancel := context.WithTimeout(context.Background(), testPatience)
	defer cancel()
	c, err := Connect(ctx, Config{Address: address, Minors: []uint32{2, 1, 0}, Identity: t.Name(), Logf: t.Logf})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if version := c.Stats().Version; version != "4.0" {
		t.Fatalf("it speaks %s", version)
	}
}

func TestCloseLeavesNoGoroutine(t *testing.T) {
	eachMinor(t, func(t *testing.T, s *testServer, minor uint32) {
		before := runtime.NumGoroutine()
		for range 5 {
			t.Run("client", func(t *testing.T) {
				m := mountAt(t, s.address, minor, MountOptions{})
				f, _ := m.file("leak")
				if err := m.write(f, "x", 0); err != nil {
					t.Fatal(err)
				}
				if err := f.Close(m.call()); err != nil {
					t.Fatal(err)
				}
			})
		}
		deadline := time.Now().Add(5 * time.Second)
		for runtime.NumGoroutine() > before {
			if time.Now().After(deadline) {
				stacks := make([]byte, 1<<20)
				t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before,
					stacks[:runtime.Stack(stacks, true)])
			}
			time.Sleep(10 * time.Millisecond)
		}
	})
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

// The server stands still for less than the lease, which nobody may notice but for the time.
func TestAPauseBelowTheLeaseLosesNothing(t *testing.T) {
	eachMinor(t, func(t *testing.T, s *testServer, minor uint32) {
		m := mountAt(t, s.address, minor, MountOptions{})
		f, _ := m.file("pause")
		if err := m.lock(f, 1, wholeFile); err != nil {
			t.Fatal(err)
		}
		pause := time.Duration(m.client.Stats().LeaseSeconds) * time.Second / 3
		over := make(chan struct{})
		var workers sync.WaitGroup
		workers.Add(2)
		go func() {
			defer workers.Done()
			m.exactlyOnce(0, func() bool {
				select {
				case <-over:
					return true
				default:
					return false
				}
			})
		}()
		go func() {
			defer workers.Done()
			block := make([]byte, 1<<20)
			for i := 0; ; i++ {
				select {
				case <-over:
					return
				default:
				}
				if _, err := f.Write(m.call(), block, uint64(i%16)<<20); err != nil {
					t.Errorf("write: %v", err)
					return
				}
			}
		}()
		s.pause()
		time.Sleep(pause)
		s.do("resume")
		time.Sleep(200 * time.Millisecond)
		close(over)
		workers.Wait()
		if err := f.Sync(m.call()); err != nil {
			t.Fatalf("sync: %v", err)
		}
		if stats := m.client.Stats(); stats.LocksLost != 0 || stats.LocksHeld != 1 {
			t.Fatalf("stats: %+v", stats)
		}
		if err := f.Close(m.call()); err != nil {
			t.Fatalf("close: %v", err)
		}
	})
}

// A pause above the lease costs the lock if the server says so, and then it is an error.
func TestAPauseAboveTheLeaseIsNoticed(t *testing.T) {
	eachMinor(t, func(t *testing.T, s *testServer, minor uint32) {
		m := mountAt(t, s.address, minor, MountOptions{})
		f, _ := m.file("long-pause")
		if err := m.lock(f, 1, wholeFile); err != nil {
			t.Fatal(err)
		}
		lease := time.Duration(m.client.Stats().LeaseSeconds) * time.Second
		s.pause()
		time.Sleep(lease + 3*time.Second)
		s.do("resume")
		wantErrno(t, m.write(f, "x", 0), syscall.EIO)
		if stats := m.client.Stats(); stats.LocksLost != 1 {
			t.Fatalf("stats: %+v", stats)
		}
	})
}
