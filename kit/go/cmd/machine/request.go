package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"
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

// pollEvery is how often exec and agent look for each other's files: a file system that two kernels share tells neither
// of changes by the other.
const pollEvery = 10 * time.Millisecond

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

// hosts has lines for the machine's /etc/hosts.
func (s share) hosts() string { return filepath.Join(string(s), "hosts") }

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
