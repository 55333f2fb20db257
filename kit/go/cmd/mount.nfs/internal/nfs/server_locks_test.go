package nfs

import (
	"context"
	"syscall"
	"testing"
	"time"
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
		if err := a.lock(other, 3, Range{300, ToEnd}); err != nil {
			t.Fatalf("lock without an end: %v", err)
		}
		conflict, err = fb.TestLock(b.call(), LockOwner{ID: 1}, Range{5000, 1}, false)
		if err != nil || conflict == nil || conflict.Range != (Range{300, ToEnd}) {
			t.Fatalf("test against a lock without an end: %+v, %v", conflict, err)
		}
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

// NFSv4.0 opens by name only, so there the lock cannot grow once the name is another file's.
func TestALockGrowsWhenAnotherClientRenamedTheFile(t *testing.T) {
	eachMinor(t, func(t *testing.T, s *testServer, minor uint32) {
		a, b := mountAt(t, s.address, minor, MountOptions{}), mountAt(t, s.address, minor, MountOptions{})
		both, at := a.file("renamed")
		reads, _, err := a.Open(a.call(), both.handle, at, Read)
		if err != nil {
			t.Fatal(err)
		}
		owner := LockOwner{ID: 1}
		if err := reads.Lock(a.call(), owner, wholeFile, false, false); err != nil {
			t.Fatalf("read lock: %v", err)
		}
		other, otherAt := b.file("other")
		if err := b.Rename(b.call(), at, Name{b.root, at.Name + "-away"}); err != nil {
			t.Fatal(err)
		}
		if err := b.Rename(b.call(), otherAt, at); err != nil {
			t.Fatal(err)
		}
		want := []syscall.Errno{syscall.ESTALE, 0, 0}[minor]
		wantErrno(t, both.Lock(a.call(), owner, Range{0, 10}, true, false), want)
		if err := a.write(both, "renamed", 0); err != nil {
			t.Fatal(err)
		}
		if got := a.read(reads, 10) + b.read(other, 10); got != "renamed" {
			t.Fatalf("%q is in the two files", got)
		}
		for _, f := range []*File{reads, both, other} {
			if err := f.Close(a.call()); err != nil {
				t.Fatal(err)
			}
		}
		if held := a.client.Stats().LocksHeld; held != 0 {
			t.Fatalf("%d locks held after close", held)
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
		err := fa.Lock(Call{Ctx: ctx}, LockOwner{ID: 1}, wholeFile, true, true)
		wantErrno(t, err, syscall.EINTR)
		s.do("resume") // now the server hears of the lock, and of its end
		if err := fb.Lock(b.call(), LockOwner{ID: 1}, wholeFile, true, true); err != nil {
			t.Fatalf("lock of the other: %v", err)
		}
	})
}
