// Command podnet is the pod network of the kit's nodes. It runs on every node in the node's own network namespace and
// keeps three things true there: the CNI configuration names the node's pod network, there is a route to the pod network
// of every other node, and what pods send out of the pod subnet is masqueraded.
//
// It leaves all three in place when it ends, so that pods keep their network while it is replaced.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	listers "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

const (
	// conflistPath sorts before what else may lie there: the first file in the folder is the one that counts.
	conflistPath = "/etc/cni/net.d/10-podnet.conflist"
	// reconcilePeriod bounds how long routes or rules that somebody removed stay away.
	reconcilePeriod = 5 * time.Second
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := run(ctx); err != nil {
		slog.Error("podnet cannot go on", "error", err)
		os.Exit(1)
	}
	slog.Info("podnet ends; routes, rules and CNI configuration stay")
}

func run(ctx context.Context) error {
	nodeName := os.Getenv("NODE_NAME")
	if nodeName == "" {
		return errors.New("NODE_NAME is not set: it must name the node podnet runs on")
	}
	podSubnet, err := parsePodSubnet(os.Getenv("POD_SUBNET"))
	if err != nil {
		return err
	}
	client, err := apiClient()
	if err != nil {
		return err
	}
	host, err := newHost(podSubnet, conflistPath)
	if err != nil {
		return err
	}

	slog.Info("podnet starts", "node", nodeName, "podSubnet", podSubnet)
	if !waitForAPIServer(ctx, client) {
		return nil
	}
	nodes, changed, err := watchNodes(ctx, client)
	if err != nil || nodes == nil {
		return err
	}
	reconcileForever(ctx, nodes, changed, nodeName, host)
	return nil
}

// apiClient talks to the API server at CONTROL_PLANE_ENDPOINT, which kind adds to the manifest, and at the service address
// where that is missing. The service address works only once kube-proxy runs; the endpoint is the one kube-proxy itself uses.
func apiClient() (kubernetes.Interface, error) {
	config, err := rest.InClusterConfig()
	if err != nil {
		return nil, fmt.Errorf("read the in-cluster configuration: %w", err)
	}
	if endpoint := os.Getenv("CONTROL_PLANE_ENDPOINT"); endpoint != "" {
		config.Host = "https://" + endpoint
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make a client for %s: %w", config.Host, err)
	}
	return client, nil
}

// waitForAPIServer returns once nodes can be listed, or false when ctx ends first. An informer would wait by itself, but
// backs off to 30 s, which a restarted node would spend without routes.
func waitForAPIServer(ctx context.Context, client kubernetes.Interface) bool {
	state := newStateLog("API server")
	backoff := wait.Backoff{Duration: 250 * time.Millisecond, Factor: 2, Jitter: 0.1, Steps: 6, Cap: 5 * time.Second}
	err := backoff.DelayFunc().Until(ctx, true, true, func(ctx context.Context) (bool, error) {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		_, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{Limit: 1})
		state.report(err)
		return err == nil, nil
	})
	return err == nil
}

// watchNodes gives the cluster's nodes, from a cache that keeps answering while the API server is away, and a channel that
// gets a value after they changed. The lister is nil when ctx ended before the cache was filled.
func watchNodes(ctx context.Context, client kubernetes.Interface) (listers.NodeLister, <-chan struct{}, error) {
	changed := make(chan struct{}, 1)
	watch := newStateLog("node watch")
	notify := func() {
		watch.report(nil)
		select {
		case changed <- struct{}{}:
		default: // A value already waits; one reconcile sees all changes.
		}
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	informer := factory.Core().V1().Nodes()
	if err := informer.Informer().SetWatchErrorHandlerWithContext(func(_ context.Context, _ *cache.Reflector, err error) {
		if !errors.Is(err, io.EOF) && !apierrors.IsResourceExpired(err) { // Both are how a watch ends every few minutes.
			watch.report(err)
		}
	}); err != nil {
		return nil, nil, fmt.Errorf("watch nodes: %w", err)
	}
	if _, err := informer.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { notify() },
		UpdateFunc: func(any, any) { notify() },
		DeleteFunc: func(any) { notify() },
	}); err != nil {
		return nil, nil, fmt.Errorf("watch nodes: %w", err)
	}
	factory.Start(ctx.Done())
	if !cache.WaitForCacheSync(ctx.Done(), informer.Informer().HasSynced) {
		return nil, nil, nil
	}
	return informer.Lister(), changed, nil
}

// reconcileForever makes host what the nodes call for, after every change of theirs and every few seconds, until ctx ends.
func reconcileForever(ctx context.Context, nodes listers.NodeLister, changed <-chan struct{}, nodeName string, host *host) {
	state := newStateLog("network")
	ticker := time.NewTicker(reconcilePeriod)
	defer ticker.Stop()
	for ctx.Err() == nil {
		state.report(reconcile(nodes, nodeName, host))
		select {
		case <-ctx.Done():
		case <-changed:
		case <-ticker.C:
		}
	}
}

func reconcile(nodes listers.NodeLister, nodeName string, host *host) error {
	all, err := nodes.List(labels.Everything())
	if err != nil {
		return fmt.Errorf("list nodes: %w", err)
	}
	desired, err := desiredNetwork(all, nodeName)
	return errors.Join(err, host.apply(desired))
}

// parsePodSubnet gives the IPv4 network in a comma-separated list, which is how kind writes the subnets of two families.
func parsePodSubnet(value string) (netip.Prefix, error) {
	for _, part := range strings.Split(value, ",") {
		subnet, err := netip.ParsePrefix(strings.TrimSpace(part))
		if err != nil {
			return netip.Prefix{}, fmt.Errorf("POD_SUBNET %q: %w", value, err)
		}
		if subnet.Addr().Is4() {
			return subnet.Masked(), nil
		}
	}
	return netip.Prefix{}, fmt.Errorf("POD_SUBNET %q has no IPv4 network: podnet is IPv4 only", value)
}

// stateLog logs an outcome when it differs from the one before: a state that lasts is one line, not one per attempt.
type stateLog struct {
	subject string

	mutex sync.Mutex
	known bool
	last  string // the error's text, empty for none
}

func newStateLog(subject string) *stateLog {
	return &stateLog{subject: subject}
}

func (s *stateLog) report(err error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	text := ""
	if err != nil {
		text = err.Error()
	}
	if s.known && s.last == text {
		return
	}
	s.known, s.last = true, text
	if err != nil {
		slog.Error(s.subject+" is not as it should be; trying again", "error", err)
		return
	}
	slog.Info(s.subject + " is as it should be")
}
