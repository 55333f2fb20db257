package main

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

const exportPath = "/exports"

// export is a provisioner, and the export it works on as a temporary directory.
type export struct {
	*nfsProvisioner
	client *fake.Clientset
}

func newExport(t *testing.T, line contract, nfsPath string) *export {
	t.Helper()
	client := fake.NewClientset()
	// One level down: a path that climbs, or an export that is removed itself, must not reach the test's own directory.
	root := filepath.Join(t.TempDir(), "mount")
	must(t, os.Mkdir(root, 0o755))
	return &export{
		client:         client,
		nfsProvisioner: &nfsProvisioner{contract: line, client: client, server: "nfs.example", exportPath: nfsPath, root: root},
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

type parameters = map[string]string

// class makes a StorageClass and registers it.
func (e *export) class(t *testing.T, params parameters) *storagev1.StorageClass {
	t.Helper()
	policy := corev1.PersistentVolumeReclaimDelete
	class := &storagev1.StorageClass{
		ObjectMeta:    metav1.ObjectMeta{Name: "x"},
		Provisioner:   "nfs-client",
		Parameters:    params,
		ReclaimPolicy: &policy,
		MountOptions:  []string{"hard", "nfsvers=4"},
	}
	must(t, e.client.Tracker().Add(class))
	return class
}

// claim makes a PVC in namespace shop. Its PV's name is pvc-<name>.
func claim(name string, annotations map[string]string) *corev1.PersistentVolumeClaim {
	return &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, UID: types.UID(name), Annotations: annotations},
		Spec: corev1.PersistentVolumeClaimSpec{
			AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteMany},
			Resources: corev1.VolumeResourceRequirements{
				Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")},
			},
		},
	}
}

// provisionFor makes a volume with one file of data in it, and gives its PV as the library would store it.
func (e *export) provisionFor(t *testing.T, class *storagev1.StorageClass, pvc *corev1.PersistentVolumeClaim) *corev1.PersistentVolume {
	t.Helper()
	pv, state, err := e.Provision(t.Context(), controller.ProvisionOptions{
		StorageClass: class, PVC: pvc, PVName: "pvc-" + string(pvc.UID),
	})
	must(t, err)
	if state != controller.ProvisioningFinished {
		t.Fatalf("state = %s, want %s", state, controller.ProvisioningFinished)
	}
	pv.Spec.StorageClassName = class.Name
	e.write(t, path.Join(strings.TrimPrefix(pv.Spec.NFS.Path, e.exportPath), pvc.Name+".dat"))
	return pv
}

// write makes a file, and the directories above it, as the server would see them.
func (e *export) write(t *testing.T, name string) {
	t.Helper()
	full := filepath.Join(e.root, name)
	must(t, os.MkdirAll(filepath.Dir(full), 0o755))
	must(t, os.WriteFile(full, nil, 0o644))
}

// tree lists what is on the export: files by name, empty directories with a slash.
func (e *export) tree(t *testing.T) []string {
	t.Helper()
	var found []string
	must(t, filepath.WalkDir(e.root, func(full string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && full == e.root {
			return fs.SkipAll // On a real mount it stays, empty.
		}
		if err != nil || full == e.root {
			return err
		}
		name, err := filepath.Rel(e.root, full)
		if err != nil {
			return err
		}
		if !entry.IsDir() {
			found = append(found, name)
		} else if inside, err := os.ReadDir(full); err != nil {
			return err
		} else if len(inside) == 0 {
			found = append(found, name+"/")
		}
		return nil
	}))
	return found
}

func (e *export) wantTree(t *testing.T, want ...string) {
	t.Helper()
	slices.Sort(want)
	if got := e.tree(t); !slices.Equal(got, want) {
		t.Errorf("on the export: %q, want %q", got, want)
	}
}

// forBothLines runs what both lines do alike.
func forBothLines(t *testing.T, test func(t *testing.T, line contract)) {
	for _, line := range []contract{contractV402, contractMaster} {
		t.Run(string(line), func(t *testing.T) { test(t, line) })
	}
}

func TestProvision(t *testing.T) {
	forBothLines(t, func(t *testing.T, line contract) {
		e := newExport(t, line, exportPath)
		pv := e.provisionFor(t, e.class(t, nil), claim("data", nil))

		if want := "/exports/shop-data-pvc-data"; pv.Spec.NFS.Path != want || pv.Spec.NFS.Server != "nfs.example" || pv.Spec.NFS.ReadOnly {
			t.Errorf("volume = %+v, want %s on nfs.example, writable", pv.Spec.NFS, want)
		}
		if pv.Name != "pvc-data" || len(pv.Finalizers) != 0 {
			t.Errorf("PV %s has finalizers %v, want pvc-data without any", pv.Name, pv.Finalizers)
		}
		if !slices.Equal(pv.Spec.AccessModes, []corev1.PersistentVolumeAccessMode{corev1.ReadWriteMany}) {
			t.Errorf("access modes = %v, want those of the PVC", pv.Spec.AccessModes)
		}
		if got := pv.Spec.Capacity[corev1.ResourceStorage]; got.String() != "1Gi" {
			t.Errorf("capacity = %s, want the request", got.String())
		}
		if !slices.Equal(pv.Spec.MountOptions, []string{"hard", "nfsvers=4"}) || pv.Spec.PersistentVolumeReclaimPolicy != corev1.PersistentVolumeReclaimDelete {
			t.Errorf("mount options %v and policy %s, want those of the StorageClass", pv.Spec.MountOptions, pv.Spec.PersistentVolumeReclaimPolicy)
		}
		info, err := os.Stat(filepath.Join(e.root, "shop-data-pvc-data"))
		must(t, err)
		if info.Mode().Perm() != directoryMode {
			t.Errorf("mode = %o, want %o", info.Mode().Perm(), directoryMode)
		}
	})
}

func TestProvisionReusesADirectory(t *testing.T) {
	forBothLines(t, func(t *testing.T, line contract) {
		e := newExport(t, line, exportPath)
		e.write(t, "shop-data-pvc-data/before.dat")
		e.provisionFor(t, e.class(t, nil), claim("data", nil))
		e.wantTree(t, "shop-data-pvc-data/before.dat", "shop-data-pvc-data/data.dat")
	})
}

func TestProvisionRefusesASelector(t *testing.T) {
	forBothLines(t, func(t *testing.T, line contract) {
		e := newExport(t, line, exportPath)
		pvc := claim("data", nil)
		pvc.Spec.Selector = &metav1.LabelSelector{} // Even an empty one.
		_, _, err := e.Provision(t.Context(), controller.ProvisionOptions{StorageClass: e.class(t, nil), PVC: pvc, PVName: "pvc-data"})
		if want := `failed to provision volume with StorageClass "x": claim Selector is not supported`; err == nil || err.Error() != want {
			t.Errorf("error = %v, want %q", err, want)
		}
		e.wantTree(t)
	})
}

func TestBlockModeIsLeftToTheLibrary(t *testing.T) {
	if _, ok := any(&nfsProvisioner{}).(controller.BlockProvisioner); ok {
		t.Error("the provisioner claims to know about block volumes; the library refuses them only if it does not")
	}
}
