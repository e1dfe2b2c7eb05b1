package e2e

import (
	"context"
	"maps"

	"palabre.dev/palabre/omemo"
)

// staged is the device's store, with the power to hold back what is saved until more can be saved with it. Between begin and commit
// only one goroutine may save, the one that has the turn.
type staged struct {
	under   omemo.Store
	holding bool
	values  map[string][]byte
}

func (s *staged) begin() { s.holding, s.values = true, map[string][]byte{} }

// forget drops what was not committed.
func (s *staged) forget() { s.holding, s.values = false, nil }

// commit saves what was held back, and more, in one step.
func (s *staged) commit(ctx context.Context, more map[string][]byte) error {
	maps.Copy(s.values, more)
	s.holding = false
	return s.under.Save(ctx, s.values)
}

// Load implements omemo.Store.
func (s *staged) Load(ctx context.Context, names []string) (map[string][]byte, error) {
	return s.under.Load(ctx, names)
}

// Save implements omemo.Store.
func (s *staged) Save(ctx context.Context, values map[string][]byte) error {
	if s.holding {
		maps.Copy(s.values, values)
		return nil
	}
	return s.under.Save(ctx, values)
}
