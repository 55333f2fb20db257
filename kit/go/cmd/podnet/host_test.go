package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/nftables"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

const nodeMTU = 1400

// newTestHost gives a host in a network namespace of the test's own: one interface with the address 172.18.0.2/16.
func newTestHost(t *testing.T) *host {
	t.Helper()
	// The namespace is the thread's. Never unlocked, the thread ends with the test and the namespace with it.
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNET); errors.Is(err, unix.EPERM) {
		t.Skip("making a network namespace needs root (CAP_SYS_ADMIN)")
	} else if err != nil {
		t.Fatalf("make a network namespace: %v", err)
	}
	host, err := newHost(netip.MustParsePrefix("10.244.0.0/16"), filepath.Join(t.TempDir(), "10-podnet.conflist"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(host.links.Close)

	veth := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "eth0", MTU: nodeMTU}, PeerName: "peer"}
	check(t, host.links.LinkAdd(veth))
	check(t, host.links.AddrAdd(veth, &netlink.Addr{IPNet: mustIPNet("172.18.0.2/16")}))
	peer, err := host.links.LinkByName("peer")
	check(t, err)
	for _, link := range []netlink.Link{veth, peer} {
		check(t, host.links.LinkSetUp(link))
	}
	return host
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func mustIPNet(text string) *net.IPNet {
	prefix := netip.MustParsePrefix(text)
	return &net.IPNet{IP: prefix.Addr().AsSlice(), Mask: net.CIDRMask(prefix.Bits(), prefix.Addr().BitLen())}
}

// routesIn gives the gateway routes of one protocol.
func routesIn(t *testing.T, host *host, protocol netlink.RouteProtocol) map[netip.Prefix]netip.Addr {
	t.Helper()
	list, err := host.links.RouteListFiltered(netlink.FAMILY_V4, &netlink.Route{Protocol: protocol}, netlink.RT_FILTER_PROTOCOL)
	check(t, err)
	found := map[netip.Prefix]netip.Addr{}
	for _, route := range list {
		found[prefixOf(route.Dst)] = addrOf(route.Gw)
	}
	return found
}

func TestRoutesFollowTheNodes(t *testing.T) {
	host := newTestHost(t)
	steps := []struct {
		name   string
		routes map[string]string
	}{
		{"two nodes join", map[string]string{"10.244.1.0/24": "172.18.0.3", "10.244.2.0/24": "172.18.0.4"}},
		{"nothing changes", map[string]string{"10.244.1.0/24": "172.18.0.3", "10.244.2.0/24": "172.18.0.4"}},
		{"a node has a new address", map[string]string{"10.244.1.0/24": "172.18.0.9", "10.244.2.0/24": "172.18.0.4"}},
		{"two nodes swap addresses", map[string]string{"10.244.1.0/24": "172.18.0.4", "10.244.2.0/24": "172.18.0.9"}},
		{"a node leaves", map[string]string{"10.244.2.0/24": "172.18.0.9"}},
		{"all leave", nil},
	}
	for _, step := range steps {
		want := routes(step.routes)
		if err := host.applyRoutes(want); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if got := routesIn(t, host, routeProtocol); !maps.Equal(got, want) {
			t.Fatalf("%s: routes = %v, want %v", step.name, got, want)
		}
	}
}

func TestRemovedRouteComesBack(t *testing.T) {
	host := newTestHost(t)
	want := routes(map[string]string{"10.244.1.0/24": "172.18.0.3"})
	check(t, host.applyRoutes(want))
	check(t, host.links.RouteDel(&netlink.Route{Dst: mustIPNet("10.244.1.0/24")}))
	check(t, host.applyRoutes(want))
	if got := routesIn(t, host, routeProtocol); !maps.Equal(got, want) {
		t.Fatalf("routes = %v, want %v", got, want)
	}
}

func TestForeignRoutesAreUntouched(t *testing.T) {
	host := newTestHost(t)
	foreign := routes(map[string]string{"10.96.0.0/16": "172.18.0.5", "10.244.1.0/24": "172.18.0.6"})
	for destination, gateway := range foreign {
		check(t, host.links.RouteAdd(&netlink.Route{
			Dst: mustIPNet(destination.String()), Gw: gateway.AsSlice(), Protocol: unix.RTPROT_STATIC,
		}))
	}

	err := host.applyRoutes(routes(map[string]string{"10.244.1.0/24": "172.18.0.3", "10.244.2.0/24": "172.18.0.4"}))
	if err == nil || !strings.Contains(err.Error(), "set route 10.244.1.0/24 via 172.18.0.3") {
		t.Errorf("error = %v, want one that names the network somebody else routes", err)
	}
	if got, want := routesIn(t, host, routeProtocol), routes(map[string]string{"10.244.2.0/24": "172.18.0.4"}); !maps.Equal(got, want) {
		t.Errorf("podnet's routes = %v, want %v", got, want)
	}

	check(t, host.applyRoutes(nil))
	if got := routesIn(t, host, unix.RTPROT_STATIC); !maps.Equal(got, foreign) {
		t.Errorf("foreign routes = %v, want %v", got, foreign)
	}
}

func TestUnreachableGatewayDoesNotBlockTheOthers(t *testing.T) {
	host := newTestHost(t)
	err := host.applyRoutes(routes(map[string]string{"10.244.1.0/24": "192.0.2.1", "10.244.2.0/24": "172.18.0.4"}))
	if !errors.Is(err, unix.ENETUNREACH) {
		t.Errorf("error = %v, want %v", err, unix.ENETUNREACH)
	}
	if got, want := routesIn(t, host, routeProtocol), routes(map[string]string{"10.244.2.0/24": "172.18.0.4"}); !maps.Equal(got, want) {
		t.Errorf("routes = %v, want %v", got, want)
	}
}

// podnetRules gives the rules of every chain in podnet's table, and how many tables there are in all.
func podnetRules(t *testing.T) (rules []*nftables.Rule, tables int) {
	t.Helper()
	conn, err := nftables.New()
	check(t, err)
	all, err := conn.ListTables()
	check(t, err)
	chains, err := conn.ListChainsOfTableFamily(nftables.TableFamilyIPv4)
	check(t, err)
	for _, chain := range chains {
		if chain.Table.Name != tableName {
			continue
		}
		found, err := conn.GetRules(chain.Table, chain)
		check(t, err)
		rules = append(rules, found...)
	}
	return rules, len(all)
}

func TestMasqueradeIsSetOnce(t *testing.T) {
	host := newTestHost(t)
	check(t, host.applyMasquerade())
	conn, err := nftables.New()
	check(t, err)
	// An empty chain beside podnet's goes away with the table, should the second reconcile build that anew.
	table := &nftables.Table{Family: nftables.TableFamilyIPv4, Name: tableName}
	conn.AddChain(&nftables.Chain{Table: table, Name: "witness"})
	check(t, conn.Flush())

	check(t, host.applyMasquerade())
	if rules, tables := podnetRules(t); tables != 1 || len(rules) != 1 {
		t.Errorf("after two reconciles there are %d tables and %d rules, want 1 and 1", tables, len(rules))
	}
	if _, err := conn.ListChain(table, "witness"); err != nil {
		t.Errorf("the second reconcile built the table anew: %v", err)
	}
}

func TestMasqueradeHeals(t *testing.T) {
	damages := map[string]func(*nftables.Conn, *nftables.Table, *nftables.Chain){
		"the table is gone": func(conn *nftables.Conn, table *nftables.Table, _ *nftables.Chain) { conn.DelTable(table) },
		"the chain is empty": func(conn *nftables.Conn, _ *nftables.Table, chain *nftables.Chain) {
			conn.FlushChain(chain)
		},
		"there is a rule too many": func(conn *nftables.Conn, table *nftables.Table, chain *nftables.Chain) {
			conn.AddRule(&nftables.Rule{Table: table, Chain: chain})
		},
	}
	for name, damage := range damages {
		t.Run(name, func(t *testing.T) {
			host := newTestHost(t)
			check(t, host.applyMasquerade())
			conn, err := nftables.New()
			check(t, err)
			table := &nftables.Table{Family: nftables.TableFamilyIPv4, Name: tableName}
			damage(conn, table, &nftables.Chain{Table: table, Name: chainName})
			check(t, conn.Flush())

			check(t, host.applyMasquerade())
			if rules, tables := podnetRules(t); tables != 1 || len(rules) != 1 {
				t.Fatalf("there are %d tables and %d rules, want 1 and 1", tables, len(rules))
			}
		})
	}
}

func TestMasqueradeFollowsThePodSubnet(t *testing.T) {
	host := newTestHost(t)
	check(t, host.applyMasquerade())
	before, _ := podnetRules(t)
	host.podSubnet = netip.MustParsePrefix("10.200.0.0/16")
	check(t, host.applyMasquerade())
	after, _ := podnetRules(t)
	if len(after) != 1 || bytes.Equal(before[0].UserData, after[0].UserData) {
		t.Fatalf("the rule of the old subnet is still there: %d rules, the first %q", len(after), after[0].UserData)
	}
}

func TestForeignTablesAreUntouched(t *testing.T) {
	host := newTestHost(t)
	conn, err := nftables.New()
	check(t, err)
	conn.AddTable(&nftables.Table{Family: nftables.TableFamilyIPv4, Name: "kube-proxy"})
	check(t, conn.Flush())
	check(t, host.applyMasquerade())
	if _, tables := podnetRules(t); tables != 2 {
		t.Fatalf("there are %d tables, want the foreign one and podnet's", tables)
	}
}

func TestConflistIsWrittenOncePodCIDRIsKnown(t *testing.T) {
	host := newTestHost(t)
	unknown := network{nodeIP: netip.MustParseAddr("172.18.0.2")}
	check(t, host.apply(unknown))
	if _, err := os.Stat(host.conflistPath); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("without a podCIDR the CNI configuration is there (%v)", err)
	}

	known := unknown
	known.podCIDR = netip.MustParsePrefix("10.244.3.0/24")
	check(t, host.apply(known))
	content, err := os.ReadFile(host.conflistPath)
	check(t, err)
	var conflist struct {
		Name    string
		Plugins []struct {
			Type string
			MTU  int
			IPAM struct {
				Ranges [][]struct{ Subnet string }
			}
		}
	}
	check(t, json.Unmarshal(content, &conflist))
	if len(conflist.Plugins) != 2 || conflist.Plugins[0].Type != "ptp" || conflist.Plugins[1].Type != "portmap" {
		t.Fatalf("plugins = %+v, want ptp and portmap", conflist.Plugins)
	}
	if ptp := conflist.Plugins[0]; ptp.MTU != nodeMTU || ptp.IPAM.Ranges[0][0].Subnet != "10.244.3.0/24" {
		t.Errorf("ptp = %+v, want the node's MTU %d and its pod network 10.244.3.0/24", ptp, nodeMTU)
	}
}

func TestConflistNeedsTheNodesInterface(t *testing.T) {
	host := newTestHost(t)
	err := host.applyConflist(network{
		nodeIP: netip.MustParseAddr("172.18.0.77"), podCIDR: netip.MustParsePrefix("10.244.3.0/24"),
	})
	if err == nil || !strings.Contains(err.Error(), "no interface of this host has the node's address 172.18.0.77") {
		t.Fatalf("error = %v, want one that names the address", err)
	}
}
