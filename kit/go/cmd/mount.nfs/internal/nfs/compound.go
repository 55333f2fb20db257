package nfs

import "github.com/buildbarn/go-xdr/pkg/protocols/nfsv4"

// A WRITE's data are sent from where they are, perhaps more than once and after the caller has
// left: they must not change before the request is answered. Pass no buffer of FUSE.

// compound carries out one COMPOUND. build is called anew on every attempt. Results are those of
// the operations built; with a Status, the last one is that of the operation that failed.
func (c *Client) compound(m *Mount, call Call, build func() []nfsv4.NfsArgop4) ([]nfsv4.NfsResop4, error) {
	results, _, err := c.compoundOnce(m, call, build)
	return results, err
}

// compoundOnce is for operations that cannot be repeated. repeated tells that an earlier attempt
// may have been carried out before the server forgot it, so that EEXIST or ENOENT can mean success.
func (c *Client) compoundOnce(m *Mount, call Call, build func() []nfsv4.NfsArgop4) (results []nfsv4.NfsResop4, repeated bool, err error) {
	panic("soon")
}

// compound is for what uses f.stateid() (call it in build): a state id that the server no longer
// knows is recovered, and a lost lock ends it with EIO. The data of a READ land in dest.
func (f *File) compound(call Call, dest []byte, build func() []nfsv4.NfsArgop4) ([]nfsv4.NfsResop4, error) {
	panic("soon")
}
