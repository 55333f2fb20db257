package nfs

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"
)

const (
	makers        = 2
	filesBlocks   = 5 // largest writes that a file has room for
	cutsPerCycle  = 5
	heapGrowthMax = 1 << 20
	rssGrowthMax  = 16 << 20
)

// A mount outlives whatever happens to the server for less than a lease: nothing fails, nothing is
// done twice, no byte and no lock is lost, and the client does not grow. NFS_TEST_CYCLES says how
// many times everything happens.
func TestEndurance(t *testing.T) {
	s := needServer(t)
	var all enduring
	for minor := range uint32(3) {
		all = append(all, newEndurance(t, s, minor))
	}
	all.cycle(s) // fills what is kept for good
	before, start := all.measure(footprint{}), time.Now()
	cycles := numberFrom(t, "NFS_TEST_CYCLES", 1)
	for i := 0; i < cycles && !t.Failed(); i++ {
		all.cycle(s)
		if i%10 == 9 {
			t.Logf("%v: %d cycles, %+v", time.Since(start).Round(time.Second), i+1, all.measure(footprint{}))
		}
	}
	if t.Failed() {
		return
	}
	after := all.measure(before)
	t.Logf("%d cycles in %v, before %+v, after %+v", cycles, time.Since(start).Round(time.Second), before, after)
	after.mustNotExceed(t, before)
	for _, e := range all {
		e.load.stop()
		e.end(cycles + 1)
	}
}

// heldRanges are locked from start to end; the byte behind each is free.
var heldRanges = []Range{{0, 10}, {20, 1}, {1000, 500}, {1 << 40, 1 << 50}}

type endurance struct {
	t     *testing.T
	proxy *proxy
	mount *testMount
	other *testMount // of a second client
	load  *load
	data  []*enduringFile
	worst map[string]time.Duration
}

// enduringFile is a file and what must be in it.
type enduringFile struct {
	*File
	at      Name
	want    []byte
	random  *rand.Rand
	largest int // write
}

func newEndurance(t *testing.T, s *testServer, minor uint32) *endurance {
	p := newProxy(t, s.address)
	e := &endurance{t: t, proxy: p, mount: mountAt(t, p.address(), minor, MountOptions{}),
		other: mountAt(t, s.address, minor, MountOptions{}), worst: map[string]time.Duration{}}
	locked, at := e.mount.file("held")
	for _, r := range heldRanges {
		if err := e.mount.lock(locked, 1, r); err != nil {
			t.Fatal(err)
		}
	}
	seen := e.other.open(at)
	for i, largest := range []int{4 << 10, 64 << 10, 1 << 20} {
		f, at := e.mount.file("data")
		e.data = append(e.data, &enduringFile{File: f, at: at, want: make([]byte, 0, filesBlocks*largest),
			random: rand.New(rand.NewPCG(1, uint64(i))), largest: largest})
	}
	e.load = newLoad(t)
	for i, f := range e.data {
		e.load.start(fmt.Sprintf("writer %d", i), func() error { return f.round(Call{Ctx: t.Context()}) })
	}
	for i := range makers {
		e.load.start(fmt.Sprintf("maker %d", i), e.mount.makeOnce(i))
	}
	e.load.start("the other client", func() error { return seesHeld(Call{Ctx: t.Context()}, seen) })
	return e
}

// seesHeld looks at the locks with the eyes of another client.
func seesHeld(c Call, f *File) error {
	owner := LockOwner{ID: 1}
	for _, r := range heldRanges {
		if err := f.Lock(c, owner, r, true, false); Errno(err) != syscall.EAGAIN {
			return fmt.Errorf("lock of %v, which is held: %v", r, err)
		}
		found, err := f.TestLock(c, owner, r, false)
		if err != nil || found == nil || found.Range != r || !found.Write {
			return fmt.Errorf("test of %v, which is held: %+v, %v", r, found, err)
		}
		free := Range{r.Offset + r.Length, 1}
		if err := f.Lock(c, owner, free, true, false); err != nil {
			return fmt.Errorf("lock of %v, which is free: %w", free, err)
		}
		if err := f.Unlock(c, owner, free); err != nil {
			return fmt.Errorf("unlock: %w", err)
		}
	}
	return nil
}

// round writes something and reads something, and syncs now and then.
func (f *enduringFile) round(c Call) error {
	data := make([]byte, 1+f.random.IntN(f.largest))
	for i := range data {
		data[i] = byte(f.random.Uint32())
	}
	offset := f.random.IntN((filesBlocks - 1) * f.largest)
	if _, err := f.Write(c, data, uint64(offset)); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	f.want = put(f.want, data, uint64(offset))
	if f.random.IntN(4) == 0 {
		if err := f.Sync(c); err != nil {
			return fmt.Errorf("sync: %w", err)
		}
	}
	return f.check(c, f.File, f.random.IntN(len(f.want)), f.largest)
}

func (f *enduringFile) check(c Call, with *File, offset, length int) error {
	got := make([]byte, length)
	n, _, err := with.Read(c, got, uint64(offset))
	if err != nil {
		return fmt.Errorf("read: %w", err)
	}
	if want := f.want[offset:min(offset+length, len(f.want))]; !bytes.Equal(got[:n], want) {
		return fmt.Errorf("read at %d: %s", offset, difference(got[:n], want))
	}
	return nil
}

// enduring are mounts of all versions, to whose server things happen at the same time.
type enduring []*endurance

// cycle has everything happen once, each time in the middle of the work.
func (all enduring) cycle(s *testServer) {
	all.during("kill", func() { s.do("restart") })
	lease := time.Duration(all[0].mount.client.Stats().LeaseSeconds) * time.Second
	all.during("pause", func() {
		asked := time.Now()
		s.do("pause")
		paused := time.Now()
		time.Sleep(lease/4 - paused.Sub(asked)) // where commands are slow, to resume takes as long
		s.do("resume")
		if took := time.Since(paused); took > lease*2/3 { // a client renews it after a third
			s.t.Fatalf("this host is too slow: the pause took %v, and the lease has %v", took, lease)
		}
	})
	for range cutsPerCycle {
		all.during("cut", func() {
			for _, e := range all {
				e.proxy.cut()
			}
		})
	}
	all.quiet(func() {
		for _, e := range all {
			e.compare()
		}
	})
}

func (all enduring) during(what string, do func()) {
	for _, e := range all {
		e.load.longestRound()
	}
	do()
	goals := make([][]int64, len(all))
	for i, e := range all {
		goals[i] = e.load.goals()
	}
	for i, e := range all {
		e.load.reach(goals[i])
		e.worst[what] = max(e.worst[what], e.load.longestRound())
	}
}

// quiet calls do while nobody works.
func (all enduring) quiet(do func()) {
	if len(all) == 0 {
		do()
		return
	}
	all[0].load.quiet(func() { all[1:].quiet(do) })
}

// end tells what has happened in so many cycles.
func (e *endurance) end(cycles int) {
	stats, unverified := e.mount.client.Stats(), int(e.mount.unverified.Load())
	e.t.Logf("%s: %d rounds of work; longest with a kill %v, a pause %v, cuts %v; %d recoveries, "+
		"%d reconnects, %d retransmits, %d creates not recognised", stats.Version, e.load.total(), e.worst["kill"],
		e.worst["pause"], e.worst["cut"], stats.Recoveries, stats.Reconnects, stats.Retransmits, unverified)
	if stats.LocksLost > 0 || stats.LocksHeld != len(heldRanges) || int(stats.Recoveries) < cycles ||
		unverified > cycles*makers {
		e.t.Errorf("stats: %+v", stats)
	}
}

// sync leaves no data for the client to keep.
func (e *endurance) sync() {
	for _, f := range e.data {
		if err := f.Sync(Call{Ctx: e.t.Context()}); err != nil {
			e.t.Errorf("sync: %v", err)
		}
	}
}

// compare has the other client read all that was written.
func (e *endurance) compare() {
	c := Call{Ctx: e.t.Context()}
	e.sync()
	for _, f := range e.data {
		h, attr, err := e.other.Lookup(c, f.at.Dir, f.at.Name)
		if err != nil || attr.Size != uint64(len(f.want)) {
			e.t.Errorf("%s has %d bytes, want %d: %v", f.at.Name, attr.Size, len(f.want), err)
		}
		seen, _, err := e.other.Open(c, h, f.at, Read)
		if err != nil {
			e.t.Errorf("open: %v", err)
			return
		}
		if err := f.check(c, seen, 0, len(f.want)+1); err != nil {
			e.t.Errorf("the other client: %v", err)
		}
		if err := seen.Close(c); err != nil {
			e.t.Errorf("close: %v", err)
		}
	}
}
