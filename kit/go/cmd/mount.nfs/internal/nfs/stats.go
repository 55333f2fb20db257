package nfs

import (
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/buildbarn/go-xdr/pkg/protocols/nfsv4"
)

// Stats is what `mount.nfs --stats` tells about one server.
type Stats struct {
	Version      string // 4.0, 4.1 or 4.2
	Address      string
	Operations   map[string]uint64 // by name: READ, WRITE, …
	Requests     uint64            // COMPOUNDs
	Retransmits  uint64            // requests sent again on a new connection
	Reconnects   uint64
	Recoveries   uint64 // of a session, a lease, or the state after a restart of the server
	LocksHeld    int
	LocksLost    uint64
	OpenFiles    int
	LeaseSeconds uint32
}

const operationNumbers = nfsv4.OP_CLONE + 1

type counts struct {
	operations [operationNumbers]atomic.Uint64
	recoveries atomic.Uint64
	locksLost  atomic.Uint64
}

func (n *counts) add(operations []nfsv4.NfsArgop4) {
	for _, o := range operations {
		n.operations[o.GetArgop()].Add(1)
	}
}

// Stats is a snapshot.
func (c *Client) Stats() Stats {
	s := Stats{
		Version: fmt.Sprintf("%d.%d", nfsVersion, c.minor), Address: c.config.Address,
		Operations: map[string]uint64{}, Recoveries: c.counts.recoveries.Load(),
		LocksLost: c.counts.locksLost.Load(), LeaseSeconds: c.lease.Load(),
	}
	for i := range c.counts.operations {
		if n := c.counts.operations[i].Load(); n > 0 {
			s.Operations[strings.TrimPrefix(nfsv4.NfsOpnum4_name[nfsv4.NfsOpnum4(i)], "OP_")] = n
		}
	}
	var connects uint64
	s.Requests, s.Retransmits, connects = c.rpc.Counts()
	s.Reconnects = connects - min(connects, 1)
	for _, f := range c.openFiles() {
		s.OpenFiles++
		for _, state := range f.locksOf() {
			state.mu.Lock()
			s.LocksHeld += len(state.held)
			state.mu.Unlock()
		}
	}
	return s
}
