package nfs

import (
	"fmt"
	"slices"
	"sync"
	"syscall"
)

var fileMode = uint32(0o644)

func (w *twoClients) open(c *worldClient) {
	a := []Access{Read, Write, ReadWrite, ReadWrite}[w.random.IntN(4)]
	p := w.path()
	at, h, n := w.find(c, p)
	if n == nil {
		return
	}
	f, attr, err := c.Open(background, h, at, a)
	expected := syscall.Errno(0)
	if n.isDir() {
		expected = syscall.EISDIR
	}
	w.want(c, fmt.Sprintf("open %v for %d", p, a), err, expected)
	if err == nil {
		w.checkAttr(c, n, attr)
		w.opened(c, f, n, a)
	}
}

func (w *twoClients) create(c *worldClient)          { w.make(c, false) }
func (w *twoClients) createExclusive(c *worldClient) { w.make(c, true) }

func (w *twoClients) make(c *worldClient, excl bool) {
	p := w.path()
	at, ok := w.resolve(c, p)
	if !ok {
		return
	}
	n, errno := w.world.find(p)
	w.settle(c, n)
	f, _, attr, err := c.Create(background, at, ReadWrite, excl, Changes{Mode: &fileMode})
	switch {
	case n != nil && n.isDir():
		errno = syscall.EISDIR // for an exclusive one too: RFC 8881, 18.16.3
	case n != nil && excl:
		errno = syscall.EEXIST
	case errno == syscall.ENOENT:
		n, errno = newInode(false), 0
		w.world.insert(p, n)
	}
	w.want(c, fmt.Sprintf("create %v exclusive %v", p, excl), err, errno)
	if err == nil && errno == 0 {
		w.checkAttr(c, n, attr)
		w.opened(c, f, n, ReadWrite)
	}
}

func (w *twoClients) mkdir(c *worldClient) {
	p := path{name: w.path().name}
	_, err := w.world.find(p)
	_, _, got := c.Mkdir(background, Name{c.dir, p.name}, Changes{})
	if err == syscall.ENOENT {
		w.world.insert(p, newInode(true))
		err = 0
	} else {
		err = syscall.EEXIST
	}
	w.want(c, fmt.Sprintf("mkdir %v", p), got, err)
}

// unopen closes a file that is about to lose its last name: what becomes of an open file without
// a name is the business of the file system, which hides it instead.
func (w *twoClients) unopen(n *inode) {
	if n == nil || n.links > 1 {
		return
	}
	for _, o := range slices.Clone(n.opens) {
		w.close(o)
	}
}

func (w *twoClients) remove(c *worldClient) {
	p := w.path()
	at, ok := w.resolve(c, p)
	if !ok {
		return
	}
	n, _ := w.world.find(p)
	w.unopen(n)
	err := c.Remove(background, at)
	w.want(c, fmt.Sprintf("remove %v", p), err, w.world.remove(p))
}

func (w *twoClients) rename(c *worldClient) {
	from, to := w.path(), w.path()
	n, _ := w.world.find(from)
	if n != nil && n.isDir() {
		to.dir = ""
	}
	source, ok := w.resolve(c, from)
	if !ok {
		return
	}
	target, ok := w.resolve(c, to)
	if !ok {
		return
	}
	if old, _ := w.world.find(to); old != n && n != nil {
		w.unopen(old)
	}
	err := c.Rename(background, source, target)
	w.want(c, fmt.Sprintf("rename %v to %v", from, to), err, w.world.rename(from, to))
}

func (w *twoClients) link(c *worldClient) {
	from, to := w.path(), w.path()
	_, h, n := w.find(c, from)
	target, ok := w.resolve(c, to)
	if n == nil || n.isDir() || !ok {
		return
	}
	_, errno := w.world.find(to)
	attr, err := c.Link(background, h, target)
	switch errno {
	case 0:
		errno = syscall.EEXIST
	case syscall.ENOENT:
		errno = 0
		n.links++
		w.world.insert(to, n)
	}
	w.want(c, fmt.Sprintf("link %v to %v", from, to), err, errno)
	if err == nil {
		w.checkAttr(c, n, attr)
	}
}

// atOnce lets both clients do something that only the first to come can do. If a file vanishes
// while Ganesha looks at it, it says that its handle is stale; Linux then looks the name up again.
func (w *twoClients) atOnce(what string, do func(i int, c *worldClient) error, loser syscall.Errno) (winner int) {
	var errs [2]error
	var both sync.WaitGroup
	for i, c := range w.clients {
		both.Go(func() { errs[i] = do(i, c) })
	}
	both.Wait()
	if errs[0] != nil {
		winner = 1
	}
	w.want(w.clients[winner], what+" first", errs[winner], 0)
	if loser == syscall.ENOENT && Errno(errs[1-winner]) == syscall.ESTALE {
		loser = syscall.ESTALE
	}
	w.want(w.clients[1-winner], what+" second", errs[1-winner], loser)
	return winner
}

func (w *twoClients) createAtOnce(*worldClient) {
	p := w.path()
	if _, errno := w.world.find(p); errno != syscall.ENOENT || p.dir != "" {
		return
	}
	var files [2]*File
	winner := w.atOnce(fmt.Sprintf("create-at-once %v", p), func(i int, c *worldClient) (err error) {
		files[i], _, _, err = c.Create(background, Name{c.dir, p.name}, ReadWrite, true, Changes{Mode: &fileMode})
		return err
	}, syscall.EEXIST)
	if w.t.Failed() {
		return
	}
	n := newInode(false)
	w.world.insert(p, n)
	w.opened(w.clients[winner], files[winner], n, ReadWrite)
}

func (w *twoClients) removeAtOnce(*worldClient) {
	p := w.path()
	n, errno := w.world.find(p)
	if errno != 0 || n.isDir() || p.dir != "" {
		return
	}
	w.unopen(n)
	w.atOnce(fmt.Sprintf("remove-at-once %v", p), func(_ int, c *worldClient) error {
		return c.Remove(background, Name{c.dir, p.name})
	}, syscall.ENOENT)
	w.world.remove(p)
}

func (w *twoClients) renameAtOnce(*worldClient) {
	from := w.path()
	n, errno := w.world.find(from)
	if errno != 0 || n.isDir() || from.dir != "" {
		return
	}
	to := [2]string{"first", "second"}
	winner := w.atOnce(fmt.Sprintf("rename-at-once %v", from), func(i int, c *worldClient) error {
		return c.Rename(background, Name{c.dir, from.name}, Name{c.dir, to[i]})
	}, syscall.ENOENT)
	c := w.clients[1-winner]
	w.want(c, "rename it back", c.Rename(background, Name{c.dir, to[winner]}, Name{c.dir, from.name}), 0)
}
