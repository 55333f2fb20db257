package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// routeProtocol marks podnet's routes in the kernel's table. The kernel does not care which number it is; no routing daemon
// that iproute2 knows uses this one, so a route that bears it is podnet's to remove and every other route is not.
const routeProtocol netlink.RouteProtocol = 76

// host is the node's network: the kernel's side of it, and the CNI configuration.
type host struct {
	podSubnet    netip.Prefix
	conflistPath string
	links        *netlink.Handle
}

// newHost opens the network namespace of the calling thread.
func newHost(podSubnet netip.Prefix, conflistPath string) (*host, error) {
	links, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("open rtnetlink: %w", err)
	}
	return &host{podSubnet: podSubnet, conflistPath: conflistPath, links: links}, nil
}

// apply makes the host what desired says. Each part is tried whatever became of the others: one unreachable node must not
// keep this one from having a network. The CNI configuration comes last, because the node is Ready from then on.
func (h *host) apply(desired network) error {
	return errors.Join(
		h.applyMasquerade(),
		h.applyRoutes(desired.routes),
		h.applyConflist(desired),
	)
}

// applyRoutes makes podnet's routes exactly those wanted. A route of somebody else's to the same network is an error, not
// something to replace.
func (h *host) applyRoutes(wanted map[netip.Prefix]netip.Addr) error {
	current, err := h.links.RouteListFiltered(netlink.FAMILY_V4, &netlink.Route{Protocol: routeProtocol}, netlink.RT_FILTER_PROTOCOL)
	if err != nil {
		return fmt.Errorf("list podnet's routes: %w", err)
	}
	var problems []error
	present := map[netip.Prefix]netip.Addr{}
	for _, route := range current {
		destination, gateway := prefixOf(route.Dst), addrOf(route.Gw)
		if _, ok := wanted[destination]; ok {
			present[destination] = gateway
			continue
		}
		if err := h.links.RouteDel(&route); err != nil {
			problems = append(problems, fmt.Errorf("remove route %s via %s: %w", destination, gateway, err))
			continue
		}
		slog.Info("route removed", "to", destination, "via", gateway)
	}
	for destination, gateway := range wanted {
		before, ok := present[destination]
		if ok && before == gateway {
			continue
		}
		route := &netlink.Route{
			Dst:      &net.IPNet{IP: destination.Addr().AsSlice(), Mask: net.CIDRMask(destination.Bits(), 32)},
			Gw:       gateway.AsSlice(),
			Protocol: routeProtocol,
		}
		set := h.links.RouteAdd
		if ok {
			set = h.links.RouteReplace // In one step: pods must not lose packets because a node changed its address.
		}
		if err := set(route); err != nil {
			problems = append(problems, fmt.Errorf("set route %s via %s: %w", destination, gateway, err))
			continue
		}
		slog.Info("route set", "to", destination, "via", gateway)
	}
	return errors.Join(problems...)
}

// applyConflist writes the CNI configuration once the node's pod network is known. Until then there is none, and kubelet
// keeps the node NotReady, which is right.
func (h *host) applyConflist(desired network) error {
	if !desired.podCIDR.IsValid() || !desired.nodeIP.IsValid() {
		return nil
	}
	mtu, err := h.mtuOf(desired.nodeIP)
	if err != nil {
		return err
	}
	content, err := conflist(desired.podCIDR, mtu)
	if err != nil {
		return err
	}
	written, err := writeIfChanged(h.conflistPath, content)
	if written {
		slog.Info("CNI configuration written", "path", h.conflistPath, "podCIDR", desired.podCIDR, "mtu", mtu)
	}
	return err
}

// mtuOf gives the MTU of the interface that has ip: pods must not send what the nodes' network cannot carry.
func (h *host) mtuOf(ip netip.Addr) (int, error) {
	addresses, err := h.links.AddrList(nil, netlink.FAMILY_V4)
	if err != nil {
		return 0, fmt.Errorf("list the host's addresses: %w", err)
	}
	for _, address := range addresses {
		if addrOf(address.IP) != ip {
			continue
		}
		link, err := h.links.LinkByIndex(address.LinkIndex)
		if err != nil {
			return 0, fmt.Errorf("find the interface of %s: %w", ip, err)
		}
		return link.Attrs().MTU, nil
	}
	return 0, fmt.Errorf("no interface of this host has the node's address %s", ip)
}

func addrOf(ip net.IP) netip.Addr {
	addr, _ := netip.AddrFromSlice(ip)
	return addr.Unmap()
}

func prefixOf(ipNet *net.IPNet) netip.Prefix {
	bits, _ := ipNet.Mask.Size()
	return netip.PrefixFrom(addrOf(ipNet.IP), bits)
}
