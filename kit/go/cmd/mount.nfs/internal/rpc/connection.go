package rpc

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/buildbarn/go-xdr/pkg/runtime"
	"golang.org/x/sys/unix"
)

const (
	dialTimeout     = 5 * time.Second
	unacknowledged  = 15 * time.Second // after this a silent peer counts as lost
	keepalivePeriod = 5 * time.Second
	keepaliveProbes = 3
	readBufferBytes = 64 << 10

	// Servers may insist on a port only root can bind; the kernel's client uses this range.
	reservedMin, reservedMax = 665, 1023
	reservedTries            = 20
)

var errShortRecord = errors.New("record without an xid")

// connection is one TCP connection. Senders write to it themselves as long as it takes their
// bytes without waiting; the rest is left to a writer, so that no sender is ever stuck.
type connection struct {
	tcp  *net.TCPConn
	raw  syscall.RawConn
	wake chan struct{}
	done chan struct{}

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
	raw, err := tcp.SyscallConn()
	if err != nil {
		tcp.Close()
		return nil, err
	}
	c := &connection{tcp: tcp, raw: raw, wake: make(chan struct{}, 1), done: make(chan struct{})}
	go c.write()
	return c, nil
}

// fail ends the connection; the first cause counts.
func (c *connection) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return
	}
	c.err = err
	// A reset leaves no TIME_WAIT behind, which would keep the port from being used again.
	c.tcp.SetLinger(0)
	c.tcp.Close()
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
	rest, err := c.tryWrite(segments)
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

// tryWrite writes what the socket takes at once, and gives the rest.
func (c *connection) tryWrite(segments [][]byte) (rest [][]byte, err error) {
	var n int
	var failure error
	err = c.raw.Write(func(fd uintptr) bool {
		if len(segments) == 1 {
			n, failure = unix.Write(int(fd), segments[0])
		} else {
			n, failure = unix.Writev(int(fd), segments)
		}
		return true
	})
	switch {
	case err != nil:
		return nil, err
	case failure == unix.EAGAIN || failure == unix.EINTR:
		return segments, nil
	case failure != nil:
		return nil, failure
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
	var buffers net.Buffers
	for _, o := range queue {
		buffers = append(buffers, o.segments...)
	}
	if len(queue) > 0 && !broken {
		if _, err := buffers.WriteTo(c.tcp); err != nil {
			c.fail(err)
		}
	}
	for _, o := range queue {
		o.sent()
	}
	return len(queue) > 0
}

// read hands records over until one is malformed or the connection ends. It tells how many
// there were.
func (c *connection) read(deliver func(*connection, uint32, []byte) error) (replies int, err error) {
	r := bufio.NewReaderSize(c.tcp, readBufferBytes)
	for ; ; replies++ {
		record, err := readRecord(r)
		if err != nil {
			return replies, err
		}
		xid, _, err := runtime.ReadUnsignedInt(NewReader(record))
		if err != nil {
			return replies, errShortRecord
		}
		if err := deliver(c, xid, record); err != nil {
			return replies, err
		}
	}
}

// readRecord puts the fragments of a record together.
func readRecord(r io.Reader) (record []byte, err error) {
	for last := false; !last; {
		var mark [markBytes]byte
		if _, err := io.ReadFull(r, mark[:]); err != nil {
			return nil, err
		}
		header := binary.BigEndian.Uint32(mark[:])
		last = header&lastRecord != 0
		size := int(header &^ lastRecord)
		if size > recordMax-len(record) || size == 0 && !last {
			return nil, fmt.Errorf("a fragment of %d bytes after %d", size, len(record))
		}
		start := len(record)
		grown := takeBuffer(start + size)
		copy(grown, record)
		if record != nil {
			giveBuffer(record)
		}
		record = grown
		if _, err := io.ReadFull(r, record[start:]); err != nil {
			return nil, err
		}
	}
	return record, nil
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
