package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestADefectThatIsNotKnownIsRefused(t *testing.T) {
	if _, _, err := plant(nil, nil, "fast"); err == nil {
		t.Error("it was planted")
	}
}

func TestDefectOnDeleteIgnored(t *testing.T) {
	s := newSetup(t, "ondelete-ignored")
	for _, onDelete := range []string{"retain", "archive"} {
		must(t, s.remove(t, s.create(t, onDelete, map[string]string{"onDelete": onDelete}).GetVolumeId()))
	}
	s.check(t)
}

func TestDefectOneDirectory(t *testing.T) {
	s := newSetup(t, "one-directory")
	first, second := s.create(t, "a", nil), s.create(t, "b", nil)
	s.check(t, "pvc-a/")
	for _, made := range []string{first.GetVolumeContext()["subdir"], second.GetVolumeContext()["subdir"]} {
		if made != "pvc-a" {
			t.Errorf("a PV says %s", made)
		}
	}
	if first.GetVolumeId() == second.GetVolumeId() {
		t.Error("both have one handle")
	}
}

func TestDefectNoMountOptions(t *testing.T) {
	s := newSetup(t, "no-mount-options")
	made := s.create(t, "a", nil)
	must(t, s.publish(t, made, filepath.Join(s.folder, "target"), false))
	if options := s.mounter.options[1]; len(options) > 0 {
		t.Errorf("mounted with %v", options)
	}
}

func TestDefectDeletionTakesAlike(t *testing.T) {
	s := newSetup(t, "deletion-takes-alike")
	made, kept := s.create(t, "a", nil), s.create(t, "b", map[string]string{"onDelete": "archive"})
	s.write(t, "pvc-a-2/f", "pvc-b-2/f", "pvc-c/f")
	must(t, s.remove(t, made.GetVolumeId()))
	must(t, s.remove(t, kept.GetVolumeId()))
	s.check(t, "archived-pvc-b/", "pvc-b-2/f", "pvc-c/f")
}

func TestDefectArchivingTakesAlike(t *testing.T) {
	s := newSetup(t, "archiving-takes-alike")
	made := s.create(t, "a", map[string]string{"onDelete": "archive"})
	s.write(t, "pvc-a-2/f", "pvc-b/f")
	must(t, s.remove(t, made.GetVolumeId()))
	s.check(t, "archived-pvc-a/", "archived-pvc-a-2/f", "pvc-b/f")
}

func TestDefectClosedDirectory(t *testing.T) {
	s := newSetup(t, "closed-directory")
	s.create(t, "a", nil)
	found, err := os.Stat(filepath.Join(s.mounter.share, "pvc-a"))
	must(t, err)
	if mode := found.Mode().Perm(); mode != 0o700 {
		t.Errorf("its mode is %o", mode)
	}
}

func TestDefectSecondDirectory(t *testing.T) {
	s := newSetup(t, "second-directory")
	for range 2 {
		s.create(t, "a", nil)
	}
	s.check(t, "pvc-a-again/", "pvc-a/")
}
