package nfs

import (
	"bytes"
	"strings"
	"testing"

	"github.com/buildbarn/go-xdr/pkg/protocols/nfsv4"
)

func listOf(names ...string) *nfsv4.Readdir4resok {
	list := nfsv4.Readdir4resok{Reply: nfsv4.Dirlist4{Eof: true}}
	for _, name := range names {
		list.Reply.Entries = &nfsv4.Entry4{
			Cookie: 3, Name: name, Attrs: fullValues(nfsv4.NF4REG, "7", 1), Nextentry: list.Reply.Entries,
		}
	}
	return &list
}

func TestNamesThatLeadOutOfADirectoryAreRefused(t *testing.T) {
	m := &Mount{client: &Client{pending: newPending()}}
	for _, name := range []string{"", ".", "..", "a/b", "/", "a\x00"} {
		if got, err := m.entriesOf(listOf("good", name)); err == nil {
			t.Errorf("%q: %+v", name, got)
		}
	}
	if got, err := m.entriesOf(listOf("...", "a")); err != nil || len(got.List) != 2 {
		t.Errorf("%+v %v", got, err)
	}
	endless := listOf()
	endless.Reply.Eof = false
	if got, err := m.entriesOf(endless); err == nil {
		t.Errorf("an empty part that is not the end: %+v", got)
	}
}

func FuzzDirectory(f *testing.F) {
	for _, list := range []*nfsv4.Readdir4resok{listOf(), listOf("a", "b"), listOf("..")} {
		var b bytes.Buffer
		list.WriteTo(&b)
		f.Add(b.Bytes())
	}
	m := &Mount{client: &Client{pending: newPending()}}
	f.Fuzz(func(t *testing.T, wire []byte) {
		var list nfsv4.Readdir4resok
		if _, err := list.ReadFrom(bytes.NewReader(wire)); err != nil {
			return
		}
		entries, err := m.entriesOf(&list)
		if err != nil {
			return
		}
		for _, e := range entries.List {
			if strings.Trim(e.Name, ".") == "" && len(e.Name) < 3 || strings.ContainsAny(e.Name, "/\x00") {
				t.Errorf("accepted %q", e.Name)
			}
		}
	})
}
