package nfs

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/buildbarn/go-xdr/pkg/protocols/nfsv4"

	"landfast/kit/cmd/mount.nfs/internal/rpc"
)

const (
	nfsVersion   = 4
	procCompound = 1
	timeoDefault = time.Minute
	partTimeout  = 2 * time.Second // for a server to hear that the client goes
	leaseDefault = 90              // seconds
	leaseMax     = 3600
	dataBytesMax = 1 << 20 // of one READ or WRITE
	headerBytes  = 1 << 10 // what goes with the data in a record
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
	config   Config
	rpc      *rpc.Client
	minor    uint32
	verifier [8]byte  // tells this process from an earlier one with the same identity
	pending  *pending // what is written and not yet stable
	ctx      context.Context
	cancel   context.CancelFunc
	renewal  sync.WaitGroup
	lease    atomic.Uint32 // seconds
	renewed  atomic.Int64  // when the server last renewed the lease, in Unix nanoseconds
	counts   counts
	lastID   atomic.Uint64 // of owners and mounts

	// free holds the slots that no request uses: all but those taken by requests in flight.
	// A recovery takes them all out, so that none of its steps meets a request of before.
	free chan *slot

	mu      sync.Mutex
	slots   int
	session session

	sessionSequence uint32 // of the next CREATE_SESSION

	clientID   uint64
	epoch      uint64        // counts recoveries
	recovering chan struct{} // closed at the end of the recovery; nil if there is none
	files      map[*File]struct{}
	idle       []*openOwner
	flagsAt    time.Time // when state flags of a SEQUENCE were last looked into
}

// Mount is one exported directory.
type Mount struct {
	client  *Client
	options MountOptions // RSize and WSize are what the server and the session can do
	id      uint64

	mu    sync.Mutex
	locks map[lockKey]*lockState
}

// Connect finds the minor version both sides speak.
func Connect(ctx context.Context, config Config) (*Client, error) {
	machine, _ := os.Hostname()
	c := &Client{
		config: config, pending: newPending(), free: make(chan *slot, slotsMax),
		files: map[*File]struct{}{},
		rpc: rpc.New(rpc.Config{
			Address: config.Address, Program: nfsv4.NFS4_PROGRAM_PROGRAM_NUMBER,
			Version: nfsVersion, Machine: strings.ToValidUTF8(machine, "?"), Logf: config.Logf,
		}),
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.lease.Store(leaseDefault)
	binary.BigEndian.PutUint64(c.verifier[:], uint64(time.Now().UnixNano()))
	if err := c.connect(ctx); err != nil {
		c.end()
		return nil, err
	}
	c.renewal.Add(1)
	go c.renew()
	return c, nil
}

func (c *Client) connect(ctx context.Context) error {
	if err := c.rpc.Connected(ctx); err != nil {
		return err
	}
	err := fmt.Errorf("no minor version was asked for: %w", syscall.EINVAL)
	for _, c.minor = range c.config.Minors {
		var r *recovery
		r, err = c.beginRecovery(ctx)
		if err != nil {
			return err
		}
		if err = r.establish(); err == nil {
			err = r.complete()
		}
		c.endRecovery(r)
		if !errors.Is(err, Status(nfsv4.NFS4ERR_MINOR_VERS_MISMATCH)) {
			break
		}
	}
	if err != nil {
		return err
	}
	return c.askLimits(ctx)
}

// askLimits learns the lease's length.
func (c *Client) askLimits(ctx context.Context) error {
	limits, err := c.limits(ctx, &nfsv4.NfsArgop4_OP_PUTROOTFH{})
	if err != nil {
		return err
	}
	if limits.leaseSeconds > 0 {
		c.lease.Store(min(limits.leaseSeconds, leaseMax))
	}
	return nil
}

func (c *Client) limits(ctx context.Context, at nfsv4.NfsArgop4) (attributes, error) {
	results, err := c.compound(nil, Call{Ctx: ctx}, func() []nfsv4.NfsArgop4 {
		return []nfsv4.NfsArgop4{at, getattr(limitAttributes)}
	})
	if err != nil {
		return attributes{}, err
	}
	return attributesOf(results, 1)
}

// Close gives the session and the client id back, if the server hears it soon.
func (c *Client) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), partTimeout)
	defer cancel()
	c.part(ctx)
	c.end()
}

func (c *Client) end() {
	c.cancel()
	c.pending.cancel()
	c.rpc.Close()
	c.renewal.Wait()
}

// Mount looks path up from the server's root.
func (c *Client) Mount(ctx context.Context, path string, o MountOptions) (*Mount, Handle, Attr, error) {
	if o.Timeo <= 0 {
		o.Timeo = timeoDefault
	}
	m := &Mount{client: c, options: o, id: c.lastID.Add(1), locks: map[lockKey]*lockState{}}
	operations := []nfsv4.NfsArgop4{&nfsv4.NfsArgop4_OP_PUTROOTFH{}}
	call := Call{Ctx: ctx}
	h, attr, err := m.object(call, operations...)
	for _, name := range strings.Split(path, "/") {
		if err == nil && name != "" && name != "." {
			h, attr, err = m.Lookup(call, h, name)
		}
	}
	if err != nil {
		return nil, "", Attr{}, err
	}
	limits, err := c.limits(ctx, putfh(h))
	if err != nil {
		return nil, "", Attr{}, err
	}
	requestMax, replyMax := c.recordSizes()
	m.options.RSize = transferSize(o.RSize, limits.readMax, replyMax)
	m.options.WSize = transferSize(o.WSize, limits.writeMax, requestMax)
	return m, h, attr, nil
}

// transferSize is what was asked for, within what server and session allow.
func transferSize(asked uint32, serverMax uint64, recordMax uint32) uint32 {
	size := min(uint64(asked), dataBytesMax, uint64(recordMax-headerBytes))
	if asked == 0 {
		size = min(dataBytesMax, uint64(recordMax-headerBytes))
	}
	if serverMax > 0 {
		size = min(size, serverMax)
	}
	return uint32(max(size, 1024)) // the least the kernel would take
}
