package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func (s *setup) publish(t *testing.T, made *csi.Volume, target string, readonly bool) error {
	_, err := s.nodes.NodePublishVolume(t.Context(), &csi.NodePublishVolumeRequest{
		VolumeId: made.GetVolumeId(), VolumeContext: made.GetVolumeContext(), TargetPath: target, Readonly: readonly,
		VolumeCapability: filesystem("hard", "nfsvers=4.1"),
	})
	return err
}

func TestAVolumeIsMountedForAPod(t *testing.T) {
	s := newSetup(t, "")
	made := s.create(t, "a", map[string]string{"subDir": "x"})
	s.write(t, "x/f")
	target := filepath.Join(s.folder, "pod", "mount")
	for range 2 { // the kubelet may ask again
		must(t, s.publish(t, made, target, true))
	}
	if got, want := s.mounter.sources[1:], []string{"nfs:/exports/x"}; !slices.Equal(got, want) {
		t.Errorf("mounted %v, want %v", got, want)
	}
	if got, want := s.mounter.options[1], []string{"hard", "nfsvers=4.1", "ro"}; !slices.Equal(got, want) {
		t.Errorf("mounted with %v, want %v", got, want)
	}
	_, err := os.Stat(filepath.Join(target, "f"))
	must(t, err)
	for range 2 {
		_, err := s.nodes.NodeUnpublishVolume(t.Context(), &csi.NodeUnpublishVolumeRequest{VolumeId: "v", TargetPath: target})
		must(t, err)
	}
	if _, err := os.Lstat(target); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the mount point is left: %v", err)
	}
	s.check(t, "x/f")
}

func TestUsageIsThatOfTheFileSystem(t *testing.T) {
	s := newSetup(t, "")
	ask := func(path string) (*csi.NodeGetVolumeStatsResponse, error) {
		return s.nodes.NodeGetVolumeStats(t.Context(), &csi.NodeGetVolumeStatsRequest{VolumeId: "v", VolumePath: path})
	}
	if _, err := ask(filepath.Join(s.folder, "nothing")); status.Code(err) != codes.NotFound {
		t.Errorf("of nothing: %v", err)
	}
	answer, err := ask(s.folder)
	must(t, err)
	if bytes := answer.GetUsage()[0]; bytes.GetTotal() < bytes.GetUsed() || bytes.GetTotal() == 0 {
		t.Errorf("%v", bytes)
	}
	again, err := ask(filepath.Join(s.folder, "nothing")) // an answer is kept for ten minutes
	if err != nil || again != answer {
		t.Errorf("again: %v, %v", again, err)
	}
}
