package nfs

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"testing"
	"time"
)

const settleTime = 10 * time.Second // for goroutines that are about to end

// footprint is what this process uses while it does nothing.
type footprint struct {
	Goroutines, Descriptors, HeapBytes, ResidentBytes int
}

// measure waits until what is about to end has ended, if it was less before.
func (all enduring) measure(before footprint) (now footprint) {
	all.quiet(func() {
		for _, e := range all {
			e.sync()
		}
		for deadline := time.Now().Add(settleTime); ; time.Sleep(10 * time.Millisecond) {
			now = footprintNow(all[0].t)
			fits := now.Goroutines <= before.Goroutines && now.Descriptors <= before.Descriptors
			if before == (footprint{}) || fits || time.Now().After(deadline) {
				return
			}
		}
	})
	return now
}

func footprintNow(t *testing.T) footprint {
	runtime.GC() // sync.Pool lets go of what it holds in the second collection
	debug.FreeOSMemory()
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	descriptors, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	var size, resident int
	pages, err := os.ReadFile("/proc/self/statm")
	if err == nil {
		_, err = fmt.Sscan(string(pages), &size, &resident)
	}
	if err != nil {
		t.Fatal(err)
	}
	return footprint{runtime.NumGoroutine(), len(descriptors), int(memory.HeapAlloc), resident * os.Getpagesize()}
}

func (f footprint) mustNotExceed(t *testing.T, before footprint) {
	t.Helper()
	if f.Goroutines > before.Goroutines {
		stacks := make([]byte, 1<<20)
		t.Errorf("%d goroutines, %d before:\n%s", f.Goroutines, before.Goroutines,
			stacks[:runtime.Stack(stacks, true)])
	}
	if f.Descriptors > before.Descriptors || f.HeapBytes > before.HeapBytes+heapGrowthMax ||
		f.ResidentBytes > before.ResidentBytes+rssGrowthMax {
		t.Errorf("it has grown from %+v to %+v", before, f)
	}
}
