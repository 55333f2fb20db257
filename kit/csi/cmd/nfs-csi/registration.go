package main

import (
	"context"

	"k8s.io/klog/v2"
	registerapi "k8s.io/kubelet/pkg/apis/pluginregistration/v1"
)

// registration introduces the driver to the kubelet, which looks for sockets in its plugins_registry. It does what
// node-driver-registrar does beside the released driver.
type registration struct {
	registerapi.UnimplementedRegistrationServer
	socket string // of the driver
}

func (r registration) GetInfo(context.Context, *registerapi.InfoRequest) (*registerapi.PluginInfo, error) {
	return &registerapi.PluginInfo{
		Type: registerapi.CSIPlugin, Name: driverName, Endpoint: r.socket, SupportedVersions: []string{"1.0.0"},
	}, nil
}

// NotifyRegistrationStatus is told how it went. The kubelet does not ask again by itself: a new process makes it.
func (r registration) NotifyRegistrationStatus(_ context.Context, status *registerapi.RegistrationStatus) (*registerapi.RegistrationStatusResponse, error) {
	if !status.GetPluginRegistered() {
		klog.ErrorS(nil, "The kubelet refuses the driver", "reason", status.GetError())
		klog.FlushAndExit(klog.ExitFlushTimeout, 1)
	}
	klog.InfoS("The kubelet knows the driver", "socket", r.socket)
	return &registerapi.RegistrationStatusResponse{}, nil
}
