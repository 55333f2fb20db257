package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/hanwen/go-fuse/v2/posixtest"
)

// TestMain is also the process behind the mounts, which mount.nfs starts from its own program.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == serveOption {
		main()
	}
	os.Exit(m.Run())
}

// TestPosix runs public test suites on a mount, and for comparison on the machine's own file system.
func TestPosix(t *testing.T) {
	if os.Getenv("POSIX_TEST") == "" {
		t.Skip("it mounts, and takes its time: nox -s posix")
	}
	t.Run("local", func(t *testing.T) { posixSuites(t, newFolder(t, ""), nil) })
	t.Run("nfs", func(t *testing.T) { posixSuites(t, mountTestServer(t), pjdfstestOnNFS) })
}

func mountTestServer(t *testing.T) string {
	t.Helper()
	server, export := os.Getenv("NFS_TEST_SERVER"), os.Getenv("NFS_TEST_EXPORT")
	host, port, _ := strings.Cut(server, ":")
	folder := newFolder(t, "")
	if code := run([]string{host + ":" + export, folder, "-o", "port=" + port}, os.Stdout, os.Stderr); code != 0 {
		t.Fatalf("%s:%s cannot be mounted", server, export)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(folder, 0); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	return folder
}

func posixSuites(t *testing.T, folder string, failures map[string]string) {
	for name, test := range posixtest.All {
		t.Run("go-fuse/"+name, func(t *testing.T) {
			if reason := goFuseElsewhere[name]; reason != "" {
				t.Skip(reason)
			}
			test(t, newFolder(t, folder))
		})
	}
	config := filepath.Join(t.TempDir(), "pjdfstest.toml")
	if err := os.WriteFile(config, []byte(pjdfstestConfig(t, failures)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, suite := range posixPrograms {
		t.Run(suite.name, func(t *testing.T) {
			own := newFolder(t, folder)
			command := strings.NewReplacer("FOLDER", own, "CONFIG", config).Replace(suite.command)
			words := strings.Fields(command)
			c := exec.CommandContext(t.Context(), words[0], words[1:]...)
			out, err := c.CombinedOutput()
			if errors.Is(err, exec.ErrNotFound) {
				t.Skipf("%s is not installed: %s", words[0], suite.install)
			}
			if err != nil {
				t.Fatalf("%s: %v\n%s", command, err, out)
			}
			lines := strings.Split(strings.TrimSpace(string(out)), "\n")
			t.Log(lines[len(lines)-1])
		})
	}
}

// newFolder makes a folder into which every user may go. Its path is short: sockets are bound in it.
func newFolder(t *testing.T, within string) string {
	t.Helper()
	folder, err := os.MkdirTemp(within, "posix")
	if err == nil {
		err = os.Chmod(folder, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	return folder
}

// posixPrograms are what FOLDER is tested with, a new folder for each.
var posixPrograms = []struct{ name, command, install string }{
	{"smoke", "python3 testdata/smoke.py FOLDER", "install Python"},
	{"pjdfstest", "pjdfstest --configuration-file CONFIG --path FOLDER", "cargo install --locked pjdfstest"},
	{"fsx", "fsx -N 20000 FOLDER/file", "cargo install --locked fsx"},
	{"fio", "fio --name=verify --directory=FOLDER --size=32m --rw=randrw --bsrange=512-64k --verify=crc32c" +
		" --verify_state_save=0 --fallocate=none --fsync=64", "apt-get install fio"},
	{"stress-ng", "stress-ng --class filesystem --sequential 1 --timeout 1 --verify --temp-path FOLDER" +
		" --exclude bind-mount,binderfs,procfs,xattr --hdd-bytes 8m --fallocate-bytes 4m --oomable", "apt-get install stress-ng"},
}

// goFuseElsewhere are go-fuse's tests of what is not so here, and why.
var goFuseElsewhere = map[string]string{
	"FallocateKeepSize":   "NFSv4.2 cannot reserve space beyond the end: EOPNOTSUPP as from the kernel's client",
	"FcntlFlockLocksFile": "locks of one process do not conflict; the test passes where FUSE has no locks of its own",
	"OpenSymlinkRace":     "a file that is replaced between FUSE's lookup and open is ESTALE; the test is for go-fuse's loopback",
	"SetattrSymlink":      "Ganesha answers OK to new times of a symbolic link, and does nothing",
}

// pjdfstestOnNFS are the tests of pjdfstest that fail, and why.
var pjdfstestOnNFS = map[string]string{
	"utimensat::follow_symlink": goFuseElsewhere["SetattrSymlink"],
}

// Ganesha reaches sockets and devices by the name under which it found them: without that name it
// answers BADTYPE, although there is another one.
func init() {
	for _, test := range []string{"link::remove_link", "rename::to_multiply_linked", "unlink::update_ctime_success"} {
		for _, kind := range []string{"block", "char", "socket"} {
			pjdfstestOnNFS[test+"::"+kind] = "Ganesha knows such a file by one name only"
		}
	}
}

func pjdfstestConfig(t *testing.T, failures map[string]string) string {
	t.Helper()
	var users, tests []string
	for _, name := range []string{"nobody", "daemon"} {
		account, err := user.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		group, err := user.LookupGroupId(account.Gid)
		if err != nil {
			t.Fatal(err)
		}
		users = append(users, fmt.Sprintf("[%q, %q]", name, group.Name))
	}
	for test := range failures {
		tests = append(tests, fmt.Sprintf("%q", test))
	}
	return fmt.Sprintf(`[features]
posix_fallocate = {}
rename_ctime = {}
utime_now = {}
utimensat = {}
[settings]
naptime = 0.02
expected_failures = [%s]
[dummy_auth]
entries = [%s]
`, strings.Join(tests, ", "), strings.Join(users, ", "))
}
