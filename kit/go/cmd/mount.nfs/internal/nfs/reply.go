package nfs

import (
	"errors"
	"fmt"

	"github.com/buildbarn/go-xdr/pkg/protocols/nfsv4"
	"github.com/buildbarn/go-xdr/pkg/runtime"

	"landfast/kit/cmd/mount.nfs/internal/rpc"
)

const (
	tagBytesMax  = 1024
	nameBytesMax = 4096 // far more than any file system allows
)

var (
	errInconsistent = errors.New("the status of the reply is not that of its last operation")
	errOtherResult  = errors.New("a result of another operation than the one sent")
)

// reply is what a server says to a COMPOUND. The last result is that of the operation that failed.
type reply struct {
	status  nfsv4.Nfsstat4
	results []nfsv4.NfsResop4
}

// decodeReply takes nothing on trust: each result must belong to the operation in its place, and
// only the last may have failed. A READ's data go to dest, if there is one, and must have room there.
func decodeReply(r *rpc.Reader, ops []nfsv4.NfsArgop4, dest []byte) (p reply, err error) {
	status, _, err := runtime.ReadInt(r)
	if err != nil {
		return p, err
	}
	p.status = nfsv4.Nfsstat4(status)
	if _, _, err = runtime.ReadVariableLengthOpaque(r, tagBytesMax); err != nil {
		return p, err
	}
	count, _, err := runtime.ReadUnsignedInt(r)
	if err != nil {
		return p, err
	}
	if uint64(count) > uint64(len(ops)) || int(count) < len(ops) && p.status == nfsv4.NFS4_OK {
		return p, fmt.Errorf("%d results for %d operations", count, len(ops))
	}
	p.results = make([]nfsv4.NfsResop4, count)
	last := nfsv4.NFS4_OK
	for i := range p.results {
		if last != nfsv4.NFS4_OK {
			return p, errInconsistent
		}
		if p.results[i], last, err = decodeResult(r, ops[i].GetArgop(), dest); err != nil {
			return p, err
		}
	}
	if count > 0 && last != p.status {
		return p, errInconsistent
	}
	return p, nil
}

func decodeResult(r *rpc.Reader, sent nfsv4.NfsOpnum4, dest []byte) (nfsv4.NfsResop4, nfsv4.Nfsstat4, error) {
	// Every result begins with its operation and its status.
	ahead := *r
	op, _, err := runtime.ReadInt(&ahead)
	if err != nil {
		return nil, 0, err
	}
	number, _, err := runtime.ReadInt(&ahead)
	if err != nil {
		return nil, 0, err
	}
	status := nfsv4.Nfsstat4(number)
	got := nfsv4.NfsOpnum4(op)
	if got != sent && (got != nfsv4.OP_ILLEGAL || status == nfsv4.NFS4_OK) {
		return nil, 0, errOtherResult
	}
	var result nfsv4.NfsResop4
	switch {
	case got == nfsv4.OP_READ && status == nfsv4.NFS4_OK && dest != nil:
		*r = ahead
		result, err = decodeRead(r, dest)
	case got == nfsv4.OP_READDIR && status == nfsv4.NFS4_OK:
		*r = ahead
		result, err = decodeReaddir(r)
	default:
		result, _, err = nfsv4.ReadNfsResop4(r)
	}
	return result, status, err
}

// decodeRead saves the generated code's two copies.
func decodeRead(r *rpc.Reader, dest []byte) (nfsv4.NfsResop4, error) {
	eof, _, err := runtime.ReadBool(r)
	if err != nil {
		return nil, err
	}
	size, _, err := runtime.ReadUnsignedInt(r)
	if err != nil {
		return nil, err
	}
	if uint64(size) > uint64(len(dest)) {
		return nil, fmt.Errorf("%d bytes for a READ of %d", size, len(dest))
	}
	data := dest[:size]
	if _, err := runtime.ReadFixedLengthOpaque(r, data); err != nil {
		return nil, err
	}
	return &nfsv4.NfsResop4_OP_READ{Opread: &nfsv4.Read4res_NFS4_OK{
		Resok4: nfsv4.Read4resok{Eof: eof, Data: data},
	}}, nil
}

// decodeReaddir lets names be any bytes: the generated code refuses a directory for one name that
// is not UTF-8, and calls itself for every entry.
func decodeReaddir(r *rpc.Reader) (nfsv4.NfsResop4, error) {
	var ok nfsv4.Readdir4resok
	if _, err := runtime.ReadFixedLengthOpaque(r, ok.Cookieverf[:]); err != nil {
		return nil, err
	}
	for next := &ok.Reply.Entries; ; {
		follows, _, err := runtime.ReadBool(r)
		if err != nil {
			return nil, err
		}
		if !follows {
			break
		}
		entry := &nfsv4.Entry4{}
		if entry.Cookie, _, err = runtime.ReadUnsignedHyper(r); err != nil {
			return nil, err
		}
		name, _, err := runtime.ReadVariableLengthOpaque(r, nameBytesMax)
		if err != nil {
			return nil, err
		}
		entry.Name = string(name)
		if _, err := entry.Attrs.ReadFrom(r); err != nil {
			return nil, err
		}
		*next, next = entry, &entry.Nextentry
	}
	var err error
	ok.Reply.Eof, _, err = runtime.ReadBool(r)
	return &nfsv4.NfsResop4_OP_READDIR{Opreaddir: &nfsv4.Readdir4res_NFS4_OK{Resok4: ok}}, err
}
