package filesystem

import (
	"context"
	"fmt"
	"log"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"landfast/kit/cmd/mount.nfs/internal/nfs"
)

// OpenFiles are the files this machine has open on a server, through whichever mount.
//
// A file that is removed while it is open must stay usable, but servers need not keep what has no
// name. So it gets a hidden name, as by the kernel's client, and loses that with its last close.
type OpenFiles struct {
	mu      sync.Mutex
	files   map[nfs.Handle]*openFile
	leaving int           // last closes of hidden files that are under way
	settled chan struct{} // closed when there are none left
}

type openFile struct {
	users  int // guarded by OpenFiles.mu
	handle nfs.Handle

	mu      sync.Mutex // held while the file is being hidden
	opens   int
	closing int                        // of opens: nobody uses these any more
	closed  *sync.Cond                 // with mu, when opens becomes less
	hidden  atomic.Pointer[hiddenName] // changed with mu held
}

type hiddenName struct {
	mount *nfs.Mount
	at    nfs.Name
	cred  nfs.Cred // of who removed the file, and so may remove this name
	gone  chan struct{}
}

// hiddenPatience is how long rmdir(2) waits for hidden names in the directory to go: the kernel does
// not tell of a close before the process goes on, so a file may be hidden that nobody uses.
const hiddenPatience = 100 * time.Millisecond

// NewOpenFiles makes the list for one server.
func NewOpenFiles() *OpenFiles { return &OpenFiles{files: map[nfs.Handle]*openFile{}} }

// use gives the file if it is open, or makes it for somebody about to open it.
func (all *OpenFiles) use(h nfs.Handle, open bool) *openFile {
	all.mu.Lock()
	defer all.mu.Unlock()
	f := all.files[h]
	if f == nil && open {
		f = &openFile{handle: h}
		f.closed = sync.NewCond(&f.mu)
		all.files[h] = f
	}
	if f != nil {
		f.users++
	}
	return f
}

func (all *OpenFiles) leave(f *openFile) {
	all.mu.Lock()
	defer all.mu.Unlock()
	f.users--
	if f.users == 0 {
		delete(all.files, f.handle)
	}
}

func (all *OpenFiles) none() bool {
	all.mu.Lock()
	defer all.mu.Unlock()
	return len(all.files) == 0
}

// add counts one more open of a file.
func (all *OpenFiles) add(h nfs.Handle) *openFile {
	f := all.use(h, true)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.opens++
	return f
}

// isHidden tells whether the name the server knows a file by is not one that anybody gave it.
func (all *OpenFiles) isHidden(h nfs.Handle) bool {
	f := all.use(h, false)
	if f == nil {
		return false
	}
	defer all.leave(f)
	return f.hidden.Load() != nil
}

// closing marks a close, until done is called: the kernel waits for no close. Whoever removes the
// file, or if it is hidden looks at directories, waits for it.
func (all *OpenFiles) closing(f *openFile) (done func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closing++
	if f.hidden.Load() == nil {
		return func() {}
	}
	all.mu.Lock()
	defer all.mu.Unlock()
	if all.leaving == 0 {
		all.settled = make(chan struct{})
	}
	all.leaving++
	return func() {
		all.mu.Lock()
		defer all.mu.Unlock()
		all.leaving--
		if all.leaving == 0 {
			close(all.settled)
		}
	}
}

func (all *OpenFiles) wait(ctx context.Context) {
	all.mu.Lock()
	leaving, settled := all.leaving, all.settled
	all.mu.Unlock()
	if leaving > 0 {
		select {
		case <-settled:
		case <-ctx.Done():
		}
	}
}

// remove counts a close; the last one takes the hidden name away.
func (all *OpenFiles) remove(ctx context.Context, f *openFile) {
	f.mu.Lock()
	f.opens--
	f.closing--
	f.closed.Broadcast()
	var hidden *hiddenName
	if f.opens == 0 {
		hidden = f.hidden.Swap(nil)
	}
	f.mu.Unlock()
	if hidden != nil {
		// Also when the file system is being unmounted: nobody else will do it.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveWithin)
		defer cancel()
		if err := hidden.mount.Remove(nfs.Call{Ctx: ctx, Cred: hidden.cred}, hidden.at); err != nil {
			log.Printf("%s stays on the server: %v", hidden.at.Name, err)
		}
		close(hidden.gone)
	}
	all.leave(f)
}

// emptied waits for the hidden names in a directory to go, and tells whether there were any and all
// have gone.
func (all *OpenFiles) emptied(ctx context.Context, dir nfs.Handle) bool {
	var names []*hiddenName
	all.mu.Lock()
	for _, f := range all.files {
		if hidden := f.hidden.Load(); hidden != nil && hidden.at.Dir == dir {
			names = append(names, hidden)
		}
	}
	all.mu.Unlock()
	late := time.After(hiddenPatience)
	for _, name := range names {
		select {
		case <-name.gone:
		case <-late:
			return false
		case <-ctx.Done():
			return false
		}
	}
	return len(names) > 0
}

// hide gives a file that is open here and has no other name a hidden one, and tells whether it
// did. It is called before AT is removed or replaced.
func (fs *FileSystem) hide(c nfs.Call, at nfs.Name) (bool, error) {
	if fs.open.none() {
		return false, nil
	}
	var h nfs.Handle
	if known := fs.nodes.named(at); known != nil {
		h = known.handle
	} else {
		var err error
		if h, _, err = fs.mount.Lookup(c, at.Dir, at.Name); err != nil {
			return false, nil // what follows tells
		}
	}
	f := fs.open.use(h, false)
	if f == nil {
		return false, nil
	}
	type result struct {
		hidden bool
		err    error
	}
	done := make(chan result, 1)
	// A process that is killed meanwhile must not leave a name behind that nobody removes.
	detached := nfs.Call{Ctx: fs.life, Cred: c.Cred}
	go func() {
		defer fs.open.leave(f)
		hidden, err := fs.hideOpen(detached, f, at)
		done <- result{hidden, err}
	}()
	select {
	case r := <-done:
		return r.hidden, r.err
	case <-c.Ctx.Done():
		return false, c.Ctx.Err()
	}
}

func (fs *FileSystem) hideOpen(c nfs.Call, f *openFile, at nfs.Name) (bool, error) {
	f.mu.Lock() // the last close waits
	defer f.mu.Unlock()
	for f.opens > 0 && f.opens == f.closing {
		f.closed.Wait()
	}
	if f.opens == 0 {
		return false, nil
	}
	attr, err := fs.mount.GetAttr(c, f.handle)
	if err != nil || attr.Nlink > 1 {
		return false, err
	}
	// The file's number keeps files apart, the rest clients that hide the same one.
	to := nfs.Name{Dir: at.Dir, Name: fmt.Sprintf(".nfs%016x%012x", attr.FileID, rand.Uint64()>>16)}
	if err = fs.mount.Rename(c, at, to); err != nil {
		return false, err
	}
	f.hidden.Store(&hiddenName{fs.mount, to, c.Cred, make(chan struct{})})
	fs.nodes.moved(at, to)
	return true, nil
}
