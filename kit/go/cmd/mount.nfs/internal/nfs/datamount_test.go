package nfs

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/buildbarn/go-xdr/pkg/protocols/nfsv4"
)

// dataMount gives a mount of the real server and a directory in it.
func dataMount(t testing.TB, minor uint32) (*Mount, Handle) {
	server := os.Getenv("NFS_TEST_SERVER")
	if server == "" {
		t.Skip("NFS_TEST_SERVER is not set")
	}
	m, root := mountOf(t, server, minor)
	name := fmt.Sprintf("data-%d", rand.Uint64())
	mode := uint32(0o755)
	dir, _, err := m.Mkdir(background, Name{root, name}, Changes{Mode: &mode})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { removeAll(t, m, dir, Name{root, name}) })
	return m, dir
}

func mountOf(t testing.TB, server string, minor uint32) (*Mount, Handle) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := Connect(ctx, Config{
		Address: server, Minors: []uint32{minor}, Identity: fmt.Sprintf("test-%d", rand.Uint64()),
		Logf: func(string, ...any) {},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	m, root, _, err := c.Mount(ctx, exportPath, MountOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return m, root
}

// removeAll lists and removes at once, as `rm -r` does.
func removeAll(t testing.TB, m *Mount, dir Handle, at Name) {
	var part Entries
	var cookie uint64
	for !part.End {
		var err error
		if part, err = m.ReadDir(background, dir, cookie, part.Verifier, true, 32<<10); err != nil {
			t.Errorf("listing: %v", err)
			return
		}
		inParallel(len(part.List), func(i int) {
			e := part.List[i]
			if e.Attr.Type == nfsv4.NF4DIR {
				removeAll(t, m, e.Handle, Name{dir, e.Name})
			} else if err := m.Remove(background, Name{dir, e.Name}); err != nil {
				t.Errorf("removing %q: %v", e.Name, err)
			}
		})
		if len(part.List) > 0 {
			cookie = part.List[len(part.List)-1].Cookie
		}
	}
	if err := m.Remove(background, at); err != nil {
		t.Errorf("removing the directory: %v", err)
	}
}

func inParallel(count int, do func(int)) {
	var all sync.WaitGroup
	room := make(chan struct{}, 32)
	for i := range count {
		room <- struct{}{}
		all.Go(func() { do(i); <-room })
	}
	all.Wait()
}

func newFile(t testing.TB, m *Mount, dir Handle, name string) (*File, Handle) {
	mode := uint32(0o644)
	f, h, _, err := m.Create(background, Name{dir, name}, ReadWrite, false, Changes{Mode: &mode})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close(background) })
	return f, h
}

func eachDataMount(t *testing.T, test func(*testing.T, *Mount, Handle)) {
	eachMinor(t, func(t *testing.T, _ *testServer, minor uint32) {
		m, dir := dataMount(t, minor)
		test(t, m, dir)
	})
}

func list(t testing.TB, m *Mount, dir Handle, plus bool) map[string]Entry {
	found := map[string]Entry{}
	var part Entries
	var cookie uint64
	for !part.End {
		var err error
		part, err = m.ReadDir(background, dir, cookie, part.Verifier, plus, 128<<10)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range part.List {
			if _, twice := found[e.Name]; twice {
				t.Fatalf("%q is listed twice", e.Name)
			}
			found[e.Name], cookie = e, e.Cookie
		}
	}
	return found
}
