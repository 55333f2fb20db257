package node

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Home is where the processes of a machine find each other. It must not outlive a boot.
const Home = "/run/mount.nfs"

// Key says which process serves a mount: mounts with the same key share one.
type Key struct {
	Server  netip.AddrPort
	Version string // "4" if it is to be negotiated, else "4.1"; another one is another client
	Network uint64 // the network namespace
}

// NewKey is the key in the network namespace of this process.
func NewKey(server netip.AddrPort, minors []uint32) (Key, error) {
	var namespace syscall.Stat_t
	if err := syscall.Stat("/proc/self/ns/net", &namespace); err != nil {
		return Key{}, err
	}
	version := "4"
	if len(minors) == 1 {
		version = fmt.Sprintf("4.%d", minors[0])
	}
	return Key{server, version, namespace.Ino}, nil
}

func (k Key) String() string {
	return fmt.Sprintf("%s-%s-%d", k.Server, k.Version, k.Network)
}

// ParseKey reads what String has written.
func ParseKey(text string) (Key, error) {
	var k Key
	server, rest, _ := strings.Cut(text, "-")
	version, network, _ := strings.Cut(rest, "-")
	var err error
	if k.Server, err = netip.ParseAddrPort(server); err != nil {
		return Key{}, err
	}
	k.Version = version
	if _, err = fmt.Sscanf(network, "%d", &k.Network); err != nil || k.String() != text {
		return Key{}, fmt.Errorf("%q is not the key of a process", text)
	}
	return k, nil
}

// Identity names this client to the server. Two nodes of a cluster can be containers on one host,
// with one boot id and even one host name; what tells them apart is a number each keeps in HOME.
func (k Key) Identity(home string) (string, error) {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", err
	}
	host, err := os.Hostname()
	if err != nil {
		return "", err
	}
	machine, err := machine(home)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("Landfast NFSv%s %s/%s/%s/%d %s", k.Version, host,
		strings.TrimSpace(string(boot)), machine, k.Network, k.Server), nil
}

// machine reads the number in HOME, and makes it where there is none.
func machine(home string) (string, error) {
	path := filepath.Join(home, "machine")
	known, err := os.ReadFile(path)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return string(known), err
	}
	made, err := os.CreateTemp(home, "machine-")
	if err != nil {
		return "", err
	}
	defer os.Remove(made.Name())
	if _, err = made.WriteString(rand.Text()); err == nil {
		err = made.Close()
	}
	if err != nil {
		return "", err
	}
	// Of several processes that make one, the first wins.
	if err = os.Link(made.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	known, err = os.ReadFile(path)
	return string(known), err
}
