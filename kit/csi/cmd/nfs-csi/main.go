// Command nfs-csi is Landfast's stand-in for csi-driver-nfs v4.13 where its released image cannot be pulled: the same
// name, parameters, handles, volumes and mistakes. It makes no snapshots and no clones.
//
// Landfast's own suites compare a cluster with that contract: the stand-in keeps what the released driver gets wrong.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"k8s.io/klog/v2"
	registerapi "k8s.io/kubelet/pkg/apis/pluginregistration/v1"
)

// shares is where the controller mounts shares. It is a folder of the node: see nodeMounter.
const shares = "/var/lib/kubelet/plugins/" + driverName + "/shares"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	settings, err := parseSettings(os.Args[1:], os.Getenv)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err == nil {
		err = run(ctx, settings)
	}
	klog.Flush()
	if err != nil {
		fmt.Fprintln(os.Stderr, "nfs-csi:", err)
		os.Exit(1)
	}
}

type settings struct {
	socket   string // of the CSI services
	registry string // the kubelet's folder of sockets, on nodes
	node     string
	defect   string // to be planted, for tests of Landfast
	options
}

// options are those of the released driver that decide over data.
type options struct {
	defaultOnDelete string // what a class without onDelete means; empty is delete
	replaceArchives bool   // whether archiving removes what has the archive's name
}

func parseSettings(args []string, getenv func(string) string) (settings, error) {
	parsed := settings{node: getenv("NODE_NAME"), defect: getenv("DEFECT")}
	flags := flag.NewFlagSet("nfs-csi", flag.ContinueOnError)
	flags.StringVar(&parsed.socket, "socket", "", "the socket of the CSI services")
	flags.StringVar(&parsed.registry, "registry", "",
		"the kubelet's plugins_registry, to serve the pods of this node; without it, to make and remove volumes")
	flags.StringVar(&parsed.defaultOnDelete, "default-ondelete-policy", "", "what a class without onDelete means")
	flags.BoolVar(&parsed.replaceArchives, "remove-archived-volume-path", false,
		"remove what has the name of an archive that is to be made")
	if err := flags.Parse(args); err != nil {
		return settings{}, err
	}
	switch {
	case parsed.socket == "":
		return settings{}, errors.New("--socket is missing")
	case parsed.node == "":
		return settings{}, errors.New("NODE_NAME is not set")
	}
	return parsed, nil
}

// run serves until ctx ends.
func run(ctx context.Context, settings settings) error {
	klog.InfoS("Landfast's stand-in for csi-driver-nfs; this is not the released driver",
		"driver", driverName, "version", driverVersion, "node", settings.node, "go", runtime.Version())
	node := newNode(settings.node, nodeMounter{})
	controller := newController(node, shares, settings.options)
	nodes, controllers, err := plant(node, controller, settings.defect)
	if err != nil {
		return err
	}
	services := grpc.NewServer(grpc.UnaryInterceptor(logErrors))
	csi.RegisterIdentityServer(services, identity{})
	csi.RegisterNodeServer(services, nodes)
	csi.RegisterControllerServer(services, controllers)

	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return serve(ctx, services, settings.socket) })
	if settings.registry == "" {
		if err := controller.unmountLeftovers(ctx); err != nil {
			klog.ErrorS(err, "Something of an earlier process stays mounted")
		}
	} else {
		introduction := grpc.NewServer()
		registerapi.RegisterRegistrationServer(introduction, registration{socket: settings.socket})
		socket := filepath.Join(settings.registry, driverName+"-reg.sock")
		group.Go(func() error { return serve(ctx, introduction, socket) })
	}
	return group.Wait()
}

// serve serves on a socket until ctx ends.
func serve(ctx context.Context, server *grpc.Server, socket string) error {
	if err := os.MkdirAll(filepath.Dir(socket), 0o750); err != nil {
		return err
	}
	// A killed process leaves its socket, and nobody can listen there again.
	if err := os.Remove(socket); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, server.GracefulStop)()
	return server.Serve(listener)
}

func logErrors(ctx context.Context, request any, call *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	answer, err := handler(ctx, request)
	if err != nil {
		klog.ErrorS(err, "Call failed", "method", call.FullMethod)
	}
	return answer, err
}
