package nfs

import (
	"context"
	"crypto/rand"
	"errors"

	"github.com/buildbarn/go-xdr/pkg/protocols/nfsv4"
)

const openTries = 3 // with owners whose sequence ids the server does not follow

// createHow of an exclusive create holds a verifier, by which the server knows one that is sent
// again, even after it was started anew.
func (c *Client) createHow(excl bool, set Changes) nfsv4.Openflag4 {
	if !excl {
		return &nfsv4.Openflag4_OPEN4_CREATE{How: &nfsv4.Createhow4_UNCHECKED4{Createattrs: set.encode()}}
	}
	var verifier [8]byte
	rand.Read(verifier[:])
	if c.minor == 0 {
		return &nfsv4.Openflag4_OPEN4_CREATE{How: &nfsv4.Createhow4_EXCLUSIVE4{Createverf: verifier}}
	}
	first := Changes{Mode: set.Mode}
	return &nfsv4.Openflag4_OPEN4_CREATE{How: &nfsv4.Createhow4_EXCLUSIVE4_1{
		ChCreateboth: nfsv4.Creatverfattr{CvaVerf: verifier, CvaAttrs: first.encode()},
	}}
}

func (f *File) createOperations(how nfsv4.Openflag4) []nfsv4.NfsArgop4 {
	f.mu.Lock()
	at := f.at
	f.mu.Unlock()
	return []nfsv4.NfsArgop4{putfh(at.Dir),
		f.openOperation(&nfsv4.OpenClaim4_CLAIM_NULL{File: at.Name}, how),
		&nfsv4.NfsArgop4_OP_GETFH{}, getattr(fileAttributes)}
}

// request sends operations whose second one is the OPEN.
func (f *File) request(c Call, build func() []nfsv4.NfsArgop4) ([]nfsv4.NfsResop4, error) {
	f.op.Lock()
	defer f.op.Unlock()
	for try := 1; ; try++ {
		results, err := f.mount.client.do(&request{
			ctx: c.Ctx, cred: c.Cred, mount: f.mount, build: build, seen: f.seeOpen,
		})
		f.closeStray(c)
		if errors.Is(err, Status(nfsv4.NFS4ERR_BAD_SEQID)) && try < openTries {
			f.mu.Lock()
			f.owner = &openOwner{name: f.mount.client.newName("open")}
			f.mu.Unlock()
			continue
		}
		var status Status
		if err != nil && !errors.As(err, &status) { // the outcome is unknown, and so is the sequence
			f.mu.Lock()
			f.owner = &openOwner{name: f.mount.client.newName("open")}
			f.mu.Unlock()
		}
		return results, err
	}
}

// opening ends an OPEN that the server has carried out, unless what came after it has failed.
func (f *File) opening(c Call, err error) error {
	if err != nil {
		return err
	}
	f.op.Lock()
	defer f.op.Unlock()
	_, err = f.mount.client.do(&request{ctx: c.Ctx, cred: c.Cred, mount: f.mount,
		build: f.confirmation, seen: f.seeConfirmation})
	return err
}

// openOperations open the file where the minor version allows it: by its handle, or by name.
func (f *File) openOperations(how nfsv4.Openflag4) []nfsv4.NfsArgop4 {
	if f.mount.client.minor > 0 {
		return []nfsv4.NfsArgop4{putfh(f.handle),
			f.openOperation(&nfsv4.OpenClaim4_CLAIM_FH{}, how), &nfsv4.NfsArgop4_OP_GETFH{}}
	}
	f.mu.Lock()
	at := f.at
	f.mu.Unlock()
	return []nfsv4.NfsArgop4{putfh(at.Dir),
		f.openOperation(&nfsv4.OpenClaim4_CLAIM_NULL{File: at.Name}, how), &nfsv4.NfsArgop4_OP_GETFH{}}
}

func (f *File) openOperation(claim nfsv4.OpenClaim4, how nfsv4.Openflag4) nfsv4.NfsArgop4 {
	f.mu.Lock()
	defer f.mu.Unlock()
	args := nfsv4.Open4args{
		ShareAccess: uint32(f.share), Owner: f.mount.client.stateOwner(f.owner.name),
		Openhow: how, Claim: claim,
	}
	if f.mount.client.minor > 0 {
		args.ShareAccess |= nfsv4.OPEN4_SHARE_ACCESS_WANT_NO_DELEG
	} else {
		args.Seqid = f.owner.sequence
	}
	return &nfsv4.NfsArgop4_OP_OPEN{Opopen: args}
}

// seeOpen notes the outcome of an OPEN in the second place.
func (f *File) seeOpen(p reply) {
	f.count(p)
	f.mu.Lock()
	res, err := result[*nfsv4.NfsResop4_OP_OPEN](p.results, 1)
	ok, is := (*nfsv4.Open4res_NFS4_OK)(nil), false
	if err == nil {
		ok, is = res.Opopen.(*nfsv4.Open4res_NFS4_OK)
	}
	h, err := handleOf(p.results, 2)
	switch {
	case is && f.opened && err == nil && h != f.handle:
		f.stray = &stray{h, ok.Resok4.Stateid}
	case is:
		f.open, f.opened = ok.Resok4.Stateid, true
		f.unconfirmed = ok.Resok4.Rflags&nfsv4.OPEN4_RESULT_CONFIRM != 0
		f.owner.confirmed = !f.unconfirmed
		if err == nil {
			f.handle = h // what has to be closed, even if it is not what was asked for
		}
	}
	f.mu.Unlock()
	if is {
		c := f.mount.client
		c.mu.Lock()
		c.files[f] = struct{}{}
		c.mu.Unlock()
	}
}

// renamed keeps up with names, by which NFSv4.0 opens a file again.
func (m *Mount) renamed(from, to Name) {
	if m.client.minor > 0 {
		return
	}
	for _, f := range m.client.openFiles() {
		f.mu.Lock()
		if f.at == from {
			f.at = to
		}
		f.mu.Unlock()
	}
}

func (f *File) closeOperations() []nfsv4.NfsArgop4 {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.opened {
		return nil
	}
	return f.closeOf(f.handle, f.open)
}

// closeOf is called with mu held.
func (f *File) closeOf(h Handle, id nfsv4.Stateid4) []nfsv4.NfsArgop4 {
	args := nfsv4.Close4args{OpenStateid: id}
	if f.mount.client.minor == 0 {
		args.Seqid = f.owner.sequence
	}
	return []nfsv4.NfsArgop4{putfh(h), &nfsv4.NfsArgop4_OP_CLOSE{Opclose: args}}
}

func (f *File) seeClose(p reply) {
	status, is := f.count(p)
	f.mu.Lock()
	defer f.mu.Unlock()
	if is && status == nfsv4.NFS4_OK {
		f.opened = false
	}
}

// closeStray must come before the owner is used again. A recovery forgets the stray, too.
func (f *File) closeStray(c Call) {
	f.mu.Lock()
	has := f.stray != nil
	f.mu.Unlock()
	if !has {
		return
	}
	client := f.mount.client
	_, err := client.do(&request{
		ctx: context.WithoutCancel(c.Ctx), cred: c.Cred, mount: f.mount,
		build: func() []nfsv4.NfsArgop4 {
			f.mu.Lock()
			defer f.mu.Unlock()
			if f.stray == nil {
				return nil
			}
			return f.closeOf(f.stray.handle, f.stray.open)
		},
		seen: func(p reply) { f.count(p) },
	})
	if err != nil {
		client.config.Logf("%s: what was opened by mistake is not closed: %v", client.config.Address, err)
	}
	f.mu.Lock()
	f.stray = nil
	f.mu.Unlock()
}
