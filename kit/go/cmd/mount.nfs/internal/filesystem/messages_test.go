package filesystem

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/buildbarn/go-xdr/pkg/protocols/nfsv4"
	"github.com/hanwen/go-fuse/v2/fuse"

	"landfast/kit/cmd/mount.nfs/internal/nfs"
	"landfast/kit/cmd/mount.nfs/internal/options"
)

// Requests of the FUSE protocol, fuse_kernel.h.
const (
	opLookup, opGetAttr, opSetAttr, opSymlink, opMkdir, opUnlink, opRename = 1, 3, 4, 6, 9, 10, 12
	opOpen, opRead, opWrite, opRelease, opFlush, opInit, opOpenDir         = 14, 15, 16, 18, 25, 26, 27
	opReadDir, opSetLk, opSetLkw, opCreate, opFallocate, opLseek           = 28, 32, 33, 35, 43, 46
)

// message is a request as the kernel writes it: a header of 40 bytes, and what belongs to it.
func message(op uint32, node uint64, body []byte) []byte {
	header := fuse.InHeader{Length: uint32(40 + len(body)), Opcode: op, Unique: 1, NodeId: node}
	var m bytes.Buffer
	binary.Write(&m, binary.NativeEndian, header)
	return append(m.Bytes(), body...)
}

func body(fields ...any) []byte {
	var b bytes.Buffer
	for _, field := range fields {
		if name, is := field.(string); is {
			field = append([]byte(name), 0)
		}
		binary.Write(&b, binary.NativeEndian, field)
	}
	return b.Bytes()
}

// script is a list of requests as FuzzMessages reads it: request, node, length of the body, body.
type script []byte

func (s script) then(op, node byte, fields ...any) script {
	b := body(fields...)
	return append(append(s, op, node, byte(len(b)), byte(len(b)>>8)), b...)
}

func (s script) requests(do func(op uint32, node uint64, body []byte)) {
	for len(s) >= 4 {
		length := min(int(s[2])|int(s[3])<<8, len(s)-4)
		do(uint32(s[0]), uint64(s[1]), s[4:4+length])
		s = s[4+length:]
	}
}

// FuzzMessages lets whatever a kernel might write reach the file system of a real server's mount.
func FuzzMessages(f *testing.F) {
	address := os.Getenv("NFS_TEST_SERVER")
	if address == "" {
		f.Skip("NFS_TEST_SERVER names no NFS server to test with")
	}
	file := func(s script) script { // node 2, handle 1
		return s.then(opCreate, 1, uint32(os.O_RDWR), uint32(0o644), uint32(0), uint32(0), "a")
	}
	io := []any{uint64(1), uint64(3), uint32(5), uint32(0), uint64(0), uint32(0), uint32(0)}
	f.Add([]byte(file(nil).then(opWrite, 2, append(io, []byte("hello"))...).then(opRead, 2, io...).
		then(opFlush, 2, uint64(1), uint64(0), uint64(7)).then(opLseek, 2, uint64(1), uint64(0), uint64(4)).
		then(opRelease, 2, uint64(1), uint64(0), uint64(7))))
	f.Add([]byte(file(nil).then(opSetLk, 2, uint64(1), uint64(7), uint64(0), uint64(9), uint32(1), uint32(5), uint64(0)).
		then(opUnlink, 1, "a").then(opGetAttr, 2, uint64(1), uint64(1))))
	f.Add([]byte(file(nil).then(opSetAttr, 2, uint64(8), uint64(0), uint64(1)<<62, make([]byte, 64)).
		then(opRename, 1, uint64(1), "a", "b").then(opOpen, 2, uint64(1)).then(opLookup, 1, "b")))
	f.Add([]byte(script(nil).then(opMkdir, 1, uint64(0o755), "d").then(opSymlink, 2, "l", "target").
		then(opOpenDir, 1, uint64(0)).then(opReadDir, 1, uint64(1), uint64(0), uint32(4096), make([]byte, 20))))

	ctx := context.Background()
	client, err := nfs.Connect(ctx, nfs.Config{Address: address, Minors: []uint32{2},
		Identity: fmt.Sprintf("messages %d", time.Now().UnixNano()), Logf: func(string, ...any) {}})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(client.Close)
	m, root, _, err := client.Mount(ctx, "/data/share", nfs.MountOptions{})
	if err != nil {
		f.Fatal(err)
	}
	call := nfs.Call{Ctx: ctx}
	f.Fuzz(func(t *testing.T, data []byte) {
		at := nfs.Name{Dir: root, Name: fmt.Sprintf("messages-%d-%d", os.Getpid(), time.Now().UnixNano())}
		mode := uint32(0o777)
		dir, attr, err := m.Mkdir(call, at, nfs.Changes{Mode: &mode})
		if err != nil {
			t.Fatal(err)
		}
		fs := New(m, dir, attr, options.Options{}, NewOpenFiles())
		fs.device, fs.server = pipe(t), &fuse.Server{} // one that cannot notify a kernel
		server := fuse.NewProtocolServer(fs, &fuse.MountOptions{
			MaxWrite: requestBytes, DisableXAttrs: true, EnableLocks: true,
			PanicHandler: func(reason any) fuse.Status { panic(reason) },
		})
		out := make([]byte, requestBytes+4096)
		ask := func(op uint32, node uint64, body []byte) {
			switch op {
			case opSetLkw, opFallocate: // would wait for itself; would fill the disk
			default:
				server.HandleRequest([][]byte{message(op, node, body)}, [][]byte{out})
			}
		}
		ask(opInit, 0, body(uint32(7), uint32(36), uint32(1<<20), ^uint32(0), make([]byte, 48)))
		script(data).requests(ask)
		for _, open := range fs.openFiles() {
			if err := fs.finish(ctx, open); err != nil {
				t.Log(err)
			}
		}
		removeTree(t, m, at, dir)
	})
}

func removeTree(t *testing.T, m *nfs.Mount, at nfs.Name, dir nfs.Handle) {
	t.Helper()
	call := nfs.Call{Ctx: context.Background()}
	for {
		entries, err := m.ReadDir(call, dir, 0, nfs.Verifier{}, true, 1<<16)
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range entries.List {
			name := nfs.Name{Dir: dir, Name: entry.Name}
			if entry.Attr.Type == nfsv4.NF4DIR {
				removeTree(t, m, name, entry.Handle)
			} else if err := m.Remove(call, name); err != nil {
				t.Fatalf("%q: %v", entry.Name, err)
			}
		}
		if entries.End {
			break
		}
	}
	if err := m.Remove(call, at); err != nil {
		t.Fatal(err)
	}
}
