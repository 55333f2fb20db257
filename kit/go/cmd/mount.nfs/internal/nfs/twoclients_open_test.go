package nfs

import (
	"fmt"
	"syscall"
)

func (w *twoClients) read(o *opened) {
	if o.access&Read != 0 {
		w.settle(o.client, o.of)
		w.check(o, w.random.IntN(worldSize), 1+w.random.IntN(worldSize))
	}
}

func (w *twoClients) write(o *opened) { w.writeAt(o, w.random.IntN(worldSize)) }

// add writes at the end, as O_APPEND does.
func (w *twoClients) add(o *opened) {
	w.settle(o.client, o.of)
	attr, err := o.client.GetAttr(background, o.file.handle)
	w.want(o.client, "getattr", err, 0)
	w.checkAttr(o.client, o.of, attr)
	if len(o.of.data) < 2*worldSize {
		w.writeAt(o, int(attr.Size))
	}
}

func (w *twoClients) writeAt(o *opened, offset int) {
	if o.access&Write == 0 {
		return
	}
	w.settle(o.client, o.of)
	data := make([]byte, 1+w.random.IntN(worldData))
	for i := range data {
		data[i] = byte(w.random.Uint32())
	}
	n, err := o.file.Write(background, data, uint64(offset))
	w.want(o.client, fmt.Sprintf("write %d bytes at %d", len(data), offset), err, 0)
	o.of.write(data[:n], offset)
	o.of.dirty = o.client
	if w.chance(4) {
		w.want(o.client, "sync", o.file.Sync(background), 0)
		o.of.dirty = nil
	}
}

func (w *twoClients) truncate(o *opened) {
	if o.access&Write == 0 {
		return
	}
	w.settle(o.client, o.of)
	size := w.random.IntN(worldSize)
	size64 := uint64(size)
	attr, err := o.client.SetAttr(background, o.file.handle, o.file, Changes{Size: &size64})
	o.of.truncate(size)
	w.want(o.client, fmt.Sprintf("truncate to %d", size), err, 0)
	w.checkAttr(o.client, o.of, attr)
}

func (w *twoClients) lockRange() Range {
	r := Range{Offset: w.random.Uint64N(worldEnd)}
	r.Length = 1 + w.random.Uint64N(worldEnd-r.Offset)
	return r
}

// owner is the process's, or that of the open file, which locks all of it. A process locks nothing
// without an end: Ganesha does not replace such a lock by the owner's next one of another kind, nor
// an earlier one by such a lock.
func (w *twoClients) owner(o *opened) (LockOwner, Range) {
	if w.chance(5) {
		return o.flock, wholeFile
	}
	return o.posix, w.lockRange()
}

func (w *twoClients) lock(o *opened) {
	owner, r := w.owner(o)
	write := w.chance(2)
	err := o.file.Lock(background, owner, r, write, false)
	what := fmt.Sprintf("lock %v %v write %v", owner, r, write)
	if w.isLimitOf40(err) {
		w.want(o.client, what, err, syscall.ESTALE)
		return
	}
	w.want(o.client, what, err, w.lockModel(o, owner, r, write))
}

// isLimitOf40 allows what TestALockGrowsWhenAnotherClientRenamedTheFile shows.
func (w *twoClients) isLimitOf40(err error) bool {
	return w.minor == 0 && Errno(err) == syscall.ESTALE
}

func (w *twoClients) lockModel(o *opened, owner LockOwner, r Range, write bool) syscall.Errno {
	if write && o.access&Write == 0 || !write && o.access&Read == 0 {
		return syscall.EBADF
	}
	return o.of.lock(holder{o.client, owner}, r, write)
}

func (w *twoClients) unlock(o *opened) {
	owner, r := w.owner(o)
	if w.chance(3) {
		r.Length = ToEnd
	}
	err := o.file.Unlock(background, owner, r)
	w.want(o.client, fmt.Sprintf("unlock %v %v", owner, r), err, 0)
	h := holder{o.client, owner}
	if _, is := o.of.locks[h]; is {
		o.of.set(h, r, unlocked)
		if o.of.dirty == o.client {
			o.of.dirty = nil // an unlock tells the others what was written under the lock
		}
	}
}

func (w *twoClients) testLock(o *opened) {
	owner, r := w.owner(o)
	write := w.chance(2)
	conflict, err := o.file.TestLock(background, owner, r, write)
	w.want(o.client, fmt.Sprintf("testlock %v %v write %v: %+v", owner, r, write, conflict), err, 0)
	h := holder{o.client, owner}
	if there := o.of.conflicts(h, r, write); there != (conflict != nil) {
		w.t.Errorf("conflict %+v, in the model %v", conflict, there)
	} else if there && !o.of.holds(h, conflict) {
		w.t.Errorf("nobody holds %+v: %v", conflict, o.of.locks)
	}
}

// lockAtOnce has both clients ask for locks of one file.
func (w *twoClients) lockAtOnce(o *opened) {
	for _, other := range o.of.opens {
		if other.client == o.client || o.access != ReadWrite || other.access != ReadWrite {
			continue
		}
		pair := [2]*opened{o, other}
		var owners [2]LockOwner
		var ranges [2]Range
		var errs [2]error
		for i := range pair {
			owners[i], ranges[i] = w.owner(pair[i])
		}
		done := make(chan struct{})
		go func() {
			errs[1] = other.file.Lock(background, owners[1], ranges[1], true, false)
			close(done)
		}()
		errs[0] = o.file.Lock(background, owners[0], ranges[0], true, false)
		<-done
		model := func(i int) func() syscall.Errno {
			if w.isLimitOf40(errs[i]) {
				return func() syscall.Errno { return syscall.ESTALE }
			}
			return func() syscall.Errno { return w.lockModel(pair[i], owners[i], ranges[i], true) }
		}
		outcomes := o.of.eitherOrder(model(0), model(1))
		got := [2]syscall.Errno{Errno(errs[0]), Errno(errs[1])}
		order := 0
		if got != outcomes[0] {
			order = 1
		}
		for _, i := range [2][2]int{{0, 1}, {1, 0}}[order] {
			w.want(pair[i].client, fmt.Sprintf("lock-at-once %v %v", owners[i], ranges[i]), errs[i], model(i)())
		}
		return
	}
}
