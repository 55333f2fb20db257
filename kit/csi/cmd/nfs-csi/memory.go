package main

import (
	"fmt"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// locks keeps two requests from the same volume.
type locks struct{ taken sync.Map }

func (l *locks) take(key string) bool {
	_, taken := l.taken.LoadOrStore(key, nil)
	return !taken
}

func (l *locks) give(key string) { l.taken.Delete(key) }

func inProgress(volume string) error {
	return status.Error(codes.Aborted, fmt.Sprintf("An operation with the given Volume ID %s already exists", volume))
}

// memory keeps values for a time.
type memory[T any] struct {
	kept   time.Duration
	values sync.Map
}

type remembered[T any] struct {
	value T
	until time.Time
}

func (m *memory[T]) set(key string, value T) {
	m.values.Store(key, remembered[T]{value, time.Now().Add(m.kept)})
}

func (m *memory[T]) get(key string) (value T, ok bool) {
	found, ok := m.values.Load(key)
	if !ok {
		return value, false
	}
	entry := found.(remembered[T])
	return entry.value, time.Now().Before(entry.until)
}
