package nfs

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/buildbarn/go-xdr/pkg/protocols/nfsv4"
)

// modelServer has one file. A restart loses what is not stable.
type modelServer struct {
	mu              sync.Mutex
	random          *rand.Rand
	restartRate     float64 // of requests
	generous        bool    // some writes are more stable than they had to be
	memory, disk    []byte
	instance        byte
	fail            error // the answer to the next WRITE
	failCommit      error
	writes, commits int
	stableWrites    int
	restarts        int
	onRestart       func()
}

// pause is the way of a request, or of its answer. The server may be killed meanwhile.
func (s *modelServer) pause() {
	s.mu.Lock()
	pause := time.Duration(s.random.IntN(300)) * time.Microsecond
	if s.random.Float64() < s.restartRate {
		s.restart()
	}
	s.mu.Unlock()
	time.Sleep(pause)
}

func (s *modelServer) restart() {
	s.memory = bytes.Clone(s.disk)
	s.instance++
	s.restarts++
	s.mu.Unlock()
	s.onRestart()
	s.mu.Lock()
}

// tries calls do on one instance of the server from the request to the answer.
func (s *modelServer) tries(do func()) {
	for answered := false; !answered; {
		s.pause()
		s.mu.Lock()
		instance := s.instance
		do()
		s.mu.Unlock()
		s.pause()
		s.mu.Lock()
		answered = instance == s.instance
		s.mu.Unlock()
	}
}

func put(to []byte, data []byte, offset uint64) []byte {
	if need := int(offset) + len(data) - len(to); need > 0 {
		to = append(to, make([]byte, need)...)
	}
	copy(to[offset:], data)
	return to
}

func (s *modelServer) write(_ *File, _ Call, data []byte, offset uint64, how nfsv4.StableHow4) (r *nfsv4.Write4resok, err error) {
	s.tries(func() {
		s.writes++
		if err = s.fail; err != nil {
			s.fail = nil
			return
		}
		part := data[:1+s.random.IntN(len(data))]
		if s.random.IntN(4) > 0 {
			part = data
		}
		s.memory = put(s.memory, part, offset)
		if s.generous && s.random.IntN(8) == 0 {
			how = nfsv4.FILE_SYNC4
		}
		if how == nfsv4.FILE_SYNC4 {
			s.stableWrites++
			s.disk = put(s.disk, part, offset)
		}
		r = &nfsv4.Write4resok{Count: uint32(len(part)), Committed: how, Writeverf: Verifier{s.instance}}
	})
	return r, err
}

func (s *modelServer) commit(*Mount, Call, Handle) (v Verifier, err error) {
	s.tries(func() {
		s.commits++
		if err = s.failCommit; err != nil {
			s.failCommit = nil
			return
		}
		s.disk = bytes.Clone(s.memory)
		v = Verifier{s.instance}
	})
	return v, err
}

func (s *modelServer) read(_ *File, _ Call, dest []byte, offset uint64) (n int, eof bool, err error) {
	s.tries(func() {
		n = copy(dest, s.memory[min(int(offset), len(s.memory)):])
		eof = int(offset)+n >= len(s.memory)
	})
	return n, eof, nil
}

func modelFiles(seed uint64, restartRate float64, count int) (*modelServer, []*File) {
	s := &modelServer{random: rand.New(rand.NewPCG(seed, 0)), restartRate: restartRate}
	p := newPending()
	p.read, p.write, p.commit = s.read, s.write, s.commit
	s.onRestart = p.restarted
	m := &Mount{client: &Client{pending: p}, options: MountOptions{RSize: 8 << 10, WSize: 8 << 10}}
	files := make([]*File, count)
	for i := range files {
		files[i] = &File{mount: m, handle: "file"}
	}
	return s, files
}

var background = Call{Ctx: context.Background()}

// checkIdle is for the end: nothing is left behind.
func checkIdle(t *testing.T, p *pending) {
	t.Helper()
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.files) > 0 {
		t.Errorf("%d files have pending data at the end", len(p.files))
	}
	if !p.room.TryAcquire(pendingBytesMax) {
		t.Error("room is missing at the end")
	}
}

func TestSyncedDataIsWhatWasWrittenLast(t *testing.T) {
	for seed := range uint64(60) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { modelRun(t, seed) })
		})
	}
}

func modelRun(t *testing.T, seed uint64) {
	random := rand.New(rand.NewPCG(seed, 1))
	s, files := modelFiles(seed, []float64{0, 0.01, 0.1}[seed%3], 2)
	s.generous = seed%2 == 0
	var want []byte
	for range 200 {
		f := files[random.IntN(len(files))]
		offset := uint64(random.IntN(64 << 10))
		if random.IntN(2) == 0 {
			offset = offset &^ 1023
		}
		data := make([]byte, 1+random.IntN(20<<10))
		switch random.IntN(8) {
		case 0:
			if err := f.Sync(background); err != nil {
				t.Fatal(err)
			}
			s.mu.Lock()
			if !bytes.Equal(s.disk, want) {
				t.Fatalf("after sync, %s", difference(s.disk, want))
			}
			s.mu.Unlock()
		case 1:
			n, _, err := f.Read(background, data, offset)
			if err != nil {
				t.Fatal(err)
			}
			if expected := want[min(int(offset), len(want)):min(int(offset)+len(data), len(want))]; !bytes.Equal(data[:n], expected) {
				t.Fatalf("read at %d: %s", offset, difference(data[:n], expected))
			}
		case 2:
			time.Sleep(time.Duration(random.IntN(3)) * time.Second)
		case 3:
			size := uint64(random.IntN(64 << 10))
			err := f.mount.client.pending.alone(context.Background(), f.mount, f.handle, func() error {
				s.tries(func() {
					s.memory = put(s.memory[:min(int(size), len(s.memory))], nil, size)
					s.disk = put(s.disk[:min(int(size), len(s.disk))], nil, size)
				})
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			want = put(want[:min(int(size), len(want))], nil, size)
		default:
			for i := range data {
				data[i] = byte(random.Uint32())
			}
			if n, err := f.Write(background, data, offset); n != len(data) || err != nil {
				t.Fatal(n, err)
			}
			want = put(want, data, offset)
			if end := f.mount.client.pending.end("file"); end < offset+uint64(len(data)) {
				t.Fatalf("the file ends at %d after a write up to %d", end, offset+uint64(len(data)))
			}
		}
	}
	if err := files[0].Sync(background); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(s.disk, want) {
		t.Fatalf("at the end, %s", difference(s.disk, want))
	}
	checkIdle(t, files[0].mount.client.pending)
}

func difference(got, want []byte) string {
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			return fmt.Sprintf("byte %d of %d is %d, want %d", i, len(want), got[i], want[i])
		}
	}
	return fmt.Sprintf("%d bytes, want %d", len(got), len(want))
}
