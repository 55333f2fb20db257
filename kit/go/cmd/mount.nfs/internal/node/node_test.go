package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"landfast/kit/cmd/mount.nfs/internal/options"
)

var key = Key{netip.MustParseAddrPort("[::1]:2049"), "4.1", 7}

// TestMain is also the process that the tests start.
func TestMain(m *testing.M) {
	home := os.Getenv("NODE_TEST_HOME")
	if home == "" {
		os.Exit(m.Run())
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	alive := filepath.Join(home, "alive")
	if file, err := os.OpenFile(alive, os.O_CREATE|os.O_EXCL, 0o600); err != nil {
		fmt.Println("OVERLAP", err)
	} else {
		file.Close()
	}
	if err := Run(home, key, &fakeBackend{alive}, stop); err != nil {
		fmt.Println(err)
	}
}

type fakeBackend struct{ alive string }

func (b *fakeBackend) Mount(_ context.Context, r MountRequest) (Mounted, syscall.Errno) {
	if r.Path != "/export" {
		return nil, syscall.ENOENT
	}
	return &fakeMounted{}, 0
}
func (b *fakeBackend) Stats(Mounted) any { return map[string]int{"Process": os.Getpid()} }
func (b *fakeBackend) Close() {
	time.Sleep(5 * time.Millisecond)
	os.Remove(b.alive)
}

// fakeMounted sends back what it reads, until there is no more.
type fakeMounted struct{ fuse *os.File }

func (m *fakeMounted) Start(_ ServeRequest, fuse *os.File) error { m.fuse = fuse; return nil }
func (m *fakeMounted) Unmount()                                  { unix.Shutdown(int(m.fuse.Fd()), unix.SHUT_RDWR) }
func (m *fakeMounted) Serve() {
	data := make([]byte, 1)
	for {
		if n, err := m.fuse.Read(data); n == 0 || err != nil {
			m.fuse.Close()
			return
		}
		m.fuse.Write(data)
	}
}

type mount struct{ kernel *os.File }

func mountNow(home, device string) (*mount, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	session, err := Join(ctx, home, key, func() *exec.Cmd {
		command := exec.Command("/proc/self/exe")
		command.Env = append(os.Environ(), "NODE_TEST_HOME="+home)
		return command
	})
	if err != nil {
		return nil, fmt.Errorf("join: %w", err)
	}
	defer session.Close()
	o, _ := options.Parse(nil, false)
	if err = session.Mount(MountRequest{Path: "/export", Options: o, Timeout: time.Second}); err != nil {
		return nil, fmt.Errorf("mount: %w", err)
	}
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	theirs := os.NewFile(uintptr(pair[1]), "theirs")
	defer theirs.Close()
	m := &mount{os.NewFile(uintptr(pair[0]), "ours")}
	if err = session.Serve(ServeRequest{Directory: "/mnt", Device: device}, theirs); err != nil {
		m.kernel.Close()
		return nil, fmt.Errorf("serve: %w", err)
	}
	return m, nil
}

func (m *mount) use() error {
	if _, err := m.kernel.Write([]byte("x")); err != nil {
		return err
	}
	_, err := m.kernel.Read(make([]byte, 1))
	return err
}

func waitForEnd(t *testing.T, home string) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		_, alive := os.Stat(filepath.Join(home, "alive"))
		_, socket := os.Stat(filepath.Join(home, key.String()+".sock"))
		if errors.Is(alive, os.ErrNotExist) && errors.Is(socket, os.ErrNotExist) {
			return
		}
	}
	t.Error("the process is still there 10 s after its last mount")
}

func TestMountsComeWhileTheLastOneEnds(t *testing.T) {
	home := t.TempDir()
	var all sync.WaitGroup
	for worker := range 4 {
		all.Go(func() {
			for range 15 {
				m, err := mountNow(home, fmt.Sprint("0:", worker))
				if err != nil {
					t.Error(err)
					return
				}
				if err = m.use(); err != nil {
					t.Error("use:", err)
				}
				m.kernel.Close()
				time.Sleep(time.Duration(worker) * 3 * time.Millisecond)
			}
		})
	}
	all.Wait()
	waitForEnd(t, home)
	log, err := os.ReadFile(filepath.Join(home, key.String()+".log"))
	if err != nil || len(log) > 0 {
		t.Errorf("log: %s %v", log, err)
	}
}

func TestKilledProcessIsReplaced(t *testing.T) {
	home := t.TempDir()
	first, err := mountNow(home, "0:1")
	if err != nil {
		t.Fatal(err)
	}
	defer first.kernel.Close()
	if err = syscall.Kill(processOf(t, home, "0:1"), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	first.kernel.Read(make([]byte, 1)) // returns when it is dead
	os.Remove(filepath.Join(home, "alive"))
	second, err := mountNow(home, "0:2")
	if err != nil {
		t.Fatal(err)
	}
	if err = second.use(); err != nil {
		t.Error(err)
	}
	second.kernel.Close()
	waitForEnd(t, home)
}

func TestTerminatedProcessUnmountsAndMakesWay(t *testing.T) {
	home := t.TempDir()
	first, err := mountNow(home, "0:1")
	if err != nil {
		t.Fatal(err)
	}
	defer first.kernel.Close()
	if err = syscall.Kill(processOf(t, home, "0:1"), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	second, err := mountNow(home, "0:2")
	if err != nil {
		t.Fatal(err)
	}
	if _, err = first.kernel.Read(make([]byte, 1)); err == nil {
		t.Error("the first mount is still served")
	}
	second.kernel.Close()
	waitForEnd(t, home)
}

func processOf(t *testing.T, home, device string) int {
	t.Helper()
	data, err := Stats(home, device)
	if err != nil {
		t.Fatal(err)
	}
	var stats struct{ Process int }
	if err = json.Unmarshal(data, &stats); err != nil {
		t.Fatal(err)
	}
	return stats.Process
}

func TestServerRefusalReachesTheCaller(t *testing.T) {
	home := t.TempDir()
	session, err := Join(t.Context(), home, key, func() *exec.Cmd {
		command := exec.Command("/proc/self/exe")
		command.Env = append(os.Environ(), "NODE_TEST_HOME="+home)
		return command
	})
	if err != nil {
		t.Fatal(err)
	}
	o, _ := options.Parse(nil, false)
	err = session.Mount(MountRequest{Path: "/nothing", Options: o, Timeout: time.Second})
	if !errors.Is(err, syscall.ENOENT) {
		t.Errorf("got %v, want ENOENT", err)
	}
	session.Close()
	waitForEnd(t, home)
}

func TestProcessThatCannotStartIsReported(t *testing.T) {
	_, err := Join(t.Context(), t.TempDir(), key, func() *exec.Cmd { return exec.Command("/bin/false") })
	if err == nil || !strings.Contains(err.Error(), "did not start") {
		t.Error(err)
	}
}

func TestKeyIsReadBack(t *testing.T) {
	for _, k := range []Key{key, {netip.MustParseAddrPort("10.0.0.1:20049"), "4", 4026531840}} {
		if got, err := ParseKey(k.String()); err != nil || got != k {
			t.Errorf("%v: %v %v", k, got, err)
		}
	}
	for _, text := range []string{"", "-", "a-b-c", "1.2.3.4:1-4-", "1.2.3.4:1-4-1x"} {
		if got, err := ParseKey(text); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestIdentityStaysOnAMachineAndDiffersBetweenTwo(t *testing.T) {
	one, two := t.TempDir(), t.TempDir()
	seen := map[string]bool{}
	for _, home := range []string{one, one, two} {
		identity, err := key.Identity(home)
		if err != nil || len(identity) > 1024 {
			t.Fatal(identity, err)
		}
		seen[identity] = true
	}
	if len(seen) != 2 {
		t.Error(seen)
	}
}

func FuzzParseRequest(f *testing.F) {
	f.Add([]byte(`{"Stats":{"Device":"0:52"}}`))
	f.Add([]byte(`{"Mount":{"Path":"/x","Timeout":1,"Options":{"Minors":[1]}}}`))
	f.Add([]byte(`{"Serve":{"Directory":"/mnt","Device":"0:1"}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := parseRequest(data)
		if err == nil && (r.Mount == nil) == (r.Serve == nil) && r.Stats == nil {
			t.Errorf("%q: %+v", data, r)
		}
	})
}
