package main

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestExpandPattern(t *testing.T) {
	pvc := &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{
		Namespace:   "shop",
		Name:        "data",
		Labels:      map[string]string{"app": "mysql", "example.com/tier": "gold"},
		Annotations: map[string]string{"nfs.io/storage-path": "a/b", "climb": "a/../b", "nested": "x-${.PVC.labels.app}"},
	}}
	tests := []struct{ name, pattern, want string }{
		{"namespace and name", "${.PVC.namespace}/${.PVC.name}", "shop/data"},
		{"label", "${.PVC.labels.app}", "mysql"},
		{"label with prefix", "${.PVC.labels.example.com/tier}", "gold"},
		{"annotation with slash", "${.PVC.annotations.nfs.io/storage-path}", "a/b"},
		{"text around", "pre-${.PVC.name}-post", "pre-data-post"},
		{"no placeholder", "fixed", "fixed"},
		{"missing label is empty", "x${.PVC.labels.nope}y", "xy"},
		{"missing annotation is empty", "${.PVC.annotations.nope}", ""},
		{"unknown key is empty", "x${.PVC.uid}y", "xy"},
		{"another object is text", "x${.PV.name}y", "x${.PV.name}y"},
		{"another case is text", "${.pvc.name}", "${.pvc.name}"},
		{"a value is expanded if it stands later", "${.PVC.annotations.nested}-${.PVC.labels.app}", "x-mysql-mysql"},
		{"but not if it stands earlier", "${.PVC.labels.app}-${.PVC.annotations.nested}", "mysql-x-${.PVC.labels.app}"},
		{"values are not checked", "${.PVC.annotations.climb}", "a/../b"},
		{"without the dot it is text", "${PVC.name}", "${PVC.name}"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := expandPattern(test.pattern, pvc); got != test.want {
				t.Errorf("expandPattern(%q) = %q, want %q", test.pattern, got, test.want)
			}
		})
	}
}

// rules is what a line makes of one PVC, as the stand-in and the model both say it.
type rules struct {
	Path     string  `json:"path"`
	LooksAt  *string `json:"looks_at"` // relative to the export; null is a place outside of it
	Archives string  `json:"archives"`
}

// FuzzPathRules holds the stand-in to landfast/provisioning/contract.py, which is written from the same sources apart from it.
// Nothing is made or removed: a path that leads out of an export would lead into this machine.
func FuzzPathRules(f *testing.F) {
	ask := startModel(f)
	for _, pattern := range []string{
		"", ".", "..", "../..", "a/../..", "${.PVC.namespace}/${.PVC.name}", "${.PVC.annotations.path}", "${.pvc.name}",
		"${.PVC.annotations.path}-${.PVC.labels.app}", "${.PVC.labels.}", "${.PVC.name${.PVC.uid}", "../persistentvolumes/x",
	} {
		for line := range uint8(3) {
			f.Add(line, "/exports", pattern, "mysql", "../x-${.PVC.labels.app}")
			f.Add(line, "/exports/", pattern, "", "")
			f.Add(line, "/", pattern, ".", "..")
		}
	}
	lines := []contract{contractV402, contractMaster, contractLeases}
	f.Fuzz(func(t *testing.T, line uint8, exportPath, pattern, label, annotation string) {
		for _, text := range []string{exportPath, pattern, label, annotation} {
			if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
				t.Skip("the API has only text")
			}
		}
		if !strings.HasPrefix(exportPath, "/") {
			t.Skip("the API refuses it")
		}
		c := lines[int(line)%len(lines)]
		pvc := claim("data", map[string]string{"path": annotation})
		pvc.Labels = map[string]string{"app": label}
		path := filepath.Join(exportPath, c.directory(map[string]string{"pathPattern": pattern}, pvc, "pvc-data"))
		got := rules{
			Path:     path,
			LooksAt:  insideMount(c.deletePath(mountPath, exportPath, path)),
			Archives: strings.TrimPrefix(archivePath(mountPath, path), mountPath+"/"),
		}
		want := ask(t, map[string]string{
			"line": string(c), "nfs_path": exportPath, "pattern": pattern, "label": label, "annotation": annotation,
		})
		if got.Path != want.Path || got.Archives != want.Archives || text(got.LooksAt) != text(want.LooksAt) {
			t.Errorf("%s: the stand-in has %s, %s, %s; the model %s, %s, %s", c,
				got.Path, text(got.LooksAt), got.Archives, want.Path, text(want.LooksAt), want.Archives)
		}
	})
}

func text(name *string) string {
	if name == nil {
		return "outside"
	}
	return "inside: " + *name
}

// insideMount gives a place relative to the mount, "" for the mount itself and what contains it, nil for other places.
func insideMount(local string) *string {
	inside := ""
	switch clean := filepath.Clean(local); {
	case clean == mountPath || clean == "/":
	case strings.HasPrefix(clean, mountPath+"/"):
		inside = strings.TrimPrefix(clean, mountPath+"/")
	default:
		return nil
	}
	return &inside
}

// startModel starts the model, which answers one line with one line.
func startModel(f *testing.F) func(t *testing.T, question map[string]string) rules {
	python := os.Getenv("LANDFAST_PYTHON")
	if python == "" {
		f.Fatal("LANDFAST_PYTHON is not set: `nox -s kit-tests` runs this test")
	}
	model := exec.Command(python, "testdata/model.py")
	model.Stderr = os.Stderr
	questions, err := model.StdinPipe()
	if err != nil {
		f.Fatal(err)
	}
	output, err := model.StdoutPipe()
	if err != nil {
		f.Fatal(err)
	}
	if err := model.Start(); err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() {
		questions.Close()
		if err := model.Wait(); err != nil {
			f.Error(err)
		}
	})
	answers := bufio.NewReader(output)
	return func(t *testing.T, question map[string]string) (answer rules) {
		asked, err := json.Marshal(question)
		must(t, err)
		_, err = io.WriteString(questions, string(asked)+"\n")
		must(t, err)
		line, err := answers.ReadBytes('\n')
		must(t, err)
		must(t, json.Unmarshal(line, &answer))
		return answer
	}
}
