package nfs

import (
	"context"
	"time"

	"github.com/buildbarn/go-xdr/pkg/protocols/nfsv4"
)

// renew keeps the lease while nothing else does.
func (c *Client) renew() {
	defer c.renewal.Done()
	for {
		third := time.Duration(c.lease.Load()) * time.Second / 3
		idle := time.Since(time.Unix(0, c.renewed.Load()))
		if idle >= third {
			c.sendRenewal()
			idle = 0
		}
		if c.sleep(c.ctx, third-idle) != nil {
			return
		}
	}
}

func (c *Client) sendRenewal() {
	c.do(&request{ctx: c.ctx, build: func() []nfsv4.NfsArgop4 {
		if c.minor == 0 {
			return []nfsv4.NfsArgop4{c.renewOperation()}
		}
		return []nfsv4.NfsArgop4{} // SEQUENCE renews by itself
	}})
}

func (r *recovery) destroySession() {
	if len(r.slots) > 0 {
		r.ask(&nfsv4.NfsArgop4_OP_DESTROY_SESSION{
			OpdestroySession: nfsv4.DestroySession4args{DsaSessionid: r.c.session.id},
		})
	}
}

// part tells the server that the client goes. NFSv4.0 has no words for it.
func (c *Client) part(ctx context.Context) {
	if c.minor == 0 {
		return
	}
	r, err := c.beginRecovery(ctx)
	if err != nil {
		return
	}
	r.destroySession()
	r.ask(&nfsv4.NfsArgop4_OP_DESTROY_CLIENTID{
		OpdestroyClientid: nfsv4.DestroyClientid4args{DcaClientid: c.clientID},
	})
	c.cancel()
	c.endRecovery(r)
}
