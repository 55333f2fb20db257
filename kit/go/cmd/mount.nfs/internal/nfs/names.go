package nfs

import (
	"errors"
	"syscall"
	"unicode/utf8"

	"github.com/buildbarn/go-xdr/pkg/protocols/nfsv4"
)

const linkTargetMax = 4095 // PATH_MAX without its end

// checkNames refuses what NFSv4 cannot carry: names are UTF-8 there, and servers answer
// NFS4ERR_INVAL to others.
func checkNames(names ...string) error {
	for _, name := range names {
		if !utf8.ValidString(name) {
			return syscall.EINVAL
		}
	}
	return nil
}

// GetAttr sends what was written before, since it changes the size and the times.
func (m *Mount) GetAttr(c Call, h Handle) (Attr, error) {
	if err := m.client.pending.flush(c.Ctx, h); err != nil {
		return Attr{}, err
	}
	results, err := m.run(c, putfh(h), getattr(fileAttributes))
	if err != nil {
		return Attr{}, err
	}
	return m.attrOf(results, 1, h)
}

// SetAttr changes attributes; with f, a new size is allowed by how f was opened.
func (m *Mount) SetAttr(c Call, h Handle, f *File, ch Changes) (attr Attr, err error) {
	change := func() ([]nfsv4.NfsResop4, error) {
		set := nfsv4.Setattr4args{ObjAttributes: ch.encode()}
		return m.run(c, putfh(h), &nfsv4.NfsArgop4_OP_SETATTR{Opsetattr: set}, getattr(fileAttributes))
	}
	if f != nil && ch.Size != nil {
		change = func() ([]nfsv4.NfsResop4, error) {
			return f.compound(c, nil, func() []nfsv4.NfsArgop4 {
				set := nfsv4.Setattr4args{Stateid: f.stateid(), ObjAttributes: ch.encode()}
				return []nfsv4.NfsArgop4{putfh(h), &nfsv4.NfsArgop4_OP_SETATTR{Opsetattr: set},
					getattr(fileAttributes)}
			})
		}
	}
	// Data that comes later would undo a new size or new times.
	err = m.client.pending.alone(c.Ctx, m, h, func() error {
		results, err := change()
		if err == nil {
			attr, err = m.attrOf(results, 2, h)
		}
		return err
	})
	return attr, err
}

func (m *Mount) Lookup(c Call, dir Handle, name string) (Handle, Attr, error) {
	if err := checkNames(name); err != nil {
		return "", Attr{}, err
	}
	return m.object(c, putfh(dir),
		&nfsv4.NfsArgop4_OP_LOOKUP{Oplookup: nfsv4.Lookup4args{Objname: name}})
}

// Access tells which of the ACCESS4_ bits in mask the caller has.
func (m *Mount) Access(c Call, h Handle, mask uint32) (uint32, error) {
	results, err := m.run(c, putfh(h),
		&nfsv4.NfsArgop4_OP_ACCESS{Opaccess: nfsv4.Access4args{Access: mask}})
	if err != nil {
		return 0, err
	}
	r, err := result[*nfsv4.NfsResop4_OP_ACCESS](results, 1)
	if err != nil {
		return 0, err
	}
	ok, is := r.Opaccess.(*nfsv4.Access4res_NFS4_OK)
	if !is {
		return 0, errMalformed
	}
	return ok.Resok4.Access & mask, nil
}

func (m *Mount) Mkdir(c Call, at Name, set Changes) (Handle, Attr, error) {
	return m.makeOnce(c, at, &nfsv4.Createtype4_NF4DIR{}, set)
}

func (m *Mount) Symlink(c Call, at Name, target string, set Changes) (Handle, Attr, error) {
	h, attr, repeated, err := m.make(c, at, &nfsv4.Createtype4_NF4LNK{Linkdata: []byte(target)}, set)
	if repeated && exists(err) {
		// It was made by the first attempt if it leads to the same place.
		there, found, lookup := m.Lookup(c, at.Dir, at.Name)
		if lookup == nil && found.Type == nfsv4.NF4LNK {
			if to, err := m.Readlink(c, there); err == nil && to == target {
				return there, found, nil
			}
		}
	}
	return h, attr, err
}

// Mknod makes a FIFO, a socket or a device; rdev is major and minor.
func (m *Mount) Mknod(c Call, at Name, t nfsv4.NfsFtype4, rdev [2]uint32, set Changes) (Handle, Attr, error) {
	device := nfsv4.Specdata4{Specdata1: rdev[0], Specdata2: rdev[1]}
	switch t {
	case nfsv4.NF4FIFO:
		return m.makeOnce(c, at, &nfsv4.Createtype4_NF4FIFO{}, set)
	case nfsv4.NF4SOCK:
		return m.makeOnce(c, at, &nfsv4.Createtype4_NF4SOCK{}, set)
	case nfsv4.NF4BLK:
		return m.makeOnce(c, at, &nfsv4.Createtype4_NF4BLK{Devdata: device}, set)
	case nfsv4.NF4CHR:
		return m.makeOnce(c, at, &nfsv4.Createtype4_NF4CHR{Devdata: device}, set)
	}
	return "", Attr{}, syscall.EINVAL
}

// makeOnce tells EEXIST, as the kernel's client does, also when a server that was killed made it
// and forgot the request: another client may have been faster, and a directory can be a lock.
func (m *Mount) makeOnce(c Call, at Name, t nfsv4.Createtype4, set Changes) (Handle, Attr, error) {
	h, attr, _, err := m.make(c, at, t, set)
	return h, attr, err
}

func (m *Mount) make(c Call, at Name, t nfsv4.Createtype4, set Changes) (h Handle, attr Attr, repeated bool, err error) {
	if err := checkNames(at.Name); err != nil {
		return "", Attr{}, false, err
	}
	results, repeated, err := m.runOnce(c, putfh(at.Dir),
		&nfsv4.NfsArgop4_OP_CREATE{Opcreate: nfsv4.Create4args{
			Objtype: t, Objname: at.Name, Createattrs: set.encode(),
		}},
		&nfsv4.NfsArgop4_OP_GETFH{}, getattr(fileAttributes))
	if err == nil {
		h, attr, err = m.objectOf(results, 2)
	}
	return h, attr, repeated, err
}

// Link gives a file a further name.
func (m *Mount) Link(c Call, h Handle, at Name) (Attr, error) {
	if err := checkNames(at.Name); err != nil {
		return Attr{}, err
	}
	results, repeated, err := m.runOnce(c, putfh(h), &nfsv4.NfsArgop4_OP_SAVEFH{}, putfh(at.Dir),
		&nfsv4.NfsArgop4_OP_LINK{Oplink: nfsv4.Link4args{Newname: at.Name}},
		&nfsv4.NfsArgop4_OP_RESTOREFH{}, getattr(fileAttributes))
	if repeated && exists(err) {
		if there, attr, lookup := m.Lookup(c, at.Dir, at.Name); lookup == nil && there == h {
			return attr, nil
		}
	}
	if err != nil {
		return Attr{}, err
	}
	return m.attrOf(results, 5, h)
}

// Remove takes away a name of a file, or an empty directory.
func (m *Mount) Remove(c Call, at Name) error {
	if err := checkNames(at.Name); err != nil {
		return err
	}
	_, repeated, err := m.runOnce(c, putfh(at.Dir),
		&nfsv4.NfsArgop4_OP_REMOVE{Opremove: nfsv4.Remove4args{Target: at.Name}})
	if repeated && missing(err) {
		return nil
	}
	return err
}

// Rename replaces what is at TO.
func (m *Mount) Rename(c Call, from, to Name) error {
	if err := checkNames(from.Name, to.Name); err != nil {
		return err
	}
	_, repeated, err := m.runOnce(c, putfh(from.Dir), &nfsv4.NfsArgop4_OP_SAVEFH{}, putfh(to.Dir),
		&nfsv4.NfsArgop4_OP_RENAME{Oprename: nfsv4.Rename4args{
			Oldname: from.Name, Newname: to.Name,
		}})
	if repeated && missing(err) {
		if _, _, lookup := m.Lookup(c, to.Dir, to.Name); lookup == nil {
			err = nil
		}
	}
	if err == nil {
		m.renamed(from, to)
	}
	return err
}

func exists(err error) bool  { return errors.Is(err, Status(nfsv4.NFS4ERR_EXIST)) }
func missing(err error) bool { return errors.Is(err, Status(nfsv4.NFS4ERR_NOENT)) }

func (m *Mount) Readlink(c Call, h Handle) (string, error) {
	results, err := m.run(c, putfh(h), &nfsv4.NfsArgop4_OP_READLINK{})
	if err != nil {
		return "", err
	}
	r, err := result[*nfsv4.NfsResop4_OP_READLINK](results, 1)
	if err != nil {
		return "", err
	}
	ok, is := r.Opreadlink.(*nfsv4.Readlink4res_NFS4_OK)
	if !is || len(ok.Resok4.Link) > linkTargetMax {
		return "", errMalformed
	}
	return string(ok.Resok4.Link), nil
}
