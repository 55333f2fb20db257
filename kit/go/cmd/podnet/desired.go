package main

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// network is what one node needs so that its pods reach all others.
type network struct {
	// nodeIP is the node's own address; the zero value until it is known.
	nodeIP netip.Addr
	// podCIDR is the node's own pod network; the zero value until it is allocated.
	podCIDR netip.Prefix
	// routes leads the pod network of every other node to that node's address.
	routes map[netip.Prefix]netip.Addr
}

// desiredNetwork derives the network of the node called self from all nodes of the cluster. What is not known yet, because
// a node has only just joined, is left out without an error: it comes with a later change of that node. Nodes that can never
// be served are in the error, and the network is still right for the others.
func desiredNetwork(nodes []*corev1.Node, self string) (network, error) {
	desired := network{routes: map[netip.Prefix]netip.Addr{}}
	found := false
	var problems []error
	for _, node := range nodes {
		nodeIP, err := ipv4Address(node)
		if err != nil {
			problems = append(problems, err)
		}
		podCIDR, err := ipv4PodCIDR(node)
		if err != nil {
			problems = append(problems, err)
		}
		switch {
		case node.Name == self:
			found = true
			desired.nodeIP, desired.podCIDR = nodeIP, podCIDR
		case nodeIP.IsValid() && podCIDR.IsValid():
			desired.routes[podCIDR] = nodeIP
		}
	}
	if !found {
		problems = append(problems, fmt.Errorf("node %s, which podnet runs on, is not among the cluster's %d nodes", self, len(nodes)))
	}
	return desired, errors.Join(problems...)
}

// ipv4Address gives the first IPv4 InternalIP of node, or the zero value if it has no InternalIP yet.
func ipv4Address(node *corev1.Node) (netip.Addr, error) {
	var others []string
	for _, address := range node.Status.Addresses {
		if address.Type != corev1.NodeInternalIP {
			continue
		}
		ip, err := netip.ParseAddr(address.Address)
		if err != nil {
			return netip.Addr{}, fmt.Errorf("node %s: InternalIP: %w", node.Name, err)
		}
		if ip.Is4() {
			return ip, nil
		}
		others = append(others, address.Address)
	}
	if len(others) > 0 {
		return netip.Addr{}, fmt.Errorf("node %s has no IPv4 address, only %s: podnet is IPv4 only", node.Name, strings.Join(others, ", "))
	}
	return netip.Addr{}, nil
}

// ipv4PodCIDR gives the IPv4 pod network of node, or the zero value if none was allocated yet.
func ipv4PodCIDR(node *corev1.Node) (netip.Prefix, error) {
	for _, value := range node.Spec.PodCIDRs {
		podCIDR, err := netip.ParsePrefix(value)
		if err != nil {
			return netip.Prefix{}, fmt.Errorf("node %s: podCIDR: %w", node.Name, err)
		}
		if podCIDR.Addr().Is4() {
			return podCIDR.Masked(), nil
		}
	}
	if len(node.Spec.PodCIDRs) > 0 {
		return netip.Prefix{}, fmt.Errorf("node %s has no IPv4 pod network, only %s: podnet is IPv4 only", node.Name, strings.Join(node.Spec.PodCIDRs, ", "))
	}
	return netip.Prefix{}, nil
}
