package nfs

import (
	"errors"
	"syscall"

	"github.com/buildbarn/go-xdr/pkg/protocols/nfsv4"
)

// One entry with the longest name and all its attributes needs less than 1 KiB.
const (
	readdirBytesMin = 4 << 10
	readdirBytesMax = 256 << 10
)

// Verifier tells lists of a directory, or a server's writes, apart from those before a change.
type Verifier = nfsv4.Verifier4

// Entries is a part of a directory.
type Entries struct {
	List     []Entry
	Verifier Verifier // for the next part
	End      bool     // of the directory
}

// Entry is a name in a directory. Handle and all of Attr but Type and FileID are there only if they
// were asked for, and if the server could get them.
type Entry struct {
	Name   string
	Cookie uint64 // where the next entry is
	Handle Handle
	Attr   Attr
}

// ReadDir lists a directory from behind the entry with that cookie, 0 for its start, in a reply of
// about max bytes. There is no "." and "..", and no cookie is 1 or 2.
func (m *Mount) ReadDir(c Call, h Handle, cookie uint64, verifier Verifier, plus bool, max uint32) (Entries, error) {
	entries, err := m.readdir(c, h, cookie, verifier, plus, max)
	if cookie == 0 || !staleCookie(err) {
		return entries, err
	}
	// The directory has changed, as it does under `rm -r`. Cookies of most file systems outlive
	// that; only the verifier, which the first entry tells, is a new one.
	start, err := m.readdir(c, h, 0, Verifier{}, false, readdirBytesMin)
	if err != nil {
		return Entries{}, err
	}
	entries, err = m.readdir(c, h, cookie, start.Verifier, plus, max)
	if staleCookie(err) {
		return m.searchCookie(c, h, cookie, plus, max)
	}
	return entries, err
}

func staleCookie(err error) bool {
	return errors.Is(err, Status(nfsv4.NFS4ERR_BAD_COOKIE)) ||
		errors.Is(err, Status(nfsv4.NFS4ERR_NOT_SAME))
}

// searchCookie lists the directory anew up to the entry with that cookie.
func (m *Mount) searchCookie(c Call, h Handle, cookie uint64, plus bool, max uint32) (Entries, error) {
	var part Entries
	var at uint64
	for !part.End {
		var err error
		if part, err = m.readdir(c, h, at, part.Verifier, plus, max); err != nil {
			return Entries{}, err
		}
		for i, entry := range part.List {
			if entry.Cookie != cookie {
				continue
			}
			part.List = part.List[i+1:]
			if len(part.List) == 0 && !part.End {
				return m.readdir(c, h, cookie, part.Verifier, plus, max)
			}
			return part, nil
		}
		if len(part.List) == 0 {
			break
		}
		at = part.List[len(part.List)-1].Cookie
	}
	return Entries{}, syscall.EIO // to go on somewhere would lose names without a word
}

func (m *Mount) readdir(c Call, h Handle, cookie uint64, v Verifier, plus bool, max uint32) (Entries, error) {
	size := min(m.options.RSize, readdirBytesMax, max)
	if size < readdirBytesMin {
		size = readdirBytesMin
	}
	args := nfsv4.Readdir4args{
		Cookie: cookie, Cookieverf: v, Dircount: size, Maxcount: size,
		AttrRequest: entryAttributes,
	}
	if plus {
		args.AttrRequest = fullEntryAttributes
	}
	results, err := m.run(c, putfh(h), &nfsv4.NfsArgop4_OP_READDIR{Opreaddir: args})
	if err != nil {
		return Entries{}, err
	}
	r, err := result[*nfsv4.NfsResop4_OP_READDIR](results, 1)
	if err != nil {
		return Entries{}, err
	}
	ok, is := r.Opreaddir.(*nfsv4.Readdir4res_NFS4_OK)
	if !is {
		return Entries{}, errMalformed
	}
	return m.entriesOf(&ok.Resok4)
}

func (m *Mount) entriesOf(r *nfsv4.Readdir4resok) (Entries, error) {
	entries := Entries{Verifier: r.Cookieverf, End: r.Reply.Eof}
	for e := r.Reply.Entries; e != nil; e = e.Nextentry {
		a, err := decodeAttributes(&e.Attrs)
		if err != nil {
			return Entries{}, err
		}
		if !validEntryName(e.Name) {
			return Entries{}, errMalformed
		}
		entry := Entry{Name: e.Name, Cookie: e.Cookie, Handle: a.handle, Attr: a.Attr}
		entry.Attr.Size = max(entry.Attr.Size, m.client.pending.end(entry.Handle))
		entries.List = append(entries.List, entry)
	}
	if len(entries.List) == 0 && !entries.End {
		return Entries{}, errMalformed // would be asked for again for ever
	}
	return entries, nil
}

// validEntryName refuses names that would lead out of the directory.
func validEntryName(name string) bool {
	if name == "" || name == "." || name == ".." {
		return false
	}
	for i := range len(name) {
		if name[i] == '/' || name[i] == 0 {
			return false
		}
	}
	return true
}
