package filesystem

import (
	"sync"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"

	"landfast/kit/cmd/mount.nfs/internal/nfs"
)

const (
	// The server lists no "." and "..", and leaves these cookies free for them.
	cookieDot    = 1
	cookieDotDot = 2

	listBytes = 128 << 10
)

// list is one directory that is open. The kernel asks for a few entries at a time, the server gives
// many; those not asked for yet are kept for a moment.
type list struct {
	node *node
	cred nfs.Cred

	mu       sync.Mutex
	entries  []nfs.Entry
	next     int    // of entries
	from     uint64 // the cookie before entries[0]
	end      bool
	plus     bool
	verifier nfs.Verifier
	read     time.Time
	changes  uint64 // of the directory, before it was read
}

// OpenDir begins to list a directory.
func (fs *FileSystem) OpenDir(cancel <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	return fs.onNode(cancel, &in.InHeader, func(r *request, n *node) error {
		call := r.call(&in.InHeader)
		fs.open.wait(call.Ctx)
		fs.mu.Lock()
		defer fs.mu.Unlock()
		fs.lastHandle++
		out.Fh = fs.lastHandle
		fs.lists[out.Fh] = &list{node: n, cred: call.Cred}
		return nil
	})
}

// ReleaseDir ends that.
func (fs *FileSystem) ReleaseDir(in *fuse.ReleaseIn) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	delete(fs.lists, in.Fh)
}

// ReadDir lists names.
func (fs *FileSystem) ReadDir(cancel <-chan struct{}, in *fuse.ReadIn, out *fuse.DirEntryList) fuse.Status {
	return fs.readDir(cancel, in, out, false)
}

// ReadDirPlus lists names with what a lookup of each would tell.
func (fs *FileSystem) ReadDirPlus(cancel <-chan struct{}, in *fuse.ReadIn, out *fuse.DirEntryList) fuse.Status {
	return fs.readDir(cancel, in, out, true)
}

func (fs *FileSystem) readDir(cancel <-chan struct{}, in *fuse.ReadIn, out *fuse.DirEntryList, plus bool) fuse.Status {
	r := fs.begin(cancel, &in.InHeader)
	defer r.end()
	fs.mu.Lock()
	l := fs.lists[in.Fh]
	fs.mu.Unlock()
	if l == nil {
		return fuse.EBADF
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	added := 0
	add := func(e fuse.DirEntry) *fuse.EntryOut {
		var entry *fuse.EntryOut
		if plus {
			entry = out.AddDirLookupEntry(e)
		} else if out.AddDirEntry(e) {
			entry = &fuse.EntryOut{}
		}
		if entry != nil {
			added++
		}
		return entry
	}
	dot := fuse.DirEntry{Mode: syscall.S_IFDIR, Ino: fuse.FUSE_UNKNOWN_INO}
	cookie := in.Offset
	for ; cookie < cookieDotDot; cookie++ {
		dot.Name, dot.Off = ".", cookieDot
		if cookie == cookieDot {
			dot.Name, dot.Off = "..", cookieDotDot
		}
		if add(dot) == nil {
			return fuse.OK
		}
	}
	if cookie == cookieDotDot {
		cookie = 0
	}
	for {
		if err := l.seek(fs, r, cookie, plus); err != nil {
			if added > 0 { // those are read; the error comes back with the next ones
				return fuse.OK
			}
			return status(err)
		}
		if l.next == len(l.entries) {
			return fuse.OK // the end
		}
		for ; l.next < len(l.entries); l.next++ {
			e := &l.entries[l.next]
			entry := add(fuse.DirEntry{
				Name: e.Name, Mode: typeBits(e.Attr.Type), Ino: e.Attr.FileID, Off: e.Cookie,
			})
			if entry == nil {
				return fuse.OK
			}
			cookie = e.Cookie
			if plus && l.isFresh(fs, e) {
				fs.entry(entry, e.Handle, e.Attr, nfs.Name{Dir: l.node.handle, Name: e.Name})
			}
		}
	}
}

// seek makes entries[next] the one behind the cookie, and asks the server if need be. At the end of
// the directory, next is behind the last entry.
func (l *list) seek(fs *FileSystem, r *request, cookie uint64, plus bool) error {
	if cookie != 0 && plus == l.plus && time.Since(l.read) <= fs.options.DirAttributes && l.find(cookie) {
		if l.next < len(l.entries) || l.end {
			return nil
		}
	}
	changes := l.node.changes.Load()
	read, now := l.verifier, time.Now()
	if cookie == 0 {
		read = nfs.Verifier{}
	}
	part, err := fs.mount.ReadDir(r.by(l.cred), l.node.handle, cookie, read, plus, listBytes)
	if err != nil {
		return err
	}
	l.entries, l.next, l.from, l.end = part.List, 0, cookie, part.End
	l.plus, l.verifier, l.read, l.changes = plus, part.Verifier, now, changes
	return nil
}

// find looks for the entry behind the cookie where it mostly is, and then before: the kernel may
// have thrown entries away that did not fit into a program's buffer.
func (l *list) find(cookie uint64) bool {
	for i := min(l.next, len(l.entries)); i > 0; i-- {
		if l.entries[i-1].Cookie == cookie {
			l.next = i
			return true
		}
	}
	if l.from == cookie {
		l.next = 0
		return true
	}
	return false
}

// isFresh tells whether the kernel may take an entry for a lookup. What this mount has changed
// since it was read, the kernel knows better; what lies on another file system has to be looked up.
func (l *list) isFresh(fs *FileSystem, e *nfs.Entry) bool {
	l.node.mu.Lock()
	fsid := l.node.fsid
	l.node.mu.Unlock()
	return e.Handle != "" && e.Attr.Type != 0 && e.Attr.FSID == fsid && l.node.changes.Load() == l.changes
}
