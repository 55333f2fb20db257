package filesystem

import (
	"context"
	"log"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/buildbarn/go-xdr/pkg/protocols/nfsv4"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"landfast/kit/cmd/mount.nfs/internal/nfs"
)

// nameIsFresh is how old the kernel's word that a name stands for a file may be at an open(2): it
// has just asked. What it knows from before it may take for true longer than close-to-open allows.
const nameIsFresh = 5 * time.Millisecond

// file is one open(2).
type file struct {
	handle  uint64
	node    *node
	open    *openFile
	nfs     *nfs.File
	cred    nfs.Cred // of who opened it; pages are written back by nobody in particular
	closing atomic.Bool
}

func access(flags uint32) nfs.Access {
	switch flags & syscall.O_ACCMODE {
	case syscall.O_RDONLY:
		return nfs.Read
	case syscall.O_WRONLY:
		return nfs.Write
	}
	return nfs.ReadWrite
}

// opened gives the kernel a handle. version is that of the file just now.
func (fs *FileSystem) opened(out *fuse.OpenOut, n *node, f *nfs.File, cred nfs.Cred, attr nfs.Attr) {
	made := &file{node: n, open: fs.open.add(n.handle), nfs: f, cred: cred}
	fs.mu.Lock()
	fs.lastHandle++
	made.handle = fs.lastHandle
	fs.files[made.handle] = made
	fs.mu.Unlock()
	out.Fh = made.handle
	if n.pagesAre(versionOf{attr.Change, attr.Size}) {
		out.OpenFlags |= fuse.FOPEN_KEEP_CACHE
	}
}

// pagesAre tells whether the kernel's pages are of the version there is. If not, the kernel drops
// them and reads that one.
func (n *node) pagesAre(now versionOf) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	same := !n.written && n.version == now
	n.version, n.written = now, false
	return same
}

// isOutdated tells whether the kernel has the attributes of another version.
func (n *node) isOutdated(now nfs.Attr) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.told != versionOf{now.Change, now.Size}
}

// write notes that the kernel's pages are of no version the server has ever told.
func (n *node) write() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.written = true
}

// Open asks the server for the file as it is now.
func (fs *FileSystem) Open(cancel <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	return fs.onNode(cancel, &in.InHeader, func(r *request, n *node) error {
		call := r.call(&in.InHeader)
		if err := fs.checkName(call, n); err != nil {
			return err
		}
		f, attr, err := fs.mount.Open(call, n.handle, fs.nodes.placeOf(n), access(in.Flags))
		if err != nil {
			return err
		}
		if n.isOutdated(attr) {
			fs.server.InodeNotify(n.id, -1, 0) // its attributes, not its pages
		}
		fs.opened(out, n, f, call.Cred, attr)
		return nil
	})
}

// checkName makes the kernel look again (by ESTALE) if the name it opens a file by stands for
// another one now. A file that has no name any more it may open nevertheless, through /proc.
func (fs *FileSystem) checkName(c nfs.Call, n *node) error {
	at := fs.nodes.placeOf(n)
	n.mu.Lock()
	known := time.Since(n.seen) < nameIsFresh || n.lost || at.Name == ""
	n.mu.Unlock()
	if known {
		return nil
	}
	h, _, err := fs.mount.Lookup(c, at.Dir, at.Name)
	switch {
	case err == nil && h == n.handle:
		return nil
	case err != nil && nfs.Errno(err) != syscall.ENOENT:
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lost = true
	return syscall.ESTALE
}

// Create makes a file and opens it.
func (fs *FileSystem) Create(cancel <-chan struct{}, in *fuse.CreateIn, name string, out *fuse.CreateOut) fuse.Status {
	return fs.change(cancel, &in.InHeader, name, func(c nfs.Call, at nfs.Name) error {
		mode := in.Mode & 0o7777
		set := nfs.Changes{Mode: &mode}
		if in.Flags&syscall.O_TRUNC != 0 {
			set.Size = new(uint64)
		}
		f, h, attr, err := fs.mount.Create(c, at, access(in.Flags), in.Flags&syscall.O_EXCL != 0, set)
		if err != nil {
			return err
		}
		n := fs.entry(&out.EntryOut, h, attr, at)
		fs.opened(&out.OpenOut, n, f, c.Cred, attr)
		return nil
	})
}

// Read fills the buffer unless the file ends: less would mean its end to the kernel.
func (fs *FileSystem) Read(cancel <-chan struct{}, in *fuse.ReadIn, buf []byte) (fuse.ReadResult, fuse.Status) {
	n := 0
	answer := fs.onFile(cancel, &in.InHeader, in.Fh, func(r *request, f *file) (err error) {
		n, _, err = f.nfs.Read(r.by(f.cred), buf, in.Offset)
		return err
	})
	if answer != fuse.OK {
		return nil, answer
	}
	return fuse.ReadResultData(buf[:n]), fuse.OK
}

// Write keeps the data until the server has them on its disk.
func (fs *FileSystem) Write(cancel <-chan struct{}, in *fuse.WriteIn, data []byte) (uint32, fuse.Status) {
	n := 0
	answer := fs.onFile(cancel, &in.InHeader, in.Fh, func(r *request, f *file) (err error) {
		f.node.write()
		offset := in.Offset
		if in.Flags&syscall.O_APPEND != 0 && in.WriteFlags&fuse.WRITE_CACHE == 0 {
			// The kernel has taken its own idea of the size, which other nodes make wrong.
			f.node.appending.Lock()
			defer f.node.appending.Unlock()
			attr, err := fs.mount.GetAttr(r.by(f.cred), f.node.handle)
			if err != nil {
				return err
			}
			offset = attr.Size
			if offset != in.Offset { // its pages are wrong, too; it holds them until the answer
				defer func() { go fs.server.InodeNotify(f.node.id, 0, 0) }()
			}
		}
		if n, err = f.nfs.Write(r.by(f.cred), data, offset); n > 0 {
			return nil
		}
		return err
	})
	return uint32(n), answer
}

// Fsync returns when everything written to the file is on the server's disk.
func (fs *FileSystem) Fsync(cancel <-chan struct{}, in *fuse.FsyncIn) fuse.Status {
	return fs.onFile(cancel, &in.InHeader, in.Fh, func(r *request, f *file) error {
		return f.nfs.Sync(r.by(f.cred))
	})
}

// FsyncDir has nothing to do: changes of directories are on the disk before the server answers.
func (fs *FileSystem) FsyncDir(<-chan struct{}, *fuse.FsyncIn) fuse.Status { return fuse.OK }

// Flush is close(2), of which there may be several for one open: other nodes are to see what was
// written, whoever closes is to hear of what went wrong, and the process's locks go.
func (fs *FileSystem) Flush(cancel <-chan struct{}, in *fuse.FlushIn) fuse.Status {
	return fs.onFile(cancel, &in.InHeader, in.Fh, func(r *request, f *file) error {
		done := make(chan error, 1)
		// The locks go even if the process does not wait for that. The request is not there for so long.
		owner, pid := nfs.LockOwner{ID: in.LockOwner}, in.Pid
		ctx, cancelSync := context.WithCancel(context.Background())
		go func() {
			err := f.nfs.Sync(nfs.Call{Ctx: ctx, Cred: f.cred})
			call := nfs.Call{Ctx: context.Background(), Cred: f.cred}
			if e := f.nfs.Unlock(call, owner, everything); err == nil {
				err = e
			}
			done <- err
		}()
		defer cancelSync()
		for {
			select {
			case err := <-done:
				return err
			case <-r.Done():
				return syscall.EINTR
			case <-time.After(diedPoll):
				if diedOfSignal(pid) {
					return syscall.EINTR
				}
			}
		}
	})
}

// Release is the end of an open file and of its locks. Nobody hears of errors; the kernel waits for
// no answer.
func (fs *FileSystem) Release(cancel <-chan struct{}, in *fuse.ReleaseIn) {
	r := fs.begin(cancel, &in.InHeader)
	defer r.end()
	f := fs.file(in.Fh)
	if f == nil {
		return
	}
	if err := fs.finish(r, f); err != nil && r.Err() == nil {
		log.Printf("a file was closed with an error: %v", err)
	}
}

// finish writes and closes a file. If the context ends before, it can be called again.
func (fs *FileSystem) finish(ctx context.Context, f *file) error {
	if !f.closing.Swap(true) {
		defer fs.open.closing(f.open)()
	}
	call := nfs.Call{Ctx: ctx, Cred: f.cred}
	err := f.nfs.Sync(call) // pages of a memory mapping come after Flush
	if e := f.nfs.Close(call); err == nil {
		err = e
	}
	if ctx.Err() != nil {
		return err
	}
	fs.mu.Lock()
	_, there := fs.files[f.handle]
	delete(fs.files, f.handle)
	fs.mu.Unlock()
	if there {
		fs.open.remove(ctx, f.open)
	}
	return err
}

// Fallocate is for servers that speak NFSv4.2.
func (fs *FileSystem) Fallocate(cancel <-chan struct{}, in *fuse.FallocateIn) fuse.Status {
	return fs.onFile(cancel, &in.InHeader, in.Fh, func(r *request, f *file) error {
		f.node.write()
		switch in.Mode {
		case 0:
			return f.nfs.Allocate(r.by(f.cred), in.Offset, in.Length)
		case unix.FALLOC_FL_PUNCH_HOLE | unix.FALLOC_FL_KEEP_SIZE:
			return f.nfs.Deallocate(r.by(f.cred), in.Offset, in.Length)
		}
		return syscall.ENOTSUP
	})
}

// Lseek finds holes. The kernel does without if the server does not tell.
func (fs *FileSystem) Lseek(cancel <-chan struct{}, in *fuse.LseekIn, out *fuse.LseekOut) fuse.Status {
	return fs.onFile(cancel, &in.InHeader, in.Fh, func(r *request, f *file) error {
		what := nfsv4.NFS4_CONTENT_DATA
		if in.Whence == unix.SEEK_HOLE {
			what = nfsv4.NFS4_CONTENT_HOLE
		}
		offset, err := f.nfs.Seek(r.by(f.cred), in.Offset, what)
		if nfs.Errno(err) == syscall.EOPNOTSUPP {
			return syscall.ENOSYS
		}
		out.Offset = offset
		return err
	})
}
