// Command nfs-provisioner is Landfast's stand-in for nfs-subdir-external-provisioner where its released image cannot be
// pulled: the same environment, rights, lock, volumes and mistakes, in the version that --contract names.
//
// Landfast's own suites compare a cluster with that contract, so the stand-in keeps what the released program gets wrong.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/client-go/tools/record"
	"k8s.io/klog/v2"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

const (
	// mountPath is where the Deployment mounts the export.
	mountPath = "/persistentvolumes"
	// namespaceFile names the pod's namespace in every pod that has a ServiceAccount token.
	namespaceFile = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"
	// libraryPath is the module that decides when to provision and delete.
	libraryPath = "sigs.k8s.io/sig-storage-lib-external-provisioner/v13"
)

// The lock's times, as observed of the released program.
const (
	leaseDuration = 15 * time.Second
	renewDeadline = 10 * time.Second
	retryPeriod   = 2 * time.Second
)

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
		fmt.Fprintln(os.Stderr, "nfs-provisioner:", err)
		os.Exit(1)
	}
}

// settings is what the Deployment and the image say.
type settings struct {
	contract        contract
	provisionerName string
	nfsServer       string
	nfsPath         string
	defect          string // to be planted, for tests of Landfast
}

// parseSettings reads the flag --contract, which CONTRACT gives a default so that an image can choose it, and the
// environment of the released program.
func parseSettings(args []string, getenv func(string) string) (settings, error) {
	line := getenv("CONTRACT")
	if line == "" {
		line = string(contractV402)
	}
	flags := flag.NewFlagSet("nfs-provisioner", flag.ContinueOnError)
	flags.StringVar(&line, "contract", line, "the line of nfs-subdir-external-provisioner to stand in for: v4.0.2, master or leases (default also from CONTRACT)")
	if err := flags.Parse(args); err != nil {
		return settings{}, err
	}
	contract, err := parseContract(line)
	if err != nil {
		return settings{}, err
	}
	parsed := settings{contract: contract, defect: getenv("DEFECT")}
	for _, variable := range []struct {
		name  string
		value *string
	}{
		{"PROVISIONER_NAME", &parsed.provisionerName},
		{"NFS_SERVER", &parsed.nfsServer},
		{"NFS_PATH", &parsed.nfsPath},
	} {
		if *variable.value = getenv(variable.name); *variable.value == "" {
			return settings{}, fmt.Errorf("%s is not set", variable.name)
		}
	}
	return parsed, nil
}

// run provisions while it holds the lock. It returns nil once ctx ends, and an error when the lock is lost: another
// candidate may be at work by then, so the process has to end.
func run(ctx context.Context, settings settings) error {
	klog.InfoS("Landfast's stand-in for nfs-subdir-external-provisioner; this is not the released program",
		"contract", settings.contract, "version", version(), "provisioner", settings.provisionerName,
		"server", settings.nfsServer, "path", settings.nfsPath)

	// Endpoints are deprecated and the API server says so with every answer: once is enough.
	rest.SetDefaultWarningHandler(rest.NewWarningWriter(os.Stderr, rest.WarningWriterOptions{Deduplicate: true}))
	config, err := rest.InClusterConfig()
	if err != nil {
		return fmt.Errorf("read the in-cluster configuration: %w", err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("make a client for %s: %w", config.Host, err)
	}
	lock, err := newLock(ctx, config, settings)
	if err != nil {
		return err
	}

	provisioner := &nfsProvisioner{
		contract:   settings.contract,
		client:     client,
		server:     settings.nfsServer,
		exportPath: settings.nfsPath,
		root:       mountPath,
	}
	// The library's own election uses Leases and knows no other lock.
	planted, err := plant(provisioner, settings.defect)
	if err != nil {
		return err
	}
	provisionController := controller.NewProvisionController(ctx, client, settings.provisionerName, planted,
		controller.LeaderElection(false))
	leaderelection.RunOrDie(ctx, electionConfig(lock, leaderelection.LeaderCallbacks{
		OnStartedLeading: provisionController.Run,
		OnStoppedLeading: func() {},
	}))
	if ctx.Err() == nil {
		return fmt.Errorf("lost the lock %s", lock.Describe())
	}
	klog.InfoS("Ends on a signal")
	return nil
}

// electionConfig keeps the lock to the end of its lease when the process ends, as the released program does: the next one
// starts to work 15 s later.
func electionConfig(lock resourcelock.Interface, callbacks leaderelection.LeaderCallbacks) leaderelection.LeaderElectionConfig {
	return leaderelection.LeaderElectionConfig{
		Lock:          lock,
		LeaseDuration: leaseDuration,
		RenewDeadline: renewDeadline,
		RetryPeriod:   retryPeriod,
		Callbacks:     callbacks,
	}
}

// newLock makes the lock that every candidate with this provisioner name competes for: Endpoints, which the reference RBAC
// grants, or a Lease, which it does not.
func newLock(ctx context.Context, config *rest.Config, settings settings) (resourcelock.Interface, error) {
	namespace, err := podNamespace(namespaceFile, os.Getenv)
	if err != nil {
		return nil, err
	}
	hostname, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("find the name of this host: %w", err)
	}
	// A client of its own, with a time-out: one request that hangs must not cost the lock.
	lockConfig := rest.CopyConfig(config)
	lockConfig.Timeout = renewDeadline / 2
	client, err := kubernetes.NewForConfig(lockConfig)
	if err != nil {
		return nil, fmt.Errorf("make a client for the lock: %w", err)
	}
	broadcaster := record.NewBroadcaster(record.WithContext(ctx))
	broadcaster.StartRecordingToSink(&typedcorev1.EventSinkImpl{Interface: client.CoreV1().Events(metav1.NamespaceAll)})
	name := strings.ReplaceAll(settings.provisionerName, "/", "-")
	identity := hostname + "_" + string(uuid.NewUUID())
	events := broadcaster.NewRecorder(scheme.Scheme, corev1.EventSource{Component: settings.provisionerName})
	if settings.contract == contractLeases {
		return &resourcelock.LeaseLock{
			LeaseMeta:  metav1.ObjectMeta{Namespace: namespace, Name: name},
			Client:     client.CoordinationV1(),
			LockConfig: resourcelock.ResourceLockConfig{Identity: identity, EventRecorder: events},
		}, nil
	}
	return &endpointsLock{client: client.CoreV1(), namespace: namespace, name: name, identity: identity, events: events}, nil
}

// podNamespace reads the namespace the pod runs in, from POD_NAMESPACE where the file is not mounted.
func podNamespace(file string, getenv func(string) string) (string, error) {
	content, err := os.ReadFile(file)
	if err == nil {
		return strings.TrimSpace(string(content)), nil
	}
	if namespace := getenv("POD_NAMESPACE"); namespace != "" {
		return namespace, nil
	}
	return "", fmt.Errorf("find the pod's namespace (POD_NAMESPACE is not set either): %w", err)
}

// version names the build: Landfast's kit, the provisioner library and Go.
func version() string {
	library := "unknown"
	kit := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		kit = info.Main.Version
		for _, module := range info.Deps {
			if module.Path == libraryPath {
				library = module.Version
			}
		}
	}
	return fmt.Sprintf("landfast/kit %s, sig-storage-lib-external-provisioner %s, %s", kit, library, runtime.Version())
}
