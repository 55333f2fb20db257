package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
)

// ipamDataDir is where host-local notes which address is taken. It lies under /run because a restarted node has no pods
// left, and notes that outlive them would use the addresses up.
const ipamDataDir = "/run/cni-ipam"

type object = map[string]any

// conflist is the CNI configuration of a node: a point-to-point link per pod with an address of podCIDR, and host ports.
// It ends in a newline.
func conflist(podCIDR netip.Prefix, mtu int) ([]byte, error) {
	content, err := json.MarshalIndent(object{
		"cniVersion": "0.3.1",
		"name":       "podnet",
		"plugins": []object{
			{
				"type":   "ptp",
				"ipMasq": false,
				"mtu":    mtu,
				"ipam": object{
					"type":    "host-local",
					"dataDir": ipamDataDir,
					"routes":  []object{{"dst": "0.0.0.0/0"}},
					"ranges":  [][]object{{{"subnet": podCIDR.String()}}},
				},
			},
			{
				"type":         "portmap",
				"capabilities": object{"portMappings": true},
			},
		},
	}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode the CNI configuration: %w", err)
	}
	return append(content, '\n'), nil
}

// writeIfChanged makes the file at path hold content and says whether it had to. Readers see the old file or the new one,
// never a part: containerd reloads the folder on every change in it.
func writeIfChanged(path string, content []byte) (bool, error) {
	before, err := os.ReadFile(path)
	if err == nil && bytes.Equal(before, content) {
		return false, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("read the present CNI configuration: %w", err)
	}
	// The name ends in none of the suffixes that CNI takes for a configuration, should it ever be left behind.
	temporary, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new-*")
	if err != nil {
		return false, fmt.Errorf("write the CNI configuration: %w", err)
	}
	defer os.Remove(temporary.Name())
	_, writeErr := temporary.Write(content)
	err = errors.Join(writeErr, temporary.Chmod(0o644), temporary.Sync(), temporary.Close())
	if err == nil {
		err = os.Rename(temporary.Name(), path)
	}
	if err != nil {
		return false, fmt.Errorf("write the CNI configuration: %w", err)
	}
	return true, nil
}
