package nfs

import "time"

// Until lane g2 lands attributes.go and data.go. g2: delete this file.

type Attr struct {
	Mode, UID, GID, Nlink      uint32
	Size, Used, FileID, Change uint64
	FSID                       [2]uint64
	Rdev                       [2]uint32
	Atime, Mtime, Ctime        time.Time
}

type Changes struct{}

type writes struct{}
