package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Where the container has what a machine is made from.
const (
	kernel     = "/machine/linux"
	baseDisk   = "/machine/base/disk.ext4"
	disk       = "/machine/disk.cow"
	memoryDir  = "/machine/memory"
	cowProgram = "uml_mkcow"
)

const (
	panicked     = 70 // exit code; EX_SOFTWARE of sysexits.h
	panicMark    = "Kernel panic - not syncing"
	panicSeconds = 2 // for the rest of its message
)

// run boots the machine and ends with it. A panicked kernel would stay, and so would the container: it is ended.
func run() error {
	if os.Getpid() != 1 {
		return errors.New("run is for the first process of a container")
	}
	me, mac, err := takeOver("eth0")
	if err != nil {
		return fmt.Errorf("take over the container's network: %w", err)
	}
	if err := prepare(); err != nil {
		return fmt.Errorf("prepare the machine: %w", err)
	}
	input, silence, err := os.Pipe() // a console whose input ends is read without a pause
	if err != nil {
		return err
	}
	defer silence.Close()
	console, output, err := os.Pipe()
	if err != nil {
		return err
	}
	bell, err := sharedDir.makeBell()
	if err != nil {
		return fmt.Errorf("make the bell: %w", err)
	}
	defer bell.Close()
	argv := commandLine(me, mac, os.Getenv("MACHINE_MEMORY"), os.Getenv("MACHINE_ARGUMENTS"))
	process, err := os.StartProcess(kernel, argv, &os.ProcAttr{
		Env:   append(os.Environ(), "TMPDIR="+memoryDir, "HOME=/run"),
		Files: []*os.File{input, output, output, bell},
	})
	if err != nil {
		return fmt.Errorf("start the kernel: %w", err)
	}
	output.Close()
	go shutDownWhenAsked()
	words, read := make(chan string, 1), make(chan struct{})
	go func() {
		defer close(read)
		watch(console, os.Stdout, words)
	}()
	ended := make(chan syscall.WaitStatus, 1)
	go func() { ended <- reap(process.Pid) }()
	select {
	case word := <-words: // what is left of it ends with the container's first process
		time.Sleep(panicSeconds * time.Second)
		return exitError{word, panicked}
	case status := <-ended:
		if status.ExitStatus() == 0 {
			return nil
		}
		select { // a panic can end the kernel before its words are read
		case <-read:
		case <-time.After(panicSeconds * time.Second):
		}
		select {
		case word := <-words:
			return exitError{word, panicked}
		default:
			return fmt.Errorf("the kernel ended with status %#x", int(status))
		}
	}
}

// commandLine returns the kernel's arguments. What the machine has written to its disk outlives its kernel, in this host's
// memory: without barriers no flush of it waits for this host's own disk.
func commandLine(me identity, mac net.HardwareAddr, memory, more string) []string {
	return append([]string{
		"linux", "mem=" + memory, "root=/dev/ubda", "rootfstype=ext4", "rootflags=barrier=0", "rw", "init=/sbin/machine-init",
		"ubd0=" + disk + "," + baseDisk,
		fmt.Sprintf("%s:transport=raw,ifname=eth0,mac=%s,depth=64,gro=1", networkLink, mac),
		"umid=machine", "con=null", "con0=fd:0,fd:1", "con9=fd:3,null", "systemd.show_status=auto",
	}, append(me.arguments(), strings.Fields(more)...)...)
}

// takeOver takes the address off the container's link, for the machine, and returns it with the link's MAC.
func takeOver(name string) (identity, net.HardwareAddr, error) {
	me := identity{}
	link, err := netlink.LinkByName(name)
	if err != nil {
		return me, nil, err
	}
	routes, err := netlink.RouteList(link, netlink.FAMILY_V4)
	if err != nil {
		return me, nil, err
	}
	for _, route := range routes {
		if route.Gw != nil {
			me.gateway = route.Gw.String()
		}
	}
	addresses, err := netlink.AddrList(link, netlink.FAMILY_V4)
	if err != nil {
		return me, nil, err
	}
	if len(addresses) != 1 || me.gateway == "" {
		return me, nil, fmt.Errorf("%s has %d addresses and the gateway %q", name, len(addresses), me.gateway)
	}
	me.address = addresses[0].IPNet.String()
	if me.name, err = os.Hostname(); err != nil {
		return me, nil, err
	}
	// an IPv6 address of the container would answer for the machine
	_ = os.WriteFile("/proc/sys/net/ipv6/conf/"+name+"/disable_ipv6", []byte("1"), 0o644)
	err = errors.Join(netlink.AddrDel(link, &addresses[0]), netlink.SetPromiscOn(link))
	return me, link.Attrs().HardwareAddr, err
}

// prepare empties the shared folder, makes room for the machine's memory, and a disk if there is none yet.
func prepare() error {
	if err := os.RemoveAll(string(sharedDir)); err != nil {
		return err
	}
	for _, folder := range []string{sharedDir.requests(), memoryDir} {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return err
		}
	}
	if err := os.WriteFile(sharedDir.hosts(), []byte(os.Getenv("MACHINE_HOSTS")), 0o644); err != nil {
		return err
	}
	// UML's memory is a file that it maps executable
	if err := unix.Mount("memory", memoryDir, "tmpfs", 0, "size=100%"); err != nil {
		return fmt.Errorf("mount %s: %w", memoryDir, err)
	}
	if _, err := os.Stat(disk); err == nil {
		return nil
	}
	if said, err := exec.Command(cowProgram, disk, baseDisk).CombinedOutput(); err != nil {
		return fmt.Errorf("make the disk: %w: %s", err, said)
	}
	return nil
}

// watch copies the console and reports the first word of a panic.
func watch(console io.Reader, to io.Writer, words chan<- string) {
	lines := bufio.NewReader(console)
	for {
		line, err := lines.ReadString('\n')
		fmt.Fprint(to, line)
		if _, word, found := strings.Cut(line, panicMark); found {
			select {
			case words <- strings.TrimSpace(panicMark + word):
			default:
			}
		}
		if err != nil {
			return
		}
	}
}

// shutDownWhenAsked has the machine's init shut it down on SIGTERM, the signal of `docker stop`.
func shutDownWhenAsked() {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, unix.SIGTERM)
	<-asked
	if _, err := sharedDir.submit(request{Argv: []string{"systemctl", "poweroff"}}, nil); err != nil {
		fmt.Fprintln(os.Stderr, "machine: cannot be shut down:", err)
	}
}

// reap collects all children until the one of this id has ended, and says how.
func reap(pid int) syscall.WaitStatus {
	for {
		var status syscall.WaitStatus
		got, err := syscall.Wait4(-1, &status, 0, nil)
		if got == pid || errors.Is(err, syscall.ECHILD) {
			return status
		}
	}
}
