package nfs

import (
	"context"
	"syscall"
	"testing"
	"time"
)

// Both clients' leases run out while the server stands still. A file without locks is opened
// again; one with a lock is an error for good.
func TestALockLostWithTheLeaseIsAnError(t *testing.T) {
	eachMinorAtOnce(t, func(t *testing.T, s *testServer, minor uint32, _ *together) {
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

// A pause above the lease costs the lock, and whoever waited for it has it. From then on all that
// is done with the file is an error, and what was not acknowledged never reaches it.
// NFS_TEST_CYCLES says how many times, in tens.
func TestAPauseAboveTheLeaseIsNoticed(t *testing.T) {
	eachMinorAtOnce(t, func(t *testing.T, s *testServer, minor uint32, g *together) {
		a, b := mountAt(t, s.address, minor, MountOptions{}), mountAt(t, s.address, minor, MountOptions{})
		cycles := max(1, numberFrom(t, "NFS_TEST_CYCLES", 1)/10)
		for range cycles {
			pauseAboveTheLease(t, g, s, a, b)
		}
		stats := a.client.Stats()
		t.Logf("%d cycles, %d locks lost, %d recoveries", cycles, stats.LocksLost, stats.Recoveries)
		if int(stats.LocksLost) != cycles || stats.OpenFiles != 0 || stats.LocksHeld != 0 {
			t.Fatalf("stats: %+v", stats)
		}
	})
}

func pauseAboveTheLease(t *testing.T, g *together, s *testServer, a, b *testMount) {
	t.Helper()
	succeed := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	owner := LockOwner{ID: 1}
	locked, at := a.file("long-pause")
	free, _ := a.file("long-pause-free")
	succeed("lock", a.lock(locked, 1, wholeFile))
	succeed("write", a.write(locked, "acknowledged", 0))
	other := b.open(at)
	got := make(chan error, 1)
	go func() { got <- other.Lock(Call{Ctx: t.Context()}, owner, wholeFile, true, true) }()
	g.once(s.pause)
	_, err := locked.Write(a.call(), []byte("silent"), 0)
	succeed("write to the cache", err)
	time.Sleep(time.Duration(a.client.Stats().LeaseSeconds)*time.Second + 3*time.Second)
	g.once(func() { s.do("resume") })
	succeed("lock of the other", <-got)
	size := uint64(1)
	for name, do := range map[string]func() error{
		"sync":     func() error { return locked.Sync(a.call()) },
		"write":    func() error { return a.write(locked, "silent", 0) },
		"read":     func() error { _, _, err := locked.Read(a.call(), make([]byte, 5), 0); return err },
		"truncate": func() error { _, err := a.SetAttr(a.call(), locked.handle, locked, Changes{Size: &size}); return err },
		"lock":     func() error { return locked.Lock(a.call(), owner, wholeFile, true, false) },
	} {
		if err := do(); Errno(err) != syscall.EIO {
			t.Fatalf("%s: %v, want EIO", name, err)
		}
	}
	wantErrno(t, locked.Close(a.call()), syscall.EIO)
	if got := b.read(other, 100); got != "acknowledged" {
		t.Fatalf("the file holds %q", got)
	}
	succeed("write of the other", b.write(other, "the other's own", 0))
	succeed("write without a lock", a.write(free, "fine", 0))
	again := a.open(at)
	wantErrno(t, a.lock(again, 1, wholeFile), syscall.EAGAIN)
	succeed("unlock of the other", other.Unlock(b.call(), owner, wholeFile))
	succeed("lock again", a.lock(again, 1, wholeFile))
	if got := a.read(again, 100); got != "the other's own" {
		t.Fatalf("the file holds %q", got)
	}
	succeed("write again", a.write(again, "once again     ", 0))
	if got := b.read(other, 100); got != "once again     " {
		t.Fatalf("the file holds %q", got)
	}
	succeed("close of the other", other.Close(b.call()))
	for _, f := range []*File{free, again} {
		succeed("close", f.Close(a.call()))
	}
}
