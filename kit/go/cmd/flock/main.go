// Command flock takes a flock(2) lock on a descriptor that it inherits, as the applet
// of BusyBox does: Debian's BusyBox lacks it, that of the public images has it.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strconv"
	"syscall"
)

func main() {
	noWait := flag.Bool("n", false, "fail rather than wait")
	flag.Parse()
	fd, err := strconv.Atoi(flag.Arg(0))
	if err != nil || flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: flock [-n] FD")
		os.Exit(2)
	}
	how := syscall.LOCK_EX
	if *noWait {
		how |= syscall.LOCK_NB
	}
	err = syscall.Flock(fd, how)
	for errors.Is(err, syscall.EINTR) {
		err = syscall.Flock(fd, how)
	}
	if err != nil {
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			fmt.Fprintln(os.Stderr, "flock:", err)
		}
		os.Exit(1)
	}
}
