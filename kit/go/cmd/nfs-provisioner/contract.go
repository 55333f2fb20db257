package main

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// contract is a line of nfs-subdir-external-provisioner. The lines differ only in what pathPattern leads to.
type contract string

const (
	// contractV402 is the released image, which the chart deploys.
	contractV402 contract = "v4.0.2"
	// contractMaster has fixes that were never released.
	contractMaster contract = "master"
)

func parseContract(text string) (contract, error) {
	switch line := contract(text); line {
	case contractV402, contractMaster:
		return line, nil
	}
	return "", fmt.Errorf("contract %q is not known: choose %s or %s", text, contractV402, contractMaster)
}

// directory gives the directory of a new volume, relative to the export. Values from the PVC are not checked in either
// line: one with ".." in it leads out of its place.
func (c contract) directory(parameters map[string]string, pvc *corev1.PersistentVolumeClaim, pvName string) string {
	name := strings.Join([]string{pvc.Namespace, pvc.Name, pvName}, "-")
	pattern, ok := parameters["pathPattern"]
	if !ok {
		return name
	}
	expanded := expandPattern(pattern, pvc)
	if expanded == "" && c == contractMaster {
		return name // v4.0.2 goes on with the empty path, which is the export itself.
	}
	return expanded
}

// deletePath gives where Delete looks for the directory of the PV with this path, in the export mounted at root.
func (c contract) deletePath(root, exportPath, pvPath string) string {
	if c == contractMaster {
		// The export's path is cut off as text. An export of "/" takes the separator with it, so that nothing is found.
		return root + strings.TrimPrefix(pvPath, exportPath)
	}
	return filepath.Join(root, filepath.Base(pvPath))
}

var (
	placeholder = regexp.MustCompile(`\$\{\.[^}]*\}`)
	pvcKey      = regexp.MustCompile(`^\$\{\.PVC\.(labels|annotations)\.(.+)\}$`)
)

// expandPattern replaces every ${.PVC.…} of a pathPattern. What it does not know, and labels and annotations that the PVC
// does not have, become empty.
func expandPattern(pattern string, pvc *corev1.PersistentVolumeClaim) string {
	return placeholder.ReplaceAllStringFunc(pattern, func(found string) string {
		switch found {
		case "${.PVC.name}":
			return pvc.Name
		case "${.PVC.namespace}":
			return pvc.Namespace
		}
		key := pvcKey.FindStringSubmatch(found)
		switch {
		case key == nil:
			return ""
		case key[1] == "labels":
			return pvc.Labels[key[2]]
		default:
			return pvc.Annotations[key[2]]
		}
	})
}
