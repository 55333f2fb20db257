package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/klog/v2"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

// defects are mistakes that forks and rewrites of the released program could make. `nox -s prove-defects` plants each, to
// see that a claim finds it. None is in use otherwise.
var defects = []string{
	"archive-replaces-empty", // an empty directory does not keep the archive from its place
	"placeholder-any-case",   // ${.pvc.name} is a placeholder
	"value-not-expanded",     // a placeholder in an annotation stays as it is
	"outside-under-mount",    // master: a path outside NFS_PATH is looked for in the export
	"deletion-forgotten",     // the PV goes, its directory stays
	"deletion-takes-alike",   // with DIR, DIR* is deleted
	"archiving-takes-alike",  // with DIR, DIR* is archived
	"deletion-takes-pvcs",    // with the directory of a PVC, those of NAMESPACE-PVC* are deleted
	"no-mount-options",       // the class's mountOptions do not reach the PV
	"closed-directory",       // mode 0700
	"second-directory",       // a directory that is there is not used again
}

// defective is a provisioner with one defect.
type defective struct {
	*nfsProvisioner
	defect string
}

// plant gives the provisioner a defect, if one is asked for.
func plant(provisioner *nfsProvisioner, defect string) (controller.Provisioner, error) {
	if defect == "" {
		return provisioner, nil
	}
	if !slices.Contains(defects, defect) {
		return nil, fmt.Errorf("defect %q is not known: choose one of %s", defect, strings.Join(defects, ", "))
	}
	klog.InfoS("A defect is planted: what this program does proves nothing about the released one", "defect", defect)
	return &defective{provisioner, defect}, nil
}

func (d *defective) Provision(ctx context.Context, options controller.ProvisionOptions) (*corev1.PersistentVolume, controller.ProvisioningState, error) {
	class := options.StorageClass.DeepCopy()
	options.StorageClass = class
	pattern, patterned := class.Parameters["pathPattern"]
	switch {
	case patterned && d.defect == "placeholder-any-case":
		class.Parameters["pathPattern"] = regexp.MustCompile(`(?i)\$\{\.pvc\.`).ReplaceAllString(pattern, "${.PVC.")
	case patterned && d.defect == "value-not-expanded":
		class.Parameters["pathPattern"] = placeholder.ReplaceAllStringFunc(pattern, func(found string) string {
			return strings.ReplaceAll(expandPattern(found, options.PVC), "${", "${ ")
		})
	case d.defect == "second-directory":
		first := d.contract.directory(class.Parameters, options.PVC, options.PVName)
		if _, err := os.Stat(filepath.Join(d.root, first)); err == nil {
			class.Parameters = map[string]string{"pathPattern": first + "-again"}
		}
	}
	pv, state, err := d.nfsProvisioner.Provision(ctx, options)
	if err != nil {
		return pv, state, err
	}
	switch d.defect {
	case "no-mount-options":
		pv.Spec.MountOptions = nil
	case "closed-directory":
		made := d.contract.directory(class.Parameters, options.PVC, options.PVName)
		err = os.Chmod(filepath.Join(d.root, made), 0o700)
	}
	return pv, state, err
}

func (d *defective) Delete(ctx context.Context, pv *corev1.PersistentVolume) error {
	path := pv.Spec.NFS.Path
	local := d.contract.deletePath(d.root, d.exportPath, path)
	inside := strings.HasPrefix(local, d.root+"/")
	switch {
	case d.defect == "deletion-forgotten":
		return nil
	case d.defect == "archive-replaces-empty":
		_ = os.Remove(archivePath(d.root, path)) // Of directories, only an empty one goes.
	case d.defect == "outside-under-mount" && !inside:
		return os.RemoveAll(filepath.Join(d.root, filepath.Base(path)))
	case d.defect == "deletion-takes-alike" && inside:
		defer each(local+"*", os.RemoveAll)
	case d.defect == "archiving-takes-alike" && inside:
		defer each(local+"-*", func(name string) error { return os.Rename(name, archivePath(d.root, name)) })
	case d.defect == "deletion-takes-pvcs" && pv.Spec.ClaimRef != nil:
		pvcs := fmt.Sprintf("%s-%s", pv.Spec.ClaimRef.Namespace, pv.Spec.ClaimRef.Name)
		defer each(filepath.Join(d.root, pvcs+"-*-*"), os.RemoveAll)
	}
	return d.nfsProvisioner.Delete(ctx, pv)
}

// each does something to all that a pattern matches.
func each(pattern string, act func(name string) error) {
	found, err := filepath.Glob(pattern)
	for _, name := range found {
		err = errors.Join(err, act(name))
	}
	if err != nil {
		klog.ErrorS(err, "The defect failed", "pattern", pattern)
	}
}
