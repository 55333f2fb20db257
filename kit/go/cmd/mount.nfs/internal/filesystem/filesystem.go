// Package filesystem is what the kernel's FUSE client talks to: it serves one mount with an NFS
// client.
package filesystem

import (
	"context"
	"fmt"
	"log"
	"sync"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"landfast/kit/cmd/mount.nfs/internal/nfs"
	"landfast/kit/cmd/mount.nfs/internal/options"
)

const (
	requestBytes  = 1 << 20 // what the kernel sends or asks for at most, and many servers take
	maxBackground = 64
	leaveWithin   = 10 * time.Second // for what is open when the file system goes
)

// FileSystem serves one mount.
//
// No file is opened with FOPEN_DIRECT_IO, not even those with O_DIRECT: the kernel then forgets to sync
// writes that ask for it (O_DSYNC, RWF_DSYNC, and mounts with the option sync).
type FileSystem struct {
	fuse.RawFileSystem // what is not implemented here is ENOSYS
	mount              *nfs.Mount
	options            options.Options
	open               *OpenFiles
	nodes              nodes
	callers            callers
	server             *fuse.Server
	life               context.Context // ends when the kernel has let go
	end                context.CancelFunc
	device             int // a descriptor of our own, to see whether the kernel is still there

	mu         sync.Mutex
	files      map[uint64]*file
	lists      map[uint64]*list
	lastHandle uint64
}

// New makes the file system of a directory on the server. All mounts of one server share OPEN.
func New(m *nfs.Mount, root nfs.Handle, attr nfs.Attr, o options.Options, open *OpenFiles) *FileSystem {
	fs := &FileSystem{
		RawFileSystem: fuse.NewDefaultRawFileSystem(),
		mount:         m,
		options:       o,
		open:          open,
		nodes:         newNodes(root),
		callers:       callers{known: map[caller]callerGroups{}},
		device:        -1,
		files:         map[uint64]*file{},
		lists:         map[uint64]*list{},
	}
	fs.life, fs.end = context.WithCancel(context.Background())
	fs.nodes.get(fuse.FUSE_ROOT_ID).tell(attr)
	return fs
}

// Options are those of the mount.
func (fs *FileSystem) Options() options.Options { return fs.options }

// Start answers the kernel's first request. The descriptor stays the caller's.
func (fs *FileSystem) Start(fd int) (err error) {
	o := &fuse.MountOptions{
		Name:          "nfs4",
		MaxWrite:      requestBytes,
		MaxReadAhead:  requestBytes,
		MaxBackground: maxBackground,
		DisableXAttrs: true,
		DisableSplice: true,
		EnableLocks:   true,
		// What a symbolic link says cannot change, only what a name stands for.
		EnableSymlinkCaching: true,
		ExtraCapabilities:    fuse.CAP_ASYNC_DIO | fuse.CAP_READDIRPLUS_AUTO,
		DisabledCapabilities: fuse.CAP_PASSTHROUGH,
		Logger:               log.Default(),
	}
	// Locks that the kernel does not pass on are those of this mount alone.
	if fs.options.LocalPosix {
		o.DisabledCapabilities |= fuse.CAP_POSIX_LOCKS
	}
	if fs.options.LocalFlock {
		o.DisabledCapabilities |= fuse.CAP_FLOCK_LOCKS
	}
	if fs.device, err = unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0); err != nil {
		return err
	}
	served, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err == nil {
		fs.server, err = fuse.NewServer(fs, fmt.Sprintf("/dev/fd/%d", served), o)
	}
	if err != nil {
		unix.Close(fs.device)
	}
	return err
}

// Serve returns when the file system is unmounted and what was open is closed.
func (fs *FileSystem) Serve() {
	fs.server.Serve()
	fs.end()
	ctx, cancel := context.WithTimeout(context.Background(), leaveWithin)
	defer cancel()
	// The kernel does not wait for its last RELEASE requests, so some may never have come.
	for _, f := range fs.openFiles() {
		if err := fs.finish(ctx, f); err != nil {
			log.Printf("a file could not be closed after the unmount: %v", err)
		}
	}
	unix.Close(fs.device)
}

// Sync makes everything written stable, for when the process is told to end.
func (fs *FileSystem) Sync(ctx context.Context) {
	for _, f := range fs.openFiles() {
		if err := f.nfs.Sync(nfs.Call{Ctx: ctx, Cred: f.cred}); err != nil {
			log.Printf("a file could not be synced: %v", err)
		}
	}
}

// gone tells whether the kernel has given the file system up.
func (fs *FileSystem) gone() bool {
	poll := []unix.PollFd{{Fd: int32(fs.device)}}
	n, err := unix.Poll(poll, 0)
	return n > 0 && err == nil && poll[0].Revents&unix.POLLERR != 0
}

func (fs *FileSystem) openFiles() []*file {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	all := make([]*file, 0, len(fs.files))
	for _, f := range fs.files {
		all = append(all, f)
	}
	return all
}

func (fs *FileSystem) file(handle uint64) *file {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	return fs.files[handle]
}

func (fs *FileSystem) String() string { return "nfs4" }

// status is what the kernel is told of an error.
func status(err error) fuse.Status { return fuse.Status(nfs.Errno(err)) }
