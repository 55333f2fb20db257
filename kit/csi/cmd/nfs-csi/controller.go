package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"k8s.io/klog/v2"
)

const (
	// deletedKept is how long a handle counts as deleted: one that comes again meanwhile is not looked at.
	deletedKept = time.Minute
	// parentsMax is how many emptied parents go with a directory; one more makes the deletion fail.
	parentsMax = 10
)

// controller makes and removes the directories of volumes. It mounts a share by the node service, for each request.
type controller struct {
	csi.UnimplementedControllerServer
	node    *node
	shares  string // where shares are mounted
	options options
	busy    locks
	deleted memory[struct{}]
}

func newController(node *node, shares string, options options) *controller {
	return &controller{node: node, shares: shares, options: options, deleted: memory[struct{}]{kept: deletedKept}}
}

func (c *controller) ControllerGetCapabilities(context.Context, *csi.ControllerGetCapabilitiesRequest) (*csi.ControllerGetCapabilitiesResponse, error) {
	answer := &csi.ControllerGetCapabilitiesResponse{}
	// The released driver clones and makes snapshots, too. This one does not, and does not say so.
	for _, kind := range []csi.ControllerServiceCapability_RPC_Type{
		csi.ControllerServiceCapability_RPC_CREATE_DELETE_VOLUME,
		csi.ControllerServiceCapability_RPC_SINGLE_NODE_MULTI_WRITER,
		csi.ControllerServiceCapability_RPC_EXPAND_VOLUME,
	} {
		answer.Capabilities = append(answer.Capabilities, &csi.ControllerServiceCapability{
			Type: &csi.ControllerServiceCapability_Rpc{Rpc: &csi.ControllerServiceCapability_RPC{Type: kind}},
		})
	}
	return answer, nil
}

func (c *controller) ValidateVolumeCapabilities(_ context.Context, request *csi.ValidateVolumeCapabilitiesRequest) (*csi.ValidateVolumeCapabilitiesResponse, error) {
	if request.GetVolumeId() == "" {
		return nil, status.Error(codes.InvalidArgument, "Volume ID missing in request")
	}
	if err := validCapabilities(request.GetVolumeCapabilities()); err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	return &csi.ValidateVolumeCapabilitiesResponse{
		Confirmed: &csi.ValidateVolumeCapabilitiesResponse_Confirmed{VolumeCapabilities: request.GetVolumeCapabilities()},
	}, nil
}

// CreateVolume makes the directory; one that is there is used as it is.
func (c *controller) CreateVolume(ctx context.Context, request *csi.CreateVolumeRequest) (*csi.CreateVolumeResponse, error) {
	name, class := request.GetName(), request.GetParameters()
	if name == "" {
		return nil, status.Error(codes.InvalidArgument, "CreateVolume name must be provided")
	}
	if err := validCapabilities(request.GetVolumeCapabilities()); err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	made, err := newVolume(name, class, c.options.defaultOnDelete)
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	if !c.busy.take(name) {
		return nil, inProgress(name)
	}
	defer c.busy.give(name)

	err = c.withShare(ctx, made.volume, class, request.GetVolumeCapabilities()[0], func(share string) error {
		directory := made.directory(share)
		if err := os.MkdirAll(directory, 0o777); err != nil { // The umask has its say.
			return fmt.Errorf("failed to make subdirectory: %w", err)
		}
		if err := setMode(directory, made.permissions); err != nil {
			klog.ErrorS(err, "The volume keeps its mode", "volume", name)
		}
		klog.InfoS("Directory made", "volume", name, "handle", made.handle(), "directory", directory)
		return nil
	})
	if err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	return &csi.CreateVolumeResponse{Volume: &csi.Volume{
		VolumeId:      made.handle(),
		VolumeContext: withSubDir(class, made.subDir),
		// Without a capacity, csi-provisioner takes what was asked for. Nobody enforces it.
	}}, nil
}

// DeleteVolume does what the handle says. It is done with a handle that it cannot read.
func (c *controller) DeleteVolume(ctx context.Context, request *csi.DeleteVolumeRequest) (*csi.DeleteVolumeResponse, error) {
	id := request.GetVolumeId()
	if id == "" {
		return nil, status.Error(codes.InvalidArgument, "volume id is empty")
	}
	volume, err := parseHandle(id)
	if err != nil {
		klog.ErrorS(err, "Nothing is deleted: the handle cannot be read", "handle", id)
		return &csi.DeleteVolumeResponse{}, nil
	}
	if !c.busy.take(id) {
		return nil, inProgress(id)
	}
	defer c.busy.give(id)
	action := volume.action()
	if action != onDeleteRetain {
		if _, ok := c.deleted.get(id); ok {
			klog.InfoS("Deleted less than a minute ago", "handle", id)
			return &csi.DeleteVolumeResponse{}, nil
		}
		capability := &csi.VolumeCapability{AccessType: &csi.VolumeCapability_Mount{
			Mount: &csi.VolumeCapability_MountVolume{MountFlags: secretOptions(request.GetSecrets())},
		}}
		remove := removeDirectory
		if action == onDeleteArchive {
			remove = c.archiveDirectory
		}
		err := c.withShare(ctx, volume, nil, capability, func(share string) error { return remove(volume, share) })
		if err != nil {
			return nil, status.Error(codes.Internal, err.Error())
		}
	}
	klog.InfoS("Volume deleted", "handle", id, "action", action)
	c.deleted.set(id, struct{}{})
	return &csi.DeleteVolumeResponse{}, nil
}

// ControllerExpandVolume agrees: the released driver keeps no size, and neither does an NFS directory.
func (c *controller) ControllerExpandVolume(_ context.Context, request *csi.ControllerExpandVolumeRequest) (*csi.ControllerExpandVolumeResponse, error) {
	if request.GetVolumeId() == "" {
		return nil, status.Error(codes.InvalidArgument, "Volume ID missing in request")
	}
	if request.GetCapacityRange() == nil {
		return nil, status.Error(codes.InvalidArgument, "Capacity Range missing in request")
	}
	return &csi.ControllerExpandVolumeResponse{CapacityBytes: request.GetCapacityRange().GetRequiredBytes()}, nil
}

// withShare does something in the volume's share, which is mounted for that as if for a pod: with mountPermissions, the
// share itself gets that mode, too.
func (c *controller) withShare(ctx context.Context, v volume, class map[string]string, capability *csi.VolumeCapability, do func(share string) error) error {
	mounted := map[string]string{}
	for key, value := range class {
		if lower := strings.ToLower(key); lower != paramSubDir && lower != paramServer && lower != paramShare {
			mounted[key] = value
		}
	}
	mounted[paramServer], mounted[paramShare] = v.server, filepath.Join("/", v.share)
	share := filepath.Join(c.shares, v.mountName())
	_, err := c.node.NodePublishVolume(ctx, &csi.NodePublishVolumeRequest{
		VolumeId: v.handle(), TargetPath: share, VolumeContext: mounted, VolumeCapability: capability,
	})
	if err != nil {
		return fmt.Errorf("failed to mount nfs server: %w", err)
	}
	defer func() {
		// Also when nobody waits for the answer any more.
		if err := c.node.detach(context.WithoutCancel(ctx), share); err != nil {
			klog.ErrorS(err, "The share stays mounted", "share", share)
		}
	}()
	return do(share)
}

// removeDirectory removes the directory, then the parents that this empties.
func removeDirectory(v volume, share string) error {
	directory := v.directory(share)
	if err := os.RemoveAll(directory); err != nil {
		return fmt.Errorf("delete subdirectory(%s) failed with %w", directory, err)
	}
	removed := 0
	for parent := filepath.Dir(directory); strings.HasPrefix(parent, share+"/"); parent = filepath.Dir(parent) {
		inside, err := os.ReadDir(parent) // One that is gone is an error: the released driver has it so.
		if err == nil && len(inside) > 0 {
			break
		}
		if err == nil {
			err = os.Remove(parent)
		}
		if removed++; err == nil && removed > parentsMax {
			err = fmt.Errorf("depth of directory %s is too deep", filepath.Dir(directory))
		}
		if err != nil {
			return fmt.Errorf("failed to remove empty directories: %w", err)
		}
	}
	return nil
}

// archiveDirectory renames the directory. A directory that has the name is in the way, unless the driver was told to
// remove it, and parents stay, even if empty.
func (c *controller) archiveDirectory(v volume, share string) error {
	from, to := v.directory(share), v.archive(share)
	if c.options.replaceArchives {
		if err := os.RemoveAll(to); err != nil {
			return fmt.Errorf("delete archived subdirectory(%s) failed with %w", to, err)
		}
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o777); err != nil {
		return fmt.Errorf("create parent directory(%s) of %s failed with %w", filepath.Dir(to), to, err)
	}
	if err := os.Rename(from, to); err != nil {
		return fmt.Errorf("archive subdirectory(%s, %s) failed with %w", from, to, err)
	}
	return nil
}

// validCapabilities looks at no access mode: the released driver takes each.
func validCapabilities(capabilities []*csi.VolumeCapability) error {
	if len(capabilities) == 0 {
		return errors.New("volume capabilities missing in request")
	}
	for _, capability := range capabilities {
		if capability.GetBlock() != nil {
			return errors.New("block volume capability not supported")
		}
	}
	return nil
}

// withSubDir is what the PV will say: the class's parameters with the directory, under the key as the class spells it.
func withSubDir(class map[string]string, subDir string) map[string]string {
	said, key := map[string]string{}, paramSubDir
	for name, value := range class {
		said[name] = value
		if strings.EqualFold(name, paramSubDir) {
			key = name
		}
	}
	said[key] = subDir
	return said
}

// secretOptions are the mount options for deletion: no request has the class's.
func secretOptions(secrets map[string]string) []string {
	for key, value := range secrets {
		if strings.EqualFold(key, paramMountOptions) && value != "" {
			return []string{value}
		}
	}
	return nil
}

// unmountLeftovers unmounts what an earlier process was in the middle of. Its container took such mounts with it, if it
// were the released driver's.
func (c *controller) unmountLeftovers(ctx context.Context) error {
	left, err := os.ReadDir(c.shares)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, entry := range left {
		err = errors.Join(err, c.node.detach(ctx, filepath.Join(c.shares, entry.Name())))
	}
	return err
}
