package nfs

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/buildbarn/go-xdr/pkg/protocols/nfsv4"
	"golang.org/x/sync/semaphore"
)

// pending is all that applications were told is written and the server has not yet on stable
// storage: data that is not sent, not answered, or not committed.
type pending struct {
	ctx    context.Context // of the work in the background
	cancel context.CancelFunc
	room   *semaphore.Weighted // in bytes
	epoch  atomic.Uint64       // counts what may have been restarts of the server

	// How data gets to and from the server; tests put a model in their place.
	read   func(*File, Call, []byte, uint64) (int, bool, error)
	write  func(*File, Call, []byte, uint64, nfsv4.StableHow4) (*nfsv4.Write4resok, error)
	commit func(*Mount, Call, Handle) (Verifier, error)

	mu    sync.Mutex
	files map[Handle]*pendingFile
}

const pendingBytesMax = 64 << 20

func newPending() *pending {
	ctx, cancel := context.WithCancel(context.Background())
	return &pending{
		ctx: ctx, cancel: cancel, room: semaphore.NewWeighted(pendingBytesMax),
		read: (*File).read, write: (*File).write, commit: (*Mount).commit, files: map[Handle]*pendingFile{},
	}
}

// restarted is to be called before the first request that a restarted server may answer: what was
// written to it and not committed may be gone, so nothing may be read before it is written again.
func (p *pending) restarted() {
	p.epoch.Add(1)
	p.commitAll()
}

// use gives the data pending for a file, to be released.
func (p *pending) use(m *Mount, h Handle) *pendingFile {
	p.mu.Lock()
	defer p.mu.Unlock()
	f := p.files[h]
	if f == nil {
		f = newPendingFile(p, m, h)
		p.files[h] = f
	}
	f.users++
	return f
}

// find is use for a file with pending data, else nil.
func (p *pending) find(h Handle) *pendingFile {
	p.mu.Lock()
	defer p.mu.Unlock()
	f := p.files[h]
	if f != nil {
		f.users++
	}
	return f
}

// with calls do with the data pending for a file, which nobody else changes meanwhile, if there are any.
func (p *pending) with(h Handle, do func(*pendingFile) error) error {
	f := p.find(h)
	if f == nil {
		return nil
	}
	defer p.release(f)
	f.mu.Lock()
	defer f.mu.Unlock()
	return do(f)
}

func (p *pending) release(f *pendingFile) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f.users--
	p.tidy(f)
}

// tidy forgets a file without pending data. p.mu is held.
func (p *pending) tidy(f *pendingFile) {
	if f.users > 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.empty() && p.files[f.handle] == f {
		delete(p.files, f.handle)
	}
}

// reserve waits for room for n more bytes.
func (p *pending) reserve(ctx context.Context, n int) error {
	if p.room.TryAcquire(int64(n)) {
		return nil
	}
	p.commitAll()
	return p.room.Acquire(ctx, int64(n))
}

func (p *pending) commitAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range p.files {
		f.mu.Lock()
		f.launch(false)
		f.startCommit()
		f.mu.Unlock()
	}
}

// end is where the data pending for a file ends: the file is at least as long.
func (p *pending) end(h Handle) (end uint64) {
	p.with(h, func(f *pendingFile) error {
		end = f.end
		return nil
	})
	return end
}

// flush waits until the server has all that was written to a file.
func (p *pending) flush(ctx context.Context, h Handle) error {
	return p.with(h, func(f *pendingFile) error { return f.flush(ctx, false) })
}

// sync waits until all that was written to a file is stable.
func (p *pending) sync(ctx context.Context, h Handle) error {
	return p.with(h, func(f *pendingFile) error { return f.sync(ctx) })
}

// beforeRead sees to it that the server has what is to be read. It tells whether the file grows by
// data the server does not have yet.
func (p *pending) beforeRead(ctx context.Context, h Handle, offset, length uint64) (grows bool, err error) {
	err = p.with(h, func(f *pendingFile) error {
		if f.barred || len(f.kept) > 0 && f.kept[0].epoch != p.epoch.Load() {
			if err := f.sync(ctx); err != nil {
				return err
			}
		}
		if f.unansweredIn(offset, offset+length) {
			if err := f.flush(ctx, false); err != nil {
				return err
			}
		}
		grows = f.end > offset && f.unanswered(f.added)
		return nil
	})
	return grows, err
}

// alone calls do while nothing is pending for a file. Writes wait until it has returned.
func (p *pending) alone(ctx context.Context, m *Mount, h Handle, do func() error) error {
	f := p.use(m, h)
	defer p.release(f)
	f.mu.Lock()
	defer f.mu.Unlock()
	for f.closed {
		if err := f.wait(ctx); err != nil {
			return err
		}
	}
	f.closed = true
	defer func() {
		f.closed = false
		f.notify()
	}()
	if err := f.sync(ctx); err != nil {
		return err
	}
	f.mu.Unlock()
	defer f.mu.Lock()
	return do()
}
