package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"k8s.io/klog/v2"
)

// defects are mistakes that other drivers could make. Landfast plants each in its own tests, to see that a claim finds
// it. None is in use otherwise.
var defects = []string{
	"ondelete-ignored",      // what onDelete keeps is removed
	"one-directory",         // the PVCs of a class get the directory of the first one
	"expansion-lies",        // expansion succeeds and changes nothing
	"no-mount-options",      // the class's mountOptions do not reach the mount
	"deletion-takes-alike",  // with DIR, DIR* is deleted
	"archiving-takes-alike", // with DIR, DIR* is archived
	"closed-directory",      // nobody but root can enter a new directory
	"second-directory",      // a directory that is there is not used again
}

// plant gives the services a defect, if one is asked for.
func plant(node *node, controller *controller, defect string) (csi.NodeServer, csi.ControllerServer, error) {
	if defect == "" {
		return node, controller, nil
	}
	if !slices.Contains(defects, defect) {
		return nil, nil, fmt.Errorf("defect %q is not known: choose one of %s", defect, strings.Join(defects, ", "))
	}
	klog.InfoS("A defect is planted: what this program does proves nothing about the released one", "defect", defect)
	return &defectiveNode{node, defect}, &defectiveController{controller: controller, defect: defect}, nil
}

// defectiveNode is a node service with one defect.
type defectiveNode struct {
	*node
	defect string
}

func (d *defectiveNode) NodePublishVolume(ctx context.Context, request *csi.NodePublishVolumeRequest) (*csi.NodePublishVolumeResponse, error) {
	if mount := request.GetVolumeCapability().GetMount(); mount != nil && d.defect == "no-mount-options" {
		mount.MountFlags = nil
	}
	return d.node.NodePublishVolume(ctx, request)
}

// defectiveController is a controller service with one defect.
type defectiveController struct {
	*controller
	defect string
	known  sync.Map // directories by share, sizes by handle
}

func (d *defectiveController) CreateVolume(ctx context.Context, request *csi.CreateVolumeRequest) (*csi.CreateVolumeResponse, error) {
	if made, err := newVolume(request.GetName(), request.GetParameters(), ""); err == nil && d.defect == "one-directory" {
		share := volume{server: made.server, share: made.share}.handle()
		first, _ := d.known.LoadOrStore(share, made.subDir)
		request.Parameters = withSubDir(request.GetParameters(), first.(string))
	}
	if made, err := newVolume(request.GetName(), request.GetParameters(), ""); err == nil && d.defect == "second-directory" {
		d.onShare(ctx, made.volume, func(share string) error {
			if _, err := os.Stat(made.directory(share)); err == nil {
				request.Parameters = withSubDir(request.GetParameters(), made.subDir+"-again")
			}
			return nil
		})
	}
	created, err := d.controller.CreateVolume(ctx, request)
	if err != nil {
		return nil, err
	}
	handle := created.GetVolume().GetVolumeId()
	d.known.Store(handle, request.GetCapacityRange().GetRequiredBytes())
	if made, err := parseHandle(handle); err == nil && d.defect == "closed-directory" {
		d.onShare(ctx, made, func(share string) error { return os.Chmod(made.directory(share), 0o700) })
	}
	return created, nil
}

func (d *defectiveController) DeleteVolume(ctx context.Context, request *csi.DeleteVolumeRequest) (*csi.DeleteVolumeResponse, error) {
	doomed, err := parseHandle(request.GetVolumeId())
	if err != nil {
		return d.controller.DeleteVolume(ctx, request)
	}
	switch {
	case d.defect == "ondelete-ignored":
		doomed.onDelete = ""
		request.VolumeId = doomed.handle()
	case d.defect == "deletion-takes-alike" && doomed.action() == onDeleteDelete:
		d.onShare(ctx, doomed, func(share string) error { return eachAlike(doomed.directory(share), os.RemoveAll) })
	case d.defect == "archiving-takes-alike" && doomed.action() == onDeleteArchive:
		d.onShare(ctx, doomed, func(share string) error {
			return eachAlike(doomed.directory(share), func(name string) error {
				return os.Rename(name, filepath.Join(filepath.Dir(name), "archived-"+filepath.Base(name)))
			})
		})
	}
	return d.controller.DeleteVolume(ctx, request)
}

// onShare does something in a volume's share beside what was asked for.
func (d *defectiveController) onShare(ctx context.Context, v volume, do func(share string) error) {
	if err := d.withShare(ctx, v, nil, &csi.VolumeCapability{}, do); err != nil {
		klog.ErrorS(err, "The defect failed", "handle", v.handle())
	}
}

// eachAlike does something to each neighbour whose name begins like a directory's.
func eachAlike(directory string, do func(name string) error) error {
	alike, err := filepath.Glob(directory + "?*")
	for _, name := range alike {
		err = errors.Join(err, do(name))
	}
	return err
}

// ControllerExpandVolume answers, under that defect, with the size that the volume had: csi-resizer is content, and the
// PV keeps its size.
func (d *defectiveController) ControllerExpandVolume(ctx context.Context, request *csi.ControllerExpandVolumeRequest) (*csi.ControllerExpandVolumeResponse, error) {
	if size, ok := d.known.Load(request.GetVolumeId()); ok && d.defect == "expansion-lies" {
		return &csi.ControllerExpandVolumeResponse{CapacityBytes: size.(int64)}, nil
	}
	return d.controller.ControllerExpandVolume(ctx, request)
}
