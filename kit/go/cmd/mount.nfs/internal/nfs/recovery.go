package nfs

import (
	"context"
	"errors"
	"slices"

	"github.com/buildbarn/go-xdr/pkg/protocols/nfsv4"

	"landfast/kit/cmd/mount.nfs/internal/rpc"
)

// trouble is what the server no longer knows, the least first.
type trouble int

const (
	noTrouble    trouble = iota
	fileBad              // a state id of one file
	stateRevoked         // some state ids
	leaseLost            // NFSv4.0: perhaps the client id
	sessionLost          // the session, and perhaps more
)

// troubleOf tells what has to be recovered before the request can be tried again.
func troubleOf(minor uint32, r *request, p reply) trouble {
	if sequenceFailed(p) {
		switch p.status {
		case nfsv4.NFS4ERR_TOO_MANY_OPS, nfsv4.NFS4ERR_REQ_TOO_BIG, nfsv4.NFS4ERR_REP_TOO_BIG,
			nfsv4.NFS4ERR_REP_TOO_BIG_TO_CACHE, nfsv4.NFS4ERR_BADXDR,
			nfsv4.NFS4ERR_RETRY_UNCACHED_REP:
			return noTrouble
		}
		return sessionLost
	}
	switch p.status {
	case nfsv4.NFS4ERR_STALE_CLIENTID, nfsv4.NFS4ERR_STALE_STATEID, nfsv4.NFS4ERR_EXPIRED:
		if minor == 0 {
			return leaseLost
		}
	case nfsv4.NFS4ERR_BAD_STATEID, nfsv4.NFS4ERR_ADMIN_REVOKED:
		if minor == 0 && r.file != nil {
			return leaseLost
		}
	case nfsv4.NFS4ERR_BADSESSION, nfsv4.NFS4ERR_DEADSESSION:
		return sessionLost
	default:
		return noTrouble
	}
	if r.file != nil {
		return fileBad
	}
	return noTrouble
}

// recovery has all slots for itself while it makes server and client agree again.
type recovery struct {
	c          *Client
	ctx        context.Context
	slots      []*slot
	fresh      bool // the server knows none of the client's state
	unfinished bool // a reclaim has begun and is not complete
	lost       int  // locks
}

// recover returns when the trouble is over. Of those who meet the same trouble, the first starts
// the recovery and the others wait for it; epoch is when they met it.
func (c *Client) recover(ctx context.Context, epoch uint64, why trouble, f *File) error {
	c.mu.Lock()
	if c.epoch != epoch {
		c.mu.Unlock()
		return nil
	}
	if c.recovering == nil {
		c.recovering = make(chan struct{})
		go c.runRecovery(why, f)
	}
	over := c.recovering
	c.mu.Unlock()
	select {
	case <-over:
		return nil
	case <-ctx.Done():
		return interruption(ctx)
	case <-c.ctx.Done():
		return rpc.ErrClosed
	}
}

// recoverLater is for trouble that no request waits for.
func (c *Client) recoverLater(epoch uint64, why trouble) {
	go c.recover(c.ctx, epoch, why, nil)
}

func (c *Client) runRecovery(why trouble, f *File) {
	c.counts.recoveries.Add(1)
	r, err := c.drain(c.ctx)
	for pause := pauseMin; err == nil; pause = min(2*pause, pauseMax) {
		failure := r.run(why, f)
		if failure == nil {
			break
		}
		c.config.Logf("%s: recovery: %v", c.config.Address, failure)
		why = sessionLost
		err = c.sleep(c.ctx, pause)
	}
	c.endRecovery(r)
}

// beginRecovery is for the first session and for the end. Without an error, endRecovery must follow.
func (c *Client) beginRecovery(ctx context.Context) (*recovery, error) {
	for {
		c.mu.Lock()
		other := c.recovering
		if other == nil {
			c.recovering = make(chan struct{})
		}
		c.mu.Unlock()
		if other == nil {
			break
		}
		select {
		case <-other:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	r, err := c.drain(ctx)
	if err != nil {
		c.endRecovery(r)
	}
	return r, err
}

// drain waits until no request is in flight.
func (c *Client) drain(ctx context.Context) (*recovery, error) {
	r := &recovery{c: c, ctx: ctx}
	c.mu.Lock()
	n := c.slots
	c.mu.Unlock()
	for range n {
		select {
		case s := <-c.free:
			r.slots = append(r.slots, s)
		case <-ctx.Done():
			return r, ctx.Err()
		}
	}
	return r, nil
}

func (c *Client) endRecovery(r *recovery) {
	for _, s := range r.slots {
		c.free <- s
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.epoch++
	close(c.recovering)
	c.recovering = nil
}

// makeSlots replaces those of the old session.
func (r *recovery) makeSlots(n int) {
	r.slots = make([]*slot, n)
	for i := range r.slots {
		r.slots[i] = &slot{id: uint32(i)}
	}
	r.c.slots = n
}

func (r *recovery) run(why trouble, f *File) error {
	if why == leaseLost && r.renew() == nil {
		why = fileBad // the lease is in order, so only the file can have been meant
	}
	if why >= leaseLost {
		if err := r.establish(); err != nil {
			return err
		}
	}
	switch {
	case why >= leaseLost && (r.fresh || r.unfinished):
		return r.reclaim()
	case why >= stateRevoked:
		return r.test()
	case f != nil:
		return r.reopen(f)
	}
	return nil
}

// establish makes the server know the client, and a session.
func (r *recovery) establish() error {
	if r.c.minor == 0 {
		r.fresh = true
		return r.setClient()
	}
	r.destroySession()
	known, err := r.exchangeID()
	if err != nil {
		return err
	}
	r.fresh = !known
	return r.createSession()
}

func (r *recovery) setClientID(id uint64) {
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	r.c.clientID = id
}

// ask carries out operations outside of a session.
func (r *recovery) ask(operations ...nfsv4.NfsArgop4) ([]nfsv4.NfsResop4, error) {
	return r.exchange(nil, operations)
}

// tell carries out operations in the session.
func (r *recovery) tell(operations ...nfsv4.NfsArgop4) ([]nfsv4.NfsResop4, error) {
	return r.exchange(r.slots[0], operations)
}

func (r *recovery) exchange(s *slot, operations []nfsv4.NfsArgop4) ([]nfsv4.NfsResop4, error) {
	p, err := r.send(s, Cred{}, operations)
	if err == nil && p.status != nfsv4.NFS4_OK {
		err = Status(p.status)
	}
	return p.results, err
}

// send has an error if there is no reply, or if it tells that the recovery has to begin anew.
func (r *recovery) send(s *slot, cred Cred, operations []nfsv4.NfsArgop4) (reply, error) {
	for pause := pauseMin; ; pause = min(2*pause, pauseMax) {
		x := r.c.newExchange(s, operations, cred, timeoDefault)
		p, err := x.run(r.ctx, nil)
		if err != nil {
			return reply{}, err
		}
		r.c.counts.add(x.operations)
		switch {
		case sequenceFailed(p):
			return reply{}, errForgotten
		case x.sequence != nil && len(p.results) > 0:
			s.sequence++
			p.results = p.results[1:]
			r.c.renewed.Store(x.startedAt.UnixNano())
		}
		if p.status != nfsv4.NFS4ERR_DELAY {
			return p, nil
		}
		if err := r.c.sleep(r.ctx, pause); err != nil {
			return reply{}, err
		}
	}
}

var errForgotten = errors.New("the server has forgotten the client again")

// openFiles are those the server should know, in the order of their opening.
func (c *Client) openFiles() []*File {
	c.mu.Lock()
	defer c.mu.Unlock()
	files := make([]*File, 0, len(c.files))
	for f := range c.files {
		files = append(files, f)
	}
	slices.SortFunc(files, func(a, b *File) int { return int(a.id) - int(b.id) })
	return files
}
