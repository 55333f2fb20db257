package nfs

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"syscall"

	"github.com/buildbarn/go-xdr/pkg/protocols/nfsv4"
)

const openTries = 3 // with owners whose sequence ids the server does not follow

// File is one open(2) of a file, with an OPEN and an open-owner of its own.
type File struct {
	mount  *Mount
	handle Handle
	access Access
	cred   Cred // for a recovery
	id     uint64
	writes writes // what is not yet committed: data.go

	// op is held from request to reply by what uses the open-owner: its sequence ids demand it.
	op sync.Mutex

	mu          sync.Mutex
	at          Name
	share       Access // of the OPEN: access, or more for the sake of a lock
	owner       *openOwner
	open        nfsv4.Stateid4
	opened      bool // the server has it open
	unconfirmed bool
	failure     error // of all that is done with the file from now on
}

func (m *Mount) newFile(cred Cred, h Handle, at Name, a Access) *File {
	c := m.client
	return &File{mount: m, handle: h, access: a, cred: cred, id: c.lastID.Add(1), at: at,
		share: a, owner: c.takeOwner()}
}

// Open opens a file that exists. at is where it was last seen; NFSv4.0 can only open by name, and
// tells ESTALE if another file is there now.
func (m *Mount) Open(c Call, h Handle, at Name, a Access) (*File, error) {
	f := m.newFile(c.Cred, h, at, a)
	err := detach(c.Ctx, func(ctx context.Context) error {
		return f.openExisting(Call{ctx, c.Cred})
	}, func() { f.Close(Call{context.Background(), c.Cred}) })
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (f *File) openExisting(c Call) error {
	asked := f.handle
	noCreate := &nfsv4.Openflag4_default{Opentype: nfsv4.OPEN4_NOCREATE}
	results, err := f.request(c, func() []nfsv4.NfsArgop4 { return f.openOperations(noCreate) })
	if err != nil {
		return err
	}
	h, err := handleOf(results, 2)
	if err == nil && h != asked {
		err = syscall.ESTALE
	}
	return f.opening(c, err)
}

// Create makes a file and opens it. With excl there must be none yet.
func (m *Mount) Create(c Call, at Name, a Access, excl bool, set Changes) (*File, Handle, Attr, error) {
	if err := checkNames(at.Name); err != nil {
		return nil, "", Attr{}, err
	}
	f := m.newFile(c.Cred, "", at, a)
	var attr Attr
	err := detach(c.Ctx, func(ctx context.Context) (err error) {
		attr, err = f.create(Call{ctx, c.Cred}, excl, set)
		return err
	}, func() { f.Close(Call{context.Background(), c.Cred}) })
	if err != nil {
		return nil, "", Attr{}, err
	}
	return f, f.handle, attr, nil
}

func (f *File) create(c Call, excl bool, set Changes) (attr Attr, err error) {
	how := f.mount.client.createHow(excl, set)
	results, err := f.request(c, func() []nfsv4.NfsArgop4 {
		return []nfsv4.NfsArgop4{putfh(f.at.Dir),
			f.openOperation(&nfsv4.OpenClaim4_CLAIM_NULL{File: f.at.Name}, how),
			&nfsv4.NfsArgop4_OP_GETFH{}, getattr(fileAttributes)}
	})
	if err != nil {
		return attr, err
	}
	if _, err = handleOf(results, 2); err == nil {
		attr, err = f.mount.attrOf(results, 3, f.handle)
	}
	if err := f.opening(c, err); err != nil {
		return attr, err
	}
	if !excl {
		return attr, nil
	}
	// The server keeps the verifier where the times are, and may have set nothing else.
	now := &TimeChange{Now: true}
	set.Atime, set.Mtime, set.Size = now, now, nil
	attr, err = f.mount.SetAttr(c, f.handle, nil, set)
	if err != nil {
		f.Close(c)
	}
	return attr, err
}

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

// request sends operations whose second one is the OPEN.
func (f *File) request(c Call, build func() []nfsv4.NfsArgop4) ([]nfsv4.NfsResop4, error) {
	f.op.Lock()
	defer f.op.Unlock()
	for try := 1; ; try++ {
		results, err := f.mount.client.do(&request{
			ctx: c.Ctx, cred: c.Cred, mount: f.mount, build: build, seen: f.seeOpen,
		})
		if errors.Is(err, Status(nfsv4.NFS4ERR_BAD_SEQID)) && try < openTries {
			f.mu.Lock()
			f.owner = &openOwner{name: f.mount.client.newName("open")}
			f.mu.Unlock()
			continue
		}
		var status Status
		if errors.As(err, &status) { // else the outcome is unknown, and so is the owner's sequence
			f.abandon(c)
		}
		return results, err
	}
}

// opening ends an OPEN that the server has carried out, perhaps with a failure of what came after.
func (f *File) opening(c Call, err error) error {
	if err == nil {
		f.op.Lock()
		_, err = f.mount.client.do(&request{ctx: c.Ctx, cred: c.Cred, mount: f.mount,
			build: f.confirmation, seen: f.seeConfirmation})
		f.op.Unlock()
	}
	if err != nil {
		f.abandon(c)
	}
	return err
}

// abandon closes what is open in spite of a failure.
func (f *File) abandon(c Call) {
	go f.Close(Call{context.Background(), c.Cred})
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
	status, is := reached(p, 1)
	if !is {
		return
	}
	f.mu.Lock()
	if countsForOwner(status) {
		f.owner.sequence++
	}
	res, err := result[*nfsv4.NfsResop4_OP_OPEN](p.results, 1)
	ok, is := (*nfsv4.Open4res_NFS4_OK)(nil), false
	if err == nil {
		ok, is = res.Opopen.(*nfsv4.Open4res_NFS4_OK)
	}
	if is {
		f.open, f.opened = ok.Resok4.Stateid, true
		f.unconfirmed = ok.Resok4.Rflags&nfsv4.OPEN4_RESULT_CONFIRM != 0
		f.owner.confirmed = !f.unconfirmed
	}
	if h, err := handleOf(p.results, 2); err == nil {
		f.handle = h // what has to be closed, even if it is not what was asked for
	}
	f.mu.Unlock()
	if is {
		c := f.mount.client
		c.mu.Lock()
		c.files[f] = struct{}{}
		c.mu.Unlock()
	}
}

// Close forgets the file and every lock made through it.
func (f *File) Close(c Call) error {
	ctx := context.WithoutCancel(c.Ctx) // what is left open would be so for ever
	f.releaseLocks(Call{ctx, c.Cred})
	f.op.Lock()
	defer f.op.Unlock()
	client := f.mount.client
	_, err := client.do(&request{ctx: ctx, cred: c.Cred, mount: f.mount,
		build: f.closeOperations, seen: f.seeClose})
	client.mu.Lock()
	delete(client.files, f)
	client.mu.Unlock()
	switch {
	case err == nil:
		client.giveOwner(f.owner)
	case errors.Is(err, Status(nfsv4.NFS4ERR_BAD_STATEID)), errors.Is(err, Status(nfsv4.NFS4ERR_EXPIRED)),
		errors.Is(err, Status(nfsv4.NFS4ERR_STALE)):
		return nil // there is nothing to close any more
	}
	return err
}

func (f *File) closeOperations() []nfsv4.NfsArgop4 {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.opened {
		return nil
	}
	args := nfsv4.Close4args{OpenStateid: f.open}
	if f.mount.client.minor == 0 {
		args.Seqid = f.owner.sequence
	}
	return []nfsv4.NfsArgop4{putfh(f.handle), &nfsv4.NfsArgop4_OP_CLOSE{Opclose: args}}
}

func (f *File) seeClose(p reply) {
	status, is := reached(p, 1)
	if !is {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if countsForOwner(status) {
		f.owner.sequence++
	}
	if status == nfsv4.NFS4_OK {
		f.opened = false
	}
}

// stateid is what READ, WRITE and SETATTR show.
func (f *File) stateid(o *LockOwner) nfsv4.Stateid4 {
	f.mu.Lock()
	defer f.mu.Unlock()
	id := f.open
	if f.mount.client.minor > 0 {
		id.Seqid = 0 // the latest, whatever it is
	}
	return id
}

// lost is EIO once a lock of this file was lost with a lease.
func (f *File) lost() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.failure
}

// fail makes the first failure last.
func (f *File) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.failure == nil {
		f.failure = err
	}
}

// detach calls do, which nothing interrupts: what it changes on the server must be known. When ctx
// ends the caller leaves, and undo takes back what has been done in the end.
func detach(ctx context.Context, do func(context.Context) error, undo func()) error {
	if ctx.Done() == nil {
		return do(ctx)
	}
	done := make(chan error, 1)
	go func() { done <- do(context.WithoutCancel(ctx)) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		go func() {
			if <-done == nil {
				undo()
			}
		}()
		return syscall.EINTR
	}
}
