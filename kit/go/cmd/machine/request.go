package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// A request is a folder of requestsDir: request.json and stdin by exec, then stdout, stderr and result.json by the agent.
// Each folder and result appears whole, by a rename.
const (
	requestFile = "request.json"
	stdinFile   = "stdin"
	stdoutFile  = "stdout"
	stderrFile  = "stderr"
	resultFile  = "result.json"
)

// A file system that two kernels share tells neither of changes by the other. So exec rings the agent, and looks for the
// result; an agent that looked for requests would take a quarter of a core.
const (
	lookEvery = 10 * time.Millisecond
	ringEvery = time.Second // a machine that was frozen or just booted may have missed the first ring
)

type request struct {
	Argv      []string `json:"argv"`
	Env       []string `json:"env,omitempty"` // added to the agent's own
	Directory string   `json:"directory,omitempty"`
}

type result struct {
	Code   int    `json:"code"`
	Reason string `json:"reason,omitempty"` // why there is no exit code, or not all output
}

// share is a folder that exec and agent share.
type share string

func (s share) requests() string { return filepath.Join(string(s), "requests") }

// booted is there as long as the agent of this boot answers.
func (s share) booted() string { return filepath.Join(string(s), "booted") }

// bell is a pipe of the container; the machine has its other end as bellLine.
func (s share) bell() string { return filepath.Join(string(s), "bell") }

// hosts has lines for the machine's /etc/hosts.
func (s share) hosts() string { return filepath.Join(string(s), "hosts") }

// makeBell makes the bell and opens it, so that it can be rung from now on.
func (s share) makeBell() (*os.File, error) {
	if err := unix.Mkfifo(s.bell(), 0o600); err != nil {
		return nil, err
	}
	return os.OpenFile(s.bell(), os.O_RDWR, 0)
}

// ring makes the agent look for requests. A pipe that is full rings already.
func (s share) ring() error {
	bell, err := os.OpenFile(s.bell(), os.O_WRONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer bell.Close()
	if _, err := bell.WriteString("\n"); err != nil && !errors.Is(err, unix.EAGAIN) {
		return err
	}
	return nil
}

func writeJSON(path string, value any) error {
	content, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encode %s: %w", path, err)
	}
	if err := os.WriteFile(path+".new", content, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

func readJSON(path string, value any) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(content, value); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	return nil
}
