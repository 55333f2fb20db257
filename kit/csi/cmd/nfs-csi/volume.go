package main

import (
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// What a StorageClass may say; the case of these does not matter.
const (
	paramServer      = "server"
	paramShare       = "share"
	paramSubDir      = "subdir"
	paramOnDelete    = "ondelete"
	paramPermissions = "mountpermissions"
	// Only a PV written by hand and the Secret for DeleteVolume may say this.
	paramMountOptions = "mountoptions"
)

// csi-provisioner adds these with --extra-create-metadata; subDir may name their values.
var placeholders = map[string]string{
	"csi.storage.k8s.io/pvc/name":      "${pvc.metadata.name}",
	"csi.storage.k8s.io/pvc/namespace": "${pvc.metadata.namespace}",
	"csi.storage.k8s.io/pv/name":       "${pv.metadata.name}",
}

// What becomes of a directory whose volume is deleted.
const (
	onDeleteDelete  = "delete"
	onDeleteRetain  = "retain"
	onDeleteArchive = "archive"
)

// separator stands between the parts of a handle. Nothing keeps it out of a share or a subDir, where it moves all that
// follows: the released driver has it so.
const separator = "#"

// volume is what a handle says.
type volume struct {
	server, share, subDir string
	uuid                  string // the PV's name, if the class has a subDir
	onDelete              string // as the class spells it; empty for delete
}

// parameters is what a StorageClass or a PV says.
type parameters struct {
	volume
	permissions  uint32 // 0 leaves modes alone
	mountOptions string
	names        map[string]string // by placeholder
}

// readParameters reads what it knows and ignores the rest.
func readParameters(given map[string]string) (parameters, error) {
	read := parameters{names: map[string]string{}}
	for key, value := range given {
		switch key := strings.ToLower(key); key {
		case paramServer:
			read.server = value
		case paramShare:
			read.share = value
		case paramSubDir:
			read.subDir = value
		case paramOnDelete:
			read.onDelete = value
		case paramMountOptions:
			read.mountOptions = value
		case paramPermissions:
			if value == "" {
				continue
			}
			mode, err := strconv.ParseUint(value, 8, 32)
			if err != nil {
				return read, fmt.Errorf("invalid mountPermissions %s in storage class", value)
			}
			read.permissions = uint32(mode)
		default:
			if placeholder, ok := placeholders[key]; ok {
				read.names[placeholder] = value
			}
		}
	}
	return read, nil
}

// newVolume is the volume that a class's parameters make under a name; the default is for a class without onDelete. A
// missing share is not noticed here, but when a pod mounts the volume.
func newVolume(name string, given map[string]string, defaultOnDelete string) (parameters, error) {
	for key := range given {
		switch lower := strings.ToLower(key); lower {
		case paramServer, paramShare, paramSubDir, paramOnDelete, paramPermissions:
		default:
			if _, ok := placeholders[lower]; !ok {
				return parameters{}, fmt.Errorf("invalid parameter %q in storage class", key)
			}
		}
	}
	made, err := readParameters(given)
	if err != nil {
		return made, err
	}
	if made.server == "" {
		return made, fmt.Errorf("%s is a required parameter", paramServer)
	}
	if err := validatePath(made.share); err != nil {
		return made, fmt.Errorf("invalid share %q: %w", made.share, err)
	}
	if err := validatePath(made.subDir); err != nil {
		return made, fmt.Errorf("invalid subDir %q: %w", made.subDir, err)
	}
	if made.subDir == "" {
		made.subDir = name
	} else {
		made.subDir = expand(made.subDir, made.names)
		made.uuid = name
	}
	if made.onDelete == "" {
		made.onDelete = defaultOnDelete
	}
	switch {
	case made.onDelete == "", strings.EqualFold(made.onDelete, onDeleteDelete):
		made.onDelete = ""
	case made.action() != onDeleteDelete:
	default:
		return made, fmt.Errorf("invalid value %s for OnDelete, supported values are %v", made.onDelete,
			[]string{"", onDeleteDelete, onDeleteRetain, onDeleteArchive})
	}
	return made, nil
}

// expand replaces the placeholders in a subDir. The order does not matter: no name has a placeholder in it.
func expand(subDir string, names map[string]string) string {
	for placeholder, name := range names {
		subDir = strings.ReplaceAll(subDir, placeholder, name)
	}
	return subDir
}

// handle is what Kubernetes calls the volume.
func (v volume) handle() string {
	return strings.Join([]string{
		strings.Trim(v.server, "/"), strings.Trim(v.share, "/"), strings.Trim(v.subDir, "/"), v.uuid, v.onDelete,
	}, separator)
}

// oldHandle has slashes for separators.
var oldHandle = regexp.MustCompile(`^([^/]+)/(.*)/([^/]+)$`)

// parseHandle reads a handle. All that DeleteVolume does follows from it; the class is not asked again.
func parseHandle(handle string) (volume, error) {
	parts := strings.Split(handle, separator)
	if len(parts) < 3 {
		old := oldHandle.FindStringSubmatch(handle)
		if old == nil {
			return volume{}, fmt.Errorf("could not split %s into server, share and subDir", handle)
		}
		parts = old[1:]
	}
	parts = append(parts, "", "")
	read := volume{server: parts[0], share: parts[1], subDir: parts[2], uuid: parts[3], onDelete: parts[4]}
	for _, part := range []string{read.subDir, read.share, read.uuid} {
		if err := validatePath(part); err != nil {
			return volume{}, fmt.Errorf("invalid part %q: %w", part, err)
		}
	}
	return read, nil
}

// action is what becomes of the volume's directory. A word that means nothing means delete.
func (v volume) action() string {
	for _, action := range []string{onDeleteRetain, onDeleteArchive} {
		if strings.EqualFold(v.onDelete, action) {
			return action
		}
	}
	return onDeleteDelete
}

// mountName is the name under which the share is mounted for this volume: each is mounted apart.
func (v volume) mountName() string {
	if v.uuid == "" {
		return v.subDir
	}
	return v.uuid
}

// directory is where the volume is in its share, if that is mounted here.
func (v volume) directory(share string) string { return filepath.Join(share, v.subDir) }

// archive is where the volume's directory is archived.
func (v volume) archive(share string) string { return filepath.Join(share, "archived-"+v.subDir) }

// source is what a node mounts.
func (p parameters) source() (string, error) {
	if p.server == "" {
		return "", fmt.Errorf("%s is a required parameter", paramServer)
	}
	if p.share == "" {
		return "", fmt.Errorf("%s is a required parameter", paramShare)
	}
	server := p.server
	if address := net.ParseIP(server); address != nil && address.To4() == nil {
		server = "[" + server + "]"
	}
	source := server + ":" + p.share
	if p.subDir != "" {
		source = strings.TrimRight(source, "/") + "/" + expand(p.subDir, p.names)
	}
	if err := validatePath(source); err != nil {
		return "", fmt.Errorf("invalid volume source %q: %w", source, err)
	}
	return source, nil
}

// validatePath refuses to leave a directory. What a placeholder brings in is not looked at: a name is never "..".
func validatePath(path string) error {
	for part := range strings.SplitSeq(path, "/") {
		if part == ".." {
			return errors.New("path contains directory traversal sequence")
		}
	}
	return nil
}
