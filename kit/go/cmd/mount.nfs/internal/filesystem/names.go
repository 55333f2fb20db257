package filesystem

import (
	"syscall"

	"github.com/buildbarn/go-xdr/pkg/protocols/nfsv4"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"landfast/kit/cmd/mount.nfs/internal/nfs"
)

// change is one request that changes a directory.
func (fs *FileSystem) change(cancel <-chan struct{}, h *fuse.InHeader, name string, f func(c nfs.Call, at nfs.Name) error) fuse.Status {
	return fs.onNode(cancel, h, func(r *request, dir *node) error {
		defer dir.changes.Add(1)
		return f(r.call(h), nfs.Name{Dir: dir.handle, Name: name})
	})
}

// Mknod makes anything but directories and symbolic links.
func (fs *FileSystem) Mknod(cancel <-chan struct{}, in *fuse.MknodIn, name string, out *fuse.EntryOut) fuse.Status {
	return fs.change(cancel, &in.InHeader, name, func(c nfs.Call, at nfs.Name) error {
		mode := in.Mode & 0o7777
		kind := in.Mode & syscall.S_IFMT
		if kind == syscall.S_IFREG || kind == 0 {
			f, h, attr, err := fs.mount.Create(c, at, nfs.Write, true, nfs.Changes{Mode: &mode})
			if err != nil {
				return err
			}
			if err = f.Close(c); err == nil {
				fs.entry(out, h, attr, at)
			}
			return err
		}
		device := [2]uint32{unix.Major(uint64(in.Rdev)), unix.Minor(uint64(in.Rdev))}
		for t, bits := range modeOfType {
			if bits != kind {
				continue
			}
			h, attr, err := fs.mount.Mknod(c, at, t, device, nfs.Changes{Mode: &mode})
			if err == nil {
				fs.entry(out, h, attr, at)
			}
			return err
		}
		return syscall.EINVAL
	})
}

// Mkdir makes a directory.
func (fs *FileSystem) Mkdir(cancel <-chan struct{}, in *fuse.MkdirIn, name string, out *fuse.EntryOut) fuse.Status {
	return fs.change(cancel, &in.InHeader, name, func(c nfs.Call, at nfs.Name) error {
		mode := in.Mode & 0o7777
		h, attr, err := fs.mount.Mkdir(c, at, nfs.Changes{Mode: &mode})
		if err == nil {
			fs.entry(out, h, attr, at)
		}
		return err
	})
}

// Symlink makes a symbolic link. Its mode means nothing, but servers want one.
func (fs *FileSystem) Symlink(cancel <-chan struct{}, header *fuse.InHeader, target, name string, out *fuse.EntryOut) fuse.Status {
	return fs.change(cancel, header, name, func(c nfs.Call, at nfs.Name) error {
		mode := uint32(0o777)
		h, attr, err := fs.mount.Symlink(c, at, target, nfs.Changes{Mode: &mode})
		if err == nil {
			fs.entry(out, h, attr, at)
		}
		return err
	})
}

// Readlink tells what a symbolic link says.
func (fs *FileSystem) Readlink(cancel <-chan struct{}, h *fuse.InHeader) ([]byte, fuse.Status) {
	target := ""
	answer := fs.onNode(cancel, h, func(r *request, n *node) (err error) {
		target, err = fs.mount.Readlink(r.call(h), n.handle)
		return err
	})
	return []byte(target), answer
}

// Link gives a file a further name.
func (fs *FileSystem) Link(cancel <-chan struct{}, in *fuse.LinkIn, name string, out *fuse.EntryOut) fuse.Status {
	return fs.change(cancel, &in.InHeader, name, func(c nfs.Call, at nfs.Name) error {
		n := fs.nodes.get(in.Oldnodeid)
		if n == nil {
			return syscall.ESTALE
		}
		attr, err := fs.mount.Link(c, n.handle, at)
		if err == nil {
			fs.entry(out, n.handle, attr, at)
		}
		return err
	})
}

// Unlink takes a name away, or hides it as long as the file is open here.
func (fs *FileSystem) Unlink(cancel <-chan struct{}, h *fuse.InHeader, name string) fuse.Status {
	return fs.change(cancel, h, name, func(c nfs.Call, at nfs.Name) error {
		hidden, err := fs.hide(c, at)
		if err == nil && !hidden {
			err = fs.mount.Remove(c, at)
		}
		if err == nil && !hidden {
			fs.nodes.removed(at)
		}
		return err
	})
}

// Rmdir removes an empty directory.
func (fs *FileSystem) Rmdir(cancel <-chan struct{}, h *fuse.InHeader, name string) fuse.Status {
	return fs.change(cancel, h, name, func(c nfs.Call, at nfs.Name) error {
		fs.open.wait(c.Ctx)
		n := fs.nodes.named(at)
		err := fs.mount.Remove(c, at)
		if nfs.Errno(err) == syscall.ENOTEMPTY && n != nil && fs.open.emptied(c.Ctx, n.handle) {
			err = fs.mount.Remove(c, at)
		}
		if err == nil {
			fs.nodes.removed(at)
		}
		return err
	})
}

// Rename replaces what is at the new name, which is hidden if it is open here.
func (fs *FileSystem) Rename(cancel <-chan struct{}, in *fuse.RenameIn, oldName, newName string) fuse.Status {
	return fs.change(cancel, &in.InHeader, oldName, func(c nfs.Call, from nfs.Name) error {
		dir := fs.nodes.get(in.Newdir)
		if dir == nil {
			return syscall.ESTALE
		}
		defer dir.changes.Add(1)
		to := nfs.Name{Dir: dir.handle, Name: newName}
		if in.Flags&^unix.RENAME_NOREPLACE != 0 {
			return syscall.EINVAL
		}
		if err := fs.makeWay(c, from, to, in.Flags&unix.RENAME_NOREPLACE != 0); err != nil {
			return err
		}
		err := fs.mount.Rename(c, from, to)
		if err == nil {
			fs.nodes.moved(from, to)
		}
		return err
	})
}

// makeWay looks after what a rename replaces.
func (fs *FileSystem) makeWay(c nfs.Call, from, to nfs.Name, keep bool) error {
	source, known := fs.nodes.named(from), fs.nodes.named(to)
	if known == nil && !keep && fs.open.none() {
		return nil
	}
	h, attr, err := fs.mount.Lookup(c, to.Dir, to.Name)
	switch {
	case nfs.Errno(err) == syscall.ENOENT:
		return nil
	case err != nil:
		return err
	case keep: // NFS has no such flag, so another client can come in between
		return syscall.EEXIST
	case source != nil && source.handle == h: // two names of one file: POSIX wants nothing done
		return nil
	case attr.Type == nfsv4.NF4DIR:
		return nil
	}
	_, err = fs.hide(c, to)
	return err
}
