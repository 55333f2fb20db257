package nfs

import (
	"maps"
	"syscall"
)

// worldEnd is where ranges of locks with an end end at most in the model.
const worldEnd = 16

// world is what all clients must see: a directory, files in it, and directories with files in them.
type world struct {
	root *inode
}

// inode is a file or a directory of the model.
type inode struct {
	names map[string]*inode // of a directory
	links int
	data  []byte
	dirty *worldClient // who may have data that the server has not seen
	locks map[holder]cells
	opens []*opened
}

type holder struct {
	client *worldClient
	owner  LockOwner
}

// cells are the locks of a holder, byte by byte; the last one stands for all bytes from there on.
type cells [worldEnd + 1]lockKind

type lockKind byte

const (
	unlocked lockKind = iota
	readLocked
	writeLocked
)

// path has at most one directory, and no directory is in another.
type path struct {
	dir, name string
}

func newInode(dir bool) *inode {
	n := &inode{links: 1, locks: map[holder]cells{}}
	if dir {
		n.names = map[string]*inode{}
	}
	return n
}

func (n *inode) isDir() bool { return n.names != nil }

// parent is the directory of a path; it may be missing, or a file.
func (w *world) parent(p path) (*inode, syscall.Errno) {
	if p.dir == "" {
		return w.root, 0
	}
	n := w.root.names[p.dir]
	switch {
	case n == nil:
		return nil, syscall.ENOENT
	case !n.isDir():
		return nil, syscall.ENOTDIR
	}
	return n, 0
}

func (w *world) find(p path) (*inode, syscall.Errno) {
	dir, errno := w.parent(p)
	if errno != 0 {
		return nil, errno
	}
	if n := dir.names[p.name]; n != nil {
		return n, 0
	}
	return nil, syscall.ENOENT
}

func (w *world) insert(p path, n *inode) {
	dir, _ := w.parent(p)
	dir.names[p.name] = n
}

func (w *world) drop(p path) {
	dir, _ := w.parent(p)
	dir.names[p.name].links--
	delete(dir.names, p.name)
}

// remove is REMOVE, which is unlink(2) and rmdir(2) in one.
func (w *world) remove(p path) syscall.Errno {
	n, errno := w.find(p)
	switch {
	case errno != 0:
		return errno
	case len(n.names) > 0:
		return syscall.ENOTEMPTY
	}
	w.drop(p)
	return 0
}

func (w *world) rename(from, to path) syscall.Errno {
	if _, errno := w.parent(to); errno != 0 {
		return errno
	}
	n, errno := w.find(from)
	if errno != 0 {
		return errno
	}
	old, _ := w.find(to)
	switch {
	case old == n:
		return 0
	case old == nil:
	case to == (path{name: from.dir}):
		return syscall.ENOTEMPTY // by the file that is to be renamed
	case n.isDir() && !old.isDir():
		return syscall.ENOTDIR
	case !n.isDir() && old.isDir():
		return syscall.EISDIR
	case len(old.names) > 0:
		return syscall.ENOTEMPTY
	}
	if old != nil {
		w.drop(to)
	}
	n.links++
	w.drop(from)
	w.insert(to, n)
	return 0
}

func (n *inode) write(data []byte, offset int) { n.data = put(n.data, data, uint64(offset)) }

func (n *inode) truncate(size int) { n.data = put(n.data[:min(size, len(n.data))], nil, uint64(size)) }

func (n *inode) part(offset, length int) []byte {
	return n.data[min(offset, len(n.data)):min(offset+length, len(n.data))]
}

// conflicts tells whether another holder's lock is in the way.
func (n *inode) conflicts(h holder, r Range, write bool) bool {
	for other, held := range n.locks {
		for i := range held {
			if other != h && r.has(i) && (held[i] == writeLocked || held[i] == readLocked && write) {
				return true
			}
		}
	}
	return false
}

func (n *inode) lock(h holder, r Range, write bool) syscall.Errno {
	if n.conflicts(h, r, write) {
		return syscall.EAGAIN
	}
	n.set(h, r, kindOf(write))
	return 0
}

func (n *inode) set(h holder, r Range, kind lockKind) {
	held := n.locks[h]
	for i := range held {
		if r.has(i) {
			held[i] = kind
		}
	}
	n.locks[h] = held
	if held == (cells{}) {
		delete(n.locks, h)
	}
}

// holds tells whether anybody but h has all of a lock: what a server may name as a conflict.
func (n *inode) holds(h holder, c *Conflict) bool {
	for other, held := range n.locks {
		all := other != h
		for i := range held {
			all = all && (!c.Range.has(i) || held[i] == kindOf(c.Write))
		}
		if all {
			return true
		}
	}
	return false
}

func kindOf(write bool) lockKind {
	if write {
		return writeLocked
	}
	return readLocked
}

func (r Range) has(cell int) bool {
	return uint64(cell) >= r.Offset && (r.Length == ToEnd || uint64(cell) < r.Offset+r.Length)
}

// eitherOrder gives the outcomes of two locks that are asked for at once.
func (n *inode) eitherOrder(first, second func() syscall.Errno) [2][2]syscall.Errno {
	before := maps.Clone(n.locks)
	var outcomes [2][2]syscall.Errno
	outcomes[0][0] = first()
	outcomes[0][1] = second()
	n.locks = maps.Clone(before)
	outcomes[1][1] = second()
	outcomes[1][0] = first()
	n.locks = before
	return outcomes
}
