package main

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	registerapi "k8s.io/kubelet/pkg/apis/pluginregistration/v1"
)

func dial(t *testing.T, socket string) *grpc.ClientConn {
	connection, err := grpc.NewClient("unix://"+socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	must(t, err)
	t.Cleanup(func() { connection.Close() })
	return connection
}

func TestTheKubeletFindsTheDriver(t *testing.T) {
	folder := t.TempDir()
	set := settings{socket: filepath.Join(folder, "plugins", "csi.sock"), registry: folder, node: "worker"}
	for range 2 { // a process finds the sockets of the one before
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- run(ctx, set) }()

		introduction := registerapi.NewRegistrationClient(dial(t, filepath.Join(folder, driverName+"-reg.sock")))
		info, err := introduction.GetInfo(t.Context(), &registerapi.InfoRequest{}, grpc.WaitForReady(true))
		must(t, err)
		if info.GetName() != driverName || info.GetType() != registerapi.CSIPlugin || info.GetEndpoint() != set.socket {
			t.Errorf("it introduces itself as %v", info)
		}
		_, err = introduction.NotifyRegistrationStatus(t.Context(), &registerapi.RegistrationStatus{PluginRegistered: true})
		must(t, err)

		services := dial(t, info.GetEndpoint())
		plugin, err := csi.NewIdentityClient(services).GetPluginInfo(t.Context(), &csi.GetPluginInfoRequest{}, grpc.WaitForReady(true))
		must(t, err)
		if plugin.GetName() != driverName || plugin.GetVendorVersion() != driverVersion {
			t.Errorf("it is %v", plugin)
		}
		probed, err := csi.NewIdentityClient(services).Probe(t.Context(), &csi.ProbeRequest{})
		must(t, err)
		node, err := csi.NewNodeClient(services).NodeGetInfo(t.Context(), &csi.NodeGetInfoRequest{})
		must(t, err)
		if !probed.GetReady().GetValue() || node.GetNodeId() != "worker" || node.GetAccessibleTopology() != nil {
			t.Errorf("ready: %v, node: %v", probed, node)
		}
		can, err := csi.NewControllerClient(services).ControllerGetCapabilities(t.Context(), &csi.ControllerGetCapabilitiesRequest{})
		must(t, err)
		if len(can.GetCapabilities()) != 3 {
			t.Errorf("the controller can %v", can)
		}
		stop()
		must(t, <-ended)
	}
}

func TestTheSettingsAreChecked(t *testing.T) {
	none := func(string) string { return "" }
	worker := func(name string) string { return map[string]string{"NODE_NAME": "worker", "DEFECT": "x"}[name] }
	if _, err := parseSettings([]string{"--socket=/s"}, none); err == nil || err.Error() != "NODE_NAME is not set" {
		t.Errorf("without a node: %v", err)
	}
	if _, err := parseSettings(nil, worker); err == nil || err.Error() != "--socket is missing" {
		t.Errorf("without a socket: %v", err)
	}
	parsed, err := parseSettings([]string{"--socket=/s", "--registry=/r", "--default-ondelete-policy=retain"}, worker)
	must(t, err)
	want := settings{socket: "/s", registry: "/r", node: "worker", defect: "x", options: options{defaultOnDelete: "retain"}}
	if parsed != want {
		t.Errorf("got %+v", parsed)
	}
}
