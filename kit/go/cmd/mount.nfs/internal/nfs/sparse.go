package nfs

import (
	"syscall"

	"github.com/buildbarn/go-xdr/pkg/protocols/nfsv4"
)

// Allocate makes sure that a range has space on the server, and that the file reaches its end.
func (f *File) Allocate(c Call, offset, length uint64) error {
	return f.alone(c, func() nfsv4.NfsArgop4 {
		return &nfsv4.NfsArgop4_OP_ALLOCATE{Opallocate: nfsv4.Allocate4args{
			AaStateid: f.stateid(), AaOffset: offset, AaLength: length,
		}}
	})
}

// Deallocate makes a hole.
func (f *File) Deallocate(c Call, offset, length uint64) error {
	return f.alone(c, func() nfsv4.NfsArgop4 {
		return &nfsv4.NfsArgop4_OP_DEALLOCATE{Opdeallocate: nfsv4.Deallocate4args{
			DaStateid: f.stateid(), DaOffset: offset, DaLength: length,
		}}
	})
}

// alone carries out an operation of NFSv4.2, unknown to servers before it, that must not meet data written before: a write that
// comes later would fill a new hole.
func (f *File) alone(c Call, operation func() nfsv4.NfsArgop4) error {
	return f.mount.client.pending.alone(c.Ctx, f.mount, f.handle, func() error {
		_, err := f.compound(c, nil, func() []nfsv4.NfsArgop4 {
			return []nfsv4.NfsArgop4{putfh(f.handle), operation()}
		})
		return err
	})
}

// Seek finds the next data, or the next hole, from offset on; ENXIO says that there is none.
func (f *File) Seek(c Call, offset uint64, what nfsv4.DataContent4) (uint64, error) {
	if err := f.mount.client.pending.flush(c.Ctx, f.handle); err != nil {
		return 0, err
	}
	results, err := f.compound(c, nil, func() []nfsv4.NfsArgop4 {
		return []nfsv4.NfsArgop4{putfh(f.handle), &nfsv4.NfsArgop4_OP_SEEK{Opseek: nfsv4.Seek4args{
			SaStateid: f.stateid(), SaOffset: offset, SaWhat: what,
		}}}
	})
	if err != nil {
		return 0, err
	}
	r, err := result[*nfsv4.NfsResop4_OP_SEEK](results, 1)
	if err != nil {
		return 0, err
	}
	ok, is := r.Opseek.(*nfsv4.Seek4res_NFS4_OK)
	if !is {
		return 0, errMalformed
	}
	if ok.Resok4.SrEof && what == nfsv4.NFS4_CONTENT_DATA {
		return 0, syscall.ENXIO // a hole up to the end
	}
	return ok.Resok4.SrOffset, nil
}
