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
	"ondelete-ignored",     // what onDelete keeps is removed
	"one-directory",        // the PVCs of a class get the directory of the first one
	"expansion-lies",       // expansion succeeds and changes nothing
	"no-mount-options",     // the class's mountOptions do not reach the mount
	"deletion-takes-alike", // with DIR, DIR* is deleted
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
	if made, err := newVolume(request.GetName(), request.GetParameters()); err == nil && d.defect == "one-directory" {
		share := volume{server: made.server, share: made.share}.handle()
		first, _ := d.known.LoadOrStore(share, made.subDir)
		request.Parameters = withSubDir(request.GetParameters(), first.(string))
	}
	created, err := d.controller.CreateVolume(ctx, request)
	if err == nil {
		d.known.Store(created.GetVolume().GetVolumeId(), request.GetCapacityRange().GetRequiredBytes())
	}
	return created, err
}

func (d *defectiveController) DeleteVolume(ctx context.Context, request *csi.DeleteVolumeRequest) (*csi.DeleteVolumeResponse, error) {
	doomed, err := parseHandle(request.GetVolumeId())
	if err != nil {
		return d.controller.DeleteVolume(ctx, request)
	}
	switch d.defect {
	case "ondelete-ignored":
		doomed.onDelete = ""
		request.VolumeId = doomed.handle()
	case "deletion-takes-alike":
		err := d.withShare(ctx, doomed, nil, &csi.VolumeCapability{}, func(share string) error {
			alike, err := filepath.Glob(doomed.directory(share) + "?*")
			for _, name := range alike {
				err = errors.Join(err, os.RemoveAll(name))
			}
			return err
		})
		if err != nil {
			klog.ErrorS(err, "The defect failed", "handle", request.GetVolumeId())
		}
	}
	return d.controller.DeleteVolume(ctx, request)
}

// ControllerExpandVolume answers, under that defect, with the size that the volume had: csi-resizer is content, and the
// PV keeps its size.
func (d *defectiveController) ControllerExpandVolume(ctx context.Context, request *csi.ControllerExpandVolumeRequest) (*csi.ControllerExpandVolumeResponse, error) {
	if size, ok := d.known.Load(request.GetVolumeId()); ok && d.defect == "expansion-lies" {
		return &csi.ControllerExpandVolumeResponse{CapacityBytes: size.(int64)}, nil
	}
	return d.controller.ControllerExpandVolume(ctx, request)
}
