package nfs

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

const (
	testPatience = 60 * time.Second // a grace period and what goes with it
	exportPath   = "/data/share"
)

// testServer is a real server on loopback. NFS_TEST_CONTROL is a command that takes one of kill,
// restart, pause and resume.
type testServer struct {
	t                testing.TB
	address, control string
}

func needServer(t testing.TB) *testServer {
	s := &testServer{t, os.Getenv("NFS_TEST_SERVER"), os.Getenv("NFS_TEST_CONTROL")}
	if s.address == "" || s.control == "" {
		t.Skip("NFS_TEST_SERVER and NFS_TEST_CONTROL name no NFS server to test with")
	}
	return s
}

func (s *testServer) do(what string) {
	s.t.Helper()
	words := append(strings.Fields(s.control), what)
	if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
		s.t.Fatalf("%s: %v: %s", what, err, out)
	}
}

// pause stops the server; the end of the test resumes it in any case.
func (s *testServer) pause() {
	s.t.Helper()
	s.do("pause")
	s.t.Cleanup(func() { s.do("resume") })
}

func eachMinor(t *testing.T, test func(t *testing.T, s *testServer, minor uint32)) {
	for _, minor := range []uint32{0, 1, 2} {
		t.Run(fmt.Sprintf("4.%d", minor), func(t *testing.T) { test(t, needServer(t), minor) })
	}
}

// together lets the tests of all minor versions share what happens to their server.
type together struct {
	mu               sync.Mutex
	changed          *sync.Cond
	members, waiting int
	times            int
}

// eachMinorAtOnce is for tests that wait long.
func eachMinorAtOnce(t *testing.T, test func(t *testing.T, s *testServer, minor uint32, g *together)) {
	needServer(t)
	g := &together{members: 3}
	g.changed = sync.NewCond(&g.mu)
	var all sync.WaitGroup
	for minor := range uint32(3) {
		all.Go(func() {
			defer g.leave()
			t.Run(fmt.Sprintf("4.%d", minor), func(t *testing.T) { test(t, needServer(t), minor, g) })
		})
	}
	all.Wait()
}

// once calls do when all have come here, and none goes on before it is done.
func (g *together) once(do func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting++
	for times := g.times; times == g.times; {
		if g.waiting < g.members {
			g.changed.Wait()
			continue
		}
		g.waiting = 0
		g.times++
		g.changed.Broadcast()
		do()
	}
}

func (g *together) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.members--
	g.changed.Broadcast()
}

// testMount is a mount of a client of its own, as on a node of its own.
type testMount struct {
	*Mount
	t    testing.TB
	root Handle
	logs *testLog

	unverified atomic.Int32 // exclusive creates of which the server forgot that they are ours
}

type testLog struct {
	mu    sync.Mutex
	lines []string
}

func (l *testLog) logf(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, time.Now().Format("15:04:05.000 ")+fmt.Sprintf(format, args...))
}

func (l *testLog) has(text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range l.lines {
		if strings.Contains(line, text) {
			return true
		}
	}
	return false
}

func mountAt(t testing.TB, address string, minor uint32, o MountOptions) *testMount {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), testPatience)
	defer cancel()
	logs := &testLog{}
	c, err := Connect(ctx, Config{Address: address, Minors: []uint32{minor},
		Identity: fmt.Sprintf("test %s %d", t.Name(), time.Now().UnixNano()), Logf: logs.logf})
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	t.Cleanup(func() {
		c.Close()
		if t.Failed() {
			t.Logf("the client's log:\n%s", strings.Join(logs.lines, "\n"))
		}
	})
	m, root, _, err := c.Mount(ctx, exportPath, o)
	if err != nil {
		t.Fatalf("mount: %v", err)
	}
	return &testMount{Mount: m, t: t, root: root, logs: logs}
}

func (m *testMount) call() Call {
	ctx, cancel := context.WithTimeout(context.Background(), testPatience)
	m.t.Cleanup(cancel)
	return Call{Ctx: ctx}
}

// file makes a file whose name no other test uses.
func (m *testMount) file(kind string) (*File, Name) {
	m.t.Helper()
	at := Name{m.root, fmt.Sprintf("%s-%d", kind, time.Now().UnixNano())}
	mode := uint32(0o644)
	f, _, _, err := m.Create(m.call(), at, ReadWrite, false, Changes{Mode: &mode})
	if err != nil {
		m.t.Fatalf("create %s: %v", at.Name, err)
	}
	m.t.Cleanup(func() { m.Remove(m.call(), at) })
	return f, at
}

func (m *testMount) open(at Name) *File {
	m.t.Helper()
	h, _, err := m.Lookup(m.call(), m.root, at.Name)
	if err != nil {
		m.t.Fatalf("lookup %s: %v", at.Name, err)
	}
	f, _, err := m.Open(m.call(), h, Name{m.root, at.Name}, ReadWrite)
	if err != nil {
		m.t.Fatalf("open %s: %v", at.Name, err)
	}
	return f
}

func (m *testMount) lock(f *File, owner uint64, r Range) error {
	return f.Lock(m.call(), LockOwner{ID: owner}, r, true, false)
}

func (m *testMount) write(f *File, text string, offset uint64) error {
	if _, err := f.Write(m.call(), []byte(text), offset); err != nil {
		return err
	}
	return f.Sync(m.call())
}

func (m *testMount) read(f *File, n int) string {
	m.t.Helper()
	dest := make([]byte, n)
	got, _, err := f.Read(m.call(), dest, 0)
	if err != nil {
		m.t.Fatalf("read: %v", err)
	}
	return string(dest[:got])
}

func wantErrno(t *testing.T, err error, want syscall.Errno) {
	t.Helper()
	if got := Errno(err); got != want {
		t.Fatalf("got %v (%v), want %v", got, err, want)
	}
}

// proxy stands between client and server, and cuts their connections.
type proxy struct {
	listener net.Listener
	server   string
	mu       sync.Mutex
	conns    []net.Conn
	stopped  bool
}

func newProxy(t *testing.T, server string) *proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: listener, server: server}
	go p.serve()
	t.Cleanup(func() { listener.Close(); p.cut() })
	return p
}

func (p *proxy) address() string { return p.listener.Addr().String() }

func (p *proxy) serve() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.server)
		if err != nil {
			client.Close()
			continue
		}
		p.mu.Lock()
		p.conns = append(p.conns, client, server)
		stopped := p.stopped
		p.mu.Unlock()
		if stopped {
			client.Close()
			server.Close()
			continue
		}
		go pipe(server, client)
		go pipe(client, server)
	}
}

func pipe(to, from net.Conn) {
	io.Copy(to, from)
	to.Close()
	from.Close()
}

func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		c.(*net.TCPConn).SetLinger(0)
		c.Close()
	}
	p.conns = nil
}

// stop makes the server unreachable until goOn.
func (p *proxy) stop() {
	p.mu.Lock()
	p.stopped = true
	p.mu.Unlock()
	p.cut()
}

func (p *proxy) goOn() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopped = false
}
