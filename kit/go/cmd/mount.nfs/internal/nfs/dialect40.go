package nfs

import (
	"encoding/binary"
	"fmt"

	"github.com/buildbarn/go-xdr/pkg/protocols/nfsv4"
)

const idleOwnersMax = 64

// openOwner is the owner of one OPEN. In NFSv4.0 its requests carry sequence ids, and its first
// OPEN has to be confirmed; to save that, confirmed owners are used again.
type openOwner struct {
	name      []byte
	sequence  uint32 // of the next request
	confirmed bool
}

func (c *Client) takeOwner() *openOwner {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := len(c.idle); n > 0 {
		owner := c.idle[n-1]
		c.idle = c.idle[:n-1]
		return owner
	}
	return &openOwner{name: c.newName("open")}
}

func (c *Client) giveOwner(o *openOwner) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if o.confirmed && len(c.idle) < idleOwnersMax {
		c.idle = append(c.idle, o)
	}
}

// newName makes names of owners that differ within the client.
func (c *Client) newName(kind string) []byte {
	return binary.BigEndian.AppendUint64([]byte(kind+":"), c.lastID.Add(1))
}

func (c *Client) stateOwner(name []byte) nfsv4.StateOwner4 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return nfsv4.StateOwner4{Clientid: c.clientID, Owner: name}
}

// counts tells whether a request with this outcome used its sequence id up (RFC 7530, 9.1.7).
func countsForOwner(status nfsv4.Nfsstat4) bool {
	switch status {
	case nfsv4.NFS4ERR_STALE_CLIENTID, nfsv4.NFS4ERR_STALE_STATEID, nfsv4.NFS4ERR_BAD_STATEID,
		nfsv4.NFS4ERR_BAD_SEQID, nfsv4.NFS4ERR_BADXDR, nfsv4.NFS4ERR_RESOURCE,
		nfsv4.NFS4ERR_NOFILEHANDLE, nfsv4.NFS4ERR_MOVED:
		return false
	}
	return true
}

// reached gives the status of the operation at index, if the server came to it.
func reached(p reply, index int) (nfsv4.Nfsstat4, bool) {
	switch {
	case index >= len(p.results):
		return 0, false
	case index == len(p.results)-1:
		return p.status, true
	}
	return nfsv4.NFS4_OK, true
}

// count notes that the owner was used by the operation in the second place. It gives the status of
// that, if the server came to it.
func (f *File) count(p reply) (nfsv4.Nfsstat4, bool) {
	status, is := reached(p, 1)
	if is && countsForOwner(status) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.owner.sequence++
	}
	return status, is
}

// setClient makes the client known, without a way for the server to call back: so it hands no
// delegations out.
func (r *recovery) setClient() error {
	results, err := r.ask(&nfsv4.NfsArgop4_OP_SETCLIENTID{Opsetclientid: nfsv4.Setclientid4args{
		Client: nfsv4.NfsClientId4{Verifier: r.c.verifier, Id: []byte(r.c.config.Identity)},
		Callback: nfsv4.CbClient4{CbProgram: callbackProgram,
			CbLocation: nfsv4.Netaddr4{NaRNetid: "tcp", NaRAddr: "0.0.0.0.0.0"}},
	}})
	if err != nil {
		return fmt.Errorf("SETCLIENTID: %w", err)
	}
	res, err := result[*nfsv4.NfsResop4_OP_SETCLIENTID](results, 0)
	if err != nil {
		return err
	}
	ok, is := res.Opsetclientid.(*nfsv4.Setclientid4res_NFS4_OK)
	if !is {
		return errMalformed
	}
	id := ok.Resok4.Clientid
	_, err = r.ask(&nfsv4.NfsArgop4_OP_SETCLIENTID_CONFIRM{
		OpsetclientidConfirm: nfsv4.SetclientidConfirm4args{
			Clientid: id, SetclientidConfirm: ok.Resok4.SetclientidConfirm,
		}})
	if err != nil {
		return fmt.Errorf("SETCLIENTID_CONFIRM: %w", err)
	}
	r.setClientID(id)
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	r.c.idle = nil
	if len(r.slots) == 0 {
		r.makeSlots(slotsMax)
	}
	return nil
}

func (r *recovery) renew() error {
	_, err := r.ask(r.c.renewOperation())
	return err
}

func (c *Client) renewOperation() nfsv4.NfsArgop4 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return &nfsv4.NfsArgop4_OP_RENEW{Oprenew: nfsv4.Renew4args{Clientid: c.clientID}}
}

// confirmation makes the first OPEN of an owner valid; nil if there is no need (a recovery may have
// done it meanwhile).
func (f *File) confirmation() []nfsv4.NfsArgop4 {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.unconfirmed {
		return nil
	}
	return []nfsv4.NfsArgop4{putfh(f.handle), &nfsv4.NfsArgop4_OP_OPEN_CONFIRM{
		OpopenConfirm: nfsv4.OpenConfirm4args{OpenStateid: f.open, Seqid: f.owner.sequence},
	}}
}

func (f *File) seeConfirmation(p reply) {
	f.count(p)
	f.mu.Lock()
	defer f.mu.Unlock()
	res, err := result[*nfsv4.NfsResop4_OP_OPEN_CONFIRM](p.results, 1)
	if err != nil {
		return
	}
	if ok, is := res.OpopenConfirm.(*nfsv4.OpenConfirm4res_NFS4_OK); is {
		f.open, f.unconfirmed, f.owner.confirmed = ok.Resok4.OpenStateid, false, true
	}
}
