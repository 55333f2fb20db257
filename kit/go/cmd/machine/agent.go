package main

import (
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// bellLine is the bell in the machine: a console, from which each ring is read as an empty line.
const bellLine = "/dev/tty9"

// Exit codes of a program that did not run, as of a shell.
const (
	notExecutable = 126
	notFound      = 127
	signalled     = 128
)

func agent() error {
	bell, err := os.OpenFile(bellLine, os.O_RDONLY|syscall.O_NOCTTY, 0)
	if err != nil {
		return err
	}
	defer bell.Close()
	return serve(sharedDir, bell)
}

// serve looks for requests and runs them, each time that the bell rings. It says that the machine has booted.
func serve(shared share, bell io.Reader) error {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return fmt.Errorf("read the boot's id: %w", err)
	}
	if err := os.WriteFile(shared.booted(), boot, 0o644); err != nil {
		return fmt.Errorf("say that the machine has booted: %w", err)
	}
	seen, rings := map[string]bool{}, make([]byte, 4096)
	for {
		found, err := os.ReadDir(shared.requests())
		if err != nil {
			return fmt.Errorf("look for requests: %w", err)
		}
		now := map[string]bool{}
		for _, entry := range found {
			now[entry.Name()] = true
			if !seen[entry.Name()] {
				go answer(filepath.Join(shared.requests(), entry.Name()))
			}
		}
		seen = now
		if _, err := bell.Read(rings); err != nil {
			return fmt.Errorf("wait for the bell: %w", err)
		}
	}
}

// answer runs the program of one request and leaves its result.
func answer(folder string) {
	code, err := perform(folder)
	left := result{Code: code}
	if err != nil {
		left.Reason = err.Error()
	}
	if err := writeJSON(filepath.Join(folder, resultFile), left); err != nil {
		log.Printf("request %s: %v", folder, err)
	}
}

func perform(folder string) (int, error) {
	var asked request
	if err := readJSON(filepath.Join(folder, requestFile), &asked); err != nil {
		return 0, err
	}
	stdin, err := os.Open(filepath.Join(folder, stdinFile))
	if err != nil {
		return 0, err
	}
	defer stdin.Close()
	stdout, err := os.Create(filepath.Join(folder, stdoutFile))
	if err != nil {
		return 0, err
	}
	defer stdout.Close()
	stderr, err := os.Create(filepath.Join(folder, stderrFile))
	if err != nil {
		return 0, err
	}
	defer stderr.Close()
	program := exec.Command(asked.Argv[0], asked.Argv[1:]...)
	program.Stdin, program.Stdout, program.Stderr = stdin, stdout, stderr
	program.Env, program.Dir = append(os.Environ(), asked.Env...), asked.Directory
	program.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	code := exitCode(program.Run(), stderr)
	// what the program's own children still have open is not written back by the close
	return code, errors.Join(stdout.Sync(), stderr.Sync())
}

// exitCode says how a program ended, as a shell does; why it did not start is written to stderr.
func exitCode(err error, stderr *os.File) int {
	if err == nil {
		return 0
	}
	if ended, ok := errors.AsType[*exec.ExitError](err); ok {
		if status, ok := ended.Sys().(syscall.WaitStatus); ok && status.Signaled() {
			return signalled + int(status.Signal())
		}
		return ended.ExitCode()
	}
	fmt.Fprintln(stderr, err)
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, os.ErrNotExist) {
		return notFound
	}
	return notExecutable
}
