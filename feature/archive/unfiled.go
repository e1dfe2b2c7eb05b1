package archive

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// filing is how far the entries have been filed.
type filing struct {
	late    bool         // this database is filed late
	deleted atomic.Int64 // how often entries have been deleted
	since   atomic.Int64 // when the filer saw the first of those that wait (UTC microseconds), 0 if none waits

	mu      sync.Mutex        // guards what follows
	upto    int64             // up to this id all are filed
	unfiled map[int64][]int64 // the ids of all others, ascending, by account; also some that came to nothing
	waiting int               // how many these are
}

// begin starts with what is known of the database: all up to an id are filed.
func (f *filing) begin(upto int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.upto, f.unfiled, f.waiting = upto, map[int64][]int64{}, 0
}

// note remembers an entry that is about to be kept.
func (f *filing) note(account, id int64) {
	if !f.late {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	ids := f.unfiled[account]
	if place, known := slices.BinarySearch(ids, id); !known {
		f.unfiled[account] = slices.Insert(ids, place, id)
		f.waiting++
	}
}

// advance notes that all up to an id are filed.
func (f *filing) advance(upto int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	upto = max(upto, f.upto)
	f.upto = upto
	for account, ids := range f.unfiled {
		n := firstAbove(ids, upto)
		f.waiting -= n
		if n == len(ids) {
			delete(f.unfiled, account)
		} else if n > 0 {
			f.unfiled[account] = slices.Clone(ids[n:])
		}
	}
}

// firstAbove is the place of the first id that is larger.
func firstAbove(ids []int64, than int64) int {
	place, found := slices.BinarySearch(ids, than)
	if found {
		place++
	}
	return place
}

// reached is up to where all entries are filed.
func (f *filing) reached() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.upto
}

// snapshot is up to where all entries are filed, and the ids of an account's others, of those after one and up to another.
func (f *filing) snapshot(account, after, to int64) (upto int64, unfiled []int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	ids := f.unfiled[account]
	ids = ids[:firstAbove(ids, to)]
	return f.upto, slices.Clone(ids[firstAbove(ids, max(after, f.upto)):])
}

// accounts are those that have entries which are not filed.
func (f *filing) accounts() []int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Collect(maps.Keys(f.unfiled))
}

// began notes when the filer saw the first of those that wait, the zero time if none waits.
func (f *filing) began(at time.Time) {
	if at.IsZero() {
		f.since.Store(0)
		return
	}
	f.since.Store(at.UnixMicro())
}

// count is how many entries wait.
func (f *filing) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.waiting
}
