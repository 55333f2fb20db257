package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestCommandLinesOfMount(t *testing.T) {
	for _, c := range []struct {
		args                    string
		server, path, directory string
		options                 string
	}{
		{"10.0.0.1:/data /mnt", "10.0.0.1", "/data", "/mnt", ""},
		{"server:/ /mnt -o rw,hard", "server", "/", "/mnt", "rw,hard"},
		{"-sfnv -o ro [::1]:/a:/b /mnt", "::1", "/a:/b", "/mnt", "ro"},
		{"s:/a /mnt -ro noexec -t nfs4 -N 4 -w", "s", "/a", "/mnt", "ro;noexec;rw"},
	} {
		got, ok := parseCommand(strings.Fields(c.args))
		options := strings.Join(got.options, ";")
		if !ok || got.server != c.server || got.path != c.path || got.directory != c.directory || options != c.options {
			t.Errorf("%s: %+v %v", c.args, got, ok)
		}
	}
}

func TestWrongCommandLinesAreUsageErrors(t *testing.T) {
	for _, args := range []string{
		"", "a:/b", "a:/b /mnt more", "a /mnt", ":/b /mnt", "a:b /mnt", "[::1]/b /mnt", "a:/b /mnt -x",
		"a:/b /mnt -o", "--stats", "--stats /a /b", "--what a:/b /mnt", "--version a:/b",
	} {
		var out, errors bytes.Buffer
		if code := run(strings.Fields(args), &out, &errors); code != exitUsage || errors.String() != usage {
			t.Errorf("%q: %d %s", args, code, errors.String())
		}
	}
}

func TestFailuresAreToldAsMountTells(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ args, want string }{
		{"a:/b / -o landfast-unknown", "an incorrect mount option was specified"},
		{"a:/b / -o vers=3", "Protocol not supported"},
		{"a:/b /does/not/exist", "mount point /does/not/exist does not exist"},
		{"a:/b " + file, "mount point " + file + " is not a directory"},
		{"127.0.0.1:/b / -o retry=0,port=1", "mounting 127.0.0.1:/b failed: Connection refused"},
		{"no.such.host.invalid:/b / -o retry=0", "Failed to resolve server no.such.host.invalid"},
		{"--stats /proc/self", "/proc/self is not a mount point"},
	} {
		var out, errors bytes.Buffer
		code := run(strings.Fields(c.args), &out, &errors)
		if code != exitFailure || errors.String() != "mount.nfs: "+c.want+"\n" {
			t.Errorf("%q: %d %s", c.args, code, errors.String())
		}
	}
}

func TestFakeMountIsDone(t *testing.T) {
	if code := run([]string{"-f", "127.0.0.1:/b", "/"}, os.Stdout, os.Stderr); code != 0 {
		t.Error(code)
	}
}

func TestErrorsAreTheSentencesOfStrerror(t *testing.T) {
	for number, want := range map[syscall.Errno]string{
		syscall.ENOENT: "No such file or directory", syscall.ESTALE: "Stale file handle",
		syscall.ECONNREFUSED: "Connection refused", syscall.ENOTDIR: "Not a directory",
		syscall.EHOSTUNREACH: "No route to host", syscall.ETIMEDOUT: "Connection timed out",
	} {
		if got := sentence(number); got != want {
			t.Errorf("%v: %s", number, got)
		}
	}
}

func FuzzParseCommand(f *testing.F) {
	f.Add("-sfnv -o ro [::1]:/a /mnt")
	f.Fuzz(func(t *testing.T, line string) {
		c, ok := parseCommand(strings.Split(line, " "))
		if ok && c.stats == "" && !c.help && !c.version && (c.server == "" || c.path == "" || c.path[0] != '/') {
			t.Errorf("%q: %+v", line, c)
		}
	})
}
