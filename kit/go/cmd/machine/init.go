package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

const (
	initProgram = "/sbin/init"
	searchPath  = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	networkLink = "vec0" // as the kernel names it
	nodeLink    = "eth0" // as containers name theirs, and faults expect it
)

// identity is what a machine knows of itself: the kernel's command line tells it.
type identity struct{ name, address, gateway string }

// arguments returns the identity as words of the kernel's command line. The kernel keeps words with a dot to itself:
// it takes them for a module's.
func (i identity) arguments() []string {
	return []string{"machine.name=" + i.name, "machine.address=" + i.address, "machine.gateway=" + i.gateway}
}

func readIdentity(commandLine string) identity {
	var found identity
	for word := range strings.FieldsSeq(commandLine) {
		key, value, _ := strings.Cut(word, "=")
		switch key {
		case "machine.name":
			found.name = value
		case "machine.address":
			found.address = value
		case "machine.gateway":
			found.gateway = value
		}
	}
	return found
}

// initialise prepares a machine and becomes its init. A machine's name is its NFS identity, too: the kernel's client
// tells servers its host name.
func initialise() error {
	if err := os.Setenv("PATH", searchPath); err != nil {
		return err
	}
	for _, step := range []func() error{mountKernelFiles, takeName, takeAddress, forwardPackets} {
		if err := step(); err != nil {
			// an init that ends is a panic, in which its own words would get lost
			_ = os.WriteFile("/dev/kmsg", []byte("<2>machine: "+err.Error()), 0)
			return err
		}
	}
	return unix.Exec(initProgram, []string{initProgram}, os.Environ())
}

func mountKernelFiles() error {
	return errors.Join(
		mount("dev", "/dev", "devtmpfs", ""),
		mount("proc", "/proc", "proc", ""),
		mount("sys", "/sys", "sysfs", ""),
		mountShared(),
	)
}

func mount(source, target, kind, options string) error {
	if err := os.MkdirAll(target, 0o755); err != nil {
		return err
	}
	if err := unix.Mount(source, target, kind, 0, options); err != nil && !errors.Is(err, unix.EBUSY) {
		return fmt.Errorf("mount %s: %w", target, err)
	}
	return nil
}

// mountShared mounts the container's folder; mount(2) gives hostfs its name alone. systemd keeps a /run that is there.
func mountShared() error {
	if err := mount("tmpfs", "/run", "tmpfs", "mode=755"); err != nil {
		return err
	}
	return mount("none", string(sharedDir), "hostfs", string(sharedDir))
}

func takeName() error {
	me, err := self()
	if err != nil {
		return err
	}
	hosts, err := os.ReadFile(sharedDir.hosts())
	if err != nil {
		return err
	}
	address, _, _ := strings.Cut(me.address, "/")
	own := fmt.Sprintf("127.0.0.1 localhost\n%s %s\n", address, me.name)
	known, _ := os.ReadFile("/etc/hostname")
	if strings.TrimSpace(string(known)) != me.name {
		if err := os.Remove("/etc/machine-id"); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		if said, err := exec.Command("systemd-machine-id-setup").CombinedOutput(); err != nil {
			return fmt.Errorf("make a machine id: %w: %s", err, said)
		}
	}
	return errors.Join(
		unix.Sethostname([]byte(me.name)),
		os.WriteFile("/etc/hostname", []byte(me.name+"\n"), 0o644),
		os.WriteFile("/etc/hosts", append([]byte(own), hosts...), 0o644),
		os.WriteFile("/etc/resolv.conf", []byte("nameserver "+me.gateway+"\n"), 0o644),
	)
}

func self() (identity, error) {
	said, err := os.ReadFile("/proc/cmdline")
	return readIdentity(string(said)), err
}

func takeAddress() error {
	me, err := self()
	if err != nil {
		return err
	}
	address, err := netlink.ParseAddr(me.address)
	if err != nil {
		return fmt.Errorf("read the machine's address %q: %w", me.address, err)
	}
	loopback, err := netlink.LinkByName("lo")
	if err != nil {
		return err
	}
	link, err := netlink.LinkByName(networkLink)
	if err != nil {
		return fmt.Errorf("find the network: %w", err)
	}
	route := &netlink.Route{LinkIndex: link.Attrs().Index, Gw: net.ParseIP(me.gateway)}
	for _, step := range []func() error{
		func() error { return netlink.LinkSetUp(loopback) },
		func() error { return netlink.LinkSetName(link, nodeLink) },
		func() error { return netlink.AddrAdd(link, address) },
		func() error { return netlink.LinkSetUp(link) },
		func() error { return netlink.RouteAdd(route) },
	} {
		if err := step(); err != nil {
			return fmt.Errorf("set up the network: %w", err)
		}
	}
	return nil
}

// forwardPackets lets pods reach each other through the machine.
func forwardPackets() error {
	return os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0o644)
}
