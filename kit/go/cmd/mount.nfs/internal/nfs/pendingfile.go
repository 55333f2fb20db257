package nfs

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/buildbarn/go-xdr/pkg/protocols/nfsv4"
)

const (
	// A write is held back this long: an fsync(2) that follows makes it stable in one round trip,
	// and small ones that follow become one with it. A busy machine needs milliseconds from one
	// system call to the next.
	holdTime = 10 * time.Millisecond
	// Unstable data is committed when it is this old, or this much.
	commitAge    = 5 * time.Second
	commitBytes  = 16 << 20
	fileBytesMax = 32 << 20
	flyingMax    = 16
	joinedMax    = 1 << 20
)

// pendingFile is the data pending for one file, of all who have it open.
type pendingFile struct {
	all    *pending
	mount  *Mount
	handle Handle
	users  int // guarded by all.mu

	mu      sync.Mutex
	changed chan struct{} // closed when something below changes; nil if nobody waits
	held    *write        // not sent yet
	flying  []*write      // sent and not answered, none of them overlapping
	kept    []*write      // answered and not committed, overlapping ones in the order of writing
	bytes   int           // of all three
	end     uint64        // of the data since nothing was pending
	added   uint64        // numbers the writes

	closed     bool   // nothing may be written
	barred     bool   // nothing may be sent: what is kept is written again
	committing bool   //
	commits    uint64 // that were started
	committed  uint64 // the last commit that has ended
	failures   uint64 // writes that were dropped
	failure    error  // the last one's

	holdTimer, commitTimer *time.Timer
}

// write is a range of a file. Its data does not change once it was sent.
type write struct {
	file   *File
	cred   Cred
	offset uint64
	data   []byte
	number uint64 // of the first write that became part of it
	due    bool   // to be sent as soon as it can be
	answer
}

// answer is what the server said to a write.
type answer struct {
	stable   bool
	verifier Verifier // of the instance of the server
	epoch    uint64   // when it was sent, which is too early rather than too late
}

// large buffers are used again: a fresh one costs as much as the copy into it.
var large = sync.Pool{New: func() any { return new([joinedMax]byte) }}

func newBuffer(size int) []byte {
	if size <= joinedMax/2 || size > joinedMax {
		return make([]byte, 0, size)
	}
	return large.Get().(*[joinedMax]byte)[:0]
}

// recycle is for data that no request refers to any more.
func recycle(data []byte) {
	if cap(data) == joinedMax {
		large.Put((*[joinedMax]byte)(data[:joinedMax]))
	}
}

func (w *write) end() uint64 { return w.offset + uint64(len(w.data)) }

func (w *write) overlaps(offset, end uint64) bool { return w.offset < end && offset < w.end() }

func newPendingFile(all *pending, m *Mount, h Handle) *pendingFile {
	f := &pendingFile{all: all, mount: m, handle: h}
	f.holdTimer = time.AfterFunc(time.Hour, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.launch(false)
	})
	f.holdTimer.Stop()
	f.commitTimer = time.AfterFunc(time.Hour, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.startCommit()
	})
	f.commitTimer.Stop()
	return f
}

func (f *pendingFile) empty() bool {
	return f.held == nil && len(f.flying) == 0 && len(f.kept) == 0
}

// wait lets go of f.mu until something has changed.
func (f *pendingFile) wait(ctx context.Context) error {
	if f.changed == nil {
		f.changed = make(chan struct{})
	}
	changed := f.changed
	f.mu.Unlock()
	defer f.mu.Lock()
	select {
	case <-changed:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (f *pendingFile) notify() {
	if f.changed != nil {
		close(f.changed)
		f.changed = nil
	}
}

// add takes over a copy of data, for which room is reserved.
func (f *pendingFile) add(ctx context.Context, file *File, cred Cred, data []byte, offset uint64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for {
		joins := f.held != nil && f.held.file == file && f.held.canJoin(data, offset, f.joinedMax())
		if !f.closed && f.bytes+len(data) <= fileBytesMax && (f.held == nil || joins || f.launch(false)) {
			break
		}
		if f.bytes+len(data) > fileBytesMax {
			f.launch(false)
			f.startCommit()
		}
		if err := f.wait(ctx); err != nil {
			f.all.room.Release(int64(len(data)))
			return err
		}
	}
	f.added++
	if f.held == nil {
		f.held = &write{file: file, cred: cred, offset: offset, number: f.added}
		f.held.data = append(newBuffer(len(data)), data...)
		f.bytes += len(data)
		f.holdTimer.Reset(holdTime)
	} else {
		grown := f.held.join(data, offset)
		f.bytes += grown
		f.all.room.Release(int64(len(data) - grown))
	}
	f.end = max(f.end, offset+uint64(len(data)))
	if len(f.held.data) >= f.joinedMax() {
		f.launch(false)
	}
	if f.bytes > commitBytes {
		f.startCommit()
	}
	return nil
}

func (f *pendingFile) joinedMax() int { return min(joinedMax, int(f.mount.options.WSize)) }

// canJoin tells whether data touches w, and both fit into bytesMax.
func (w *write) canJoin(data []byte, offset uint64, bytesMax int) bool {
	end := offset + uint64(len(data))
	if offset > w.end() || end < w.offset {
		return false
	}
	return max(end, w.end())-min(offset, w.offset) <= uint64(bytesMax)
}

// join writes data into w and tells by how much w has grown.
func (w *write) join(data []byte, offset uint64) int {
	before := len(w.data)
	if offset < w.offset {
		w.data = append(make([]byte, w.offset-offset, int(w.offset-offset)+before), w.data...)
		w.offset = offset
	}
	at := int(offset - w.offset)
	inside := copy(w.data[at:], data)
	w.data = append(w.data, data[inside:]...)
	return len(w.data) - before
}

// launch sends what is held, or tells that it must wait; it is then sent as soon as it can be.
func (f *pendingFile) launch(stable bool) bool {
	w := f.held
	if w == nil {
		return true
	}
	w.due = true
	if f.barred || len(f.flying) >= flyingMax {
		return false
	}
	if slices.ContainsFunc(f.flying, func(other *write) bool { return other.overlaps(w.offset, w.end()) }) {
		return false
	}
	f.holdTimer.Stop()
	f.held = nil
	f.flying = append(f.flying, w)
	how := nfsv4.UNSTABLE4
	if stable {
		how = nfsv4.FILE_SYNC4
	}
	go f.fly(w, how)
	return true
}
