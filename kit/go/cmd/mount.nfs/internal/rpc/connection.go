package rpc

import (
	"cmp"
	"errors"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	dialTimeout     = 5 * time.Second
	unacknowledged  = 15 * time.Second // after this a silent peer counts as lost
	keepalivePeriod = 5 * time.Second
	keepaliveProbes = 3

	// Servers may insist on a port only root can bind; the kernel's client uses this range.
	reservedMin, reservedMax = 665, 1023
	reservedTries            = 20
)

// connection is one TCP connection. Senders write to it themselves as long as it takes their
// bytes without waiting; the rest is left to a writer, so that no sender is ever stuck.
//
// Go's poller does not know its socket: for every reply it would wake a thread of its own.
type connection struct {
	file   *os.File
	socket syscall.RawConn // holds the file open
	wake   chan struct{}
	done   chan struct{}

	unread, reading chan *receiver // either has it, or a caller
	replies         int            // guarded by the client's mutex

	mu      sync.Mutex
	queue   []outgoing
	writing bool // the writer has taken the queue
	err     error
}

type outgoing struct {
	segments [][]byte
	sent     func()
}

func newConnection(tcp *net.TCPConn) (*connection, error) {
	defer tcp.Close()
	file, err := takeSocket(tcp)
	if err != nil {
		return nil, err
	}
	c := &connection{
		file: file, wake: make(chan struct{}, 1), done: make(chan struct{}),
		unread: make(chan *receiver, 1), reading: make(chan *receiver, 1),
	}
	if c.socket, err = file.SyscallConn(); err != nil {
		file.Close()
		return nil, err
	}
	c.reading <- &receiver{}
	go c.write()
	return c, nil
}

// takeSocket gives the socket to the caller, in blocking mode: who reads it waits for leadTime.
func takeSocket(tcp *net.TCPConn) (file *os.File, err error) {
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil, err
	}
	failure := raw.Control(func(fd uintptr) {
		var own int
		if own, err = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0); err == nil {
			limit := unix.NsecToTimeval(leadTime.Nanoseconds())
			err = errors.Join(unix.SetNonblock(own, false),
				unix.SetsockoptTimeval(own, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &limit))
			file = os.NewFile(uintptr(own), "socket")
		}
	})
	return file, cmp.Or(failure, err)
}

// fail ends the connection; the first cause counts.
func (c *connection) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return
	}
	c.err = err
	c.socket.Control(func(fd uintptr) {
		// A reset leaves no TIME_WAIT behind, which would keep the port from being used again.
		unix.SetsockoptLinger(int(fd), unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
		unix.Shutdown(int(fd), unix.SHUT_RDWR) // who waits for the socket wakes up
	})
	c.file.Close()
	close(c.done)
}

func (c *connection) cause() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// send calls sent once segments are no longer needed, whether or not they have gone out.
func (c *connection) send(segments [][]byte, sent func()) {
	c.mu.Lock()
	if c.err != nil {
		c.mu.Unlock()
		sent()
		return
	}
	if c.writing || len(c.queue) > 0 {
		c.queue = append(c.queue, outgoing{segments, sent})
		c.mu.Unlock()
		return
	}
	rest, err := c.transmit(segments, unix.MSG_DONTWAIT)
	if err == nil && len(rest) > 0 {
		c.queue = append(c.queue, outgoing{rest, sent})
		c.mu.Unlock()
		select {
		case c.wake <- struct{}{}:
		default:
		}
		return
	}
	c.mu.Unlock()
	if err != nil {
		c.fail(err)
	}
	sent()
}

// transmit writes what the socket takes, and gives the rest.
func (c *connection) transmit(segments [][]byte, flags int) (rest [][]byte, err error) {
	var n int
	failure := c.socket.Control(func(fd uintptr) {
		n, err = unix.SendmsgBuffers(int(fd), segments, nil, nil, flags|unix.MSG_NOSIGNAL)
	})
	switch {
	case failure != nil:
		return nil, failure
	case err == unix.EAGAIN || err == unix.EINTR:
		return segments, nil
	case err != nil:
		return nil, err
	}
	for i, s := range segments {
		if n < len(s) {
			return append([][]byte{s[n:]}, segments[i+1:]...), nil
		}
		n -= len(s)
	}
	return nil, nil
}

func (c *connection) write() {
	for {
		select {
		case <-c.wake:
		case <-c.done:
		}
		for c.writeQueue() {
		}
		select {
		case <-c.done:
			return
		default:
		}
	}
}

// writeQueue tells whether there was anything to write.
func (c *connection) writeQueue() bool {
	c.mu.Lock()
	queue, broken := c.queue, c.err != nil
	c.queue, c.writing = nil, len(queue) > 0
	c.mu.Unlock()
	for _, o := range queue {
		for rest := o.segments; len(rest) > 0 && !broken; {
			var err error
			if rest, err = c.transmit(rest, 0); err != nil {
				c.fail(err)
				broken = true
			}
		}
	}
	for _, o := range queue {
		o.sent()
	}
	return len(queue) > 0
}

// dial takes the port of the last connection if it can: servers know a client whose NFSv4.0
// request is sent again by its port.
func (c *Client) dial() (*connection, error) {
	var err error
	for try := range reservedTries {
		port := c.localPort
		if port == 0 || try > 0 {
			port = reservedMin + rand.IntN(reservedMax-reservedMin+1)
		}
		var conn *connection
		if conn, err = c.dialFrom(port); err == nil {
			c.localPort = port
			return conn, nil
		}
		if errors.Is(err, syscall.EACCES) || errors.Is(err, syscall.EPERM) {
			return c.dialFrom(0) // not root: a server that does not insist still works
		}
		if !errors.Is(err, syscall.EADDRINUSE) && !errors.Is(err, syscall.EADDRNOTAVAIL) {
			break
		}
	}
	return nil, err
}

func (c *Client) dialFrom(port int) (*connection, error) {
	dialer := net.Dialer{
		Timeout: dialTimeout,
		KeepAliveConfig: net.KeepAliveConfig{
			Enable: true, Idle: keepalivePeriod, Interval: keepalivePeriod, Count: keepaliveProbes,
		},
		Control: func(_, _ string, raw syscall.RawConn) (err error) {
			raw.Control(func(fd uintptr) {
				err = errors.Join(
					unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 1),
					unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT,
						int(unacknowledged.Milliseconds())))
			})
			return err
		},
	}
	if port != 0 {
		dialer.LocalAddr = &net.TCPAddr{Port: port}
	}
	conn, err := dialer.DialContext(c.ctx, "tcp", c.config.Address)
	if err != nil {
		return nil, err
	}
	return newConnection(conn.(*net.TCPConn))
}
