package nfs

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/buildbarn/go-xdr/pkg/protocols/nfsv4"
)

const (
	worldOpens   = 12
	worldData    = 3 << 10  // bytes of one write
	worldSize    = 16 << 10 // where writes begin at most
	worldHistory = 40
)

// worldClient is one of the clients that share a world.
type worldClient struct {
	*testMount
	name string
	dir  Handle // its root
}

// opened is a file that a process of a client has open.
type opened struct {
	client *worldClient
	access Access
	file   *File
	of     *inode
	posix  LockOwner
	flock  LockOwner
}

// twoClients does the same to the server and to the model.
type twoClients struct {
	t       *testing.T
	minor   uint32
	random  *rand.Rand
	world   world
	clients [2]*worldClient
	opens   []*opened
	history []string

	operations int // without look-ups and what goes before a close
	done       map[string]int
}

func numberFrom(t *testing.T, variable string, otherwise int) int {
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	number, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", variable, err)
	}
	return number
}

// What one client has done, the other sees. NFS_TEST_SEED gives another sequence of operations,
// NFS_TEST_OPERATIONS another number.
func TestTwoClientsSeeOneWorld(t *testing.T) {
	eachMinor(t, func(t *testing.T, s *testServer, minor uint32) {
		seed := numberFrom(t, "NFS_TEST_SEED", 1)
		w := newTwoClients(t, s, minor, uint64(seed))
		count := numberFrom(t, "NFS_TEST_OPERATIONS", []int{1000, 1000, 10_000}[minor])
		for w.operations < count {
			w.step()
			if t.Failed() {
				t.Fatalf("operation %d of seed %d:\n%s", w.operations, seed, strings.Join(w.history, "\n"))
			}
		}
		w.end()
		t.Logf("seed %d: %v", seed, w.done)
	})
}

func newTwoClients(t *testing.T, s *testServer, minor uint32, seed uint64) *twoClients {
	w := &twoClients{t: t, minor: minor, random: rand.New(rand.NewPCG(seed, uint64(minor))),
		world: world{newInode(true)}, done: map[string]int{}}
	_, dir := dataMount(t, minor)
	for i, name := range []string{"a", "b"} {
		w.clients[i] = &worldClient{mountAt(t, s.address, minor, MountOptions{}), name, dir}
	}
	return w
}

func (w *twoClients) note(format string, args ...any) {
	w.history = append(w.history, fmt.Sprintf(format, args...))
	w.history = w.history[max(0, len(w.history)-worldHistory):]
}

// want compares an outcome with the model's.
func (w *twoClients) want(c *worldClient, what string, err error, expected syscall.Errno) {
	w.t.Helper()
	kind := strings.Fields(what)[0]
	w.done[kind]++
	if kind != "lookup" && kind != "release" {
		w.operations++
	}
	w.note("%s: %s: %v", c.name, what, err)
	if got := Errno(err); got != expected {
		w.t.Errorf("%s: %s: %v (%v), want %v", c.name, what, got, err, expected)
	}
}

func (w *twoClients) path() path {
	p := path{name: string(rune('a' + w.random.IntN(5)))}
	if w.random.IntN(3) == 0 {
		p.dir = string(rune('a' + w.random.IntN(5)))
	}
	return p
}

func (w *twoClients) chance(of int) bool { return w.random.IntN(of) == 0 }

func (w *twoClients) step() {
	c := w.clients[w.random.IntN(2)]
	if len(w.opens) > worldOpens {
		w.close(w.opens[0])
		return
	}
	steps := []struct {
		weight int
		do     func(*worldClient)
	}{
		{8, w.open}, {4, w.create}, {4, w.createExclusive}, {1, w.mkdir}, {5, w.remove}, {5, w.rename},
		{3, w.link}, {4, w.createAtOnce}, {4, w.removeAtOnce}, {6, w.renameAtOnce},
		{8, w.onOpen(w.read)}, {10, w.onOpen(w.write)}, {4, w.onOpen(w.add)}, {4, w.onOpen(w.truncate)},
		{12, w.onOpen(w.lock)}, {8, w.onOpen(w.unlock)}, {8, w.onOpen(w.testLock)}, {10, w.onOpen(w.lockAtOnce)},
		{4, w.onOpen(w.close)},
	}
	total := 0
	for _, s := range steps {
		total += s.weight
	}
	n := w.random.IntN(total)
	for _, s := range steps {
		if n -= s.weight; n < 0 {
			s.do(c)
			return
		}
	}
}

// onOpen does something with a file that the client has open.
func (w *twoClients) onOpen(do func(*opened)) func(*worldClient) {
	return func(c *worldClient) {
		var mine []*opened
		for _, o := range w.opens {
			if o.client == c {
				mine = append(mine, o)
			}
		}
		if len(mine) > 0 {
			do(mine[w.random.IntN(len(mine))])
		}
	}
}

// settle makes another client's data reach the server, as a close, an fsync or an unlock does:
// NFS promises nothing before.
func (w *twoClients) settle(c *worldClient, n *inode) {
	if n == nil || n.dirty == nil || n.dirty == c {
		return
	}
	for _, o := range slices.Clone(n.opens) {
		if o.client == n.dirty {
			if w.chance(2) {
				w.close(o)
			} else {
				w.want(o.client, "sync", o.file.Sync(background), 0)
			}
		}
	}
	n.dirty = nil
}

func (w *twoClients) close(o *opened) {
	c, n := o.client, o.of
	for _, owner := range []LockOwner{o.posix, o.flock} { // as the kernel does
		w.want(c, "release", o.file.Unlock(background, owner, wholeFile), 0)
		delete(n.locks, holder{c, owner})
	}
	w.want(c, "close", o.file.Close(background), 0)
	same := func(other *opened) bool { return other == o }
	n.opens, w.opens = slices.DeleteFunc(n.opens, same), slices.DeleteFunc(w.opens, same)
	if n.dirty == c {
		n.dirty = nil
	}
}

// opened checks that what a client opens is what was last written.
func (w *twoClients) opened(c *worldClient, f *File, n *inode, a Access) {
	o := &opened{client: c, access: a, file: f, of: n, posix: LockOwner{ID: 1 + w.random.Uint64N(2)},
		flock: LockOwner{Flock: true, ID: w.random.Uint64()}}
	n.opens, w.opens = append(n.opens, o), append(w.opens, o)
	if a&Read != 0 {
		w.check(o, 0, len(n.data)+1)
	}
}

func (w *twoClients) check(o *opened, offset, length int) {
	got := make([]byte, length)
	n, _, err := o.file.Read(background, got, uint64(offset))
	want := o.of.part(offset, length)
	w.want(o.client, fmt.Sprintf("read %d bytes at %d", length, offset), err, 0)
	if !bytes.Equal(got[:n], want) {
		w.t.Errorf("%s: read at %d: %s", o.client.name, offset, difference(got[:n], want))
	}
}

// resolve looks the directory of a path up, as the kernel does.
func (w *twoClients) resolve(c *worldClient, p path) (Name, bool) {
	if p.dir == "" {
		return Name{c.dir, p.name}, true
	}
	n := w.world.root.names[p.dir]
	h, _, err := c.Lookup(background, c.dir, p.dir)
	expected := syscall.Errno(0)
	if n == nil {
		expected = syscall.ENOENT
	}
	w.want(c, "lookup "+p.dir, err, expected)
	return Name{h, p.name}, err == nil
}

// find looks a path up.
func (w *twoClients) find(c *worldClient, p path) (Name, Handle, *inode) {
	at, ok := w.resolve(c, p)
	if !ok {
		return at, "", nil
	}
	n, errno := w.world.find(p)
	w.settle(c, n)
	h, attr, err := c.Lookup(background, at.Dir, at.Name)
	w.want(c, fmt.Sprintf("lookup %v", p), err, errno)
	if err == nil && n != nil {
		w.checkAttr(c, n, attr)
	}
	return at, h, n
}

func (w *twoClients) checkAttr(c *worldClient, n *inode, attr Attr) {
	if n.isDir() != (attr.Type == nfsv4.NF4DIR) ||
		!n.isDir() && (attr.Size != uint64(len(n.data)) || int(attr.Nlink) != n.links) {
		w.t.Errorf("%s: got %+v, want %d bytes and %d links", c.name, attr, len(n.data), n.links)
	}
}

// end checks what is left.
func (w *twoClients) end() {
	for len(w.opens) > 0 {
		w.close(w.opens[0])
	}
	for _, c := range w.clients {
		for _, d := range []string{"", "a", "b", "c", "d", "e"} {
			for _, name := range []string{"a", "b", "c", "d", "e"} {
				w.find(c, path{d, name})
			}
		}
		if stats := c.client.Stats(); stats.OpenFiles != 0 || stats.LocksHeld != 0 || stats.LocksLost != 0 {
			w.t.Errorf("%s: at the end: %+v", c.name, stats)
		}
	}
}
