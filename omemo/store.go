package omemo

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"sync"
)

// Store keeps the state of one Device: opaque values under short names. Implement it on a table with a name and a value to keep
// sessions beside other things; MemoryStore and FileStore are here.
type Store interface {
	// Load returns the values of those names that have one. The caller changes none of them.
	Load(ctx context.Context, names []string) (map[string][]byte, error)
	// Save replaces all values or none, and returns only when they are durable; a nil value removes its name. After an error the old values must still be there,
	// or the Store must fail from then on. The Store may keep the values it is given; the caller changes none of them.
	Save(ctx context.Context, values map[string][]byte) error
}

// Names in a Store. An address comes last, so that it may hold any character.

const ownerName = "device"

func sessionName(v Version, a Address) string {
	return fmt.Sprintf("session/%d/%d/%s", uint8(v), a.Device, a.JID)
}

func trustName(jid string) string { return "trust/" + jid }

// MemoryStore is a Store that forgets everything when the program ends.
type MemoryStore struct {
	mu     sync.Mutex
	values map[string][]byte
}

// NewMemoryStore returns an empty store.
func NewMemoryStore() *MemoryStore { return &MemoryStore{values: map[string][]byte{}} }

// Load implements Store.
func (m *MemoryStore) Load(_ context.Context, names []string) (map[string][]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return pickValues(m.values, names), nil
}

// Save implements Store. It never fails.
func (m *MemoryStore) Save(_ context.Context, values map[string][]byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for name, value := range values {
		if value == nil {
			delete(m.values, name)
			continue
		}
		m.values[name] = bytes.Clone(value)
	}
	return nil
}

// Clone returns an independent copy, as a backup would be.
func (m *MemoryStore) Clone() *MemoryStore {
	m.mu.Lock()
	defer m.mu.Unlock()
	return &MemoryStore{values: maps.Clone(m.values)}
}

func pickValues(values map[string][]byte, names []string) map[string][]byte {
	out := make(map[string][]byte, len(names))
	for _, name := range names {
		if value, ok := values[name]; ok {
			out[name] = value
		}
	}
	return out
}
