package nfs

import (
	"math/rand/v2"
	"testing"
)

// MySQL's redo log.
func BenchmarkWriteSync4K(b *testing.B) {
	m, dir := dataMount(b, 2)
	f, _ := newFile(b, m, dir, "file")
	data := make([]byte, 4<<10)
	f.Write(background, make([]byte, 64<<20), 0)
	f.Sync(background)
	b.SetBytes(int64(len(data)))
	for i := 0; b.Loop(); i++ {
		f.Write(background, data, uint64(i*len(data)%(64<<20)))
		if err := f.Sync(background); err != nil {
			b.Fatal(err)
		}
	}
}

// MySQL's pages.
func BenchmarkRandomRead16K(b *testing.B) {
	m, dir := dataMount(b, 2)
	f, _ := newFile(b, m, dir, "file")
	const size = 64 << 20
	f.Write(background, make([]byte, size), 0)
	f.Sync(background)
	b.SetBytes(16 << 10)
	for _, depth := range []int{1, 8} {
		b.Run([]string{1: "alone", 8: "8 at once"}[depth], func(b *testing.B) {
			b.SetBytes(16 << 10)
			b.SetParallelism(depth)
			read := func(data []byte) {
				at := uint64(rand.IntN(size/len(data)) * len(data))
				if _, _, err := f.Read(background, data, at); err != nil {
					b.Error(err)
				}
			}
			if depth == 1 {
				data := make([]byte, 16<<10)
				for b.Loop() {
					read(data)
				}
				return
			}
			b.RunParallel(func(p *testing.PB) {
				for data := make([]byte, 16<<10); p.Next(); {
					read(data)
				}
			})
		})
	}
}

func BenchmarkSequential1M(b *testing.B) {
	m, dir := dataMount(b, 2)
	f, _ := newFile(b, m, dir, "file")
	data := make([]byte, 1<<20)
	const count = 256
	b.Run("write", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		for i := 0; b.Loop(); i++ {
			if _, err := f.Write(background, data, uint64(i%count*len(data))); err != nil {
				b.Fatal(err)
			}
		}
		if err := f.Sync(background); err != nil {
			b.Fatal(err)
		}
	})
	b.Run("read", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		for i := 0; b.Loop(); i++ {
			if _, _, err := f.Read(background, data, uint64(i%count*len(data))); err != nil {
				b.Fatal(err)
			}
		}
	})
}
