package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
	"k8s.io/klog/v2"
)

// How long a program may take, as in the released driver; after that, unmounting is forced.
const (
	mountTimeout   = 110 * time.Second
	unmountTimeout = 30 * time.Second
)

// mounter mounts NFS.
type mounter interface {
	mount(ctx context.Context, source, target string, options []string) error
	unmount(ctx context.Context, target string) error
	mounted(target string) (bool, error)
}

// nodeMounter mounts with the node's own mount(8), in the node's mount namespace: the container has neither mount(8)
// nor a helper. Where the kernel has no NFS, the helper serves all mounts of a node by one process, which must outlive
// this container, as the kernel's client would. So the node's systemd runs mount(8), as a unit that leaves alone what
// that leaves running. A scope, which the kubelet mounts in, is not enough: with version 1 of cgroups, it takes a
// process out of few of the container's cgroups, and the runtime kills what is in the others. The pod needs hostPID:
// the node's first process is systemd.
type nodeMounter struct{}

func (nodeMounter) mount(ctx context.Context, source, target string, options []string) error {
	command := []string{"/usr/bin/systemd-run", "--quiet", "--wait", "--pipe", "--collect",
		"--property=KillMode=process", "--", "/usr/bin/mount", "-t", "nfs"}
	if len(options) > 0 {
		command = append(command, "-o", strings.Join(options, ","))
	}
	return onNode(ctx, mountTimeout, append(command, source, target)...)
}

func (nodeMounter) unmount(ctx context.Context, target string) error {
	err := onNode(ctx, unmountTimeout, "/usr/bin/umount", target)
	if errors.Is(err, context.DeadlineExceeded) {
		err = onNode(ctx, unmountTimeout, "/usr/bin/umount", "-f", target)
	}
	return err
}

// mounted compares devices, which needs no answer of the server; a mount whose server is gone is one, too.
func (nodeMounter) mounted(target string) (bool, error) {
	var here, above unix.Stat_t
	if err := unix.Lstat(filepath.Dir(target), &above); err != nil {
		return false, &fs.PathError{Op: "lstat", Path: filepath.Dir(target), Err: err}
	}
	if err := unix.Lstat(target, &here); err != nil {
		if errors.Is(err, unix.ESTALE) || errors.Is(err, unix.ENOTCONN) {
			return true, nil
		}
		return false, &fs.PathError{Op: "lstat", Path: target, Err: err}
	}
	return here.Dev != above.Dev, nil
}

// onNode runs a program in the mount namespace of the node's first process.
func onNode(ctx context.Context, timeout time.Duration, command ...string) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	klog.InfoS("Running on the node", "command", command)
	ended := make(chan error, 1)
	go func() { ended <- inNamespace(ctx, "/proc/1/ns/mnt", command) }()
	return <-ended
}

// inNamespace runs a program in a mount namespace. It needs a goroutine of its own, which takes its thread with it: in
// another namespace, that is of no use to others.
func inNamespace(ctx context.Context, namespace string, command []string) error {
	runtime.LockOSThread()
	file, err := os.Open(namespace)
	if err != nil {
		return fmt.Errorf("enter the node's mount namespace: %w", err)
	}
	defer file.Close()
	if err := unix.Unshare(unix.CLONE_FS); err != nil { // of a thread that shares its directory, setns(2) is refused
		return fmt.Errorf("enter the node's mount namespace: %w", err)
	}
	if err := unix.Setns(int(file.Fd()), unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("enter the node's mount namespace: %w", err)
	}
	run := exec.CommandContext(ctx, command[0], command[1:]...)
	run.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}
	output, err := run.CombinedOutput()
	if err != nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("%s failed: %w: %s", strings.Join(command, " "), err, strings.TrimSpace(string(output)))
	}
	return nil
}
