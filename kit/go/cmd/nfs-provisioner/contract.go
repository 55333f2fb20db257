package main

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// contract is a line of nfs-subdir-external-provisioner. The lines differ in what pathPattern leads to, and in their lock.
type contract string

const (
	// contractV402 is the released image, which the chart deploys.
	contractV402 contract = "v4.0.2"
	// contractMaster has fixes that were never released.
	contractMaster contract = "master"
	// contractLeases is a fork, 4.0.5: master with a Lease as its lock.
	contractLeases contract = "leases"
)

func parseContract(text string) (contract, error) {
	switch line := contract(text); line {
	case contractV402, contractMaster, contractLeases:
		return line, nil
	}
	return "", fmt.Errorf("contract %q is not known: choose %s, %s or %s", text, contractV402, contractMaster, contractLeases)
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
	if expanded == "" && c != contractV402 {
		return name // v4.0.2 goes on with the empty path, which is the export itself.
	}
	return expanded
}

// deletePath gives where Delete looks for the directory of the PV with this path, in the export mounted at root.
func (c contract) deletePath(root, exportPath, pvPath string) string {
	if c == contractV402 {
		return filepath.Join(root, filepath.Base(pvPath))
	}
	// Text for text: an export that ends in "/" takes the separator with it, and a path without the export's is left as it
	// is, so that it is looked for in the provisioner's own container.
	return strings.Replace(pvPath, exportPath, root, 1)
}

// archivePath gives where Delete archives the directory of the PV with this path.
func archivePath(root, pvPath string) string {
	return filepath.Join(root, "archived-"+filepath.Base(pvPath))
}

var placeholder = regexp.MustCompile(`\$\{\.PVC\.((labels|annotations)\.(.*?)|.*?)\}`)

// expandPattern replaces every ${.PVC.…} of a pathPattern, one after another and each everywhere at once: what a label or
// annotation brings in is expanded, too, if it stands later in the pattern. What it does not know, and labels and
// annotations that the PVC does not have, become empty.
func expandPattern(pattern string, pvc *corev1.PersistentVolumeClaim) string {
	names := map[string]string{"name": pvc.Name, "namespace": pvc.Namespace}
	expanded := pattern
	for _, found := range placeholder.FindAllStringSubmatch(pattern, -1) {
		value := names[found[1]]
		switch found[2] {
		case "labels":
			value = pvc.Labels[found[3]]
		case "annotations":
			value = pvc.Annotations[found[3]]
		}
		expanded = strings.ReplaceAll(expanded, found[0], value)
	}
	return expanded
}
