package filesystem

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"

	"landfast/kit/cmd/mount.nfs/internal/nfs"
)

// node is what one of the kernel's inode numbers stands for.
type node struct {
	id      uint64
	handle  nfs.Handle
	lookups uint64        // how often the kernel was told of it; guarded by nodes.mu
	at      nfs.Name      // where it was last seen; guarded by nodes.mu
	changes atomic.Uint64 // of a directory, by this mount

	appending sync.Mutex // a process that writes at the end of the file

	mu   sync.Mutex
	fsid [2]uint64
	seen time.Time // when the kernel was told that the node is at its place
	lost bool      // it was not there the last time, but the kernel insists
	// What the kernel's pages are of: a version of the file, unless this mount has written since.
	version versionOf
	written bool
	told    versionOf // what the kernel has the attributes of
}

type versionOf struct{ change, size uint64 }

// placed notes that the kernel is told of the node's place.
func (n *node) placed() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.seen = time.Now()
	n.lost = false
}

// tell notes of which attributes the kernel is told.
func (n *node) tell(attr nfs.Attr) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.fsid = attr.FSID
	n.told = versionOf{attr.Change, attr.Size}
}

// nodes are all the kernel knows of.
type nodes struct {
	mu       sync.Mutex
	byID     map[uint64]*node
	byHandle map[nfs.Handle]*node
	byName   map[nfs.Name]*node
	last     uint64
}

func newNodes(root nfs.Handle) nodes {
	n := &node{id: fuse.FUSE_ROOT_ID, handle: root}
	return nodes{
		byID:     map[uint64]*node{n.id: n},
		byHandle: map[nfs.Handle]*node{root: n},
		byName:   map[nfs.Name]*node{},
		last:     n.id,
	}
}

func (all *nodes) get(id uint64) *node {
	all.mu.Lock()
	defer all.mu.Unlock()
	return all.byID[id]
}

// found is the node of what a name stands for, which the kernel is going to be told.
func (all *nodes) found(h nfs.Handle, at nfs.Name) *node {
	all.mu.Lock()
	defer all.mu.Unlock()
	n := all.byHandle[h]
	if n == nil {
		all.last++ // numbers are not used again, or the kernel would need generations
		n = &node{id: all.last, handle: h}
		all.byID[n.id], all.byHandle[h] = n, n
	}
	n.lookups++
	all.place(n, at)
	return n
}

// place is called with the mutex held.
func (all *nodes) place(n *node, at nfs.Name) {
	if n.at == at {
		return
	}
	if all.byName[n.at] == n {
		delete(all.byName, n.at)
	}
	n.at = at
	all.byName[at] = n
}

// named is the node the kernel knows by a name, if it does.
func (all *nodes) named(at nfs.Name) *node {
	all.mu.Lock()
	defer all.mu.Unlock()
	return all.byName[at]
}

func (all *nodes) placeOf(n *node) nfs.Name {
	all.mu.Lock()
	defer all.mu.Unlock()
	return n.at
}

func (all *nodes) removed(at nfs.Name) {
	all.mu.Lock()
	defer all.mu.Unlock()
	delete(all.byName, at)
}

func (all *nodes) moved(from, to nfs.Name) {
	all.mu.Lock()
	defer all.mu.Unlock()
	delete(all.byName, to)
	if n := all.byName[from]; n != nil {
		all.place(n, to)
	}
}

func (all *nodes) forget(id, lookups uint64) {
	all.mu.Lock()
	defer all.mu.Unlock()
	n := all.byID[id]
	if n == nil || id == fuse.FUSE_ROOT_ID {
		return
	}
	n.lookups -= min(lookups, n.lookups)
	if n.lookups > 0 {
		return
	}
	delete(all.byID, id)
	delete(all.byHandle, n.handle)
	if all.byName[n.at] == n {
		delete(all.byName, n.at)
	}
}

// Forget is the kernel's word that it has let go of a node.
func (fs *FileSystem) Forget(id, lookups uint64) { fs.nodes.forget(id, lookups) }
