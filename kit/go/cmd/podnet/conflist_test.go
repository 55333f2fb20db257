package main

import (
	"bytes"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
)

func inode(t *testing.T, path string) os.FileInfo {
	t.Helper()
	info, err := os.Stat(path)
	check(t, err)
	return info
}

func TestConflistIsNotRewrittenWhenEqual(t *testing.T) {
	path := filepath.Join(t.TempDir(), "10-podnet.conflist")
	content, err := conflist(netip.MustParsePrefix("10.244.0.0/24"), 1500)
	check(t, err)
	if written, err := writeIfChanged(path, content); err != nil || !written {
		t.Fatalf("first write: written = %v, error = %v", written, err)
	}
	before := inode(t, path)
	if written, err := writeIfChanged(path, content); err != nil || written {
		t.Fatalf("second write: written = %v, error = %v", written, err)
	}
	if after := inode(t, path); !os.SameFile(before, after) || !before.ModTime().Equal(after.ModTime()) {
		t.Error("the equal file was written again")
	}
}

func TestConflistIsReplacedAsAWhole(t *testing.T) {
	path := filepath.Join(t.TempDir(), "10-podnet.conflist")
	check(t, os.WriteFile(path, []byte("old"), 0o600))
	// A reader that has the old file open keeps all of it: the new one is another file under the same name.
	reader, err := os.Open(path)
	check(t, err)
	defer reader.Close()
	before := inode(t, path)

	if written, err := writeIfChanged(path, []byte("new")); err != nil || !written {
		t.Fatalf("written = %v, error = %v", written, err)
	}
	var read bytes.Buffer
	_, err = read.ReadFrom(reader)
	check(t, err)
	after := inode(t, path)
	if read.String() != "old" || os.SameFile(before, after) {
		t.Errorf("the old file was changed in place: its reader saw %q", read.String())
	}
	if after.Mode().Perm() != 0o644 {
		t.Errorf("mode = %o, want 644: CNI runtimes need not run as root", after.Mode().Perm())
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	check(t, err)
	if len(entries) != 1 {
		t.Errorf("%d files are left, want only the configuration", len(entries))
	}
}

func TestConflistIsNotWrittenWithoutItsFolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "missing", "10-podnet.conflist")
	if _, err := writeIfChanged(path, []byte("x")); err == nil {
		t.Fatal("no error, although the folder is missing")
	}
}
