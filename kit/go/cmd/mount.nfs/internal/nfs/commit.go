package nfs

import (
	"context"
	"slices"

	"github.com/buildbarn/go-xdr/pkg/protocols/nfsv4"
)

// fly carries a write to the server, whoever waits for it.
func (f *pendingFile) fly(w *write, how nfsv4.StableHow4) {
	answer, err := f.send(w, how)
	f.mu.Lock()
	w.answer = answer
	f.flying = slices.DeleteFunc(f.flying, func(other *write) bool { return other == w })
	switch {
	case err != nil:
		f.fail(w, err)
	case w.stable && len(f.kept) == 0:
		f.drop(w)
		recycle(w.data)
	default:
		// Also what is stable: if unstable data it overlaps is written again, so must it be.
		f.kept = append(f.kept, w)
		if len(f.kept) == 1 {
			f.commitTimer.Reset(commitAge)
		}
	}
	if f.held != nil && f.held.due {
		f.launch(false)
	}
	f.notify()
	f.mu.Unlock()
	f.all.mu.Lock()
	f.all.tidy(f)
	f.all.mu.Unlock()
}

// send writes all of w to one instance of the server.
func (f *pendingFile) send(w *write, how nfsv4.StableHow4) (a answer, err error) {
	a = answer{stable: true, epoch: f.all.epoch.Load()}
	for done := 0; done < len(w.data); {
		part, err := f.all.write(w.file, Call{f.all.ctx, w.cred}, w.data[done:],
			w.offset+uint64(done), how)
		if err != nil {
			return answer{}, err
		}
		if done > 0 && part.Writeverf != a.verifier {
			done = 0 // restarted in between
			continue
		}
		a.verifier = part.Writeverf
		a.stable = a.stable && part.Committed == nfsv4.FILE_SYNC4
		done += int(part.Count)
	}
	return a, nil
}

// drop forgets data that is stable or lost.
func (f *pendingFile) drop(w *write) {
	f.bytes -= len(w.data)
	f.all.room.Release(int64(len(w.data)))
	if f.empty() {
		f.end = 0
		f.commitTimer.Stop()
	}
}

// fail drops data that cannot be written, to be told to who wrote it. A request that was given up may
// still refer to it.
func (f *pendingFile) fail(w *write, err error) {
	w.file.writes.fail(err)
	f.failures++
	f.failure = err
	f.drop(w)
}

// startCommit makes what is kept now stable, in the background.
func (f *pendingFile) startCommit() {
	if f.committing || len(f.kept) == 0 {
		return
	}
	f.committing = true
	f.commits++
	go func() {
		f.mu.Lock()
		for !f.commit() {
		}
		f.committing = false
		f.committed = f.commits
		if len(f.kept) > 0 {
			f.commitTimer.Reset(commitAge)
		}
		f.notify()
		f.mu.Unlock()
		f.all.mu.Lock()
		f.all.tidy(f)
		f.all.mu.Unlock()
	}()
}

// commit tells whether all that was kept when it began is stable, or has failed to be.
func (f *pendingFile) commit() bool {
	count := len(f.kept)
	call := Call{f.all.ctx, f.kept[0].cred}
	f.mu.Unlock()
	verifier, err := f.all.commit(f.mount, call, f.handle)
	f.mu.Lock()
	if err == nil && f.firstLost(verifier, count) < count {
		f.writeAgain(verifier)
		return len(f.kept) == 0
	}
	stable := f.kept[:count]
	f.kept = slices.Clone(f.kept[count:])
	for _, w := range stable {
		if err != nil {
			f.fail(w, err)
		} else {
			f.drop(w)
			recycle(w.data)
		}
	}
	return true
}

func (f *pendingFile) firstLost(verifier Verifier, count int) int {
	for i, w := range f.kept[:count] {
		if w.verifier != verifier {
			return i
		}
	}
	return count
}

// writeAgain sends everything from the first lost write on, also what the server has: it may
// overlap the lost one, and must have the last word as it had before.
func (f *pendingFile) writeAgain(verifier Verifier) {
	f.barred = true
	for len(f.flying) > 0 {
		f.wait(context.Background()) // they end with all.ctx
	}
	first := f.firstLost(verifier, len(f.kept))
	for _, w := range slices.Clone(f.kept[first:]) {
		f.mu.Unlock()
		answer, err := f.send(w, nfsv4.UNSTABLE4)
		f.mu.Lock()
		w.answer = answer
		if err != nil {
			f.kept = slices.DeleteFunc(f.kept, func(other *write) bool { return other == w })
			f.fail(w, err)
		}
	}
	f.barred = false
	if f.held != nil && f.held.due {
		f.launch(false)
	}
	f.notify()
}

// flush waits until the server has all that is written by now. With last, a single write that is
// all there is becomes stable on the way.
func (f *pendingFile) flush(ctx context.Context, last bool) error {
	until := f.added
	for {
		if f.held != nil && f.held.number <= until {
			f.launch(last && len(f.flying) == 0 && len(f.kept) == 0)
		}
		if !f.unanswered(until) {
			return nil
		}
		if err := f.wait(ctx); err != nil {
			return err
		}
	}
}

func (f *pendingFile) unanswered(until uint64) bool {
	return f.held != nil && f.held.number <= until ||
		slices.ContainsFunc(f.flying, func(w *write) bool { return w.number <= until })
}

func (f *pendingFile) unansweredIn(offset, end uint64) bool {
	return f.held != nil && f.held.overlaps(offset, end) ||
		slices.ContainsFunc(f.flying, func(w *write) bool { return w.overlaps(offset, end) })
}

// sync waits until all that is written by now is stable, or has failed.
func (f *pendingFile) sync(ctx context.Context) error {
	if err := f.flush(ctx, true); err != nil {
		return err
	}
	for need := f.commits + 1; f.committed < need && len(f.kept) > 0; {
		f.startCommit()
		if err := f.wait(ctx); err != nil {
			return err
		}
	}
	return nil
}
