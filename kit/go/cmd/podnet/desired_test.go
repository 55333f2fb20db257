package main

import (
	"maps"
	"net/netip"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// node makes a node with InternalIPs and pod networks, each a comma-separated list.
func node(name, internalIPs, podCIDRs string) *corev1.Node {
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}}
	node.Status.Addresses = []corev1.NodeAddress{{Type: corev1.NodeHostName, Address: name}}
	for _, ip := range strings.FieldsFunc(internalIPs, isComma) {
		node.Status.Addresses = append(node.Status.Addresses, corev1.NodeAddress{Type: corev1.NodeInternalIP, Address: ip})
	}
	node.Spec.PodCIDRs = strings.FieldsFunc(podCIDRs, isComma)
	return node
}

func isComma(r rune) bool { return r == ',' }

func TestDesiredNetwork(t *testing.T) {
	self := node("self", "172.18.0.2", "10.244.0.0/24")
	tests := []struct {
		name    string
		nodes   []*corev1.Node
		podCIDR string
		routes  map[string]string
		problem string
	}{
		{
			name:    "a single node needs no route",
			nodes:   []*corev1.Node{self},
			podCIDR: "10.244.0.0/24",
		},
		{
			name:    "every other node gets one route",
			nodes:   []*corev1.Node{node("b", "172.18.0.3", "10.244.1.0/24"), self, node("c", "172.18.0.4", "10.244.2.0/24")},
			podCIDR: "10.244.0.0/24",
			routes:  map[string]string{"10.244.1.0/24": "172.18.0.3", "10.244.2.0/24": "172.18.0.4"},
		},
		{
			name:   "before its pod network is allocated, a node has routes all the same",
			nodes:  []*corev1.Node{node("self", "172.18.0.2", ""), node("b", "172.18.0.3", "10.244.1.0/24")},
			routes: map[string]string{"10.244.1.0/24": "172.18.0.3"},
		},
		{
			name:    "another node without pod network or address is left out until it has both",
			nodes:   []*corev1.Node{self, node("b", "172.18.0.3", ""), node("c", "", "10.244.2.0/24")},
			podCIDR: "10.244.0.0/24",
		},
		{
			name: "of two families the IPv4 one counts, whatever its place",
			nodes: []*corev1.Node{
				node("self", "fd00::2,172.18.0.2", "fd00:10:244::/64,10.244.0.0/24"),
				node("b", "fd00::3,172.18.0.3", "fd00:10:244:1::/64,10.244.1.0/24"),
			},
			podCIDR: "10.244.0.0/24",
			routes:  map[string]string{"10.244.1.0/24": "172.18.0.3"},
		},
		{
			name:    "a node with only IPv6 addresses is named, the others are served",
			nodes:   []*corev1.Node{self, node("b", "fd00::3", "10.244.1.0/24"), node("c", "172.18.0.4", "10.244.2.0/24")},
			podCIDR: "10.244.0.0/24",
			routes:  map[string]string{"10.244.2.0/24": "172.18.0.4"},
			problem: "node b has no IPv4 address, only fd00::3: podnet is IPv4 only",
		},
		{
			name:    "a node with only an IPv6 pod network is named",
			nodes:   []*corev1.Node{node("self", "172.18.0.2", "fd00:10:244::/64")},
			problem: "node self has no IPv4 pod network, only fd00:10:244::/64: podnet is IPv4 only",
		},
		{
			name:    "a pod network that is not one is named",
			nodes:   []*corev1.Node{self, node("b", "172.18.0.3", "10.244.1.0")},
			podCIDR: "10.244.0.0/24",
			problem: "node b: podCIDR",
		},
		{
			name:    "a node that is not among the others is named",
			nodes:   []*corev1.Node{node("b", "172.18.0.3", "10.244.1.0/24")},
			routes:  map[string]string{"10.244.1.0/24": "172.18.0.3"},
			problem: "node self, which podnet runs on, is not among the cluster's 1 nodes",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := desiredNetwork(test.nodes, "self")
			switch {
			case test.problem == "" && err != nil:
				t.Errorf("unexpected problem: %v", err)
			case test.problem != "" && (err == nil || !strings.Contains(err.Error(), test.problem)):
				t.Errorf("problem = %v, want %q", err, test.problem)
			}
			podCIDR := ""
			if got.podCIDR.IsValid() {
				podCIDR = got.podCIDR.String()
			}
			if podCIDR != test.podCIDR {
				t.Errorf("podCIDR = %q, want %q", podCIDR, test.podCIDR)
			}
			if want := routes(test.routes); !maps.Equal(got.routes, want) {
				t.Errorf("routes = %v, want %v", got.routes, want)
			}
		})
	}
}

// routes parses a table of routes written as text.
func routes(text map[string]string) map[netip.Prefix]netip.Addr {
	parsed := map[netip.Prefix]netip.Addr{}
	for destination, gateway := range text {
		parsed[netip.MustParsePrefix(destination)] = netip.MustParseAddr(gateway)
	}
	return parsed
}

func TestParsePodSubnet(t *testing.T) {
	tests := []struct{ value, want, problem string }{
		{value: "10.244.0.0/16", want: "10.244.0.0/16"},
		{value: "10.244.7.0/16", want: "10.244.0.0/16"},
		{value: "fd00:10:244::/56,10.244.0.0/16", want: "10.244.0.0/16"},
		{value: "fd00:10:244::/56", problem: "podnet is IPv4 only"},
		{value: "", problem: "POD_SUBNET"},
	}
	for _, test := range tests {
		t.Run(test.value, func(t *testing.T) {
			got, err := parsePodSubnet(test.value)
			if test.problem != "" {
				if err == nil || !strings.Contains(err.Error(), test.problem) {
					t.Fatalf("problem = %v, want %q", err, test.problem)
				}
				return
			}
			if err != nil || got.String() != test.want {
				t.Fatalf("got %v, %v; want %s", got, err, test.want)
			}
		})
	}
}
