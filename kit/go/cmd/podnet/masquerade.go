package main

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/google/nftables/userdata"
)

const (
	tableName = "podnet"
	chainName = "postrouting"
)

// Where an IPv4 header holds its addresses, in bytes from its start.
const (
	sourceOffset      = 12
	destinationOffset = 16
	addressLength     = 4
)

// applyMasquerade keeps one table with one rule: what leaves the pod subnet bears the node's address, because nobody outside
// has a route back to a pod. The table is left alone while it is right and rebuilt in one transaction when it is not.
func (h *host) applyMasquerade() error {
	comment := userdata.AppendString(nil, userdata.TypeComment, fmt.Sprintf("pods of %s leave as the node", h.podSubnet))
	// A new connection every time: one that failed half-way would answer the next request with what belongs to the last.
	conn, err := nftables.New()
	if err != nil {
		return fmt.Errorf("open nftables: %w", err)
	}
	table := &nftables.Table{Family: nftables.TableFamilyIPv4, Name: tableName}
	right, err := masqueradeIsRight(conn, table, comment)
	if err != nil || right {
		return err
	}

	// Deleting what is not there fails, so the table is added first, whatever its state.
	conn.AddTable(table)
	conn.DelTable(table)
	conn.AddTable(table)
	chain := conn.AddChain(&nftables.Chain{
		Table:    table,
		Name:     chainName,
		Type:     nftables.ChainTypeNAT,
		Hooknum:  nftables.ChainHookPostrouting,
		Priority: nftables.ChainPriorityNATSource,
	})
	conn.AddRule(&nftables.Rule{
		Table: table,
		Chain: chain,
		Exprs: slices.Concat(
			matchAddress(sourceOffset, expr.CmpOpEq, h.podSubnet),
			matchAddress(destinationOffset, expr.CmpOpNeq, h.podSubnet),
			[]expr.Any{&expr.Masq{}},
		),
		UserData: comment,
	})
	if err := conn.Flush(); err != nil {
		return fmt.Errorf("write nftables table %s: %w", tableName, err)
	}
	slog.Info("masquerade set", "table", tableName, "podSubnet", h.podSubnet)
	return nil
}

// masqueradeIsRight says whether the chain holds podnet's one rule and no other. The rule is known by its comment, which
// names the subnet: the kernel gives expressions back in forms that do not compare.
func masqueradeIsRight(conn *nftables.Conn, table *nftables.Table, comment []byte) (bool, error) {
	rules, err := conn.GetRules(table, &nftables.Chain{Name: chainName}) // None, and no error, where there is no such chain.
	if err != nil {
		return false, fmt.Errorf("list the rules of nftables table %s: %w", table.Name, err)
	}
	return len(rules) == 1 && bytes.Equal(rules[0].UserData, comment), nil
}

// matchAddress compares the address at offset of the IPv4 header, cut to the length of subnet, with subnet.
func matchAddress(offset uint32, operator expr.CmpOp, subnet netip.Prefix) []expr.Any {
	mask := netip.PrefixFrom(netip.AddrFrom4([4]byte{255, 255, 255, 255}), subnet.Bits()).Masked().Addr()
	return []expr.Any{
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: offset, Len: addressLength},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: addressLength, Mask: mask.AsSlice(), Xor: make([]byte, addressLength)},
		&expr.Cmp{Op: operator, Register: 1, Data: subnet.Addr().AsSlice()},
	}
}
