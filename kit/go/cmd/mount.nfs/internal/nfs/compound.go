package nfs

import (
	"context"
	"errors"
	"syscall"
	"time"

	"github.com/buildbarn/go-xdr/pkg/protocols/nfsv4"

	"landfast/kit/cmd/mount.nfs/internal/rpc"
)

const (
	pauseMin = 20 * time.Millisecond // before asking again a server that wants time
	pauseMax = time.Second

	fileRecoveriesMax = 5 // then a state id that the server refuses is an error
	refusalsMax       = 8 // with NFS4ERR_RESOURCE, which may pass or not
)

// A WRITE's data are sent from where they are, perhaps more than once and after the caller has
// left: they must not change before the request is answered. Pass no buffer of FUSE.

// compound carries out one COMPOUND. build is called anew on every attempt. Results are those of
// the operations built; with a Status, the last one is that of the operation that failed.
func (c *Client) compound(m *Mount, call Call, build func() []nfsv4.NfsArgop4) ([]nfsv4.NfsResop4, error) {
	return c.do(&request{ctx: call.Ctx, cred: call.Cred, mount: m, build: build})
}

// compoundOnce is for operations that cannot be repeated. repeated tells that an earlier attempt
// may have been carried out before the server forgot it, so that EEXIST or ENOENT can mean success.
func (c *Client) compoundOnce(m *Mount, call Call, build func() []nfsv4.NfsArgop4) (
	results []nfsv4.NfsResop4, repeated bool, err error,
) {
	r := &request{ctx: call.Ctx, cred: call.Cred, mount: m, build: build}
	results, err = c.do(r)
	return results, r.repeated, err
}

// compound is for what uses f.stateid() (call it in build): a state id that the server no longer
// knows is recovered, and a lost lock ends it with EIO. The data of a READ land in dest.
func (f *File) compound(call Call, dest []byte, build func() []nfsv4.NfsArgop4) ([]nfsv4.NfsResop4, error) {
	return f.mount.client.do(&request{
		ctx: call.Ctx, cred: call.Cred, mount: f.mount, file: f, dest: dest, build: build,
	})
}

// request is a COMPOUND with all its attempts.
type request struct {
	ctx      context.Context
	cred     Cred
	mount    *Mount // nil for the client's own
	file     *File  // whose state ids it uses
	dest     []byte
	build    func() []nfsv4.NfsArgop4 // nil when there is nothing left to do
	seen     func(reply)              // sees every reply before a recovery can change anything
	repeated bool
}

var errSoft = errors.New("the server of a soft mount does not answer")

// limit is the context of one attempt: that of a soft mount runs out.
func (r *request) limit() (context.Context, context.CancelFunc) {
	if r.mount == nil || !r.mount.options.Soft {
		return r.ctx, func() {}
	}
	o := &r.mount.options
	return context.WithTimeoutCause(r.ctx, o.Timeo*time.Duration(o.Retrans+1), errSoft)
}

func (r *request) timeo() time.Duration {
	if r.mount == nil {
		return timeoDefault
	}
	return r.mount.options.Timeo
}

func (c *Client) do(r *request) ([]nfsv4.NfsResop4, error) {
	recoveries, refusals := 0, 0
	for pause := pauseMin; ; pause = min(2*pause, pauseMax) {
		p, epoch, err := c.attempt(r)
		if err != nil || p.status == nfsv4.NFS4_OK {
			return p.results, err
		}
		why := troubleOf(c.minor, r, p)
		switch {
		case why == fileBad && recoveries >= fileRecoveriesMax:
			return p.results, Status(p.status)
		case why != noTrouble:
			if recoveries++; recoveries > 1 {
				err = c.sleep(r.ctx, pause)
			}
			if err == nil {
				ctx, cancel := r.limit()
				err = c.recover(ctx, epoch, why, r.file)
				cancel()
			}
		case p.status == nfsv4.NFS4ERR_RESOURCE && refusals < refusalsMax:
			refusals++
			err = c.sleep(r.ctx, pause)
		case wantsPatience(r, p.status):
			err = c.sleep(r.ctx, pause)
		case sequenceFailed(p):
			return nil, Status(p.status)
		default:
			return p.results, Status(p.status)
		}
		if err != nil {
			return nil, err
		}
	}
}

func wantsPatience(r *request, status nfsv4.Nfsstat4) bool {
	switch status {
	case nfsv4.NFS4ERR_DELAY, nfsv4.NFS4ERR_GRACE, nfsv4.NFS4ERR_RETRY_UNCACHED_REP:
		return true
	case nfsv4.NFS4ERR_OLD_STATEID: // a LOCK has changed it meanwhile
		return r.file != nil
	}
	return false
}

func (c *Client) sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return syscall.EINTR
	case <-c.ctx.Done():
		return rpc.ErrClosed
	}
}

// attempt sends the request once, in one slot.
func (c *Client) attempt(r *request) (p reply, epoch uint64, err error) {
	ctx, cancel := r.limit()
	defer cancel()
	s, epoch, err := c.acquire(ctx)
	if err != nil {
		return p, epoch, err
	}
	if r.file != nil {
		err = r.file.lost()
	}
	var operations []nfsv4.NfsArgop4
	if err == nil {
		operations = r.build()
	}
	if operations == nil {
		c.free <- s
		return p, epoch, err
	}
	x := c.newExchange(s, operations, r.cred, r.timeo())
	if p, err = x.run(ctx, r.dest); x.unfinished {
		late := *r
		go func() { // the slot stays busy, and what comes of the request is noted
			p, err := x.run(c.ctx, nil)
			c.settle(&late, x, p, err, epoch)
		}()
		return reply{}, epoch, interruption(ctx)
	}
	return c.settle(r, x, p, err, epoch), epoch, err
}

// interruption is why a caller leaves.
func interruption(ctx context.Context) error {
	if context.Cause(ctx) == errSoft {
		return syscall.EIO
	}
	return syscall.EINTR
}

// acquire waits for a slot, and for the end of a recovery.
func (c *Client) acquire(ctx context.Context) (s *slot, epoch uint64, err error) {
	for {
		select {
		case s = <-c.free:
		default: // only now: to be told of ctx's end may cost a timer
			select {
			case s = <-c.free:
			case <-ctx.Done():
				return nil, 0, interruption(ctx)
			case <-c.ctx.Done():
				return nil, 0, rpc.ErrClosed
			}
		}
		c.mu.Lock()
		recovering, epoch := c.recovering, c.epoch
		c.mu.Unlock()
		if recovering == nil {
			return s, epoch, nil
		}
		c.free <- s
		select {
		case <-recovering:
		case <-ctx.Done():
			return nil, 0, interruption(ctx)
		}
	}
}

// settle draws the conclusions from a reply and gives the slot back. The reply is left without
// the result of SEQUENCE.
func (c *Client) settle(r *request, x *exchange, p reply, err error, epoch uint64) reply {
	defer func() { c.free <- x.slot }()
	if err != nil {
		if c.minor > 0 && x.sends > 0 && !errors.Is(err, rpc.ErrClosed) {
			// Whether the server has taken the sequence id is unknown.
			c.recoverLater(epoch, sessionLost)
		}
		return reply{}
	}
	c.counts.add(x.operations)
	// NFSv4.0 servers keep replies only as well as they can; a session forgets with the server.
	r.repeated = r.repeated || x.sends > 1 && (c.minor == 0 || sequenceFailed(p))
	if c.minor > 0 && len(p.results) > 0 && !sequenceFailed(p) {
		c.settleSequence(x, &p, epoch)
	}
	if r.seen != nil {
		r.seen(p)
	}
	return p
}
