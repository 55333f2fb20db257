package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/buildbarn/go-xdr/pkg/protocols/nfsv4"
	"golang.org/x/sys/unix"

	"landfast/kit/cmd/mount.nfs/internal/filesystem"
	"landfast/kit/cmd/mount.nfs/internal/nfs"
	"landfast/kit/cmd/mount.nfs/internal/node"
)

const syncWithin = 5 * time.Second // before the end that a signal asks for

// backend is one NFS client and what is mounted with it.
type backend struct {
	key      node.Key
	identity string
	open     *filesystem.OpenFiles

	mu     sync.Mutex
	client *nfs.Client // nil until the first mount
}

func newBackend(key node.Key, identity string) *backend {
	return &backend{key: key, identity: identity, open: filesystem.NewOpenFiles()}
}

func (b *backend) connected(ctx context.Context, minors []uint32) (*nfs.Client, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var err error
	if b.client == nil {
		b.client, err = nfs.Connect(ctx, nfs.Config{
			Address: b.key.Server.String(), Minors: minors, Identity: b.identity, Logf: log.Printf,
		})
	}
	return b.client, err
}

func (b *backend) Mount(ctx context.Context, r node.MountRequest) (node.Mounted, syscall.Errno) {
	client, err := b.connected(ctx, r.Options.Minors)
	if err != nil {
		log.Printf("%s: %v", r.Source, err)
		return nil, nfs.Errno(err)
	}
	o := r.Options
	m, root, attr, err := client.Mount(ctx, r.Path, nfs.MountOptions{
		Soft: o.Soft, Timeo: o.Timeo, Retrans: o.Retrans, RSize: o.RSize, WSize: o.WSize,
		LocalLocks: o.LocalPosix && o.LocalFlock,
	})
	if err == nil && attr.Type != nfsv4.NF4DIR {
		err = syscall.ENOTDIR
	}
	if err != nil {
		return nil, nfs.Errno(err)
	}
	return &mounted{
		source: r.Source, fs: filesystem.New(m, root, attr, o, b.open),
	}, 0
}

func (b *backend) Close() {
	if b.client != nil {
		b.client.Close()
	}
}

// statistics is what --stats prints: of the server's client, which all its mounts share, and of
// the one mount that was asked for.
type statistics struct {
	Version      string            `json:"version"`
	Source       string            `json:"source"`
	Directory    string            `json:"directory"`
	Options      string            `json:"options"`
	Server       string            `json:"server"`
	Operations   map[string]uint64 `json:"operations"`
	Requests     uint64            `json:"requests"`
	Retransmits  uint64            `json:"retransmits"`
	Reconnects   uint64            `json:"reconnects"`
	Recoveries   uint64            `json:"recoveries"`
	LocksHeld    int               `json:"locks_held"`
	LocksLost    uint64            `json:"locks_lost"`
	OpenFiles    int               `json:"open_files"`
	LeaseSeconds uint32            `json:"lease_seconds"`
	Process      int               `json:"process"`
	Goroutines   int               `json:"goroutines"`
}

func (b *backend) Stats(one node.Mounted) any {
	m := one.(*mounted)
	s := b.client.Stats()
	return statistics{
		Version: s.Version, Source: m.source, Directory: m.directory, Options: m.fs.Options().Given,
		Server: s.Address, Operations: s.Operations, Requests: s.Requests,
		Retransmits: s.Retransmits, Reconnects: s.Reconnects, Recoveries: s.Recoveries,
		LocksHeld: s.LocksHeld, LocksLost: s.LocksLost, OpenFiles: s.OpenFiles,
		LeaseSeconds: s.LeaseSeconds, Process: os.Getpid(), Goroutines: runtime.NumGoroutine(),
	}
}

// mounted is one mount.
type mounted struct {
	source, directory string
	fs                *filesystem.FileSystem
}

func (m *mounted) Start(r node.ServeRequest, fuse *os.File) error {
	defer fuse.Close()
	m.directory = r.Directory
	if err := m.fs.Start(int(fuse.Fd())); err != nil {
		return fmt.Errorf("the kernel's first request: %w", err)
	}
	return nil
}

func (m *mounted) Serve() { m.fs.Serve() }

func (m *mounted) Unmount() {
	ctx, cancel := context.WithTimeout(context.Background(), syncWithin)
	defer cancel()
	m.fs.Sync(ctx)
	if err := unix.Unmount(m.directory, unix.MNT_DETACH); err != nil {
		log.Printf("unmounting %s: %v", m.directory, err)
	}
}
