package rpc

// Cred is who asks, as AUTH_SYS tells it; at most 16 groups go on the wire.
type Cred struct {
	UID, GID uint32
	Groups   []uint32
}
