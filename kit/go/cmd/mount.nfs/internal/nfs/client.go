package nfs

import (
	"context"
	"time"
)

// Config is what a client needs to know of its server and of itself.
type Config struct {
	Address  string   // host:port
	Minors   []uint32 // minor versions, in the order to try them
	Identity string   // unique per machine, boot and network namespace
	Logf     func(string, ...any)
}

// MountOptions are what mount(8) was told.
type MountOptions struct {
	Soft         bool
	Timeo        time.Duration
	Retrans      int
	RSize, WSize uint32
	LocalLocks   bool
}

// Client is one client of one server, shared by all mounts of a node.
type Client struct {
	config  Config
	pending *pending // newPending(); pending.cancel() at the end, pending.restarted() in recovery
}

// Mount is one exported directory.
type Mount struct {
	client  *Client
	options MountOptions // RSize and WSize are what the server and the session can do
}

// Connect finds the minor version both sides speak.
func Connect(ctx context.Context, config Config) (*Client, error) { panic("soon") }

// Close gives the session and the client id back.
func (c *Client) Close() { panic("soon") }

// Stats is a snapshot.
func (c *Client) Stats() Stats { panic("soon") }

// Mount looks path up from the server's root.
func (c *Client) Mount(ctx context.Context, path string, o MountOptions) (*Mount, Handle, Attr, error) {
	panic("soon")
}
