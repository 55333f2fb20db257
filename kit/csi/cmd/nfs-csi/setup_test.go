package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/container-storage-interface/spec/lib/go/csi"
)

// fakeMounter mounts a folder by a link to it. It has one share, of which subDir is a folder.
type fakeMounter struct {
	share   string
	sources []string
	options [][]string
	fails   error
}

func (m *fakeMounter) mount(_ context.Context, source, target string, options []string) error {
	if m.fails != nil {
		return m.fails
	}
	m.sources, m.options = append(m.sources, source), append(m.options, options)
	if err := os.Remove(target); err != nil {
		return err
	}
	return os.Symlink(filepath.Join(m.share, strings.TrimPrefix(source, "nfs:/exports")), target)
}

func (m *fakeMounter) unmount(_ context.Context, target string) error {
	if err := os.Remove(target); err != nil {
		return err
	}
	return os.Mkdir(target, 0o755)
}

func (m *fakeMounter) mounted(target string) (bool, error) {
	info, err := os.Lstat(target)
	return err == nil && info.Mode()&fs.ModeSymlink != 0, err
}

// setup is a driver with a folder for its share.
type setup struct {
	csi.ControllerServer
	nodes   csi.NodeServer
	mounter *fakeMounter
	folder  string // for mount points
}

func newSetup(t *testing.T, defect string) *setup { return newSetupWith(t, options{}, defect) }

func newSetupWith(t *testing.T, options options, defect string) *setup {
	mounter := &fakeMounter{share: t.TempDir()}
	node := newNode("worker", mounter)
	folder := t.TempDir()
	nodes, controllers, err := plant(node, newController(node, filepath.Join(folder, "shares"), options), defect)
	must(t, err)
	return &setup{controllers, nodes, mounter, folder}
}

func (s *setup) write(t *testing.T, names ...string) {
	for _, name := range names {
		path := filepath.Join(s.mounter.share, name)
		must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		must(t, os.WriteFile(path, []byte(name), 0o644))
	}
}

// files are all files of the share, and its empty folders with a slash at the end.
func (s *setup) files(t *testing.T) (names []string) {
	must(t, filepath.WalkDir(s.mounter.share, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == s.mounter.share {
			return err
		}
		name := strings.TrimPrefix(path, s.mounter.share+"/")
		if entry.IsDir() {
			inside, err := os.ReadDir(path)
			if len(inside) > 0 || err != nil {
				return err
			}
			name += "/"
		}
		names = append(names, name)
		return nil
	}))
	return names
}

func (s *setup) check(t *testing.T, want ...string) {
	t.Helper()
	slices.Sort(want)
	if got := slices.Sorted(slices.Values(s.files(t))); !slices.Equal(got, want) {
		t.Errorf("the share has %q, want %q", got, want)
	}
	left, err := os.ReadDir(filepath.Join(s.folder, "shares"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) || len(left) > 0 {
		t.Errorf("mount points are left: %v, %v", left, err)
	}
}

func filesystem(options ...string) *csi.VolumeCapability {
	return &csi.VolumeCapability{AccessType: &csi.VolumeCapability_Mount{
		Mount: &csi.VolumeCapability_MountVolume{MountFlags: options},
	}}
}

// create makes the volume of a PVC shop/NAME, whose PV is pvc-NAME.
func (s *setup) create(t *testing.T, name string, class map[string]string) *csi.Volume {
	t.Helper()
	parameters := map[string]string{
		"server": "nfs", "share": "/exports", "csi.storage.k8s.io/pvc/name": name,
		"csi.storage.k8s.io/pvc/namespace": "shop", "csi.storage.k8s.io/pv/name": "pvc-" + name,
	}
	for key, value := range class {
		parameters[key] = value
	}
	made, err := s.CreateVolume(t.Context(), &csi.CreateVolumeRequest{
		Name: "pvc-" + name, Parameters: parameters, VolumeCapabilities: []*csi.VolumeCapability{filesystem("hard")},
		CapacityRange: &csi.CapacityRange{RequiredBytes: 1 << 20},
	})
	must(t, err)
	return made.GetVolume()
}

func (s *setup) remove(t *testing.T, handle string) error {
	_, err := s.DeleteVolume(t.Context(), &csi.DeleteVolumeRequest{VolumeId: handle})
	return err
}
