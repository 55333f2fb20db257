package nfs

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/buildbarn/go-xdr/pkg/protocols/nfsv4"
)

func TestWritersOfOneFileDoNotDisturbEachOther(t *testing.T) {
	for seed := range uint64(12) {
		synctest.Test(t, func(t *testing.T) {
			const part, count = 8 << 10, 6
			s, files := modelFiles(seed, 0.02, count)
			want := make([]byte, count*part)
			var all sync.WaitGroup
			for i, f := range files {
				all.Go(func() {
					random := rand.New(rand.NewPCG(seed, uint64(i)))
					mine := want[i*part : (i+1)*part]
					for range 100 {
						at := random.IntN(part - 512)
						for j := range 512 {
							mine[at+j] = byte(random.Uint32())
						}
						if _, err := f.Write(background, mine[at:at+512], uint64(i*part+at)); err != nil {
							t.Error(err)
						}
						if random.IntN(4) > 0 {
							continue
						}
						if err := f.Sync(background); err != nil {
							t.Error(err)
						}
						s.mu.Lock()
						if got := put(bytes.Clone(s.disk), nil, uint64(len(want)))[i*part : (i+1)*part]; !bytes.Equal(got, mine) {
							t.Errorf("seed %d, writer %d: %s", seed, i, difference(got, mine))
						}
						s.mu.Unlock()
					}
				})
			}
			all.Wait()
			files[0].Sync(background)
			checkIdle(t, files[0].mount.client.pending)
		})
	}
}

func TestOneSmallWriteIsStableInOneRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, files := modelFiles(1, 0, 1)
		s.random = rand.New(rand.NewPCG(7, 0))
		for range 50 {
			before := s.stableWrites
			files[0].Write(background, []byte{1}, 0)
			files[0].Sync(background)
			if s.stableWrites != before+1 {
				t.Fatalf("%d stable writes, want 1", s.stableWrites-before)
			}
		}
		if s.commits > 0 || s.writes != 50 {
			t.Errorf("%d writes and %d commits, want 50 and 0", s.writes, s.commits)
		}
	})
}

func TestHeldDataReachesTheServerByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, files := modelFiles(1, 0, 1)
		files[0].Write(background, []byte("data"), 0)
		time.Sleep(2*holdTime + 10*time.Millisecond)
		synctest.Wait()
		if string(s.memory) != "data" {
			t.Errorf("the server has %q in memory", s.memory)
		}
		time.Sleep(2 * commitAge)
		synctest.Wait()
		if string(s.disk) != "data" {
			t.Errorf("the server has %q on disk", s.disk)
		}
		checkIdle(t, files[0].mount.client.pending)
	})
}

func TestSmallWritesInARowBecomeOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, files := modelFiles(1, 0, 1)
		for i := range 16 {
			files[0].Write(background, bytes.Repeat([]byte{byte(i)}, 512), uint64(i*512))
		}
		files[0].Sync(background)
		if s.stableWrites > 2 || len(s.disk) != 8<<10 {
			t.Errorf("%d writes for %d bytes", s.writes, len(s.disk))
		}
	})
}

func TestAnErrorIsToldOnceToTheFileThatWrote(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, files := modelFiles(1, 0, 2)
		writer, other := files[0], files[1]
		write := func() error { _, err := writer.Write(background, []byte("x"), 0); return err }

		s.fail = Status(nfsv4.NFS4ERR_NOSPC)
		if err := write(); err != nil {
			t.Errorf("the write itself: %v", err)
		}
		if err := writer.Sync(background); Errno(err) != syscall.ENOSPC {
			t.Errorf("sync: %v", err)
		}
		if err := writer.Sync(background); err != nil {
			t.Errorf("sync again: %v", err)
		}

		s.fail = Status(nfsv4.NFS4ERR_DQUOT)
		write()
		time.Sleep(time.Second)
		if err := write(); Errno(err) != syscall.EDQUOT {
			t.Errorf("the next write: %v", err)
		}
		if err := write(); err != nil {
			t.Errorf("the write after: %v", err)
		}

		time.Sleep(time.Second)
		s.failCommit = Status(nfsv4.NFS4ERR_IO)
		if err := other.Sync(background); Errno(err) != syscall.EIO {
			t.Errorf("sync of another that met the error: %v", err)
		}
		if err := other.Sync(background); err != nil {
			t.Errorf("sync of another again: %v", err)
		}
		if err := writer.Sync(background); Errno(err) != syscall.EIO {
			t.Errorf("sync of the writer: %v", err)
		}
		checkIdle(t, writer.mount.client.pending)
	})
}

func TestAnInterruptedSyncLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, files := modelFiles(1, 0, 1)
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		files[0].Write(background, []byte("data"), 0)
		if err := files[0].Sync(Call{Ctx: ctx}); Errno(err) != syscall.EINTR {
			t.Errorf("interrupted sync: %v", err)
		}
		if err := files[0].Sync(background); err != nil || string(s.disk) != "data" {
			t.Errorf("sync: %v, the disk has %q", err, s.disk)
		}
		checkIdle(t, files[0].mount.client.pending)
	})
}

func TestDataIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, files := modelFiles(1, 0, 1)
		p := files[0].mount.client.pending
		p.write = func(*File, Call, []byte, uint64, nfsv4.StableHow4) (*nfsv4.Write4resok, error) {
			<-p.ctx.Done() // the server is away
			return nil, p.ctx.Err()
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		var err error
		data := make([]byte, 8<<10)
		written := 0
		for ; err == nil && written <= fileBytesMax; written += len(data) {
			_, err = files[0].Write(Call{Ctx: ctx}, data, uint64(written))
		}
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%d bytes were taken from a server that is away: %v", written, err)
		}
		p.cancel()
		checkIdle(t, p)
	})
}
