package filesystem

import (
	"math"
	"syscall"
	"testing"

	"github.com/hanwen/go-fuse/v2/fuse"

	"landfast/kit/cmd/mount.nfs/internal/nfs"
)

// The kernel answers EIO to F_GETLK if the range does not fit into an off_t.
func TestConflictFitsIntoWhatTheKernelTakes(t *testing.T) {
	for conflict, want := range map[nfs.Conflict]fuse.FileLock{
		{Range: nfs.Range{Offset: 5, Length: 2}}:                  {Start: 5, End: 6, Typ: syscall.F_RDLCK},
		{Range: everything, Write: true}:                          {End: math.MaxInt64, Typ: syscall.F_WRLCK},
		{Range: nfs.Range{Offset: math.MaxInt64, Length: 1}}:      {Start: math.MaxInt64, End: math.MaxInt64},
		{Range: nfs.Range{Offset: math.MaxUint64 - 1, Length: 1}}: {Start: math.MaxInt64, End: math.MaxInt64},
		{Range: nfs.Range{Offset: 1, Length: math.MaxInt64 + 1}}:  {Start: 1, End: math.MaxInt64},
		{Range: nfs.Range{Offset: 1, Length: math.MaxInt64}}:      {Start: 1, End: math.MaxInt64},
		{Range: nfs.Range{Offset: 0, Length: math.MaxInt64}}:      {End: math.MaxInt64 - 1},
	} {
		if got := inTheWay(&conflict); got != want {
			t.Errorf("%+v: %+v", conflict, got)
		}
	}
}

func FuzzConflict(f *testing.F) {
	f.Add(uint64(5), uint64(math.MaxInt64-5), true)
	f.Fuzz(func(t *testing.T, start, length uint64, write bool) {
		if length == 0 {
			return // no conflict has this
		}
		got := inTheWay(&nfs.Conflict{Range: nfs.Range{Offset: start, Length: length}, Write: write})
		if got.Start > got.End || got.End > math.MaxInt64 {
			t.Errorf("%d+%d: %+v", start, length, got)
		}
	})
}
