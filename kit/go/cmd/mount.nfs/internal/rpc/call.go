package rpc

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"syscall"
	"time"

	"github.com/buildbarn/go-xdr/pkg/protocols/rpcv2"
)

const (
	recordMax  = 2<<20 + 64<<10 // 2 MiB of data and what goes with them
	lastRecord = 1 << 31        // the bit of a record mark that says "last fragment"
	markBytes  = 4
	tooOften   = 3 // malformed replies to one call: the next connection will not be better
)

var (
	// ErrClosed ends the calls of a client that was closed.
	ErrClosed      = errors.New("the client is closed")
	errLongRequest = errors.New("the request exceeds the record size")
)

// Call is one request. It is sent again on every new connection until its reply has come.
type Call struct {
	client    *Client
	xid       uint32
	request   encoder
	segments  [][]byte
	timeo     time.Duration
	arrived   chan []byte // the record; closed when the client is
	malformed int

	// Guarded by client.mu.
	on     *connection // that it was last sent on
	sentAt time.Time
	sends  int
	queued bool // the connection's writer has yet to send it
}

// Start sends a request. What encode writes in pieces of payloadMin bytes and more is not copied;
// it must stay as it is until the call is over.
func (c *Client) Start(
	cred *Cred, proc uint32, timeo time.Duration, encode func(io.Writer) error,
) (*Call, error) {
	call := &Call{client: c, timeo: timeo, arrived: make(chan []byte, 1), xid: c.nextXID.Add(1)}
	call.request.buf = takeBuffer(1 << smallest)[:markBytes]
	auth, err := cred.encode(c.config.Machine)
	if err == nil {
		header := rpcv2.RpcMsg{Xid: call.xid, Body: &rpcv2.RpcMsgBody_CALL{Cbody: rpcv2.CallBody{
			Rpcvers: 2, Prog: c.config.Program, Vers: c.config.Version, Proc: proc, Cred: auth,
		}}}
		_, err = header.WriteTo(&call.request)
	}
	if err == nil {
		err = encode(&call.request)
	}
	if err != nil {
		giveBuffer(call.request.buf)
		return nil, err
	}
	binary.BigEndian.PutUint32(call.request.buf, lastRecord|uint32(call.request.size))
	call.segments = call.request.segments()
	c.calls.Add(1)
	c.submit(call)
	return call, nil
}

// Wait hands the results of the call to decode. A reply that is malformed, for this layer or for
// decode, breaks the connection, and the request is sent again. If ctx ends first, the call goes
// on: Wait again for it.
func (k *Call) Wait(ctx context.Context, decode func(*Reader) error) error {
	for {
		k.client.lead(k)
		record, err := k.reply(ctx)
		if err != nil {
			return err
		}
		err = decodeReply(record, decode)
		giveBuffer(record)
		var refused *RefusedError
		if err == nil || errors.As(err, &refused) {
			k.release()
			return err
		}
		if k.malformed++; k.malformed >= tooOften {
			k.release()
			return fmt.Errorf("malformed reply: %v: %w", err, syscall.EIO)
		}
		k.client.again(k, err)
	}
}

func (k *Call) reply(ctx context.Context) (record []byte, err error) {
	open := true
	select {
	case record, open = <-k.arrived:
	default: // only now: to be told of ctx's end may cost a timer
		select {
		case record, open = <-k.arrived:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if !open {
		return nil, ErrClosed
	}
	return record, nil
}

// Sends tells how often the request was sent.
func (k *Call) Sends() int {
	k.client.mu.Lock()
	defer k.client.mu.Unlock()
	return k.sends
}

func (k *Call) release() {
	k.client.mu.Lock()
	queued := k.queued
	k.client.mu.Unlock()
	if !queued { // else a writer may still read it: a reply came before all of the request was sent
		giveBuffer(k.request.buf)
	}
	k.request, k.segments = encoder{}, nil
}

// RefusedError is a reply that carries no results.
type RefusedError struct {
	Reason string
	Errno  syscall.Errno
}

func (e *RefusedError) Error() string { return "the server refuses the call: " + e.Reason }
func (e *RefusedError) Unwrap() error { return e.Errno }

func decodeReply(record []byte, decode func(*Reader) error) error {
	r := NewReader(record)
	var message rpcv2.RpcMsg
	if _, err := message.ReadFrom(r); err != nil {
		return err
	}
	reply, ok := message.Body.(*rpcv2.RpcMsgBody_REPLY)
	if !ok {
		return errors.New("a call where a reply is expected")
	}
	switch body := reply.Rbody.(type) {
	case *rpcv2.ReplyBody_MSG_ACCEPTED:
		return decodeAccepted(body.Areply.ReplyData, r, decode)
	case *rpcv2.ReplyBody_MSG_DENIED:
		if auth, ok := body.Rreply.(*rpcv2.RejectedReply_AUTH_ERROR); ok {
			return &RefusedError{rpcv2.AuthStat_name[auth.Stat], syscall.EACCES}
		}
		return &RefusedError{"RPC_MISMATCH", syscall.EPROTONOSUPPORT}
	}
	return errors.New("a reply neither accepted nor denied")
}

func decodeAccepted(data rpcv2.AcceptedReplyData, r *Reader, decode func(*Reader) error) error {
	switch stat := data.GetStat(); stat {
	case rpcv2.SUCCESS:
		if err := decode(r); err != nil {
			return err
		}
		if r.Len() != 0 {
			return fmt.Errorf("%d bytes follow the results", r.Len())
		}
		return nil
	case rpcv2.PROG_UNAVAIL, rpcv2.PROG_MISMATCH, rpcv2.PROC_UNAVAIL:
		return &RefusedError{rpcv2.AcceptStat_name[stat], syscall.EPROTONOSUPPORT}
	default:
		return &RefusedError{rpcv2.AcceptStat_name[stat], syscall.EIO}
	}
}
