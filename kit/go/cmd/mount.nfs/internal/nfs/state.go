package nfs

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"syscall"

	"github.com/buildbarn/go-xdr/pkg/protocols/nfsv4"
)

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
	stray       *stray // only while op is held
	failure     error  // of all that is done with the file from now on
}

// stray is what an NFSv4.0 server has opened instead, because the name is another file's now.
type stray struct {
	handle Handle
	open   nfsv4.Stateid4
}

func (m *Mount) newFile(cred Cred, h Handle, at Name, a Access) *File {
	c := m.client
	return &File{mount: m, handle: h, access: a, cred: cred, id: c.lastID.Add(1), at: at,
		share: a, owner: c.takeOwner()}
}

// Open opens a file that exists. at is where it was last seen; NFSv4.0 can only open by name, and
// tells ESTALE if another file is there now. The attributes are those at that moment.
func (m *Mount) Open(c Call, h Handle, at Name, a Access) (*File, Attr, error) {
	f := m.newFile(c.Cred, h, at, a)
	var attr Attr
	err := detach(c.Ctx, func(ctx context.Context) (err error) {
		attr, err = f.openExisting(Call{ctx, c.Cred})
		return f.orClose(c, err)
	}, func() { f.Close(Call{context.Background(), c.Cred}) })
	if err != nil {
		return nil, Attr{}, err
	}
	return f, attr, nil
}

func (f *File) openExisting(c Call) (attr Attr, err error) {
	asked := f.handle
	noCreate := &nfsv4.Openflag4_default{Opentype: nfsv4.OPEN4_NOCREATE}
	results, err := f.request(c, func() []nfsv4.NfsArgop4 {
		return append(f.openOperations(noCreate), getattr(fileAttributes))
	})
	if err != nil {
		return attr, err
	}
	h, err := handleOf(results, 2)
	if err == nil && h != asked {
		err = syscall.ESTALE
	}
	if err == nil {
		attr, err = f.mount.attrOf(results, 3, h)
	}
	return attr, f.opening(c, err)
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
		return f.orClose(c, err)
	}, func() { f.Close(Call{context.Background(), c.Cred}) })
	if err != nil {
		return nil, "", Attr{}, err
	}
	return f, f.handle, attr, nil
}

func (f *File) create(c Call, excl bool, set Changes) (attr Attr, err error) {
	how := f.mount.client.createHow(excl, set)
	results, err := f.request(c, func() []nfsv4.NfsArgop4 { return f.createOperations(how) })
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
	return f.mount.SetAttr(c, f.handle, nil, set)
}

// orClose closes what is open in spite of a failure. Nobody waits for it.
func (f *File) orClose(c Call, err error) error {
	if err != nil {
		go f.Close(Call{context.Background(), c.Cred})
	}
	return err
}

// Close forgets the file and every lock made through it.
func (f *File) Close(c Call) error {
	ctx := context.WithoutCancel(c.Ctx) // what is left open would be so for ever
	failure := f.Sync(Call{ctx, c.Cred})
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
		err = nil // there is nothing to close any more
	}
	return cmp.Or(failure, err)
}

// stateid is what READ, WRITE and SETATTR show.
func (f *File) stateid() nfsv4.Stateid4 {
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
