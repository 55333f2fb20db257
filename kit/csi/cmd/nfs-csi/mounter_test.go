package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// inAnother runs a program in the mount namespace of a process that has a folder of its own mounted at place.
func inAnother(t *testing.T, place string) func(ctx context.Context, command ...string) error {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root has other mount namespaces")
	}
	// cat ends with its input.
	other := exec.Command("unshare", "--mount", "sh", "-c", `mount -t tmpfs none "$0" && touch "$0/there" && echo && exec cat`, place)
	input, err := other.StdinPipe()
	must(t, err)
	output, err := other.StdoutPipe()
	must(t, err)
	must(t, other.Start())
	t.Cleanup(func() {
		input.Close()
		_ = other.Wait()
	})
	if _, err := bufio.NewReader(output).ReadString('\n'); err != nil {
		t.Skip("nothing can be mounted here")
	}
	return func(ctx context.Context, command ...string) error {
		ended := make(chan error, 1)
		go func() { ended <- inNamespace(ctx, fmt.Sprintf("/proc/%d/ns/mnt", other.Process.Pid), command) }()
		return <-ended
	}
}

func TestAProgramRunsInTheOtherMountNamespace(t *testing.T) {
	place := t.TempDir()
	run := inAnother(t, place)
	must(t, run(t.Context(), "/usr/bin/test", "-e", filepath.Join(place, "there")))
	if _, err := os.Stat(filepath.Join(place, "there")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("this process is there, too: %v", err)
	}
	err := run(t.Context(), "/bin/ls", filepath.Join(place, "nothing"))
	if err == nil || !strings.Contains(err.Error(), "exit status 2: ") || !strings.Contains(err.Error(), "No such file") {
		t.Errorf("a program that fails: %v", err)
	}
}

func TestAProgramThatTakesTooLongIsEnded(t *testing.T) {
	run := inAnother(t, t.TempDir())
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := run(ctx, "/bin/sleep", "60"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestAFolderIsNotMounted(t *testing.T) {
	folder := t.TempDir()
	if mounted, err := (nodeMounter{}).mounted(filepath.Join(folder, "nothing")); mounted || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("of nothing: %v, %v", mounted, err)
	}
	below := filepath.Join(folder, "x")
	must(t, os.Mkdir(below, 0o755))
	if mounted, err := (nodeMounter{}).mounted(below); mounted || err != nil {
		t.Errorf("of a folder: %v, %v", mounted, err)
	}
	if mounted, err := (nodeMounter{}).mounted("/proc"); !mounted || err != nil {
		t.Errorf("of /proc: %v, %v", mounted, err)
	}
}
