package nfs

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/buildbarn/go-xdr/pkg/protocols/nfsv4"
)

func TestServerDirectoryOf50000Entries(t *testing.T) {
	const count = 50_000
	m, dir := dataMount(t, 2)
	inParallel(count, func(i int) {
		_, _, err := m.Mknod(background, Name{dir, fmt.Sprintf("%06d", i)}, nfsv4.NF4FIFO, [2]uint32{}, Changes{})
		if err != nil {
			t.Error(err)
		}
	})
	for _, plus := range []bool{false, true} {
		start := time.Now()
		found := list(t, m, dir, plus)
		t.Logf("plus %v: %v", plus, time.Since(start))
		if len(found) != count {
			t.Errorf("plus %v: %d entries, want %d", plus, len(found), count)
		}
		for name, e := range found {
			if e.Attr.Type != nfsv4.NF4FIFO || e.Attr.FileID == 0 || plus != (e.Handle != "") {
				t.Fatalf("plus %v: %q is %+v", plus, name, e)
			}
		}
	}
}

func TestServerNames(t *testing.T) {
	eachDataMount(t, func(t *testing.T, m *Mount, dir Handle) {
		long := strings.Repeat("ü", 127) + "x"
		if len(long) != 255 {
			t.Fatal(len(long))
		}
		h, attr, err := m.Mkdir(background, Name{dir, long}, Changes{})
		if err != nil {
			t.Fatal(err)
		}
		found, again, err := m.Lookup(background, dir, long)
		if err != nil || found != h || again.FileID != attr.FileID {
			t.Errorf("lookup of 255 bytes: %v %+v, want %+v", err, again, attr)
		}
		if entries := list(t, m, dir, true); entries[long].Handle != h {
			t.Errorf("255 bytes are not listed: %v", entries)
		}
		for name, want := range map[string]syscall.Errno{
			long + "y": syscall.ENAMETOOLONG, "\xff\xfe": syscall.EINVAL, "none": syscall.ENOENT,
		} {
			if _, _, err := m.Lookup(background, dir, name); Errno(err) != want {
				t.Errorf("lookup of %.10q…: %v, want %v", name, err, want)
			}
		}
		if _, _, err := m.Mkdir(background, Name{dir, long}, Changes{}); Errno(err) != syscall.EEXIST {
			t.Errorf("mkdir again: %v", err)
		}
		if err := m.Rename(background, Name{dir, long}, Name{dir, "short"}); err != nil {
			t.Error(err)
		}
		if err := m.Remove(background, Name{dir, long}); Errno(err) != syscall.ENOENT {
			t.Errorf("remove of what was renamed: %v", err)
		}
	})
}

func TestServerKindsOfFiles(t *testing.T) {
	eachDataMount(t, func(t *testing.T, m *Mount, dir Handle) {
		mode := uint32(0o4640)
		for name, kind := range map[string]nfsv4.NfsFtype4{
			"fifo": nfsv4.NF4FIFO, "socket": nfsv4.NF4SOCK, "disk": nfsv4.NF4BLK, "tty": nfsv4.NF4CHR,
		} {
			rdev := [2]uint32{}
			if kind == nfsv4.NF4BLK || kind == nfsv4.NF4CHR {
				rdev = [2]uint32{259, 300_000}
			}
			_, attr, err := m.Mknod(background, Name{dir, name}, kind, rdev, Changes{Mode: &mode})
			if err != nil || attr.Type != kind || attr.Mode != mode || attr.Rdev != rdev {
				t.Errorf("%s: %v %+v", name, err, attr)
			}
		}
		if _, _, err := m.Mknod(background, Name{dir, "reg"}, nfsv4.NF4REG, [2]uint32{}, Changes{}); Errno(err) != syscall.EINVAL {
			t.Errorf("mknod of a regular file: %v", err)
		}
		target := strings.Repeat("t/", 1000)
		h, attr, err := m.Symlink(background, Name{dir, "symbolic"}, target, Changes{})
		if err != nil || attr.Type != nfsv4.NF4LNK || attr.Size != uint64(len(target)) {
			t.Errorf("symlink: %v %+v", err, attr)
		}
		if got, err := m.Readlink(background, h); err != nil || got != target {
			t.Errorf("readlink: %v %.20q", err, got)
		}
		_, file := newFile(t, m, dir, "file")
		linked, err := m.Link(background, file, Name{dir, "hard"})
		if err != nil || linked.Nlink != 2 {
			t.Errorf("link: %v %+v", err, linked)
		}
		if _, err := m.Link(background, file, Name{dir, "hard"}); Errno(err) != syscall.EEXIST {
			t.Errorf("link again: %v", err)
		}
		if err := m.Remove(background, Name{dir, "fifo"}); err != nil {
			t.Error(err)
		}
		sub, _, err := m.Mkdir(background, Name{dir, "full"}, Changes{})
		if err != nil {
			t.Fatal(err)
		}
		newFile(t, m, sub, "inside")
		if err := m.Remove(background, Name{dir, "full"}); Errno(err) != syscall.ENOTEMPTY {
			t.Errorf("removing a full directory: %v", err)
		}
	})
}

func TestServerAttributes(t *testing.T) {
	eachDataMount(t, func(t *testing.T, m *Mount, dir Handle) {
		_, h := newFile(t, m, dir, "file")
		mode, uid, gid, size := uint32(0o1751), uint32(1234), uint32(4_000_000_000), uint64(5<<30)
		atime, mtime := time.Unix(-5, 1000), time.Unix(1<<32, 999_999_999)
		attr, err := m.SetAttr(background, h, nil, Changes{Mode: &mode, UID: &uid, GID: &gid, Size: &size,
			Atime: &TimeChange{Time: atime}, Mtime: &TimeChange{Time: mtime}})
		if err != nil {
			t.Fatal(err)
		}
		if attr.Mode != mode || attr.UID != uid || attr.GID != gid || attr.Size != size ||
			!attr.Atime.Equal(atime) || !attr.Mtime.Equal(mtime) {
			t.Errorf("got %+v", attr)
		}
		attr, err = m.SetAttr(background, h, nil, Changes{Mtime: &TimeChange{Now: true}})
		if err != nil || time.Since(attr.Mtime).Abs() > time.Minute {
			t.Errorf("%v: mtime is %v", err, attr.Mtime)
		}
		stranger := Call{Ctx: context.Background(), Cred: Cred{UID: 77, GID: 77, Groups: []uint32{4_000_000_000}}}
		all := uint32(nfsv4.ACCESS4_READ | nfsv4.ACCESS4_MODIFY | nfsv4.ACCESS4_EXECUTE)
		if got, err := m.Access(stranger, h, all); err != nil || got != nfsv4.ACCESS4_READ|nfsv4.ACCESS4_EXECUTE {
			t.Errorf("a member of the group may %x: %v", got, err)
		}
		if _, err := m.SetAttr(stranger, h, nil, Changes{Mode: &mode}); Errno(err) != syscall.EPERM {
			t.Errorf("chmod by a stranger: %v", err)
		}
		if _, _, err := m.Mkdir(stranger, Name{dir, "no"}, Changes{}); Errno(err) != syscall.EACCES {
			t.Errorf("mkdir by a stranger: %v", err)
		}
		if space, err := m.StatFS(background, h); err != nil || space.TotalBytes == 0 || space.TotalFiles == 0 ||
			space.AvailableBytes > space.TotalBytes {
			t.Errorf("statfs: %v %+v", err, space)
		}
	})
}

func TestServerDataFarOut(t *testing.T) {
	eachDataMount(t, func(t *testing.T, m *Mount, dir Handle) {
		f, h := newFile(t, m, dir, "sparse")
		const far = 5 << 30
		data := bytes.Repeat([]byte("landfast"), 300_000)
		if n, err := f.Write(background, data, far); n != len(data) || err != nil {
			t.Fatal(n, err)
		}
		if attr, err := m.GetAttr(background, h); err != nil || attr.Size != far+uint64(len(data)) {
			t.Errorf("%v, the size is %d", err, attr.Size)
		}
		got := make([]byte, len(data)+100)
		n, eof, err := f.Read(background, got, far-50)
		want := append(make([]byte, 50), data...)
		if err != nil || !eof || n != len(want) || !bytes.Equal(got[:n], want) {
			t.Errorf("read %d bytes, eof %v, %v", n, eof, err)
		}
		if err := f.Sync(background); err != nil {
			t.Error(err)
		}
		if attr, err := m.GetAttr(background, h); err != nil || attr.Used > far {
			t.Errorf("%v, %d bytes are used for %d", err, attr.Used, len(data))
		}
		at, err := f.Seek(background, 0, nfsv4.NFS4_CONTENT_DATA)
		if m.client.minor < 2 {
			if Errno(err) != syscall.EOPNOTSUPP {
				t.Errorf("seek: %v", err)
			}
			if err := f.Allocate(background, 0, 1); Errno(err) != syscall.EOPNOTSUPP {
				t.Errorf("allocate: %v", err)
			}
			return
		}
		if err != nil || at != far {
			t.Errorf("seek to data: %d %v", at, err)
		}
		if _, err := f.Seek(background, far+uint64(len(data)), nfsv4.NFS4_CONTENT_DATA); Errno(err) != syscall.ENXIO {
			t.Errorf("seek behind the end: %v", err)
		}
		for name, err := range map[string]error{
			"allocate":   f.Allocate(background, 0, 1<<20),
			"deallocate": f.Deallocate(background, far, 1<<20),
		} {
			t.Logf("%s: %v", name, err)
			if err != nil && Errno(err) != syscall.EOPNOTSUPP {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestServerKilledBeforeSync(t *testing.T) {
	eachMinorAtOnce(t, func(t *testing.T, s *testServer, minor uint32, g *together) {
		m, dir := dataMount(t, minor)
		f, h := newFile(t, m, dir, "file")
		random := rand.New(rand.NewPCG(1, uint64(minor)))
		var want []byte
		write := func(count int) {
			for range count {
				data := make([]byte, 1+random.IntN(100_000))
				for i := range data {
					data[i] = byte(random.Uint32())
				}
				offset := uint64(random.IntN(1 << 20))
				if n, err := f.Write(background, data, offset); n != len(data) || err != nil {
					t.Fatal(n, err)
				}
				want = put(want, data, offset)
			}
		}
		write(40)
		g.once(func() { s.do("kill") })
		var restart sync.WaitGroup
		restart.Go(func() { g.once(func() { s.do("restart") }) })
		write(40)
		restart.Wait()
		got := make([]byte, len(want)+1)
		if n, _, err := f.Read(background, got, 0); err != nil || !bytes.Equal(got[:n], want) {
			t.Errorf("before sync: %v, %s", err, difference(got[:n], want))
		}
		write(10)
		if err := f.Sync(background); err != nil {
			t.Fatal(err)
		}
		other, _ := mountOf(t, s.address, minor)
		reader, _, err := other.Open(background, h, Name{dir, "file"}, Read)
		if err != nil {
			t.Fatal(err)
		}
		defer reader.Close(background)
		got = make([]byte, len(want)+1)
		if n, _, err := reader.Read(background, got, 0); err != nil || !bytes.Equal(got[:n], want) {
			t.Errorf("another client: %v, %s", err, difference(got[:n], want))
		}
		if len(m.client.pending.files) > 0 {
			t.Error("data is pending after sync")
		}
	})
}
