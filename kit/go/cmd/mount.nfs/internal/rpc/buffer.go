package rpc

import (
	"io"
	"math/bits"
	"sync"
)

const (
	smallest = 12 // 4 KiB
	largest  = 22 // 4 MiB: a record of the largest size
)

// One pool for each power of two, so that small replies do not keep megabytes busy.
var pools [largest - smallest + 1]sync.Pool

func class(n int) int {
	return max(bits.Len(uint(max(n, 1)-1))-smallest, 0)
}

// takeBuffer gives a buffer of n bytes with old contents.
func takeBuffer(n int) []byte {
	i := class(n)
	if kept, ok := pools[i].Get().(*[]byte); ok {
		return (*kept)[:n]
	}
	return make([]byte, n, 1<<(i+smallest))
}

func giveBuffer(b []byte) {
	if i := class(cap(b)); i < len(pools) && cap(b) == 1<<(i+smallest) {
		b = b[:0]
		pools[i].Put(&b)
	}
}

// What is at least this long is sent from where it is.
const payloadMin = 8 << 10

// encoder collects a record. Long payloads stay where they are: only their place is noted.
type encoder struct {
	buf      []byte
	payloads []payload
	size     int
}

type payload struct {
	at   int // in buf
	data []byte
}

func (e *encoder) Write(p []byte) (int, error) {
	e.size += len(p)
	if e.size > recordMax {
		return 0, errLongRequest
	}
	if len(p) >= payloadMin {
		e.payloads = append(e.payloads, payload{len(e.buf), p})
		return len(p), nil
	}
	if free := cap(e.buf) - len(e.buf); free < len(p) {
		grown := takeBuffer(2*cap(e.buf) + len(p))
		n := copy(grown, e.buf)
		giveBuffer(e.buf)
		e.buf = grown[:n]
	}
	e.buf = append(e.buf, p...)
	return len(p), nil
}

// segments is the record as it goes on the wire.
func (e *encoder) segments() [][]byte {
	if len(e.payloads) == 0 {
		return [][]byte{e.buf}
	}
	all, start := make([][]byte, 0, 2*len(e.payloads)+1), 0
	for _, p := range e.payloads {
		all = append(all, e.buf[start:p.at], p.data)
		start = p.at
	}
	if start < len(e.buf) {
		all = append(all, e.buf[start:])
	}
	return all
}

// Reader reads a record that is in memory.
type Reader struct {
	rest []byte
}

// NewReader reads b.
func NewReader(b []byte) *Reader { return &Reader{b} }

func (r *Reader) Read(p []byte) (int, error) {
	if len(r.rest) == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// Len is the number of bytes that are left.
func (r *Reader) Len() int { return len(r.rest) }
