package nfs

import (
	"errors"
	"fmt"
	"time"

	"github.com/buildbarn/go-xdr/pkg/protocols/nfsv4"
)

const (
	slotsMax         = 64
	operationsMax    = 16 // in a COMPOUND
	operationsMin    = 8
	recordBytesMin   = 16 << 10
	cachedBytes      = 4 << 10
	cachedBytesMin   = 1 << 10
	sessionBytesMax  = dataBytesMax + 64<<10
	callbackBytesMax = 4 << 10
	callbackProgram  = 0x40000000 // of the numbers that are free for all; there is no callback channel
)

// slot is the right to one request at a time. Within a session each request on it has the next
// sequence id, by which the server knows one that is sent again.
type slot struct {
	id       uint32
	sequence uint32 // of the last request that the server has taken
}

type session struct {
	id                   [16]byte
	requestMax, replyMax uint32
}

var errBadSequence = errors.New("the SEQUENCE of the reply is not that of the request")

// sequence is the first operation of every COMPOUND in a session. The server keeps the reply
// of what must not be carried out twice.
func (c *Client) sequence(s *slot, keep bool) *nfsv4.NfsArgop4_OP_SEQUENCE {
	c.mu.Lock()
	defer c.mu.Unlock()
	return &nfsv4.NfsArgop4_OP_SEQUENCE{Opsequence: nfsv4.Sequence4args{
		SaSessionid: c.session.id, SaSequenceid: s.sequence + 1, SaSlotid: s.id,
		SaHighestSlotid: uint32(c.slots - 1), SaCachethis: keep,
	}}
}

func checkSequence(sent *nfsv4.Sequence4args, got *nfsv4.Sequence4resok) error {
	if sent.SaSessionid != got.SrSessionid || sent.SaSequenceid != got.SrSequenceid ||
		sent.SaSlotid != got.SrSlotid {
		return errBadSequence
	}
	return nil
}

// sequenceFailed tells that nothing but SEQUENCE was looked at. The results do not begin with
// that of a SEQUENCE that succeeded.
func sequenceFailed(p reply) bool {
	if len(p.results) != 1 || p.status == nfsv4.NFS4_OK {
		return false
	}
	_, is := p.results[0].(*nfsv4.NfsResop4_OP_SEQUENCE)
	return is
}

// settleSequence notes that the server has taken the request, and with it renewed the lease.
func (c *Client) settleSequence(x *exchange, p *reply, epoch uint64) {
	x.slot.sequence++
	c.renewed.Store(x.startedAt.UnixNano())
	first := p.results[0].(*nfsv4.NfsResop4_OP_SEQUENCE)
	p.results = p.results[1:]
	if ok, is := first.Opsequence.(*nfsv4.Sequence4res_NFS4_OK); is {
		c.heedFlags(ok.SrResok4.SrStatusFlags, epoch)
	}
}

const (
	revokedFlags = nfsv4.SEQ4_STATUS_EXPIRED_ALL_STATE_REVOKED |
		nfsv4.SEQ4_STATUS_EXPIRED_SOME_STATE_REVOKED | nfsv4.SEQ4_STATUS_ADMIN_STATE_REVOKED
	// A server keeps a flag up until it is content; asking it more often than this does not help.
	flagsPeriod = time.Second
)

// heedFlags recovers the state that the server says is gone.
func (c *Client) heedFlags(flags uint32, epoch uint64) {
	why := noTrouble
	switch {
	case flags&nfsv4.SEQ4_STATUS_RESTART_RECLAIM_NEEDED != 0:
		why = sessionLost
	case flags&revokedFlags != 0:
		why = stateRevoked
	default:
		return
	}
	c.mu.Lock()
	soon := time.Since(c.flagsAt) < flagsPeriod
	if !soon {
		c.flagsAt = time.Now()
	}
	c.mu.Unlock()
	if !soon {
		c.recoverLater(epoch, why)
	}
}

// mustKeep tells whether a second execution would do harm or fail.
func mustKeep(operations []nfsv4.NfsArgop4) bool {
	for _, o := range operations {
		switch o.GetArgop() {
		case nfsv4.OP_CREATE, nfsv4.OP_REMOVE, nfsv4.OP_RENAME, nfsv4.OP_LINK, nfsv4.OP_OPEN,
			nfsv4.OP_CLOSE, nfsv4.OP_LOCK, nfsv4.OP_LOCKU, nfsv4.OP_SETATTR:
			return true
		}
	}
	return false
}

// exchangeID makes the client known, or learns how it is known. known tells that the server
// has its state.
func (r *recovery) exchangeID() (known bool, err error) {
	results, err := r.ask(&nfsv4.NfsArgop4_OP_EXCHANGE_ID{OpexchangeId: nfsv4.ExchangeId4args{
		EiaClientowner: nfsv4.ClientOwner4{
			CoVerifier: r.c.verifier, CoOwnerid: []byte(r.c.config.Identity),
		},
		EiaFlags:        nfsv4.EXCHGID4_FLAG_USE_NON_PNFS,
		EiaStateProtect: &nfsv4.StateProtect4A_SP4_NONE{},
	}})
	if err != nil {
		return false, err
	}
	res, err := result[*nfsv4.NfsResop4_OP_EXCHANGE_ID](results, 0)
	if err != nil {
		return false, err
	}
	ok, is := res.OpexchangeId.(*nfsv4.ExchangeId4res_NFS4_OK)
	if !is {
		return false, errMalformed
	}
	known = ok.EirResok4.EirFlags&nfsv4.EXCHGID4_FLAG_CONFIRMED_R != 0
	r.setClientID(ok.EirResok4.EirClientid)
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	r.c.sessionSequence = ok.EirResok4.EirSequenceid
	return known, nil
}

func (r *recovery) createSession() error {
	c := r.c
	c.mu.Lock()
	args := nfsv4.CreateSession4args{
		CsaClientid: c.clientID, CsaSequence: c.sessionSequence,
		CsaForeChanAttrs: nfsv4.ChannelAttrs4{
			CaMaxrequestsize: sessionBytesMax, CaMaxresponsesize: sessionBytesMax,
			CaMaxresponsesizeCached: cachedBytes, CaMaxoperations: operationsMax,
			CaMaxrequests: slotsMax,
		},
		CsaBackChanAttrs: nfsv4.ChannelAttrs4{
			CaMaxrequestsize: callbackBytesMax, CaMaxresponsesize: callbackBytesMax,
			CaMaxoperations: 2, CaMaxrequests: 1,
		},
		CsaCbProgram: callbackProgram,
		CsaSecParms:  []nfsv4.CallbackSecParms4{&nfsv4.CallbackSecParms4_AUTH_NONE{}},
	}
	c.mu.Unlock()
	results, err := r.ask(&nfsv4.NfsArgop4_OP_CREATE_SESSION{OpcreateSession: args})
	if err != nil {
		return err
	}
	res, err := result[*nfsv4.NfsResop4_OP_CREATE_SESSION](results, 0)
	if err != nil {
		return err
	}
	made, is := res.OpcreateSession.(*nfsv4.CreateSession4res_NFS4_OK)
	if !is || made.CsrResok4.CsrSequence != args.CsaSequence {
		return errMalformed
	}
	channel := &made.CsrResok4.CsrForeChanAttrs
	if err := checkChannel(channel); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sessionSequence++
	c.session = session{made.CsrResok4.CsrSessionid, channel.CaMaxrequestsize, channel.CaMaxresponsesize}
	r.makeSlots(int(channel.CaMaxrequests))
	return nil
}

// checkChannel refuses a session in which this client could not work, and bounds what it allows.
func checkChannel(a *nfsv4.ChannelAttrs4) error {
	a.CaMaxrequests = min(a.CaMaxrequests, slotsMax)
	a.CaMaxrequestsize = min(a.CaMaxrequestsize, sessionBytesMax)
	a.CaMaxresponsesize = min(a.CaMaxresponsesize, sessionBytesMax)
	if a.CaMaxrequests == 0 || a.CaMaxoperations < operationsMin ||
		a.CaMaxrequestsize < recordBytesMin || a.CaMaxresponsesize < recordBytesMin ||
		a.CaMaxresponsesizeCached < cachedBytesMin {
		return fmt.Errorf("the server's session is too small: %+v", *a)
	}
	return nil
}

// recordSizes are the largest request and reply.
func (c *Client) recordSizes() (requestMax, replyMax uint32) {
	if c.minor == 0 {
		return sessionBytesMax, sessionBytesMax
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.session.requestMax, c.session.replyMax
}
