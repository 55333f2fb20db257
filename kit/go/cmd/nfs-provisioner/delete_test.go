package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestDelete has the rows of the contract's first table, which both lines share. The rows that need the PV controller
// (reclaim policy Retain, a PV deleted before its PVC) are about Delete not being called, so there is nothing to call here.
func TestDelete(t *testing.T) {
	const (
		kept     = "shop-data-pvc-data/data.dat"
		archived = "archived-shop-data-pvc-data/data.dat"
	)
	tests := []struct {
		name   string
		params parameters
		before func(t *testing.T, e *export)
		want   []string
		err    string
	}{
		{name: "no parameters", want: []string{archived}},
		{name: "archiveOnDelete true", params: parameters{"archiveOnDelete": "true"}, want: []string{archived}},
		{name: "archiveOnDelete false", params: parameters{"archiveOnDelete": "false"}},
		{
			name: "archiveOnDelete no", params: parameters{"archiveOnDelete": "no"},
			want: []string{kept}, err: `strconv.ParseBool: parsing "no": invalid syntax`,
		},
		{name: "onDelete delete", params: parameters{"onDelete": "delete"}},
		{name: "onDelete delete wins", params: parameters{"onDelete": "delete", "archiveOnDelete": "no"}},
		{name: "onDelete retain", params: parameters{"onDelete": "retain"}, want: []string{kept}},
		{name: "onDelete retain wins", params: parameters{"onDelete": "retain", "archiveOnDelete": "false"}, want: []string{kept}},
		{name: "onDelete Delete is a typo", params: parameters{"onDelete": "Delete"}, want: []string{archived}},
		{
			name: "StorageClass deleted first",
			before: func(t *testing.T, e *export) {
				must(t, e.client.StorageV1().StorageClasses().Delete(t.Context(), "x", metav1.DeleteOptions{}))
			},
			want: []string{kept}, err: `storageclasses.storage.k8s.io "x" not found`,
		},
		{
			name:   "archive already there, not empty",
			before: func(t *testing.T, e *export) { e.write(t, "archived-shop-data-pvc-data/old.dat") },
			want:   []string{kept, "archived-shop-data-pvc-data/old.dat"}, err: "file exists",
		},
		{
			name: "archive already there, empty",
			before: func(t *testing.T, e *export) {
				must(t, os.Mkdir(filepath.Join(e.root, "archived-shop-data-pvc-data"), 0o755))
			},
			want: []string{kept, "archived-shop-data-pvc-data/"}, err: "file exists",
		},
		{
			name: "directory removed behind its back",
			before: func(t *testing.T, e *export) {
				must(t, os.RemoveAll(filepath.Join(e.root, "shop-data-pvc-data")))
			},
		},
		{
			name: "directory and StorageClass gone: the directory is asked for first",
			before: func(t *testing.T, e *export) {
				must(t, os.RemoveAll(filepath.Join(e.root, "shop-data-pvc-data")))
				must(t, e.client.StorageV1().StorageClasses().Delete(t.Context(), "x", metav1.DeleteOptions{}))
			},
		},
	}
	forBothLines(t, func(t *testing.T, line contract) {
		for _, test := range tests {
			t.Run(test.name, func(t *testing.T) {
				e := newExport(t, line, exportPath)
				pv := e.provisionFor(t, e.class(t, test.params), claim("data", nil))
				if test.before != nil {
					test.before(t, e)
				}
				// Twice, because a failed delete is tried again and must fail the same way.
				for range 2 {
					err := e.Delete(t.Context(), pv)
					switch {
					case test.err != "":
						if err == nil || !strings.HasSuffix(err.Error(), test.err) {
							t.Errorf("error = %v, want one that ends in %q", err, test.err)
						}
					case err != nil:
						t.Errorf("unexpected error: %v", err)
					}
				}
				e.wantTree(t, test.want...)
			})
		}
	})
}

func TestDeleteOfAnotherKindOfVolume(t *testing.T) {
	e := newExport(t, contractV402, exportPath)
	if err := e.Delete(t.Context(), &corev1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: "pv"}}); err == nil {
		t.Error("a PV that is not NFS was deleted without an error")
	}
}

// TestPathPattern has the rows of the contract's second table. Each provisions for the PVCs named, in order, and deletes the
// first one's PV.
func TestPathPattern(t *testing.T) {
	const byName = "${.PVC.namespace}/${.PVC.name}"
	const byAnnotation = "${.PVC.annotations.path}"
	type outcome struct {
		pvPath   string
		want     []string // on the export after the delete
		problems bool     // whether the delete fails
	}
	tests := []struct {
		name    string
		nfsPath string
		params  parameters
		value   *string // of the annotation path, if any
		claims  []string
		before  []string // files already on the export
		lines   map[contract]outcome
	}{
		{
			name:   "namespace and name, deleted",
			params: parameters{"pathPattern": byName, "onDelete": "delete"},
			lines: map[contract]outcome{
				contractV402:   {pvPath: "/exports/shop/data", want: []string{"shop/data/data.dat"}},
				contractMaster: {pvPath: "/exports/shop/data", want: []string{"shop/"}},
			},
		},
		{
			name:   "namespace and name, deleted, beside somebody else's directory of that name",
			params: parameters{"pathPattern": byName, "onDelete": "delete"},
			before: []string{"data/precious.dat"},
			lines: map[contract]outcome{
				contractV402:   {pvPath: "/exports/shop/data", want: []string{"shop/data/data.dat"}},
				contractMaster: {pvPath: "/exports/shop/data", want: []string{"data/precious.dat", "shop/"}},
			},
		},
		{
			name:   "namespace and name, archived",
			params: parameters{"pathPattern": byName},
			lines: map[contract]outcome{
				contractV402:   {pvPath: "/exports/shop/data", want: []string{"shop/data/data.dat"}},
				contractMaster: {pvPath: "/exports/shop/data", want: []string{"archived-data/data.dat", "shop/"}},
			},
		},
		{
			name:   "namespace and name, archived a second time",
			params: parameters{"pathPattern": byName},
			before: []string{"archived-data/old.dat"},
			lines: map[contract]outcome{
				contractV402:   {pvPath: "/exports/shop/data", want: []string{"archived-data/old.dat", "shop/data/data.dat"}},
				contractMaster: {pvPath: "/exports/shop/data", want: []string{"archived-data/old.dat", "shop/data/data.dat"}, problems: true},
			},
		},
		{
			name:   "missing annotation",
			params: parameters{"pathPattern": byAnnotation, "onDelete": "delete"},
			before: []string{"other/precious.dat"},
			lines: map[contract]outcome{
				contractV402:   {pvPath: "/exports", want: []string{"data.dat", "other/precious.dat"}},
				contractMaster: {pvPath: "/exports/shop-data-pvc-data", want: []string{"other/precious.dat"}},
			},
		},
		{
			name:   "annotation that climbs",
			params: parameters{"pathPattern": byAnnotation, "onDelete": "retain"},
			value:  new("a/../b"),
			lines: map[contract]outcome{
				contractV402:   {pvPath: "/exports/b", want: []string{"b/data.dat"}},
				contractMaster: {pvPath: "/exports/b", want: []string{"b/data.dat"}},
			},
		},
		{
			name:   "dot",
			params: parameters{"pathPattern": ".", "onDelete": "delete"},
			before: []string{"other/precious.dat"},
			lines: map[contract]outcome{
				contractV402:   {pvPath: "/exports", want: []string{"data.dat", "other/precious.dat"}},
				contractMaster: {pvPath: "/exports"},
			},
		},
		{
			name:   "two PVCs with one value, deleted",
			params: parameters{"pathPattern": byAnnotation, "onDelete": "delete"},
			value:  new("shared"),
			claims: []string{"data", "second"},
			lines: map[contract]outcome{
				contractV402:   {pvPath: "/exports/shared"},
				contractMaster: {pvPath: "/exports/shared"},
			},
		},
		{
			name:   "two PVCs with one value, archived",
			params: parameters{"pathPattern": byAnnotation},
			value:  new("shared"),
			claims: []string{"data", "second"},
			lines: map[contract]outcome{
				contractV402:   {pvPath: "/exports/shared", want: []string{"archived-shared/data.dat", "archived-shared/second.dat"}},
				contractMaster: {pvPath: "/exports/shared", want: []string{"archived-shared/data.dat", "archived-shared/second.dat"}},
			},
		},
		{
			name:    "the export is the server's root",
			nfsPath: "/",
			params:  parameters{"onDelete": "delete"},
			lines: map[contract]outcome{
				contractV402:   {pvPath: "/shop-data-pvc-data"},
				contractMaster: {pvPath: "/shop-data-pvc-data", want: []string{"shop-data-pvc-data/data.dat"}},
			},
		},
	}
	for _, test := range tests {
		for line, want := range test.lines {
			t.Run(test.name+"/"+string(line), func(t *testing.T) {
				nfsPath := exportPath
				if test.nfsPath != "" {
					nfsPath = test.nfsPath
				}
				e := newExport(t, line, nfsPath)
				for _, name := range test.before {
					e.write(t, name)
				}
				var annotations map[string]string
				if test.value != nil {
					annotations = map[string]string{"path": *test.value}
				}
				claims := test.claims
				if claims == nil {
					claims = []string{"data"}
				}
				class := e.class(t, test.params)
				var volumes []*corev1.PersistentVolume
				for _, name := range claims {
					volumes = append(volumes, e.provisionFor(t, class, claim(name, annotations)))
				}
				if got := volumes[0].Spec.NFS.Path; got != want.pvPath {
					t.Errorf("PV path = %s, want %s", got, want.pvPath)
				}
				if err := e.Delete(t.Context(), volumes[0]); (err != nil) != want.problems {
					t.Errorf("delete: %v, want an error: %v", err, want.problems)
				}
				e.wantTree(t, want.want...)
			})
		}
	}
}
