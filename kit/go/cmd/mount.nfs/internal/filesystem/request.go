package filesystem

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"

	"landfast/kit/cmd/mount.nfs/internal/nfs"
)

const (
	killedPoll  = 50 * time.Millisecond
	quick       = 20 * time.Millisecond // most requests take less; to watch one wakes a thread
	groupsStay  = time.Second
	callersMax  = 1024
	flagExiting = 0x4 // PF_EXITING
	diedPoll    = 250 * time.Millisecond

	// Fields of /proc/PID/stat behind the name, from 0.
	statFlags    = 6
	statExitCode = 49
)

// request is the context of one request. It ends when the process that waits for the answer has
// been killed, or when the file system is gone.
//
// FUSE tells of every signal, once. But as with the kernel's own client, only a process that is to
// die leaves: few programs expect EINTR from a file. Locks are the exception.
type request struct {
	fs       *FileSystem
	pid      uint32
	anyEnds  bool // any signal
	canceled <-chan struct{}

	once     sync.Once // somebody waits for the end, or the request is over
	watching *time.Timer
	ended    chan struct{}
	answered chan struct{}
}

func (fs *FileSystem) begin(cancel <-chan struct{}, h *fuse.InHeader) *request {
	return &request{fs: fs, pid: h.Pid, canceled: cancel}
}

// end must follow begin when the request is answered.
func (r *request) end() {
	r.once.Do(func() {})
	if r.answered != nil {
		r.watching.Stop()
		close(r.answered)
	}
}

// onNode answers a request about a node.
func (fs *FileSystem) onNode(
	cancel <-chan struct{}, h *fuse.InHeader, do func(r *request, n *node) error,
) fuse.Status {
	r := fs.begin(cancel, h)
	defer r.end()
	n := fs.nodes.get(h.NodeId)
	if n == nil {
		return fuse.Status(syscall.ESTALE)
	}
	return status(do(r, n))
}

// onFile answers a request about an open file.
func (fs *FileSystem) onFile(
	cancel <-chan struct{}, h *fuse.InHeader, handle uint64, do func(r *request, f *file) error,
) fuse.Status {
	r := fs.begin(cancel, h)
	defer r.end()
	f := fs.file(handle)
	if f == nil {
		return fuse.EBADF
	}
	return status(do(r, f))
}

// call is the request as its caller's, with all its groups.
func (r *request) call(h *fuse.InHeader) nfs.Call {
	return nfs.Call{Ctx: r, Cred: r.fs.callers.cred(h)}
}

// by is the request with the rights of whoever opened a file: they were checked at that time.
func (r *request) by(cred nfs.Cred) nfs.Call { return nfs.Call{Ctx: r, Cred: cred} }

// anybody is the request where the server asks for no rights.
func (r *request) anybody(h *fuse.InHeader) nfs.Call {
	return nfs.Call{Ctx: r, Cred: nfs.Cred{UID: h.Uid, GID: h.Gid}}
}

func (r *request) Done() <-chan struct{} {
	r.once.Do(func() {
		r.ended, r.answered = make(chan struct{}), make(chan struct{})
		r.watching = time.AfterFunc(quick, r.watch)
	})
	return r.ended
}

func (r *request) Err() error {
	select {
	case <-r.Done():
		return context.Canceled
	default:
		return nil
	}
}

func (r *request) Deadline() (time.Time, bool) { return time.Time{}, false }
func (r *request) Value(any) any               { return nil }

func (r *request) watch() {
	select {
	case <-r.canceled:
	case <-r.answered:
		return
	}
	for !r.anyEnds && !r.leaves() {
		select {
		case <-time.After(killedPoll):
		case <-r.answered:
			return
		}
	}
	close(r.ended)
}

func (r *request) leaves() bool { return r.pid == 0 || killed(r.pid) || r.fs.gone() }

// killed tells whether a thread has SIGKILL before it, as every thread of a process that dies of a
// signal has.
func killed(thread uint32) bool {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", thread))
	if err != nil {
		return true
	}
	for line := range bytes.Lines(data) {
		name, value, _ := strings.Cut(string(line), ":")
		if name != "SigPnd" && name != "ShdPnd" {
			continue
		}
		pending, err := strconv.ParseUint(strings.TrimSpace(value), 16, 64)
		if err != nil || pending&(1<<(syscall.SIGKILL-1)) != 0 {
			return true
		}
	}
	return false
}

// diedOfSignal tells whether a thread is past its end, which a signal has brought about, and only
// closes its files: then no signal reaches it. One that ends by itself waits for what it has written,
// since others may be waiting for just that.
func diedOfSignal(thread uint32) bool {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", thread))
	return err != nil || diedSo(data)
}

func diedSo(stat []byte) bool {
	// proc_pid_stat(5); the second field, in brackets, is a name that may hold anything.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) <= statExitCode {
		return false
	}
	flags, err := strconv.ParseUint(fields[statFlags], 10, 64)
	if err != nil || flags&flagExiting == 0 {
		return false
	}
	code, err := strconv.Atoi(fields[statExitCode])
	return err == nil && syscall.WaitStatus(code).Signaled()
}

// callers knows the supplementary groups of processes, of which FUSE does not tell.
type callers struct {
	mu    sync.Mutex
	known map[caller]callerGroups
}

type caller struct{ pid, uid, gid uint32 }

type callerGroups struct {
	groups []uint32
	until  time.Time
}

func (c *callers) cred(h *fuse.InHeader) nfs.Cred {
	who := caller{h.Pid, h.Uid, h.Gid}
	cred := nfs.Cred{UID: h.Uid, GID: h.Gid}
	if h.Pid == 0 {
		return cred
	}
	now := time.Now()
	c.mu.Lock()
	known, ok := c.known[who]
	c.mu.Unlock()
	if !ok || now.After(known.until) {
		known = callerGroups{groupsOf(h.Pid), now.Add(groupsStay)}
		c.mu.Lock()
		if len(c.known) >= callersMax {
			clear(c.known)
		}
		c.known[who] = known
		c.mu.Unlock()
	}
	cred.Groups = known.groups
	return cred
}

func groupsOf(thread uint32) (groups []uint32) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", thread))
	if err != nil {
		return nil
	}
	for line := range bytes.Lines(data) {
		list, found := bytes.CutPrefix(line, []byte("Groups:"))
		if !found {
			continue
		}
		for _, one := range bytes.Fields(list) {
			if group, err := strconv.ParseUint(string(one), 10, 32); err == nil {
				groups = append(groups, uint32(group))
			}
		}
	}
	return groups
}
