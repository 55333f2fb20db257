package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestParseSettings(t *testing.T) {
	complete := map[string]string{"PROVISIONER_NAME": "nfs-client", "NFS_SERVER": "nfs", "NFS_PATH": "/exports"}
	tests := []struct {
		name    string
		args    []string
		env     map[string]string
		want    contract
		problem string
	}{
		{name: "the released line by default", want: contractV402},
		{name: "the image chooses", env: map[string]string{"CONTRACT": "master"}, want: contractMaster},
		{name: "the flag wins", args: []string{"--contract", "v4.0.2"}, env: map[string]string{"CONTRACT": "master"}, want: contractV402},
		{name: "the fork", args: []string{"--contract=leases"}, want: contractLeases},
		{name: "an unknown line", args: []string{"--contract=v5"}, problem: `contract "v5" is not known: choose v4.0.2, master or leases`},
		{name: "an unknown line in the image", env: map[string]string{"CONTRACT": "V4.0.2"}, problem: `contract "V4.0.2" is not known: choose v4.0.2, master or leases`},
		{name: "a missing variable", env: map[string]string{"NFS_PATH": ""}, problem: "NFS_PATH is not set"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := parseSettings(test.args, func(name string) string {
				if value, ok := test.env[name]; ok {
					return value
				}
				return complete[name]
			})
			if test.problem != "" {
				if err == nil || err.Error() != test.problem {
					t.Fatalf("error = %v, want %q", err, test.problem)
				}
				return
			}
			want := settings{contract: test.want, provisionerName: "nfs-client", nfsServer: "nfs", nfsPath: "/exports"}
			if err != nil || got != want {
				t.Fatalf("settings = %+v, %v; want %+v", got, err, want)
			}
		})
	}
}

func TestPodNamespace(t *testing.T) {
	mounted := filepath.Join(t.TempDir(), "namespace")
	if err := os.WriteFile(mounted, []byte("nfs-system\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	missing := mounted + "-missing"
	tests := []struct{ name, file, env, want string }{
		{"from the token's folder", mounted, "other", "nfs-system"},
		{"from the environment", missing, "other", "other"},
		{"from nowhere", missing, "", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := podNamespace(test.file, func(string) string { return test.env })
			if got != test.want || (err != nil) != (test.want == "") {
				t.Errorf("namespace = %q, %v; want %q", got, err, test.want)
			}
		})
	}
}
