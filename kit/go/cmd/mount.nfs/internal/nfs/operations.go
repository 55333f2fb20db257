package nfs

import (
	"errors"

	"github.com/buildbarn/go-xdr/pkg/protocols/nfsv4"
)

var errMalformed = errors.New("the server's reply does not fit the request")

func putfh(h Handle) nfsv4.NfsArgop4 {
	return &nfsv4.NfsArgop4_OP_PUTFH{Opputfh: nfsv4.Putfh4args{Object: []byte(h)}}
}

func getattr(asked nfsv4.Bitmap4) nfsv4.NfsArgop4 {
	return &nfsv4.NfsArgop4_OP_GETATTR{Opgetattr: nfsv4.Getattr4args{AttrRequest: asked}}
}

// run sends operations that are the same on every attempt.
func (m *Mount) run(c Call, operations ...nfsv4.NfsArgop4) ([]nfsv4.NfsResop4, error) {
	return m.client.compound(m, c, func() []nfsv4.NfsArgop4 { return operations })
}

// runOnce is for operations that fail if they are carried out twice; see compoundOnce.
func (m *Mount) runOnce(c Call, operations ...nfsv4.NfsArgop4) ([]nfsv4.NfsResop4, bool, error) {
	return m.client.compoundOnce(m, c, func() []nfsv4.NfsArgop4 { return operations })
}

// object ends the operations with the handle and the attributes of what they found or made.
func (m *Mount) object(c Call, operations ...nfsv4.NfsArgop4) (Handle, Attr, error) {
	results, err := m.run(c, append(operations,
		&nfsv4.NfsArgop4_OP_GETFH{}, getattr(fileAttributes))...)
	if err != nil {
		return "", Attr{}, err
	}
	return m.objectOf(results, len(results)-2)
}

// objectOf reads the results of GETFH, at INDEX, and GETATTR.
func (m *Mount) objectOf(results []nfsv4.NfsResop4, index int) (Handle, Attr, error) {
	h, err := handleOf(results, index)
	if err != nil {
		return "", Attr{}, err
	}
	attr, err := m.attrOf(results, index+1, h)
	return h, attr, err
}

// result is the one at INDEX if it is of the kind it must be.
func result[T nfsv4.NfsResop4](results []nfsv4.NfsResop4, index int) (r T, err error) {
	if index < 0 || index >= len(results) {
		return r, errMalformed
	}
	r, ok := results[index].(T)
	if !ok {
		return r, errMalformed
	}
	return r, nil
}

func handleOf(results []nfsv4.NfsResop4, index int) (Handle, error) {
	r, err := result[*nfsv4.NfsResop4_OP_GETFH](results, index)
	if err != nil {
		return "", err
	}
	ok, is := r.Opgetfh.(*nfsv4.Getfh4res_NFS4_OK)
	if !is || len(ok.Resok4.Object) > nfsv4.NFS4_FHSIZE {
		return "", errMalformed
	}
	return Handle(ok.Resok4.Object), nil
}

func attributesOf(results []nfsv4.NfsResop4, index int) (attributes, error) {
	r, err := result[*nfsv4.NfsResop4_OP_GETATTR](results, index)
	if err != nil {
		return attributes{}, err
	}
	ok, is := r.Opgetattr.(*nfsv4.Getattr4res_NFS4_OK)
	if !is {
		return attributes{}, errMalformed
	}
	return decodeAttributes(&ok.Resok4.ObjAttributes)
}

// attrOf is the server's view of a file and what this client has yet to add to it.
func (m *Mount) attrOf(results []nfsv4.NfsResop4, index int, h Handle) (Attr, error) {
	a, err := attributesOf(results, index)
	if err == nil && a.Type == 0 {
		err = errMalformed
	}
	a.Size = max(a.Size, m.client.pending.end(h))
	return a.Attr, err
}
