// Command machine carries a whole kernel, User-Mode Linux, in a container: the container's pauses, kills and starts are
// the machine's, and so are its address and MAC. It is all that a machine needs besides the kernel and a disk:
//
//	machine run                          the container's first process: takes over its network, boots, ends with the kernel
//	machine exec [OPTION]... PROGRAM...  in the container: runs a program in the machine, with the options of `docker exec`
//	machine-init                         the machine's first process, until systemd takes over
//	machine agent                        in the machine: runs what exec asks for
//
// exec and agent share a folder of the container, which the machine mounts by hostfs, and a bell: no network is needed.
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// sharedDir is the folder that the container and the machine share, under the same name in both.
const sharedDir share = "/run/machine"

const usage = `usage: machine run | machine agent | machine exec [--interactive] [--workdir FOLDER] [--env NAME=VALUE]... PROGRAM [ARGUMENT...]`

// exitError carries an exit code that is not 1. Without a reason there is nothing to say.
type exitError struct {
	reason string
	code   int
}

func (e exitError) Error() string { return e.reason }

func main() {
	err := dispatch(filepath.Base(os.Args[0]), os.Args[1:])
	if err == nil {
		return
	}
	if err.Error() != "" {
		fmt.Fprintln(os.Stderr, "machine:", err)
	}
	code := 1
	if coded, ok := errors.AsType[exitError](err); ok {
		code = coded.code
	}
	os.Exit(code)
}

func dispatch(name string, args []string) error {
	switch {
	case name == "machine-init":
		return initialise()
	case len(args) == 1 && args[0] == "run":
		return run()
	case len(args) == 1 && args[0] == "agent":
		return agent()
	case len(args) > 1 && args[0] == "exec":
		return execute(sharedDir, args[1:])
	}
	return errors.New(usage)
}
