package nfs

import (
	"bytes"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/buildbarn/go-xdr/pkg/protocols/nfsv4"
	"github.com/buildbarn/go-xdr/pkg/runtime"
)

func TestOwnersAreNumbers(t *testing.T) {
	for text, want := range map[string]uint32{
		"0": 0, "1000": 1000, "4294967294": 4294967294,
		"4294967295": nobody, "4294967296": nobody, "-1": nobody, "+1": nobody, "": nobody,
		"root": nobody, "root@example.org": nobody, "1000@example.org": nobody, "\xff": nobody,
		"1_000": nobody, "0x10": nobody,
	} {
		if got := parseOwner([]byte(text)); got != want {
			t.Errorf("owner %q is %d, want %d", text, got, want)
		}
	}
}

// every attribute that is asked for, in the order of the numbers
func fullValues(typ nfsv4.NfsFtype4, owner string, nanos uint32) nfsv4.Fattr4 {
	var v bytes.Buffer
	moment := func(seconds int64) { (&nfsv4.Nfstime4{Seconds: seconds, Nseconds: nanos}).WriteTo(&v) }
	typ.WriteTo(&v)
	runtime.WriteUnsignedHyper(&v, 77)             // change
	runtime.WriteUnsignedHyper(&v, math.MaxUint64) // size
	(&nfsv4.Fsid4{Major: 5, Minor: 6}).WriteTo(&v) //
	nfsv4.NFS4ERR_STALE.WriteTo(&v)                // rdattr_error
	nfsv4.WriteNfsFh4(&v, []byte("handle"))        //
	runtime.WriteUnsignedHyper(&v, 1<<63+1)        // fileid
	runtime.WriteUnsignedInt(&v, 0o104755)         // mode
	runtime.WriteUnsignedInt(&v, 3)                // numlinks
	nfsv4.WriteUtf8strMixed(&v, owner)             //
	nfsv4.WriteUtf8strMixed(&v, "100")             // group
	(&nfsv4.Specdata4{Specdata1: 8, Specdata2: 1}).WriteTo(&v)
	runtime.WriteUnsignedHyper(&v, 4096) // space_used
	moment(1)
	moment(-2)
	moment(3)
	return nfsv4.Fattr4{Attrmask: fullEntryAttributes, AttrVals: v.Bytes()}
}

func TestAttributesAreReadInTheOrderOfTheirNumbers(t *testing.T) {
	values := fullValues(nfsv4.NF4BLK, "999", 5)
	got, err := decodeAttributes(&values)
	if err != nil {
		t.Fatal(err)
	}
	want := Attr{
		Type: nfsv4.NF4BLK, Mode: 0o4755, UID: 999, GID: 100, Nlink: 3, Size: math.MaxUint64,
		Used: 4096, FileID: 1<<63 + 1, Change: 77, FSID: [2]uint64{5, 6}, Rdev: [2]uint32{8, 1},
		Atime: time.Unix(1, 5), Ctime: time.Unix(-2, 5), Mtime: time.Unix(3, 5),
	}
	if got.Attr != want {
		t.Errorf("got %+v, want %+v", got.Attr, want)
	}
	if got.handle != "handle" || got.status != nfsv4.NFS4ERR_STALE {
		t.Errorf("got handle %q and status %v", got.handle, got.status)
	}
}

func TestMalformedAttributesAreErrors(t *testing.T) {
	good := fullValues(nfsv4.NF4REG, "0", 0)
	long := append(slices.Clone(good.AttrVals), 0, 0, 0, 0)
	for name, values := range map[string]nfsv4.Fattr4{
		"a type that is none":         fullValues(10, "0", 0),
		"a whole second in parts":     fullValues(nfsv4.NF4REG, "0", 1e9),
		"an owner without end":        fullValues(nfsv4.NF4REG, string(make([]byte, 1025)), 0),
		"values that end early":       {Attrmask: good.Attrmask, AttrVals: good.AttrVals[:50]},
		"values that go on":           {Attrmask: good.Attrmask, AttrVals: long},
		"an attribute nobody asked":   {Attrmask: bitmap(nfsv4.FATTR4_ACL), AttrVals: make([]byte, 4)},
		"an attribute beyond all":     {Attrmask: bitmap(1000), AttrVals: make([]byte, 4)},
		"a bitmap without its values": {Attrmask: good.Attrmask},
	} {
		if got, err := decodeAttributes(&values); err == nil {
			t.Errorf("%s: no error, but %+v", name, got)
		}
	}
}

func TestChangesAreWrittenInTheOrderOfTheirNumbers(t *testing.T) {
	mode, uid, gid, size := uint32(0o100644), uint32(1000), uint32(100), uint64(9)
	changes := Changes{Mode: &mode, UID: &uid, GID: &gid, Size: &size,
		Atime: &TimeChange{Now: true}, Mtime: &TimeChange{Time: time.Unix(-1, 7)}}
	var want bytes.Buffer
	runtime.WriteUnsignedHyper(&want, 9)
	runtime.WriteUnsignedInt(&want, 0o644)
	nfsv4.WriteUtf8strMixed(&want, "1000")
	nfsv4.WriteUtf8strMixed(&want, "100")
	nfsv4.SET_TO_SERVER_TIME4.WriteTo(&want)
	nfsv4.SET_TO_CLIENT_TIME4.WriteTo(&want)
	(&nfsv4.Nfstime4{Seconds: -1, Nseconds: 7}).WriteTo(&want)

	got := changes.encode()
	mask := bitmap(nfsv4.FATTR4_SIZE, nfsv4.FATTR4_MODE, nfsv4.FATTR4_OWNER,
		nfsv4.FATTR4_OWNER_GROUP, nfsv4.FATTR4_TIME_ACCESS_SET, nfsv4.FATTR4_TIME_MODIFY_SET)
	if !slices.Equal(got.Attrmask, mask) || !bytes.Equal(got.AttrVals, want.Bytes()) {
		t.Errorf("got %v %x, want %v %x", got.Attrmask, got.AttrVals, mask, want.Bytes())
	}
	if none := (&Changes{}).encode(); len(none.Attrmask) != 0 || len(none.AttrVals) != 0 {
		t.Errorf("no changes are %v %x", none.Attrmask, none.AttrVals)
	}
}

func FuzzAttributes(f *testing.F) {
	for _, seed := range []nfsv4.Fattr4{fullValues(nfsv4.NF4DIR, "7", 1), fullValues(12, "", 0)} {
		var b bytes.Buffer
		seed.WriteTo(&b)
		f.Add(b.Bytes())
	}
	f.Fuzz(func(t *testing.T, wire []byte) {
		var values nfsv4.Fattr4
		if _, err := values.ReadFrom(bytes.NewReader(wire)); err != nil {
			return
		}
		a, err := decodeAttributes(&values)
		if err != nil {
			return
		}
		if a.Type < 0 || a.Type > nfsv4.NF4NAMEDATTR || a.Mode > permissionBits ||
			a.UID == math.MaxUint32 || a.GID == math.MaxUint32 || len(a.handle) > nfsv4.NFS4_FHSIZE {
			t.Errorf("accepted %+v", a)
		}
	})
}
