package nfs

// Stats is what `mount.nfs --stats` tells about one server.
type Stats struct {
	Version      string // 4.0, 4.1 or 4.2
	Address      string
	Operations   map[string]uint64 // by name, as sent: READ, WRITE, …
	Requests     uint64            // COMPOUNDs
	Retransmits  uint64            // requests sent again on a new connection
	Reconnects   uint64
	Recoveries   uint64 // of a session, a lease or the state after a server's restart
	LocksHeld    int
	LocksLost    uint64
	OpenFiles    int
	LeaseSeconds uint32
}
