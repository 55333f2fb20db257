package nfs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/buildbarn/go-xdr/pkg/protocols/nfsv4"
	"github.com/buildbarn/go-xdr/pkg/runtime"
)

const (
	nobody         = 65534 // the owner of files whose owner has no number here
	ownerBytesMax  = 1024  // NFS4_OPAQUE_LIMIT
	permissionBits = 0o7777
	nanoseconds    = 1_000_000_000
)

// Attr is what stat(2) tells about a file, and what tells versions of it apart.
type Attr struct {
	Type                       nfsv4.NfsFtype4
	Mode, UID, GID, Nlink      uint32
	Size, Used, FileID, Change uint64 // Used in bytes
	FSID                       [2]uint64
	Rdev                       [2]uint32 // major, minor
	Atime, Mtime, Ctime        time.Time
}

// Changes are the attributes to set; nil leaves one as it is.
type Changes struct {
	Mode, UID, GID *uint32
	Size           *uint64
	Atime, Mtime   *TimeChange
}

// TimeChange is a time to set: Time, or the server's own clock.
type TimeChange struct {
	Time time.Time
	Now  bool
}

// Space is what statfs(2) tells about a file system.
type Space struct {
	TotalBytes, FreeBytes, AvailableBytes uint64
	TotalFiles, FreeFiles, AvailableFiles uint64
}

// attributes is everything a fattr4 this client asks for can hold.
type attributes struct {
	Attr
	space        Space
	handle       Handle
	status       nfsv4.Nfsstat4 // of one entry of a directory, FATTR4_RDATTR_ERROR
	leaseSeconds uint32
	readMax      uint64
	writeMax     uint64
	supported    nfsv4.Bitmap4
}

var (
	fileAttributes = bitmap(nfsv4.FATTR4_TYPE, nfsv4.FATTR4_CHANGE, nfsv4.FATTR4_SIZE,
		nfsv4.FATTR4_FSID, nfsv4.FATTR4_FILEID, nfsv4.FATTR4_MODE, nfsv4.FATTR4_NUMLINKS,
		nfsv4.FATTR4_OWNER, nfsv4.FATTR4_OWNER_GROUP, nfsv4.FATTR4_RAWDEV,
		nfsv4.FATTR4_SPACE_USED, nfsv4.FATTR4_TIME_ACCESS, nfsv4.FATTR4_TIME_METADATA,
		nfsv4.FATTR4_TIME_MODIFY)
	entryAttributes = bitmap(nfsv4.FATTR4_TYPE, nfsv4.FATTR4_RDATTR_ERROR, nfsv4.FATTR4_FILEID)
	// Entries with everything a lookup would tell.
	fullEntryAttributes = union(fileAttributes,
		bitmap(nfsv4.FATTR4_RDATTR_ERROR, nfsv4.FATTR4_FILEHANDLE))
	spaceAttributes = bitmap(nfsv4.FATTR4_FILES_AVAIL, nfsv4.FATTR4_FILES_FREE,
		nfsv4.FATTR4_FILES_TOTAL, nfsv4.FATTR4_SPACE_AVAIL, nfsv4.FATTR4_SPACE_FREE,
		nfsv4.FATTR4_SPACE_TOTAL)
	limitAttributes = bitmap(nfsv4.FATTR4_LEASE_TIME, nfsv4.FATTR4_MAXREAD,
		nfsv4.FATTR4_MAXWRITE)
)

var errLongAttributes = errors.New("attributes are followed by other bytes")

func bitmap(numbers ...int) nfsv4.Bitmap4 {
	var set nfsv4.Bitmap4
	for _, n := range numbers {
		for len(set) <= n/32 {
			set = append(set, 0)
		}
		set[n/32] |= 1 << (n % 32)
	}
	return set
}

func union(a, b nfsv4.Bitmap4) nfsv4.Bitmap4 {
	set := make(nfsv4.Bitmap4, max(len(a), len(b)))
	copy(set, a)
	for i, word := range b {
		set[i] |= word
	}
	return set
}

// decodeAttributes reads the values in the order of their numbers. They carry no lengths, so one
// that is not known makes all behind it unreadable; a server may only send what it was asked for.
func decodeAttributes(f *nfsv4.Fattr4) (a attributes, err error) {
	r := valueReader{r: bytes.NewReader(f.AttrVals)}
	for i, word := range f.Attrmask {
		for bit := 0; word != 0; bit, word = bit+1, word>>1 {
			if word&1 != 0 {
				a.read(&r, i*32+bit)
			}
			if r.err != nil {
				return attributes{}, r.err
			}
		}
	}
	if r.r.Len() > 0 {
		return attributes{}, errLongAttributes
	}
	return a, nil
}

func (a *attributes) read(r *valueReader, number int) {
	switch number {
	case nfsv4.FATTR4_SUPPORTED_ATTRS:
		a.supported = value(r, nfsv4.ReadBitmap4)
	case nfsv4.FATTR4_TYPE:
		a.Type = r.fileType()
	case nfsv4.FATTR4_CHANGE:
		a.Change = value(r, runtime.ReadUnsignedHyper)
	case nfsv4.FATTR4_SIZE:
		a.Size = value(r, runtime.ReadUnsignedHyper)
	case nfsv4.FATTR4_FSID:
		a.FSID = r.fsid()
	case nfsv4.FATTR4_LEASE_TIME:
		a.leaseSeconds = value(r, runtime.ReadUnsignedInt)
	case nfsv4.FATTR4_RDATTR_ERROR:
		a.status = nfsv4.Nfsstat4(value(r, runtime.ReadInt))
	case nfsv4.FATTR4_FILEHANDLE:
		a.handle = Handle(r.opaque(nfsv4.NFS4_FHSIZE))
	case nfsv4.FATTR4_FILEID:
		a.FileID = value(r, runtime.ReadUnsignedHyper)
	case nfsv4.FATTR4_FILES_AVAIL:
		a.space.AvailableFiles = value(r, runtime.ReadUnsignedHyper)
	case nfsv4.FATTR4_FILES_FREE:
		a.space.FreeFiles = value(r, runtime.ReadUnsignedHyper)
	case nfsv4.FATTR4_FILES_TOTAL:
		a.space.TotalFiles = value(r, runtime.ReadUnsignedHyper)
	case nfsv4.FATTR4_MAXREAD:
		a.readMax = value(r, runtime.ReadUnsignedHyper)
	case nfsv4.FATTR4_MAXWRITE:
		a.writeMax = value(r, runtime.ReadUnsignedHyper)
	case nfsv4.FATTR4_MODE:
		a.Mode = value(r, runtime.ReadUnsignedInt) & permissionBits
	case nfsv4.FATTR4_NUMLINKS:
		a.Nlink = value(r, runtime.ReadUnsignedInt)
	case nfsv4.FATTR4_OWNER:
		a.UID = parseOwner(r.opaque(ownerBytesMax))
	case nfsv4.FATTR4_OWNER_GROUP:
		a.GID = parseOwner(r.opaque(ownerBytesMax))
	case nfsv4.FATTR4_RAWDEV:
		a.Rdev[0] = value(r, runtime.ReadUnsignedInt)
		a.Rdev[1] = value(r, runtime.ReadUnsignedInt)
	case nfsv4.FATTR4_SPACE_AVAIL:
		a.space.AvailableBytes = value(r, runtime.ReadUnsignedHyper)
	case nfsv4.FATTR4_SPACE_FREE:
		a.space.FreeBytes = value(r, runtime.ReadUnsignedHyper)
	case nfsv4.FATTR4_SPACE_TOTAL:
		a.space.TotalBytes = value(r, runtime.ReadUnsignedHyper)
	case nfsv4.FATTR4_SPACE_USED:
		a.Used = value(r, runtime.ReadUnsignedHyper)
	case nfsv4.FATTR4_TIME_ACCESS:
		a.Atime = r.time()
	case nfsv4.FATTR4_TIME_METADATA:
		a.Ctime = r.time()
	case nfsv4.FATTR4_TIME_MODIFY:
		a.Mtime = r.time()
	default:
		r.fail(fmt.Errorf("attribute %d was not asked for", number))
	}
}

// valueReader keeps the first error, so that a row of values is read without asking after each.
type valueReader struct {
	r   *bytes.Reader
	err error
}

func (r *valueReader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

func value[T any](r *valueReader, read func(io.Reader) (T, int64, error)) (v T) {
	if r.err == nil {
		v, _, r.err = read(r.r)
	}
	return v
}

func (r *valueReader) opaque(bytesMax uint32) []byte {
	return value(r, func(from io.Reader) ([]byte, int64, error) {
		return runtime.ReadVariableLengthOpaque(from, bytesMax)
	})
}

func (r *valueReader) fileType() nfsv4.NfsFtype4 {
	t := nfsv4.NfsFtype4(value(r, runtime.ReadInt))
	if _, known := nfsv4.NfsFtype4_name[t]; !known {
		r.fail(fmt.Errorf("file type %d is unknown", t))
	}
	return t
}

func (r *valueReader) fsid() [2]uint64 {
	return [2]uint64{value(r, runtime.ReadUnsignedHyper), value(r, runtime.ReadUnsignedHyper)}
}

func (r *valueReader) time() time.Time {
	seconds, part := value(r, runtime.ReadHyper), value(r, runtime.ReadUnsignedInt)
	if part >= nanoseconds {
		r.fail(fmt.Errorf("%d nanoseconds are more than a second", part))
	}
	return time.Unix(seconds, int64(part))
}

// parseOwner takes numbers only: names would have to mean the same on both sides.
func parseOwner(text []byte) uint32 {
	id, err := strconv.ParseUint(string(text), 10, 32)
	if err != nil || id == 1<<32-1 { // chown(2)'s "leave it"
		return nobody
	}
	return uint32(id)
}

// encode gives the attributes in the order of their numbers.
func (c *Changes) encode() nfsv4.Fattr4 {
	var numbers []int
	var values bytes.Buffer // never fails to write
	owner := func(id uint32) {
		runtime.WriteASCIIString(&values, ownerBytesMax, strconv.FormatUint(uint64(id), 10))
	}
	if c.Size != nil {
		numbers = append(numbers, nfsv4.FATTR4_SIZE)
		runtime.WriteUnsignedHyper(&values, *c.Size)
	}
	if c.Mode != nil {
		numbers = append(numbers, nfsv4.FATTR4_MODE)
		runtime.WriteUnsignedInt(&values, *c.Mode&permissionBits)
	}
	if c.UID != nil {
		numbers = append(numbers, nfsv4.FATTR4_OWNER)
		owner(*c.UID)
	}
	if c.GID != nil {
		numbers = append(numbers, nfsv4.FATTR4_OWNER_GROUP)
		owner(*c.GID)
	}
	if c.Atime != nil {
		numbers = append(numbers, nfsv4.FATTR4_TIME_ACCESS_SET)
		c.Atime.encode().WriteTo(&values)
	}
	if c.Mtime != nil {
		numbers = append(numbers, nfsv4.FATTR4_TIME_MODIFY_SET)
		c.Mtime.encode().WriteTo(&values)
	}
	return nfsv4.Fattr4{Attrmask: bitmap(numbers...), AttrVals: values.Bytes()}
}

func (t *TimeChange) encode() nfsv4.Settime4 {
	if t.Now {
		return &nfsv4.Settime4_default{SetIt: nfsv4.SET_TO_SERVER_TIME4}
	}
	return &nfsv4.Settime4_SET_TO_CLIENT_TIME4{Time: nfsv4.Nfstime4{
		Seconds: t.Time.Unix(), Nseconds: uint32(t.Time.Nanosecond()),
	}}
}
