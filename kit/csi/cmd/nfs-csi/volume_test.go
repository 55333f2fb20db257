package main

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"unicode/utf8"
)

// said is what a class makes of the PVC shop/data, or what a handle says, as the stand-in and the model both say it.
// Directories are relative to the share.
type said struct {
	Refused    bool   `json:"refused"`
	Handle     string `json:"handle"`
	Directory  string `json:"directory"`
	Mode       uint32 `json:"mode"`
	Source     string `json:"source"`
	Unreadable bool   `json:"unreadable"`
	Action     string `json:"action"`
	Target     string `json:"target"`
	Archive    string `json:"archive"`
}

const mountedAt = "/share"

func ofClass(class map[string]string) said {
	given := map[string]string{
		"csi.storage.k8s.io/pvc/name":      "data",
		"csi.storage.k8s.io/pvc/namespace": "shop",
		"csi.storage.k8s.io/pv/name":       "pvc-1",
	}
	for key, value := range class {
		given[key] = value
	}
	made, err := newVolume("pvc-1", given, "")
	if err != nil {
		return said{Refused: true}
	}
	answer := ofHandle(made.handle())
	answer.Handle, answer.Directory, answer.Mode = made.handle(), inShare(made.directory(mountedAt)), 0o755
	if made.permissions > 0 {
		answer.Mode = made.permissions
	}
	if published, err := readParameters(withSubDir(given, made.subDir)); err == nil {
		answer.Source, _ = published.source()
	}
	return answer
}

func ofHandle(handle string) said {
	read, err := parseHandle(handle)
	if err != nil {
		return said{Unreadable: true}
	}
	return said{
		Action: read.action(), Target: inShare(read.directory(mountedAt)), Archive: inShare(read.archive(mountedAt)),
	}
}

func inShare(path string) string { return strings.TrimPrefix(strings.TrimPrefix(path, mountedAt), "/") }

// FuzzVolume holds the stand-in to landfast/provisioning/csi.py, which is written from the same sources apart from it.
// Nothing is made or removed.
func FuzzVolume(f *testing.F) {
	ask := startModel(f)
	for _, subDir := range []string{
		"", "/", ".", "a", "/a/b/", "a//b", "./a", "a/../b", "a..b", "x#y", "x#..", "/#a", "x#y#retain", "a/b#c",
		"${pvc.metadata.namespace}/${pvc.metadata.name}", "${pv.metadata.name}", "${PVC.metadata.name}",
	} {
		for _, onDelete := range []string{"", "delete", "Retain", "archive", "keep"} {
			f.Add("nfs.example.com", "/exports", subDir, onDelete, "0777", "s#e#"+subDir+"##"+onDelete)
			f.Add("2001:db8::1", "exports/", subDir, onDelete, "", "s/e/"+subDir)
			f.Add("", "/", subDir, onDelete, "089", subDir)
		}
	}
	f.Fuzz(func(t *testing.T, server, share, subDir, onDelete, permissions, handle string) {
		for _, text := range []string{server, share, subDir, onDelete, permissions, handle} {
			if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
				t.Skip("the API has only text")
			}
		}
		if strings.Contains(server, "/") {
			t.Skip("it is no server")
		}
		got := ofClass(map[string]string{
			"server": server, "SHARE": share, "subDir": subDir, "ondelete": onDelete, "mountPermissions": permissions,
		})
		want := ask(t, map[string]string{
			"server": server, "share": share, "sub_dir": subDir, "on_delete": onDelete, "permissions": permissions,
		})
		if got != want {
			t.Errorf("of the class, the stand-in makes %+v; the model %+v", got, want)
		}
		if got, want := ofHandle(handle), ask(t, map[string]string{"handle": handle}); got != want {
			t.Errorf("of the handle, the stand-in makes %+v; the model %+v", got, want)
		}
	})
}

// startModel starts the model, which answers one line with one line.
func startModel(f *testing.F) func(t *testing.T, question map[string]string) said {
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
	return func(t *testing.T, question map[string]string) (answer said) {
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

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestWhatAClassMayNotSay(t *testing.T) {
	for _, test := range []struct{ key, value, err string }{
		{"mountOptions", "hard", `invalid parameter "mountOptions" in storage class`},
		{"archiveOnDelete", "true", `invalid parameter "archiveOnDelete" in storage class`},
		{"onDelete", "keep", "invalid value keep for OnDelete, supported values are [ delete retain archive]"},
		{"subDir", "a/../b", `invalid subDir "a/../b": path contains directory traversal sequence`},
		{"share", "..", `invalid share "..": path contains directory traversal sequence`},
		{"mountPermissions", "0o777", "invalid mountPermissions 0o777 in storage class"},
		{"server", "", "server is a required parameter"},
	} {
		t.Run(test.key, func(t *testing.T) {
			class := map[string]string{"server": "nfs.example.com", "share": "/exports"}
			class[test.key] = test.value
			if _, err := newVolume("pvc-1", class, ""); err == nil || err.Error() != test.err {
				t.Errorf("got %v, want %s", err, test.err)
			}
		})
	}
}

func TestTheCaseOfAKeyDoesNotMatter(t *testing.T) {
	made, err := newVolume("pvc-1", map[string]string{"SERVER": "s", "Share": "/e", "SUBDIR": "x", "onDELETE": "ARCHIVE"}, "")
	must(t, err)
	if want := "s#e#x#pvc-1#ARCHIVE"; made.handle() != want {
		t.Errorf("got %s, want %s", made.handle(), want)
	}
}

func TestAPVIsMountedAsItSays(t *testing.T) {
	for _, test := range []struct{ server, share, subDir, source, err string }{
		{server: "s", share: "/e/", subDir: "x", source: "s:/e/x"},
		{server: "s", share: "/", subDir: "", source: "s:/"},
		{server: "2001:db8::1", share: "/", subDir: "x", source: "[2001:db8::1]:/x"},
		{server: "s", err: "share is a required parameter"},
		{share: "/e", err: "server is a required parameter"},
		{server: "s", share: "/e", subDir: "../x", err: `invalid volume source "s:/e/../x": path contains directory traversal sequence`},
	} {
		said := parameters{volume: volume{server: test.server, share: test.share, subDir: test.subDir}}
		source, err := said.source()
		if source != test.source || (test.err != "") != (err != nil) || err != nil && err.Error() != test.err {
			t.Errorf("%+v: got %q, %v", test, source, err)
		}
	}
}
