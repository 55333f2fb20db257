// Package node is the process that serves all mounts of one server on a machine: how mount.nfs
// finds or starts it, hands mounts over to it, and how it ends with the last of them.
package node

import (
	"context"
	"encoding/json"
	"log"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"
)

// Backend does the work of the process.
type Backend interface {
	// Mount looks a directory up on the server.
	Mount(ctx context.Context, r MountRequest) (Mounted, syscall.Errno)
	// Stats are the numbers of a mount, to be written as JSON.
	Stats(m Mounted) any
	// Close leaves the server.
	Close()
}

// Mounted is a directory of the server.
type Mounted interface {
	// Start makes the kernel's acquaintance. The descriptor is Start's to close.
	Start(r ServeRequest, fuse *os.File) error
	// Serve returns when the file system is unmounted and everything is written and closed.
	Serve()
	// Unmount takes the file system off its directory, whoever uses it.
	Unmount()
}

const (
	joinWithin  = 10 * time.Second // the first session
	leaveWithin = 5 * time.Second  // a server that does not answer keeps nobody
	stopWithin  = 10 * time.Second
)

type process struct {
	home, path string
	backend    Backend
	unused     chan struct{} // there may be neither session nor mount any more

	mu       sync.Mutex
	sessions int
	serving  int                // mounts, also those the kernel has forgotten already
	mounts   map[string]Mounted // by device, which the kernel gives anew after an unmount
	ending   bool
}

// Run serves the sessions of the inherited socket until the last mount is gone, or until stop.
func Run(home string, key Key, backend Backend, stop <-chan os.Signal) error {
	file := os.NewFile(listenerFD, "socket")
	generic, err := net.FileListener(file)
	if err != nil {
		return err
	}
	file.Close()
	listener := generic.(*net.UnixListener)
	listener.SetUnlinkOnClose(false)
	p := &process{
		home: home, path: filepath.Join(home, key.String()), backend: backend,
		unused: make(chan struct{}, 1), mounts: map[string]Mounted{},
	}
	go p.accept(listener)
	lock := p.wait(stop)
	if lock != nil {
		os.Remove(p.path + ".sock")
	}
	listener.Close()
	closed := make(chan struct{})
	go func() { backend.Close(); close(closed) }()
	select {
	case <-closed:
	case <-time.After(leaveWithin):
		log.Print("the server does not answer: this client's state stays there for one lease")
	}
	return nil // the lock goes with the process, so that its successor begins after its end
}

// wait returns when the process is to end, with its lock if it could be had.
func (p *process) wait(stop <-chan os.Signal) *os.File {
	nobodyCame := time.After(joinWithin)
	for {
		select {
		case <-p.unused:
		case <-nobodyCame:
		case signal := <-stop:
			log.Printf("%v: unmounting everything", signal)
			p.stop()
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			lock, _ := acquire(ctx, p.path)
			return lock
		}
		lock, err := acquire(context.Background(), p.path)
		if err != nil {
			log.Print(err)
			return nil
		}
		p.mu.Lock()
		p.ending = p.sessions == 0 && p.serving == 0
		ending := p.ending
		p.mu.Unlock()
		if ending {
			return lock
		}
		lock.Close()
	}
}

// stop unmounts everything. What processes still use ends with this one.
func (p *process) stop() {
	p.mu.Lock()
	p.ending = true
	mounts := slices.Collect(maps.Values(p.mounts))
	p.mu.Unlock()
	for _, m := range mounts {
		m.Unmount()
	}
	for end := time.Now().Add(stopWithin); time.Now().Before(end); time.Sleep(lockPoll) {
		p.mu.Lock()
		left := p.serving
		p.mu.Unlock()
		if left == 0 {
			return
		}
	}
}

func (p *process) accept(listener *net.UnixListener) {
	for {
		conn, err := listener.AcceptUnix()
		if err != nil {
			return
		}
		p.mu.Lock()
		ending := p.ending
		if !ending {
			p.sessions++
		}
		p.mu.Unlock()
		if ending {
			conn.Close()
			continue
		}
		go func() {
			p.session(conn)
			conn.Close()
			p.change(func() { p.sessions-- })
		}()
	}
}

func (p *process) change(f func()) {
	p.mu.Lock()
	f()
	unused := p.sessions == 0 && p.serving == 0
	p.mu.Unlock()
	if unused {
		select {
		case p.unused <- struct{}{}:
		default:
		}
	}
}

// session answers one connection until it ends.
func (p *process) session(conn *net.UnixConn) {
	if send(conn, Reply{}, nil) != nil {
		return
	}
	var mounted Mounted // and not yet served
	for {
		data, file, err := receive(conn)
		if err != nil {
			return
		}
		request, err := parseRequest(data)
		if err != nil || (file != nil) != (request.Serve != nil) {
			log.Printf("a session ends: %v", errMessage)
			if file != nil {
				file.Close()
			}
			return
		}
		var reply Reply
		switch {
		case request.Mount != nil:
			mounted, reply.Errno = p.mount(*request.Mount)
		case request.Stats != nil:
			reply = p.stats(request.Stats.Device)
		case mounted == nil:
			file.Close()
			return
		default:
			reply.Errno = p.serve(*request.Serve, mounted, file)
			mounted = nil
		}
		if send(conn, reply, nil) != nil {
			return
		}
	}
}

func (p *process) mount(r MountRequest) (Mounted, syscall.Errno) {
	ctx, cancel := context.WithTimeout(context.Background(), r.Timeout)
	defer cancel()
	mounted, errno := p.backend.Mount(ctx, r)
	if errno != 0 && ctx.Err() != nil {
		errno = syscall.ETIMEDOUT
	}
	if errno != 0 {
		return nil, errno
	}
	return mounted, 0
}

func (p *process) serve(r ServeRequest, mounted Mounted, fuse *os.File) syscall.Errno {
	if err := mounted.Start(r, fuse); err != nil {
		log.Printf("%s: %v", r.Directory, err)
		return syscall.EIO
	}
	p.change(func() {
		p.serving++
		p.mounts[r.Device] = mounted
	})
	go func() {
		mounted.Serve()
		p.change(func() {
			p.serving--
			if p.mounts[r.Device] == mounted {
				delete(p.mounts, r.Device)
			}
		})
	}()
	return 0
}

func (p *process) stats(device string) Reply {
	p.mu.Lock()
	mounted := p.mounts[device]
	p.mu.Unlock()
	if mounted == nil {
		return Reply{}
	}
	data, err := json.Marshal(p.backend.Stats(mounted))
	if err != nil {
		return Reply{Errno: syscall.EIO}
	}
	return Reply{Stats: data}
}
