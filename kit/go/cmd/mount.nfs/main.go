// Command mount.nfs mounts directories of NFSv4 servers where the kernel has no NFS client. It is
// installed as /sbin/mount.nfs and /sbin/mount.nfs4, and called by mount(8) like the program of
// nfs-utils. The mounts are of type fuse.nfs4, and served by one process for each server.
//
// It has no Kerberos, delegations, ACLs or extended attributes, and does not remount. A mount with
// bg is made in the foreground. The kernel shows of the options what it knows itself, such as ro and
// noatime; --stats shows all.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"

	"landfast/kit/cmd/mount.nfs/internal/node"
	"landfast/kit/cmd/mount.nfs/internal/options"
)

const version = "1.0"

// mount(8)
const (
	exitUsage   = 1
	exitFailure = 32
)

// Buffers of a megabyte come and go. These make Go collect its garbage before much of it is there;
// they are no limit to what is in use.
const (
	memoryLimit    = 96 << 20
	garbagePercent = 50
)

// A goroutine in a system call keeps its processor until the runtime takes it away, which costs a
// thread. As most of them wait in system calls here, there are to be more of them than of the real ones.
const processorsMin = 4

const usage = `usage: mount.nfs SERVER:/PATH DIRECTORY [-rwvfns] [-o OPTIONS]
       mount.nfs --stats DIRECTORY
       mount.nfs --version | --help
`

// serveOption is what a process is started with that serves mounts.
const serveOption = "--serve"

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, out, errors io.Writer) int {
	if len(args) == 2 && args[0] == serveOption {
		return serve(args[1])
	}
	c, ok := parseCommand(args)
	var err error
	switch {
	case !ok:
		fmt.Fprint(errors, usage)
		return exitUsage
	case c.help:
		fmt.Fprint(out, usage)
	case c.version:
		fmt.Fprintf(out, "mount.nfs: Landfast NFSv4 client %s\n", version)
	case c.stats != "":
		err = printStats(out, c.stats)
	default:
		err = mount(c)
	}
	if err != nil {
		fmt.Fprintf(errors, "mount.nfs: %v\n", err)
		return exitFailure
	}
	return 0
}

// command is the command line.
type command struct {
	source, server, path string
	directory            string
	options              []string
	fake, sloppy         bool
	help, version        bool
	stats                string
}

// parseCommand tells whether there is a meaning in the arguments.
func parseCommand(args []string) (c command, ok bool) {
	var names []string
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		switch {
		case arg == "--help":
			c.help = true
		case arg == "--version":
			c.version = true
		case arg == "--stats" && len(args) == 1:
			c.stats = args[0]
			args = nil
		case strings.HasPrefix(arg, "--"):
			return c, false
		case len(arg) > 1 && arg[0] == '-':
			if args, ok = c.flags(arg[1:], args); !ok {
				return c, false
			}
		default:
			names = append(names, arg)
		}
	}
	if c.help || c.version || c.stats != "" {
		return c, len(names) == 0
	}
	if len(names) != 2 {
		return c, false
	}
	c.source, c.directory = names[0], names[1]
	c.server, c.path, ok = splitSource(c.source)
	return c, ok
}

// flags reads letters; the value of one is the rest of its argument, or the next argument.
func (c *command) flags(letters string, args []string) (rest []string, ok bool) {
	for i, letter := range letters {
		switch letter {
		case 'f':
			c.fake = true
		case 's':
			c.sloppy = true
		case 'r':
			c.options = append(c.options, "ro")
		case 'w':
			c.options = append(c.options, "rw")
		case 'h':
			c.help = true
		case 'V':
			c.version = true
		case 'v', 'n': // there is no more to tell, and no mtab
		case 'o', 't', 'N': // t: the program's name says it; N: mount(8) is in that name space
			value := letters[i+1:]
			if value == "" {
				if len(args) == 0 {
					return nil, false
				}
				value, args = args[0], args[1:]
			}
			if letter == 'o' {
				c.options = append(c.options, value)
			}
			return args, true
		default:
			return nil, false
		}
	}
	return args, true
}

// splitSource parts SERVER:/PATH; an IPv6 address is in square brackets.
func splitSource(source string) (server, path string, ok bool) {
	server, rest, found := strings.Cut(source, ":/")
	if strings.HasPrefix(source, "[") {
		server, rest, found = strings.Cut(source[1:], "]:/")
	}
	return server, "/" + rest, found && server != ""
}

// serve is the process behind the mounts with this key.
func serve(text string) int {
	log.SetFlags(log.LstdFlags | log.LUTC)
	debug.SetMemoryLimit(memoryLimit)
	debug.SetGCPercent(garbagePercent)
	runtime.GOMAXPROCS(max(runtime.GOMAXPROCS(0), processorsMin))
	key, err := node.ParseKey(text)
	if err != nil {
		log.Print(err)
		return exitUsage
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	identity, err := key.Identity(node.Home)
	if err == nil {
		err = node.Run(node.Home, key, newBackend(key, identity), stop)
	}
	if err != nil {
		log.Print(err)
		return exitFailure
	}
	return 0
}

func serveCommand(key node.Key) *exec.Cmd {
	command := exec.Command("/proc/self/exe", serveOption, key.String())
	command.Args[0] = "mount.nfs"
	return command
}

func printStats(out io.Writer, directory string) error {
	place, err := filepath.Abs(directory)
	if err != nil {
		return err
	}
	device, err := deviceOf(place)
	if err != nil {
		return err
	}
	data, err := node.Stats(node.Home, device)
	if err != nil {
		return fmt.Errorf("%s: %w", directory, err)
	}
	var lines bytes.Buffer
	if err = json.Indent(&lines, data, "", "  "); err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, lines.String())
	return err
}

// parseOptions reads the options of the command line.
func (c command) parseOptions() (options.Options, error) {
	return options.Parse(c.options, c.sloppy)
}
