package filesystem

import (
	"context"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

func TestDeathBySignalIsToldFromOtherEnds(t *testing.T) {
	// The flags, with PF_EXITING in 0x40404c, are the 7th field behind the name, how it ended is the 50th.
	stat := "42 (a) b) R 1 42 42 0 -1 %f" + strings.Repeat(" 0", 42) + " %c"
	for _, c := range []struct {
		flags, code string
		want        bool
	}{{"4210764", "9", true}, {"4210764", "15", true}, {"4210764", "0", false}, {"4210764", "256", false}, {"4210688", "9", false}} {
		text := strings.Replace(strings.Replace(stat, "%f", c.flags, 1), "%c", c.code, 1)
		if got := diedSo([]byte(text)); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
	if diedSo([]byte("42 (a) R")) || diedSo(nil) {
		t.Error("a short line tells of a death")
	}
}

// A stopped process keeps the signals that are sent to it.
func stopped(t *testing.T) *exec.Cmd {
	t.Helper()
	command := exec.Command("sleep", "60")
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { command.Process.Kill(); command.Wait() })
	return command
}

func TestRequestEndsOnlyWithAFatalSignal(t *testing.T) {
	device := pipe(t)
	fs := &FileSystem{device: device, callers: callers{known: map[caller]callerGroups{}}}
	process := stopped(t)
	header := &fuse.InHeader{Caller: fuse.Caller{Pid: uint32(process.Process.Pid)}}
	interrupt := make(chan struct{})
	r := fs.begin(interrupt, header)
	defer r.end()
	close(interrupt)
	select {
	case <-r.Done():
		t.Fatal("a signal that does not kill has ended it")
	case <-time.After(3 * killedPoll):
	}
	process.Process.Kill()
	process.Wait()
	select {
	case <-r.Done():
	case <-time.After(5 * time.Second):
		t.Fatal("the process is dead and the request goes on")
	}
	if r.Err() != context.Canceled {
		t.Error(r.Err())
	}
}

func TestLockEndsWithAnySignalAndTheKernelWithItsConnection(t *testing.T) {
	process := stopped(t)
	for name, h := range map[string]*fuse.InHeader{
		"lock":   {Caller: fuse.Caller{Pid: uint32(process.Process.Pid)}},
		"kernel": {},
	} {
		fs := &FileSystem{device: pipe(t)}
		interrupt := make(chan struct{})
		r := fs.begin(interrupt, h)
		r.anyEnds = name == "lock"
		if r.Err() != nil {
			t.Errorf("%s: ended before", name)
		}
		close(interrupt)
		select {
		case <-r.Done():
		case <-time.After(5 * time.Second):
			t.Errorf("%s: goes on", name)
		}
		r.end()
	}
}

func pipe(t *testing.T) int {
	t.Helper()
	var ends [2]int
	if err := unix.Pipe(ends[:]); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(ends[0]); unix.Close(ends[1]) })
	return ends[0]
}

func TestGroupsOfACallerAreKnown(t *testing.T) {
	want, err := os.Getgroups()
	if err != nil {
		t.Fatal(err)
	}
	all := callers{known: map[caller]callerGroups{}}
	h := &fuse.InHeader{Caller: fuse.Caller{Pid: uint32(os.Getpid()), Owner: fuse.Owner{Uid: 5, Gid: 6}}}
	for range 2 {
		cred := all.cred(h)
		var got []int
		for _, group := range cred.Groups {
			got = append(got, int(group))
		}
		if !slices.Equal(got, want) || cred.UID != 5 || cred.GID != 6 {
			t.Errorf("%+v, want groups %v", cred, want)
		}
	}
	if groupsOf(uint32(1<<31-1)) != nil {
		t.Error("a process that is not there has groups")
	}
}
