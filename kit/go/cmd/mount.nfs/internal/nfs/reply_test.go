package nfs

import (
	"bytes"
	"testing"

	"github.com/buildbarn/go-xdr/pkg/protocols/nfsv4"

	"landfast/kit/cmd/mount.nfs/internal/rpc"
)

const testReadBytes = 64

// sentOperations hold one of each that is decoded in a way of its own.
var sentOperations = []nfsv4.NfsArgop4{
	&nfsv4.NfsArgop4_OP_SEQUENCE{}, putfh("file"), &nfsv4.NfsArgop4_OP_READ{},
	putfh("directory"), &nfsv4.NfsArgop4_OP_READDIR{}, getattr(fileAttributes),
	&nfsv4.NfsArgop4_OP_OPEN{}, &nfsv4.NfsArgop4_OP_LOCK{},
}

func goodResults() []nfsv4.NfsResop4 {
	attributes := nfsv4.Fattr4{Attrmask: nfsv4.Bitmap4{1 << nfsv4.FATTR4_SIZE}, AttrVals: make([]byte, 8)}
	return []nfsv4.NfsResop4{
		&nfsv4.NfsResop4_OP_SEQUENCE{Opsequence: &nfsv4.Sequence4res_NFS4_OK{}},
		&nfsv4.NfsResop4_OP_PUTFH{},
		&nfsv4.NfsResop4_OP_READ{Opread: &nfsv4.Read4res_NFS4_OK{
			Resok4: nfsv4.Read4resok{Eof: true, Data: []byte("hello")}}},
		&nfsv4.NfsResop4_OP_PUTFH{},
		&nfsv4.NfsResop4_OP_READDIR{Opreaddir: &nfsv4.Readdir4res_NFS4_OK{
			Resok4: nfsv4.Readdir4resok{Reply: nfsv4.Dirlist4{Eof: true, Entries: &nfsv4.Entry4{
				Cookie: 3, Name: "a", Attrs: attributes,
				Nextentry: &nfsv4.Entry4{Cookie: 4, Name: "b", Attrs: attributes},
			}}}}},
		&nfsv4.NfsResop4_OP_GETATTR{Opgetattr: &nfsv4.Getattr4res_NFS4_OK{
			Resok4: nfsv4.Getattr4resok{ObjAttributes: attributes}}},
		&nfsv4.NfsResop4_OP_OPEN{Opopen: &nfsv4.Open4res_NFS4_OK{
			Resok4: nfsv4.Open4resok{Delegation: &nfsv4.OpenDelegation4_OPEN_DELEGATE_NONE{}}}},
		&nfsv4.NfsResop4_OP_LOCK{Oplock: &nfsv4.Lock4res_NFS4ERR_DENIED{
			Denied: nfsv4.Lock4denied{Length: ToEnd, Locktype: nfsv4.WRITE_LT}}},
	}
}

func encodeReply(status nfsv4.Nfsstat4, results []nfsv4.NfsResop4) []byte {
	var b bytes.Buffer
	reply := nfsv4.Compound4res{Status: status, Resarray: results}
	if _, err := reply.WriteTo(&b); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func decodeSent(record []byte) (reply, error) {
	return decodeReply(rpc.NewReader(record), sentOperations, make([]byte, testReadBytes))
}

func TestDecodeReply(t *testing.T) {
	p, err := decodeSent(encodeReply(nfsv4.NFS4ERR_DENIED, goodResults()))
	if err != nil || p.status != nfsv4.NFS4ERR_DENIED {
		t.Fatalf("status %v, %v", p.status, err)
	}
	read, err := result[*nfsv4.NfsResop4_OP_READ](p.results, 2)
	if err != nil || string(read.Opread.(*nfsv4.Read4res_NFS4_OK).Resok4.Data) != "hello" {
		t.Fatalf("READ: %+v, %v", read, err)
	}
	dir, err := result[*nfsv4.NfsResop4_OP_READDIR](p.results, 4)
	if err != nil {
		t.Fatal(err)
	}
	list := dir.Opreaddir.(*nfsv4.Readdir4res_NFS4_OK).Resok4.Reply
	if !list.Eof || list.Entries.Name != "a" || list.Entries.Nextentry.Cookie != 4 {
		t.Fatalf("READDIR: %+v", list)
	}
}

func TestDecodeReplyRefusesWhatDoesNotFit(t *testing.T) {
	good := goodResults()
	long := goodResults()
	long[2].(*nfsv4.NfsResop4_OP_READ).Opread.(*nfsv4.Read4res_NFS4_OK).Resok4.Data = make([]byte, testReadBytes+1)
	for name, record := range map[string][]byte{
		"success although an operation failed": encodeReply(nfsv4.NFS4_OK, good),
		"too few results":                      encodeReply(nfsv4.NFS4_OK, good[:4]),
		"failure without a failed operation":   encodeReply(nfsv4.NFS4ERR_IO, good[:4]),
		"too many results":                     encodeReply(nfsv4.NFS4ERR_DENIED, append(good, good[1])),
		"a result of another operation":        encodeReply(nfsv4.NFS4ERR_DENIED, append(good[1:2:2], good[2:]...)),
		"more data than was asked for":         encodeReply(nfsv4.NFS4ERR_DENIED, long),
		"half of it":                           encodeReply(nfsv4.NFS4ERR_DENIED, good)[:100],
	} {
		if p, err := decodeSent(record); err == nil {
			t.Errorf("%s: accepted as %+v", name, p)
		}
	}
}

func FuzzCompoundReply(f *testing.F) {
	f.Add(encodeReply(nfsv4.NFS4ERR_DENIED, goodResults()))
	f.Add(encodeReply(nfsv4.NFS4ERR_DENIED, goodResults())[:150])
	f.Add(encodeReply(nfsv4.NFS4ERR_BADSESSION, []nfsv4.NfsResop4{&nfsv4.NfsResop4_OP_SEQUENCE{
		Opsequence: &nfsv4.Sequence4res_default{SrStatus: nfsv4.NFS4ERR_BADSESSION}}}))
	f.Add(encodeReply(nfsv4.NFS4ERR_MINOR_VERS_MISMATCH, nil))
	f.Fuzz(func(t *testing.T, record []byte) {
		p, err := decodeSent(record)
		if err != nil {
			return
		}
		if len(p.results) > len(sentOperations) {
			t.Fatalf("%d results", len(p.results))
		}
		for i := range p.results {
			if o, err := result[*nfsv4.NfsResop4_OP_GETATTR](p.results, i); err == nil {
				if ok, is := o.Opgetattr.(*nfsv4.Getattr4res_NFS4_OK); is {
					decodeAttributes(&ok.Resok4.ObjAttributes)
				}
			}
		}
	})
}
