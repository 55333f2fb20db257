package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"golang.org/x/sys/unix"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"k8s.io/klog/v2"
)

// statsKept is how long the released driver gives the same answer about a volume.
const statsKept = 10 * time.Minute

// node mounts volumes for pods.
type node struct {
	csi.UnimplementedNodeServer
	name    string
	mounter mounter
	busy    locks
	stats   memory[*csi.NodeGetVolumeStatsResponse]
}

func newNode(name string, mounter mounter) *node {
	return &node{name: name, mounter: mounter, stats: memory[*csi.NodeGetVolumeStatsResponse]{kept: statsKept}}
}

func (n *node) NodeGetInfo(context.Context, *csi.NodeGetInfoRequest) (*csi.NodeGetInfoResponse, error) {
	return &csi.NodeGetInfoResponse{NodeId: n.name}, nil
}

func (n *node) NodeGetCapabilities(context.Context, *csi.NodeGetCapabilitiesRequest) (*csi.NodeGetCapabilitiesResponse, error) {
	answer := &csi.NodeGetCapabilitiesResponse{}
	for _, kind := range []csi.NodeServiceCapability_RPC_Type{
		csi.NodeServiceCapability_RPC_GET_VOLUME_STATS,
		csi.NodeServiceCapability_RPC_SINGLE_NODE_MULTI_WRITER,
		csi.NodeServiceCapability_RPC_UNKNOWN,
	} {
		answer.Capabilities = append(answer.Capabilities, &csi.NodeServiceCapability{
			Type: &csi.NodeServiceCapability_Rpc{Rpc: &csi.NodeServiceCapability_RPC{Type: kind}},
		})
	}
	return answer, nil
}

func (n *node) NodePublishVolume(ctx context.Context, request *csi.NodePublishVolumeRequest) (*csi.NodePublishVolumeResponse, error) {
	capability, id, target := request.GetVolumeCapability(), request.GetVolumeId(), request.GetTargetPath()
	switch {
	case capability == nil:
		return nil, status.Error(codes.InvalidArgument, "Volume capability missing in request")
	case id == "":
		return nil, status.Error(codes.InvalidArgument, "Volume ID missing in request")
	case target == "":
		return nil, status.Error(codes.InvalidArgument, "Target path not provided")
	}
	if err := validCapabilities([]*csi.VolumeCapability{capability}); err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	if !n.busy.take(id + "-" + target) {
		return nil, inProgress(id)
	}
	defer n.busy.give(id + "-" + target)

	said, err := readParameters(request.GetVolumeContext())
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	source, err := said.source()
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	options := append([]string{}, capability.GetMount().GetMountFlags()...)
	if request.GetReadonly() {
		options = append(options, "ro")
	}
	if said.mountOptions != "" {
		options = append(options, said.mountOptions)
	}
	mounted, err := n.prepare(ctx, target)
	if err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	if mounted {
		return &csi.NodePublishVolumeResponse{}, nil
	}
	if err := n.mounter.mount(ctx, source, target, options); err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	if err := setMode(target, said.permissions); err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	klog.InfoS("Volume mounted", "volume", id, "source", source, "target", target, "options", options)
	return &csi.NodePublishVolumeResponse{}, nil
}

// prepare makes the mount point, and tells whether something is mounted there that is still good.
func (n *node) prepare(ctx context.Context, target string) (mounted bool, err error) {
	mounted, err = n.mounter.mounted(target)
	if errors.Is(err, fs.ErrNotExist) {
		return false, os.MkdirAll(target, 0o750)
	}
	if err != nil || !mounted {
		return false, err
	}
	if _, err := os.Lstat(target); errors.Is(err, syscall.ESTALE) || errors.Is(err, syscall.ENOTCONN) {
		return false, n.mounter.unmount(ctx, target)
	}
	return true, nil
}

func (n *node) NodeUnpublishVolume(ctx context.Context, request *csi.NodeUnpublishVolumeRequest) (*csi.NodeUnpublishVolumeResponse, error) {
	id, target := request.GetVolumeId(), request.GetTargetPath()
	switch {
	case id == "":
		return nil, status.Error(codes.InvalidArgument, "Volume ID missing in request")
	case target == "":
		return nil, status.Error(codes.InvalidArgument, "Target path missing in request")
	}
	if !n.busy.take(id + "-" + target) {
		return nil, inProgress(id)
	}
	defer n.busy.give(id + "-" + target)
	if err := n.detach(ctx, target); err != nil {
		return nil, status.Errorf(codes.Internal, "failed to unmount target %q: %v", target, err)
	}
	klog.InfoS("Volume unmounted", "volume", id, "target", target)
	return &csi.NodeUnpublishVolumeResponse{}, nil
}

// detach unmounts and removes a mount point, as far as it is there.
func (n *node) detach(ctx context.Context, target string) error {
	mounted, err := n.mounter.mounted(target)
	if mounted {
		err = n.mounter.unmount(ctx, target)
	}
	if err == nil {
		err = os.Remove(target) // Never with what is in it: that could be the volume's.
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func (n *node) NodeGetVolumeStats(_ context.Context, request *csi.NodeGetVolumeStatsRequest) (*csi.NodeGetVolumeStatsResponse, error) {
	id, path := request.GetVolumeId(), request.GetVolumePath()
	switch {
	case id == "":
		return nil, status.Error(codes.InvalidArgument, "NodeGetVolumeStats volume ID was empty")
	case path == "":
		return nil, status.Error(codes.InvalidArgument, "NodeGetVolumeStats volume path was empty")
	}
	if known, ok := n.stats.get(id); ok {
		return known, nil
	}
	var found unix.Statfs_t
	if err := unix.Statfs(path, &found); errors.Is(err, fs.ErrNotExist) {
		return nil, status.Errorf(codes.NotFound, "path %s does not exist", path)
	} else if err != nil {
		return nil, status.Errorf(codes.Internal, "failed to get metrics: %v", err)
	}
	block := found.Frsize
	answer := &csi.NodeGetVolumeStatsResponse{Usage: []*csi.VolumeUsage{{
		Unit:      csi.VolumeUsage_BYTES,
		Available: int64(found.Bavail) * block,
		Total:     int64(found.Blocks) * block,
		Used:      int64(found.Blocks-found.Bfree) * block,
	}, {
		Unit:      csi.VolumeUsage_INODES,
		Available: int64(found.Ffree),
		Total:     int64(found.Files),
		Used:      int64(found.Files - found.Ffree),
	}}}
	n.stats.set(id, answer)
	return answer, nil
}

// setMode gives a directory a mode of chmod(2), if there is one and it has another.
func setMode(directory string, mode uint32) error {
	var found unix.Stat_t
	if mode == 0 || unix.Stat(directory, &found) == nil && found.Mode&0o7777 == mode {
		return nil
	}
	if err := unix.Chmod(directory, mode); err != nil {
		return fmt.Errorf("chmod %s: %w", directory, err)
	}
	return nil
}
