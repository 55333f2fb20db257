package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func TestVolumesAreMadeAndRemoved(t *testing.T) {
	nested := "${pvc.metadata.namespace}/${pvc.metadata.name}"
	for _, test := range []struct {
		name     string
		class    map[string]string
		before   []string // on the share
		file     string   // in the volume
		want     []string
		complain string
	}{
		{name: "no parameters", file: "pvc-a/f"},
		{name: "retain", class: map[string]string{"onDelete": "Retain"}, file: "pvc-a/f", want: []string{"pvc-a/f"}},
		{name: "archive", class: map[string]string{"onDelete": "archive"}, file: "pvc-a/f", want: []string{"archived-pvc-a/f"}},
		{name: "nested", class: map[string]string{"subDir": nested}, file: "shop/a/f"},
		{
			name: "nested beside another", class: map[string]string{"subDir": nested}, before: []string{"shop/b/f"},
			file: "shop/a/f", want: []string{"shop/b/f"},
		},
		{
			name: "nested, archived: the parent stays", class: map[string]string{"subDir": nested, "onDelete": "archive"},
			file: "shop/a/f", want: []string{"archived-shop/a/f", "shop/"},
		},
		{
			name: "an archive is in the way", class: map[string]string{"subDir": "x", "onDelete": "archive"},
			before: []string{"archived-x/old"}, file: "x/f", want: []string{"archived-x/old", "x/f"}, complain: "file exists",
		},
		{name: "look-alikes stay", before: []string{"pvc-a-2/f", "pvc-aa/f"}, file: "pvc-a/f", want: []string{"pvc-a-2/f", "pvc-aa/f"}},
		{
			name: "a separator in subDir", class: map[string]string{"subDir": "x#y"}, before: []string{"x/f"},
			file: "x#y/f", want: []string{"x#y/f"},
		},
		{name: "a handle that cannot be read", class: map[string]string{"subDir": "x#.."}, file: "x#../f", want: []string{"x#../f"}},
		{
			name: "more parents than are removed", class: map[string]string{"subDir": "a/b/c/d/e/f/g/h/i/j/k/l/m"},
			file: "a/b/c/d/e/f/g/h/i/j/k/l/m/f", want: []string{"a/"}, complain: "too deep",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newSetup(t, "")
			s.write(t, test.before...)
			made := s.create(t, "a", test.class)
			if options := s.mounter.options[0]; !slices.Equal(options, []string{"hard"}) {
				t.Errorf("the share was mounted with %v", options)
			}
			must(t, os.WriteFile(filepath.Join(s.mounter.share, test.file), nil, 0o644)) // its folder has to be there
			err := s.remove(t, made.GetVolumeId())
			if (err != nil) != (test.complain != "") || err != nil && !strings.Contains(err.Error(), test.complain) {
				t.Errorf("got %v, want %q", err, test.complain)
			}
			s.check(t, test.want...)
		})
	}
}

func TestTheSecondVolumeOfASharedDirectory(t *testing.T) {
	for _, test := range []struct{ subDir, onDelete, complain string }{
		{"x", "delete", ""},
		{"up/x", "delete", "failed to remove empty directories"},
		{"x", "archive", "no such file or directory"},
	} {
		s := newSetup(t, "")
		class := map[string]string{"subDir": test.subDir, "onDelete": test.onDelete}
		first, second := s.create(t, "a", class), s.create(t, "b", class)
		if first.GetVolumeId() == second.GetVolumeId() {
			t.Errorf("both have the handle %s", first.GetVolumeId())
		}
		must(t, s.remove(t, first.GetVolumeId()))
		err := s.remove(t, second.GetVolumeId())
		if (err != nil) != (test.complain != "") || err != nil && !strings.Contains(err.Error(), test.complain) {
			t.Errorf("%+v: got %v", test, err)
		}
	}
}

func TestAHandleThatComesAgainWithinAMinuteIsNotLookedAt(t *testing.T) {
	s := newSetup(t, "")
	must(t, s.remove(t, "nfs#exports#x##"))
	s.write(t, "x/f")
	must(t, s.remove(t, "nfs#exports#x##"))
	s.check(t, "x/f")
}

func TestPermissionsReachTheShareToo(t *testing.T) {
	s := newSetup(t, "")
	must(t, os.Chmod(s.mounter.share, 0o755))
	mode := func(name string) os.FileMode {
		info, err := os.Stat(filepath.Join(s.mounter.share, name))
		must(t, err)
		return info.Mode().Perm()
	}
	s.create(t, "a", nil)
	if mode("pvc-a") != 0o755 || mode("") != 0o755 {
		t.Errorf("without permissions: %o, share %o", mode("pvc-a"), mode(""))
	}
	s.create(t, "b", map[string]string{"mountPermissions": "0777"})
	if mode("pvc-b") != 0o777 || mode("") != 0o777 {
		t.Errorf("with permissions: %o, share %o", mode("pvc-b"), mode(""))
	}
}

func TestAPVSaysWhereItsDirectoryIs(t *testing.T) {
	s := newSetup(t, "")
	for class, key := range map[string]string{"": "subdir", "SubDir": "SubDir"} {
		parameters := map[string]string{}
		if class != "" {
			parameters[class] = "${pvc.metadata.name}-x"
		}
		made := s.create(t, "a", parameters)
		if got := made.GetVolumeContext()[key]; got != map[string]string{"subdir": "pvc-a", "SubDir": "a-x"}[key] {
			t.Errorf("%s is %q", key, got)
		}
		if made.GetCapacityBytes() != 0 {
			t.Errorf("it has a capacity of its own: %d", made.GetCapacityBytes())
		}
	}
}

func TestWhatIsRefused(t *testing.T) {
	s := newSetup(t, "")
	block := &csi.VolumeCapability{AccessType: &csi.VolumeCapability_Block{Block: &csi.VolumeCapability_BlockVolume{}}}
	ask := func(name string, capability *csi.VolumeCapability) codes.Code {
		_, err := s.CreateVolume(t.Context(), &csi.CreateVolumeRequest{
			Name: name, Parameters: map[string]string{"server": "nfs", "share": "/exports"},
			VolumeCapabilities: []*csi.VolumeCapability{capability},
		})
		return status.Code(err)
	}
	if code := ask("pvc-a", block); code != codes.InvalidArgument {
		t.Errorf("a block volume: %v", code)
	}
	if code := ask("", filesystem()); code != codes.InvalidArgument {
		t.Errorf("no name: %v", code)
	}
	s.mounter.fails = errors.New("connection refused")
	if code := ask("pvc-a", filesystem()); code != codes.Internal {
		t.Errorf("a server that is away: %v", code)
	}
}

func TestExpansionAgrees(t *testing.T) {
	for defect, want := range map[string]int64{"": 2 << 20, "expansion-lies": 1 << 20} {
		s := newSetup(t, defect)
		made := s.create(t, "a", nil)
		answer, err := s.ControllerExpandVolume(t.Context(), &csi.ControllerExpandVolumeRequest{
			VolumeId: made.GetVolumeId(), CapacityRange: &csi.CapacityRange{RequiredBytes: 2 << 20},
		})
		must(t, err)
		if answer.GetCapacityBytes() != want || answer.GetNodeExpansionRequired() {
			t.Errorf("%q: got %v, want %d", defect, answer, want)
		}
	}
}

func TestLeftoversAreUnmounted(t *testing.T) {
	mounter := &fakeMounter{share: t.TempDir()}
	c := newController(newNode("worker", mounter), filepath.Join(t.TempDir(), "shares"), options{})
	must(t, c.unmountLeftovers(t.Context()))
	left := filepath.Join(c.shares, "pvc-a")
	must(t, os.MkdirAll(left, 0o755))
	must(t, mounter.mount(t.Context(), "nfs:/exports", left, nil))
	must(t, c.unmountLeftovers(t.Context()))
	if _, err := os.Lstat(left); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it is left: %v", err)
	}
	_, err := os.Stat(mounter.share)
	must(t, err)
}

func TestTheDriversOwnOnDeleteIsForClassesWithout(t *testing.T) {
	s := newSetupWith(t, options{defaultOnDelete: "archive"}, "")
	for _, onDelete := range []string{"", "delete", "retain"} {
		must(t, s.remove(t, s.create(t, "of-"+onDelete, map[string]string{"onDelete": onDelete}).GetVolumeId()))
	}
	s.check(t, "archived-pvc-of-/", "pvc-of-retain/")
}

func TestArchivesAreReplacedIfTheDriverIsToldTo(t *testing.T) {
	s := newSetupWith(t, options{replaceArchives: true}, "")
	s.write(t, "archived-pvc-a/old")
	must(t, s.remove(t, s.create(t, "a", map[string]string{"onDelete": "archive"}).GetVolumeId()))
	s.check(t, "archived-pvc-a/")
}
