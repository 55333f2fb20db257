package nfs

import (
	"context"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"
)

func TestASoftMountRunsOut(t *testing.T) {
	eachMinor(t, func(t *testing.T, s *testServer, minor uint32) {
		m := mountAt(t, s.address, minor, MountOptions{Soft: true, Timeo: 200 * time.Millisecond, Retrans: 2})
		f, _ := m.file("soft")
		s.pause()
		start := time.Now()
		_, err := m.GetAttr(m.call(), f.handle)
		wantErrno(t, err, syscall.EIO)
		if took := time.Since(start); took < 600*time.Millisecond {
			t.Fatalf("it gave up after %v", took)
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
