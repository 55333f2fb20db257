package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	lockPoll    = 20 * time.Millisecond
	helloWithin = 10 * time.Second
	logBytes    = 1 << 20
	listenerFD  = 3
)

// Session is a connection to the process that serves mounts. That process stays for as long as it
// has a session or a mount.
type Session struct {
	conn *net.UnixConn
}

// Join connects to the process with this key, and starts it if there is none: command, which gets
// the listening socket as descriptor 3.
//
// Whoever starts, ends or joins a process holds its lock, so that nobody joins one that is ending.
// A process counts a session before it says hello, and only then is the lock given back.
func Join(ctx context.Context, home string, key Key, command func() *exec.Cmd) (*Session, error) {
	if err := os.MkdirAll(home, 0o700); err != nil {
		return nil, err
	}
	path := filepath.Join(home, key.String())
	for {
		lock, err := acquire(ctx, path)
		if err != nil {
			return nil, err
		}
		session, ending, err := join(path, command)
		lock.Close()
		if err == nil || !ending {
			return session, err
		}
		select { // it was told to end, and waits for the lock
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(lockPoll):
		}
	}
}

func acquire(ctx context.Context, path string) (*os.File, error) {
	lock, err := os.OpenFile(path+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return lock, nil
		}
		if err != unix.EWOULDBLOCK && err != unix.EINTR {
			lock.Close()
			return nil, err
		}
		select {
		case <-ctx.Done():
			lock.Close()
			return nil, ctx.Err()
		case <-time.After(lockPoll):
		}
	}
}

// join is called with the lock held. ending tells that a process is there, but takes nobody in.
func join(path string, command func() *exec.Cmd) (session *Session, ending bool, err error) {
	address := &net.UnixAddr{Name: path + ".sock", Net: "unixpacket"}
	session, ending, err = greet(address)
	if !errors.Is(err, syscall.ECONNREFUSED) && !errors.Is(err, syscall.ENOENT) {
		return session, ending, err
	}
	if err = start(path, address, command()); err != nil {
		return nil, false, err
	}
	if session, _, err = greet(address); err != nil {
		return nil, false, fmt.Errorf("the process for this mount did not start: see %s.log", path)
	}
	return session, false, nil
}

// greet connects to a process and waits until it has counted the session.
func greet(address *net.UnixAddr) (session *Session, ending bool, err error) {
	conn, err := net.DialUnix(address.Net, nil, address)
	if err != nil {
		return nil, false, err
	}
	session = &Session{conn}
	if err = conn.SetReadDeadline(time.Now().Add(helloWithin)); err == nil {
		_, err = session.reply()
	}
	if err != nil {
		conn.Close()
		return nil, !errors.Is(err, os.ErrDeadlineExceeded), err
	}
	return session, false, nil
}

// start runs the process with its socket open already: to connect, nobody has to wait for it.
func start(path string, address *net.UnixAddr, command *exec.Cmd) error {
	if err := os.Remove(address.Name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	listener, err := net.ListenUnix(address.Net, address)
	if err != nil {
		return err
	}
	listener.SetUnlinkOnClose(false)
	defer listener.Close()
	socket, err := listener.File()
	if err != nil {
		return err
	}
	defer socket.Close()
	log, err := openLog(path + ".log")
	if err != nil {
		return err
	}
	defer log.Close()
	command.Dir = "/" // it always exists
	command.Stdout, command.Stderr = log, log
	command.ExtraFiles = []*os.File{socket}
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	// What mount(8)'s caller left open here must not stay open for as long as the mount does.
	if err := unix.CloseRange(listenerFD, ^uint(0)>>1, unix.CLOSE_RANGE_CLOEXEC); err != nil {
		return err
	}
	if err := command.Start(); err != nil {
		return err
	}
	return command.Process.Release()
}

func openLog(path string) (*os.File, error) {
	flags := os.O_WRONLY | os.O_CREATE | os.O_APPEND
	if info, err := os.Stat(path); err == nil && info.Size() > logBytes {
		flags |= os.O_TRUNC
	}
	return os.OpenFile(path, flags, 0o600)
}

// Close leaves the process; it may end now.
func (s *Session) Close() { s.conn.Close() }

// Mount asks for a directory of the server; the error is the server's.
func (s *Session) Mount(r MountRequest) error {
	return s.ask(Request{Mount: &r}, nil, r.Timeout)
}

// Serve hands the FUSE descriptor over, and returns when the process serves it.
func (s *Session) Serve(r ServeRequest, fuse *os.File) error {
	return s.ask(Request{Serve: &r}, fuse, helloWithin)
}

func (s *Session) ask(r Request, file *os.File, timeout time.Duration) error {
	if err := s.conn.SetDeadline(time.Now().Add(timeout + time.Second)); err != nil {
		return err
	}
	if err := send(s.conn, r, file); err != nil {
		return err
	}
	reply, err := s.reply()
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return syscall.ETIMEDOUT
	}
	if err == nil && reply.Errno != 0 {
		err = reply.Errno
	}
	return err
}

func (s *Session) reply() (reply Reply, err error) {
	data, file, err := receive(s.conn)
	if err != nil {
		return Reply{}, err
	}
	if file != nil {
		file.Close()
		return Reply{}, errMessage
	}
	return reply, json.Unmarshal(data, &reply)
}

// Stats asks all processes of this machine for the numbers of the mount with this device.
func Stats(home, device string) (json.RawMessage, error) {
	sockets, err := filepath.Glob(filepath.Join(home, "*.sock"))
	if err != nil {
		return nil, err
	}
	for _, path := range sockets {
		conn, err := net.DialUnix("unixpacket", nil, &net.UnixAddr{Name: path, Net: "unixpacket"})
		if err != nil {
			continue // it has ended
		}
		found, err := (&Session{conn}).stats(device)
		conn.Close()
		if err == nil && found != nil {
			return found, nil
		}
	}
	return nil, errors.New("no process serves it")
}

func (s *Session) stats(device string) (json.RawMessage, error) {
	if err := s.conn.SetDeadline(time.Now().Add(helloWithin)); err != nil {
		return nil, err
	}
	if _, err := s.reply(); err != nil { // hello
		return nil, err
	}
	if err := send(s.conn, Request{Stats: &StatsRequest{device}}, nil); err != nil {
		return nil, err
	}
	reply, err := s.reply()
	return reply.Stats, err
}
