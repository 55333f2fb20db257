package filesystem

import (
	"context"
	"testing"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"

	"landfast/kit/cmd/mount.nfs/internal/nfs"
)

func TestNodeLivesUntilTheKernelForgetsEveryLookup(t *testing.T) {
	all := newNodes("root")
	at := nfs.Name{Dir: "root", Name: "file"}
	n := all.found("h", at)
	if again := all.found("h", nfs.Name{Dir: "root", Name: "other"}); again != n {
		t.Fatal("two nodes of one file")
	}
	all.forget(n.id, 1)
	if all.get(n.id) != n || all.named(at) != nil || all.named(n.at) != n {
		t.Error("it is known by its last name until the last lookup is forgotten")
	}
	all.forget(n.id, 5)
	all.forget(fuse.FUSE_ROOT_ID, 1)
	if all.get(n.id) != nil || len(all.byName) != 0 || len(all.byHandle) != 1 {
		t.Errorf("%v %v", all.byName, all.byHandle)
	}
	if next := all.found("h", at); next.id == n.id {
		t.Error("a number is used again")
	}
}

func TestNamesFollowRenames(t *testing.T) {
	all := newNodes("root")
	a, b := nfs.Name{Dir: "root", Name: "a"}, nfs.Name{Dir: "d", Name: "b"}
	n, replaced := all.found("1", a), all.found("2", b)
	all.moved(a, b)
	if all.named(a) != nil || all.named(b) != n || all.placeOf(n) != b {
		t.Error("the name did not move")
	}
	all.forget(replaced.id, 1) // has no name any more, and must not take that of another
	if all.named(b) != n {
		t.Error("the name went with the file it had replaced")
	}
	all.removed(b)
	if all.named(b) != nil {
		t.Error("the name is still there")
	}
}

func TestPagesAreKeptForOneVersionThatNobodyWroteTo(t *testing.T) {
	n := &node{}
	one, two := versionOf{1, 10}, versionOf{2, 10}
	for i, c := range []struct {
		now   versionOf
		write bool
		want  bool
	}{{one, false, false}, {one, false, true}, {two, false, false}, {two, false, true}, {two, true, false}, {two, false, true}} {
		if c.write {
			n.write()
		}
		if got := n.pagesAre(c.now); got != c.want {
			t.Errorf("%d: %v", i, got)
		}
	}
}

func TestEntriesAreFoundByTheCookieBefore(t *testing.T) {
	l := &list{from: 7, entries: []nfs.Entry{{Cookie: 9}, {Cookie: 8}, {Cookie: 30}}, next: 3}
	for cookie, want := range map[uint64]int{30: 3, 8: 2, 9: 1, 7: 0} {
		l.next = 3
		if !l.find(cookie) || l.next != want {
			t.Errorf("behind %d: %d", cookie, l.next)
		}
	}
	if l.find(11) {
		t.Error("found what is not there")
	}
}

func TestDirectoriesAreLookedAtAfterTheCloseOfHiddenFiles(t *testing.T) {
	all := NewOpenFiles()
	f := all.add("h")
	all.add("h")     // a second open, whose close has no end
	all.closing(f)() // not hidden: nobody waits
	if all.none() || all.isHidden("h") {
		t.Error("open and not hidden")
	}
	f.hidden.Store(&hiddenName{})
	if !all.isHidden("h") {
		t.Error("hidden")
	}
	done := all.closing(f)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	all.wait(ctx)
	if ctx.Err() == nil {
		t.Error("it was not waited for")
	}
	go done()
	all.wait(t.Context())
	f.hidden.Store(nil)
	all.remove(t.Context(), f)
	all.remove(t.Context(), f)
	if !all.none() {
		t.Error("still open")
	}
}

func TestDirectoryIsEmptyOnceItsHiddenFilesHaveGone(t *testing.T) {
	all := NewOpenFiles()
	if all.emptied(t.Context(), "dir") {
		t.Error("there was nothing")
	}
	name := &hiddenName{at: nfs.Name{Dir: "dir"}, gone: make(chan struct{})}
	all.add("h").hidden.Store(name)
	if all.emptied(t.Context(), "dir") || all.emptied(t.Context(), "other") {
		t.Error("a file is still open")
	}
	time.AfterFunc(hiddenPatience/10, func() { close(name.gone) })
	if !all.emptied(t.Context(), "dir") {
		t.Error("its close was not waited for")
	}
}
