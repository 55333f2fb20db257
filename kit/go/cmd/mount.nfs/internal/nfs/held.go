package nfs

import "math"

// span is a locked part of a file, up to end; math.MaxUint64 is no end.
type span struct {
	start, end uint64
	write      bool
}

// held are the locks of one owner on one file, as the server has them: in order, and apart.
type held []span

func (r Range) span(write bool) span {
	s := span{r.Offset, r.Offset + r.Length, write}
	if s.end < r.Offset {
		s.end = math.MaxUint64
	}
	return s
}

func (s span) length() uint64 {
	if s.end == math.MaxUint64 {
		return ToEnd
	}
	return s.end - s.start
}

// without takes what s covers out.
func (h held) without(s span) held {
	var left held
	for _, x := range h {
		if x.end <= s.start || s.end <= x.start {
			left = append(left, x)
			continue
		}
		if x.start < s.start {
			left = append(left, span{x.start, s.start, x.write})
		}
		if s.end < x.end {
			left = append(left, span{s.end, x.end, x.write})
		}
	}
	return left
}

// with puts s in the place of what it covers.
func (h held) with(s span) held {
	var all held
	placed := false
	for _, x := range append(h.without(s), span{math.MaxUint64, math.MaxUint64, false}) {
		if !placed && s.start < x.start {
			all, placed = all.join(s), true
		}
		if x.start < x.end {
			all = all.join(x)
		}
	}
	return all
}

func (h held) join(s span) held {
	if n := len(h); n > 0 && h[n-1].end == s.start && h[n-1].write == s.write {
		h[n-1].end = s.end
		return h
	}
	return append(h, s)
}

func (h held) overlaps(s span) bool {
	for _, x := range h {
		if x.start < s.end && s.start < x.end {
			return true
		}
	}
	return false
}
