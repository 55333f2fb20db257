package rpc

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/buildbarn/go-xdr/pkg/runtime"
	"golang.org/x/sys/unix"
)

const (
	readBufferBytes = 64 << 10
	leadTime        = 10 * time.Millisecond // most replies take less
)

var (
	errShortRecord = errors.New("record without an xid")
	errNothing     = errors.New("the socket has nothing to read") // yet
)

// receiver puts the records of a connection together. Whoever holds it reads the connection.
//
// As a rule that is the caller of the only request under way: a reply then wakes one thread, and
// that is the one which needs it. A reader of its own takes over when there are more requests,
// when a reply takes long, and now and then to notice that an idle connection is lost.
type receiver struct {
	buffer [readBufferBytes]byte
	unused []byte // of buffer
	record []byte
	filled int  // of record
	last   bool // record ends with the fragment that is being read
}

// next reads a record. After an error of from, it can go on where it was.
func (r *receiver) next(from io.Reader) ([]byte, error) {
	for r.record == nil || !r.last || r.filled < len(r.record) {
		var err error
		switch rest := r.record[r.filled:]; {
		case len(rest) == 0:
			err = r.nextFragment(from)
		case len(r.unused) > 0:
			n := copy(rest, r.unused)
			r.unused = r.unused[n:]
			r.filled += n
		case len(rest) < readBufferBytes:
			err = r.fill(from)
		default:
			var n int
			n, err = from.Read(rest)
			r.filled += n
		}
		if err != nil {
			return nil, err
		}
	}
	record := r.record
	r.record, r.filled, r.last = nil, 0, false
	return record, nil
}

func (r *receiver) nextFragment(from io.Reader) error {
	for len(r.unused) < markBytes {
		if err := r.fill(from); err != nil {
			return err
		}
	}
	header := binary.BigEndian.Uint32(r.unused)
	last, size := header&lastRecord != 0, int(header&^lastRecord)
	if size > recordMax-r.filled || size == 0 && !last {
		return fmt.Errorf("a fragment of %d bytes after %d", size, r.filled)
	}
	r.unused = r.unused[markBytes:]
	grown := takeBuffer(r.filled + size)
	copy(grown, r.record)
	if r.record != nil {
		giveBuffer(r.record)
	}
	r.record, r.last = grown, last
	return nil
}

// fill reads at least one byte more into the buffer.
func (r *receiver) fill(from io.Reader) error {
	kept := copy(r.buffer[:], r.unused)
	n, err := from.Read(r.buffer[kept:])
	r.unused = r.buffer[:kept+n]
	return err
}

// socket reads what is there. Without MSG_DONTWAIT it waits for it, for leadTime.
type socket struct {
	fd, flags int
}

func (s socket) Read(p []byte) (int, error) {
	switch n, _, err := unix.Recvfrom(s.fd, p, s.flags); {
	case err == unix.EAGAIN || err == unix.EINTR:
		return 0, errNothing
	case err != nil:
		return 0, err
	case n == 0:
		return 0, io.EOF
	default:
		return n, nil
	}
}

// next reads a record. It is errNothing if too little has come within leadTime.
func (c *connection) next(r *receiver) (record []byte, err error) {
	failure := c.socket.Control(func(fd uintptr) {
		record, err = r.next(socket{int(fd), 0})
	})
	return record, cmp.Or(failure, err)
}

// nextEver waits for a record without a limit. It can be errNothing all the same.
func (c *connection) nextEver(r *receiver) (record []byte, err error) {
	failure := c.socket.Control(func(fd uintptr) {
		if record, err = r.next(socket{int(fd), unix.MSG_DONTWAIT}); err == errNothing {
			poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
			unix.Poll(poll, -1) // whatever it says, reading tells
			record, err = r.next(socket{int(fd), unix.MSG_DONTWAIT})
		}
	})
	return record, cmp.Or(failure, err)
}

// lead reads until the call has its reply, unless somebody else reads or it takes long.
func (c *Client) lead(call *Call) {
	c.mu.Lock()
	conn := call.on
	c.mu.Unlock()
	if conn == nil {
		return
	}
	var r *receiver
	select {
	case r = <-conn.unread:
	default:
		return
	}
	for end := time.Now().Add(leadTime); len(call.arrived) == 0 && time.Now().Before(end); {
		record, err := conn.next(r)
		if err == nil {
			err = c.deliver(conn, record)
		}
		if err != nil && err != errNothing {
			conn.fail(err)
			break
		}
	}
	c.leave(conn, r)
}

// leave ends reading, for as long as nobody waits for a reply.
func (c *Client) leave(conn *connection, r *receiver) {
	conn.unread <- r
	if c.isIdle() { // whoever comes now finds it there
		return
	}
	c.readOn(conn)
}

// readOn makes the connection's own reader read, unless somebody does.
func (c *Client) readOn(conn *connection) {
	select {
	case r := <-conn.unread:
		conn.reading <- r
	default:
	}
}

func (c *Client) isIdle() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.waiting) == 0
}

// read is the connection's own reader. It returns why the connection has ended.
func (c *Client) read(conn *connection) error {
	for {
		select {
		case r := <-conn.reading:
			for idle := false; !idle; idle = c.isIdle() {
				record, err := conn.nextEver(r)
				if err == errNothing { // not all of it yet
					continue
				}
				if err == nil {
					err = c.deliver(conn, record)
				}
				if err != nil {
					return err
				}
			}
			c.leave(conn, r)
		case <-conn.done:
			return conn.cause()
		}
	}
}

var errUnknownReply = errors.New("reply to a call that was not made")

// deliver hands a record to its call. A reply that nobody waits for is a broken stream.
func (c *Client) deliver(conn *connection, record []byte) error {
	xid, _, err := runtime.ReadUnsignedInt(NewReader(record))
	if err != nil {
		return errShortRecord
	}
	c.mu.Lock()
	call := c.waiting[xid]
	if call == nil || call.on != conn {
		c.mu.Unlock()
		giveBuffer(record)
		return errUnknownReply
	}
	delete(c.waiting, xid)
	conn.replies++
	c.mu.Unlock()
	call.arrived <- record
	return nil
}
