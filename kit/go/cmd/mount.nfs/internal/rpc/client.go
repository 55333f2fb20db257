// Package rpc is the client side of ONC RPC version 2 over one TCP connection, which is made
// anew for as long as the client lives.
package rpc

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	backoffMin  = 100 * time.Millisecond
	backoffMax  = 2 * time.Second // a server that is back should not be kept waiting
	watchPeriod = time.Second
)

// Config says whom to call.
type Config struct {
	Address          string // host:port
	Program, Version uint32
	Machine          string // AUTH_SYS's name of this machine
	Logf             func(string, ...any)
}

// Client sends calls and matches the replies.
type Client struct {
	config    Config
	nextXID   atomic.Uint32
	localPort int // of the last connection; only run uses it
	ctx       context.Context
	cancel    context.CancelFunc
	ended     sync.WaitGroup

	calls, resent, connects atomic.Uint64

	mu      sync.Mutex
	conn    *connection // nil while there is none
	waiting map[uint32]*Call
	dialErr error
	first   chan struct{} // closed once there has been a connection
}

// New begins to connect and returns at once.
func New(config Config) *Client {
	c := &Client{config: config, waiting: map[uint32]*Call{}, first: make(chan struct{})}
	c.nextXID.Store(rand.Uint32())
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.ended.Add(2)
	go c.run()
	go c.watch()
	return c
}

// Connected waits for the first connection. When ctx ends, the error is why there is none.
func (c *Client) Connected(ctx context.Context) error {
	select {
	case <-c.first:
		return nil
	case <-ctx.Done():
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return cmp.Or(c.dialErr, ctx.Err())
}

// Close ends all calls with ErrClosed.
func (c *Client) Close() {
	c.cancel()
	c.mu.Lock()
	if c.conn != nil {
		c.conn.fail(ErrClosed)
	}
	c.mu.Unlock()
	c.ended.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	for xid, call := range c.waiting {
		delete(c.waiting, xid)
		close(call.arrived)
	}
}

// Counts tells how many requests were made, how many were sent again, and how many connections
// there were.
func (c *Client) Counts() (calls, resent, connects uint64) {
	return c.calls.Load(), c.resent.Load(), c.connects.Load()
}

// run keeps a connection and reads it.
func (c *Client) run() {
	defer c.ended.Done()
	var lostAt time.Time
	for backoff := backoffMin; c.ctx.Err() == nil; {
		conn, err := c.dial()
		if err == nil {
			if !lostAt.IsZero() {
				c.config.Logf("%s: connected again after %v", c.config.Address,
					time.Since(lostAt).Round(time.Millisecond))
			}
			c.attach(conn)
			err = c.read(conn)
			conn.fail(err)
			c.mu.Lock()
			if conn.replies > 0 {
				backoff = backoffMin
			}
			c.mu.Unlock()
			lostAt = time.Now()
			if c.ctx.Err() == nil {
				c.config.Logf("%s: connection lost: %v", c.config.Address, conn.cause())
			}
		}
		c.mu.Lock()
		c.conn, c.dialErr = nil, err
		c.mu.Unlock()
		select {
		case <-time.After(backoff):
		case <-c.ctx.Done():
		}
		backoff = min(2*backoff, backoffMax)
	}
}

// attach makes conn the connection and sends what has no reply yet, in the order of its making.
func (c *Client) attach(conn *connection) {
	c.mu.Lock()
	c.conn = conn
	if c.ctx.Err() != nil {
		conn.fail(ErrClosed)
	}
	var pending []*Call
	for _, call := range c.waiting {
		pending = append(pending, call)
	}
	slices.SortFunc(pending, func(a, b *Call) int { return int(int32(a.xid - b.xid)) })
	segments := make([][][]byte, len(pending))
	for i, call := range pending {
		segments[i] = c.sending(call)
	}
	c.mu.Unlock()
	if c.connects.Add(1) == 1 {
		close(c.first)
	}
	for i, call := range pending {
		c.send(conn, call, segments[i])
	}
}

// sending notes, under mu, that a call goes out on the present connection.
func (c *Client) sending(call *Call) [][]byte {
	if call.sends > 0 {
		c.resent.Add(1)
	}
	call.on, call.sentAt, call.queued = c.conn, time.Now(), true
	call.sends++
	return call.segments
}

func (c *Client) send(conn *connection, call *Call, segments [][]byte) {
	conn.send(segments, func() {
		c.mu.Lock()
		call.queued = false
		c.mu.Unlock()
	})
}

func (c *Client) submit(call *Call) {
	c.mu.Lock()
	if c.ctx.Err() != nil {
		c.mu.Unlock()
		close(call.arrived)
		return
	}
	c.waiting[call.xid] = call
	conn := c.conn
	if conn == nil {
		c.mu.Unlock()
		return // attach sends it
	}
	segments := c.sending(call)
	c.mu.Unlock()
	c.send(conn, call, segments)
}

// again replaces the connection that brought a malformed reply, and asks once more.
func (c *Client) again(call *Call, cause error) {
	c.mu.Lock()
	bad := call.on
	if bad != c.conn || c.ctx.Err() != nil {
		c.mu.Unlock()
		c.submit(call)
		return
	}
	c.waiting[call.xid] = call // attach sends it
	c.mu.Unlock()
	bad.fail(fmt.Errorf("malformed reply: %w", cause))
}

// watch replaces the connection when a call has had no reply for its timeo.
func (c *Client) watch() {
	defer c.ended.Done()
	ticker := time.NewTicker(watchPeriod)
	defer ticker.Stop()
	for {
		select {
		case <-c.ctx.Done():
			return
		case now := <-ticker.C:
			c.mu.Lock()
			for _, call := range c.waiting {
				if c.conn != nil && call.on == c.conn && now.Sub(call.sentAt) > call.timeo {
					c.conn.fail(fmt.Errorf("no reply for %v", call.timeo))
					break
				}
			}
			conn := c.conn
			c.mu.Unlock()
			if conn != nil {
				c.readOn(conn) // an idle connection may be lost
			}
		}
	}
}
