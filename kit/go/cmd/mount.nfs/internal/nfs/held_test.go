package nfs

import (
	"math/rand/v2"
	"testing"
)

// Each byte is locked as the last operation on it said.
func TestHeldFollowsAModel(t *testing.T) {
	const size = 24
	random := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		var h held
		var model [size]byte
		for range 12 {
			start := uint64(random.IntN(size))
			r := Range{start, 1 + uint64(random.IntN(size-int(start)))}
			if random.IntN(8) == 0 {
				r.Length = ToEnd
			}
			write, lock := random.IntN(2) == 0, random.IntN(3) > 0
			s := r.span(write)
			mark := byte('-')
			switch {
			case !lock:
				h = h.without(s)
			case write:
				h, mark = h.with(s), 'w'
			default:
				h, mark = h.with(s), 'r'
			}
			for i := s.start; i < min(s.end, size); i++ {
				model[i] = mark
			}
			checkHeld(t, h, model[:])
		}
	}
}

func checkHeld(t *testing.T, h held, model []byte) {
	t.Helper()
	for i, mark := range model {
		got := byte('-')
		for _, s := range h {
			if s.start <= uint64(i) && uint64(i) < s.end {
				got = 'r'
				if s.write {
					got = 'w'
				}
			}
		}
		if mark != got && (mark != 0 || got != '-') {
			t.Fatalf("byte %d is %c, want %c: %v", i, got, mark, h)
		}
	}
	for i := 1; i < len(h); i++ {
		if h[i].start < h[i-1].end || h[i].start == h[i-1].end && h[i].write == h[i-1].write {
			t.Fatalf("spans touch: %v", h)
		}
	}
}
