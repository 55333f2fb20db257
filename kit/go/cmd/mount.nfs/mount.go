package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"landfast/kit/cmd/mount.nfs/internal/node"
	"landfast/kit/cmd/mount.nfs/internal/options"
)

const (
	retryPause     = time.Second
	connectWithin  = 5 * time.Second
	answerWithin   = 15 * time.Second // however short the time to retry is
	readAheadKiB   = 4096
	requestBytes   = 1 << 20
	fileSystemType = "fuse.nfs4"
)

// mount mounts, and returns as soon as another process serves the mount.
func mount(c command) error {
	o, err := c.parseOptions()
	if err != nil {
		return err
	}
	info, err := os.Stat(c.directory)
	if err != nil {
		return fmt.Errorf("mount point %s does not exist", c.directory)
	}
	if !info.IsDir() {
		return fmt.Errorf("mount point %s is not a directory", c.directory)
	}
	directory, err := filepath.EvalSymlinks(c.directory)
	if err == nil {
		directory, err = filepath.Abs(directory)
	}
	if err != nil || c.fake {
		return err
	}
	deadline := time.Now().Add(o.Retry)
	server, err := reach(c, o.Port, deadline)
	if err != nil {
		return err
	}
	key, err := node.NewKey(server, o.Minors)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithDeadline(context.Background(), deadline.Add(answerWithin))
	defer cancel()
	session, err := node.Join(ctx, node.Home, key, func() *exec.Cmd { return serveCommand(key) })
	if err != nil {
		return failed(c, err)
	}
	defer session.Close()
	err = session.Mount(node.MountRequest{
		Source: c.source, Path: c.path, Options: o, Timeout: max(time.Until(deadline), answerWithin),
	})
	var number syscall.Errno
	switch {
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("access denied by server while mounting %s", c.source)
	case errors.Is(err, syscall.ETIMEDOUT), err != nil && !errors.As(err, &number):
		return failed(c, err)
	case err != nil:
		return fmt.Errorf("mounting %s failed, reason given by server: %s", c.source, sentence(err))
	}
	return attach(c, o, directory, session)
}

// attach gives the directory to the kernel's FUSE, and the other end of that to the process.
func attach(c command, o options.Options, directory string, session *node.Session) error {
	fuse, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0)
	if err != nil {
		return failed(c, err)
	}
	defer fuse.Close()
	// The kernel checks permissions, too: it walks over names it knows without asking the server.
	data := fmt.Sprintf("fd=%d,rootmode=40000,user_id=0,group_id=0,default_permissions,allow_other,max_read=%d",
		fuse.Fd(), requestBytes)
	if err = unix.Mount(c.source, directory, fileSystemType, o.Flags, data); err != nil {
		return failed(c, err)
	}
	device, err := deviceOf(directory)
	if err == nil {
		err = session.Serve(node.ServeRequest{Directory: directory, Device: device}, fuse)
	}
	if err != nil {
		unix.Unmount(directory, unix.MNT_DETACH)
		return failed(c, err)
	}
	readAhead(device)
	return nil
}

// readAhead lets the kernel read more ahead than the 128 KiB it allows FUSE. Where sysfs is
// read-only, reading is slower.
func readAhead(device string) {
	devices, _ := filepath.Glob("/sys/class/bdi/" + device + "*")
	for _, path := range devices {
		if name := filepath.Base(path); name == device || name == device+"-fuse" {
			_ = os.WriteFile(path+"/read_ahead_kb", []byte(strconv.Itoa(readAheadKiB)), 0)
		}
	}
}

func failed(c command, err error) error {
	return fmt.Errorf("mounting %s failed: %s", c.source, sentence(err))
}

// sentence is an error as strerror(3) tells it, if it has a number.
func sentence(err error) string {
	var number syscall.Errno
	if !errors.As(err, &number) {
		return err.Error()
	}
	if number == syscall.ESTALE {
		return "Stale file handle"
	}
	text := number.Error()
	return strings.ToUpper(text[:1]) + text[1:]
}

// reach finds an address of the server that takes connections.
func reach(c command, port uint16, deadline time.Time) (netip.AddrPort, error) {
	for {
		server, err := reachOnce(c.server, port)
		if err == nil {
			return server, nil
		}
		var unknown *net.DNSError
		if errors.As(err, &unknown) {
			//lint:ignore ST1005 as mount(8) says it
			return server, fmt.Errorf("Failed to resolve server %s", c.server)
		}
		if !worthRetrying(err) || time.Now().After(deadline) {
			return server, failed(c, err)
		}
		time.Sleep(retryPause)
	}
}

func reachOnce(server string, port uint16) (netip.AddrPort, error) {
	ctx, cancel := context.WithTimeout(context.Background(), connectWithin)
	defer cancel()
	addresses, err := net.DefaultResolver.LookupNetIP(ctx, "ip", server)
	for _, address := range addresses {
		found := netip.AddrPortFrom(address.Unmap(), port)
		var conn net.Conn
		conn, err = (&net.Dialer{Timeout: connectWithin}).Dial("tcp", found.String())
		if err == nil {
			conn.Close()
			return found, nil
		}
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() {
			err = syscall.ETIMEDOUT
		}
	}
	return netip.AddrPort{}, err
}

func worthRetrying(err error) bool {
	for _, number := range []syscall.Errno{
		syscall.ECONNREFUSED, syscall.ECONNRESET, syscall.ETIMEDOUT, syscall.EHOSTUNREACH,
		syscall.EHOSTDOWN, syscall.ENETUNREACH, syscall.EAGAIN,
	} {
		if errors.Is(err, number) {
			return true
		}
	}
	return false
}

// deviceOf finds the device number of a mount point without a question to its file system, which
// could take for ever.
func deviceOf(place string) (device string, err error) {
	file, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return "", err
	}
	defer file.Close()
	unescape := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
	lines := bufio.NewScanner(file)
	for lines.Scan() { // proc_pid_mountinfo(5); of several mounts in one place the last counts
		fields := strings.Fields(lines.Text())
		if len(fields) > 4 && unescape.Replace(fields[4]) == place {
			device = fields[2]
		}
	}
	if err = lines.Err(); err == nil && device == "" {
		err = fmt.Errorf("%s is not a mount point", place)
	}
	return device, err
}
