package nfs

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// load is work that goes on while something happens to the server.
type load struct {
	t       *testing.T
	workers []*worker
	running sync.WaitGroup
	over    atomic.Bool
	rounds  sync.RWMutex // each round holds it for reading
}

type worker struct {
	rounds  atomic.Int64
	longest atomic.Int64  // round since longestRound was called, in nanoseconds
	did     chan struct{} // a round
}

func newLoad(t *testing.T) *load {
	l := &load{t: t}
	t.Cleanup(l.stop)
	return l
}

// start does round after round until one fails, which fails the test, or until stop.
func (l *load) start(name string, round func() error) {
	w := &worker{did: make(chan struct{}, 1)}
	l.workers = append(l.workers, w)
	l.running.Go(func() {
		defer close(w.did)
		for !l.over.Load() && !l.t.Failed() {
			if !l.once(w, name, round) {
				return
			}
			select {
			case w.did <- struct{}{}:
			default:
			}
		}
	})
}

func (l *load) once(w *worker, name string, round func() error) bool {
	l.rounds.RLock()
	defer l.rounds.RUnlock()
	began := time.Now()
	err := round()
	took := time.Since(began)
	if err != nil {
		l.t.Errorf("%s, round %d, after %v: %v", name, w.rounds.Load(), took, err)
		return false
	}
	w.rounds.Add(1)
	w.longest.Store(max(w.longest.Load(), int64(took)))
	return true
}

// progress waits until each worker has done a round that it began after this call.
func (l *load) progress() { l.reach(l.goals()) }

// goals are the rounds at which each worker will have done one that it has not begun yet.
func (l *load) goals() []int64 {
	goals := make([]int64, len(l.workers))
	for i, w := range l.workers {
		goals[i] = w.rounds.Load() + 2
	}
	return goals
}

func (l *load) reach(goals []int64) {
	for i, w := range l.workers {
		for w.rounds.Load() < goals[i] {
			if _, more := <-w.did; !more {
				return // it has failed, or was stopped
			}
		}
	}
}

// quiet calls do while no round is going on.
func (l *load) quiet(do func()) {
	l.rounds.Lock()
	defer l.rounds.Unlock()
	do()
}

// longestRound is how long the slowest worker took since the last call.
func (l *load) longestRound() time.Duration {
	var longest int64
	for _, w := range l.workers {
		longest = max(longest, w.longest.Swap(0))
	}
	return time.Duration(longest)
}

func (l *load) total() (rounds int64) {
	for _, w := range l.workers {
		rounds += w.rounds.Load()
	}
	return rounds
}

func (l *load) stop() {
	l.over.Store(true)
	l.running.Wait()
}
