package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/component-helpers/storage/volume"
	"k8s.io/klog/v2"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

// directoryMode lets every user of every pod write: the export does not know who will come.
const directoryMode = 0o777

// nfsProvisioner makes a directory on the export for every volume.
type nfsProvisioner struct {
	contract   contract
	client     kubernetes.Interface
	server     string
	exportPath string // as the server names it
	root       string // where it is mounted here
}

var _ controller.Provisioner = (*nfsProvisioner)(nil)

// Provision makes the directory and describes the PV for it. A directory that is there already is used as it is.
func (p *nfsProvisioner) Provision(_ context.Context, options controller.ProvisionOptions) (*corev1.PersistentVolume, controller.ProvisioningState, error) {
	pv, err := p.provision(options)
	if err != nil {
		// The library that the released program was built with put these words before every error; this one does not.
		err = fmt.Errorf("failed to provision volume with StorageClass %q: %w", options.StorageClass.Name, err)
	}
	return pv, controller.ProvisioningFinished, err
}

func (p *nfsProvisioner) provision(options controller.ProvisionOptions) (*corev1.PersistentVolume, error) {
	pvc, class := options.PVC, options.StorageClass
	if pvc.Spec.Selector != nil {
		return nil, errors.New("claim Selector is not supported")
	}
	directory := p.contract.directory(class.Parameters, pvc, options.PVName)
	local := filepath.Join(p.root, directory)
	if err := os.MkdirAll(local, directoryMode); err != nil {
		return nil, fmt.Errorf("make the volume's directory: %w", err)
	}
	if err := os.Chmod(local, directoryMode); err != nil { // The umask had its say in MkdirAll.
		return nil, fmt.Errorf("open the volume's directory to everybody: %w", err)
	}
	klog.InfoS("Directory made", "pvc", klog.KObj(pvc), "pv", options.PVName, "directory", local)
	return &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: options.PVName},
		Spec: corev1.PersistentVolumeSpec{
			PersistentVolumeReclaimPolicy: *class.ReclaimPolicy,
			AccessModes:                   pvc.Spec.AccessModes,
			MountOptions:                  class.MountOptions,
			Capacity: corev1.ResourceList{
				corev1.ResourceStorage: pvc.Spec.Resources.Requests[corev1.ResourceStorage],
			},
			PersistentVolumeSource: corev1.PersistentVolumeSource{
				NFS: &corev1.NFSVolumeSource{Server: p.server, Path: filepath.Join(p.exportPath, directory)},
			},
		},
	}, nil
}

// Delete removes, archives or keeps the directory of a released PV, as its StorageClass says. Its errors are the text of
// the PV's VolumeFailedDelete events, which the contract gives word for word: they are not wrapped.
func (p *nfsProvisioner) Delete(ctx context.Context, pv *corev1.PersistentVolume) error {
	if pv.Spec.NFS == nil { // Anybody may write a PV that names this provisioner.
		return fmt.Errorf("PV %s is not an NFS volume", pv.Name)
	}
	local := p.contract.deletePath(p.root, p.exportPath, pv.Spec.NFS.Path)
	if local == "/" { // The program on master would remove everything that its container can reach, the export included.
		return fmt.Errorf("PV %s has the path %s: refused, as the stand-in does not remove a root", pv.Name, pv.Spec.NFS.Path)
	}
	if _, err := os.Stat(local); errors.Is(err, fs.ErrNotExist) {
		klog.InfoS("Nothing to delete, the directory is not there", "pv", pv.Name, "directory", local)
		return nil
	} else if err != nil {
		return err
	}
	className := volume.GetPersistentVolumeClass(pv)
	class, err := p.client.StorageV1().StorageClasses().Get(ctx, className, metav1.GetOptions{})
	if err != nil {
		return err
	}
	action, err := deleteAction(class.Parameters)
	if err != nil {
		return err
	}
	klog.InfoS("Deleting volume", "pv", pv.Name, "directory", local, "action", action)
	switch action {
	case keep:
		return nil
	case remove:
		return os.RemoveAll(local)
	default:
		return os.Rename(local, archivePath(p.root, pv.Spec.NFS.Path))
	}
}

// action is what becomes of a directory whose PV is deleted.
type action string

const (
	keep    action = "keep"
	remove  action = "remove"
	archive action = "archive"
)

// deleteAction reads a StorageClass: onDelete first, where it is one of its two words exactly, then archiveOnDelete.
func deleteAction(parameters map[string]string) (action, error) {
	switch parameters["onDelete"] {
	case "delete":
		return remove, nil
	case "retain":
		return keep, nil
	}
	text, ok := parameters["archiveOnDelete"]
	if !ok {
		return archive, nil
	}
	wanted, err := strconv.ParseBool(text)
	if err != nil {
		return "", err
	}
	if wanted {
		return archive, nil
	}
	return remove, nil
}
