package nfs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"syscall"
	"time"

	"github.com/buildbarn/go-xdr/pkg/protocols/nfsv4"

	"landfast/kit/cmd/mount.nfs/internal/rpc"
)

// exchange is one COMPOUND in one slot, with one sequence id: however often it is sent, the
// server carries it out once.
type exchange struct {
	c          *Client
	slot       *slot // nil outside of sessions
	operations []nfsv4.NfsArgop4
	sequence   *nfsv4.Sequence4args
	cred       Cred
	timeo      time.Duration
	startedAt  time.Time

	call       *rpc.Call
	unfinished bool // run was left before the reply: it can be called again
	sends      int
}

func (c *Client) newExchange(
	s *slot, operations []nfsv4.NfsArgop4, cred Cred, timeo time.Duration,
) *exchange {
	x := &exchange{
		c: c, slot: s, operations: operations, cred: cred, timeo: timeo, startedAt: time.Now(),
	}
	if c.minor > 0 && s != nil {
		first := c.sequence(s, mustKeep(operations))
		x.sequence = &first.Opsequence
		x.operations = append([]nfsv4.NfsArgop4{first}, operations...)
	}
	return x
}

// run waits for the reply or for the end of ctx. The reply begins with SEQUENCE's result. Without
// dest, a READ's data land in memory of their own.
func (x *exchange) run(ctx context.Context, dest []byte) (p reply, err error) {
	for pause := pauseMin; ; pause = min(2*pause, pauseMax) {
		x.unfinished = false
		if x.call == nil {
			args := nfsv4.Compound4args{Minorversion: x.c.minor, Argarray: x.operations}
			x.call, err = x.c.rpc.Start(&x.cred, procCompound, x.timeo, func(w io.Writer) error {
				_, err := args.WriteTo(w)
				return err
			})
			if err != nil {
				return p, fmt.Errorf("%w: %v", syscall.EINVAL, err)
			}
		}
		err = x.call.Wait(ctx, func(r *rpc.Reader) (err error) {
			p, err = x.decode(r, dest)
			return err
		})
		if err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err()) {
			x.unfinished = true
			return p, err
		}
		x.sends += x.call.Sends()
		x.call = nil
		// A server that still works on what was sent again may ask for patience. Nothing else may
		// use the slot before that request is through.
		if err != nil || x.sequence == nil || len(p.results) != 1 || p.status != nfsv4.NFS4ERR_DELAY {
			return p, err
		}
		if err = x.c.sleep(ctx, pause); err != nil {
			x.unfinished = ctx.Err() != nil
			return p, err
		}
	}
}

func (x *exchange) decode(r *rpc.Reader, dest []byte) (reply, error) {
	p, err := decodeReply(r, x.operations, dest)
	if err != nil || x.sequence == nil || len(p.results) == 0 {
		return p, err
	}
	first, err := result[*nfsv4.NfsResop4_OP_SEQUENCE](p.results, 0)
	if err != nil {
		return p, err
	}
	if ok, is := first.Opsequence.(*nfsv4.Sequence4res_NFS4_OK); is {
		err = checkSequence(x.sequence, &ok.SrResok4)
	}
	return p, err
}
