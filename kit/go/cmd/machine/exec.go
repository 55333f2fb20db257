package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// notRun is the exit code of exec where the machine has not booted or cannot run a program, as it is docker's own.
const notRun = 125

type list []string

func (l *list) String() string { return fmt.Sprint(*l) }

func (l *list) Set(value string) error {
	*l = append(*l, value)
	return nil
}

// execute runs a program in the machine and ends with its output and exit code.
func execute(shared share, args []string) error {
	var asked request
	flags := flag.NewFlagSet("machine exec", flag.ContinueOnError)
	flags.Var((*list)(&asked.Env), "env", "`NAME=VALUE` of a variable")
	flags.StringVar(&asked.Directory, "workdir", "", "the `folder` to run in")
	input := flags.Bool("interactive", false, "give the program the standard input")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if asked.Argv = flags.Args(); len(asked.Argv) == 0 {
		return errors.New(usage)
	}
	if _, err := os.Stat(shared.booted()); err != nil {
		return exitError{"the machine has not booted", notRun}
	}
	var stdin io.Reader
	if *input {
		stdin = os.Stdin
	}
	folder, err := shared.submit(asked, stdin)
	if err != nil {
		return fmt.Errorf("ask the machine: %w", err)
	}
	defer os.RemoveAll(folder)
	var got result
	err = fs.ErrNotExist
	for waited := lookEvery; errors.Is(err, fs.ErrNotExist); waited += lookEvery {
		if waited%ringEvery == 0 {
			if err := shared.ring(); err != nil {
				return fmt.Errorf("ring the machine: %w", err)
			}
		}
		time.Sleep(lookEvery)
		err = readJSON(filepath.Join(folder, resultFile), &got)
	}
	if err != nil {
		return err
	}
	if got.Reason != "" {
		return exitError{"the machine could not run it: " + got.Reason, notRun}
	}
	err = errors.Join(
		copyFile(os.Stdout, filepath.Join(folder, stdoutFile)),
		copyFile(os.Stderr, filepath.Join(folder, stderrFile)),
	)
	if err == nil && got.Code != 0 {
		return exitError{code: got.Code} // what went wrong is on stderr
	}
	return err
}

// submit leaves a request for the agent, rings, and returns the request's folder.
func (s share) submit(asked request, stdin io.Reader) (string, error) {
	folder, err := os.MkdirTemp(string(s), ".request-")
	if err != nil {
		return "", err
	}
	file, err := os.Create(filepath.Join(folder, stdinFile))
	if err != nil {
		return "", err
	}
	if stdin != nil {
		_, err = io.Copy(file, stdin)
	}
	err = errors.Join(err, file.Close(), writeJSON(filepath.Join(folder, requestFile), asked))
	if err != nil {
		return "", err
	}
	submitted := filepath.Join(s.requests(), filepath.Base(folder)[1:])
	if err := os.Rename(folder, submitted); err != nil {
		return "", err
	}
	return submitted, s.ring()
}

func copyFile(to io.Writer, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = io.Copy(to, file)
	return err
}
