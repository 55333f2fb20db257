package rpc

import (
	"bytes"

	"github.com/buildbarn/go-xdr/pkg/protocols/rpcv2"
)

const groupsMax = 16 // RFC 5531, appendix A

// Cred is who asks, as AUTH_SYS tells it; at most 16 groups go on the wire.
type Cred struct {
	UID, GID uint32
	Groups   []uint32
}

func (c *Cred) encode(machine string) (rpcv2.OpaqueAuth, error) {
	groups := c.Groups
	if len(groups) > groupsMax {
		groups = groups[:groupsMax]
	}
	var body bytes.Buffer
	body.Grow(128)
	params := rpcv2.AuthsysParms{Machinename: machine, Uid: c.UID, Gid: c.GID, Gids: groups}
	_, err := params.WriteTo(&body)
	return rpcv2.OpaqueAuth{Flavor: rpcv2.AUTH_SYS, Body: body.Bytes()}, err
}
