package ledger

import (
	"crypto/sha256"
	"fmt"
)

// head is where an account stands.
type head struct {
	id            int64
	name, unit    string
	floor         int64
	state         State
	balance, held int64
	unsound       bool // it was read, and is not what was written
}

// available is how much the account may pay. It is never below its floor, and all numbers are far from the largest, so this does not overflow.
func (h *head) available() int64 {
	if h.floor == Unbounded {
		return MaxAmount
	}
	return h.balance - h.held - h.floor
}

// memory is what is known of the journal without reading it: where some accounts stand, and the newest hash.
type memory struct {
	heads map[int64]*head
	names map[string]int64
	hash  [sha256.Size]byte
	read  bool // hash was read

	unsound bool // a head is
}

func (m *memory) clear() { *m = memory{heads: map[int64]*head{}, names: map[string]int64{}} }

// shrink forgets some accounts when there are too many; which ones does not matter.
func (m *memory) shrink(most int) {
	if len(m.heads) <= most {
		return
	}
	for id, h := range m.heads {
		delete(m.heads, id)
		delete(m.names, h.name)
		if len(m.heads) <= most*9/10 {
			return
		}
	}
}

// draft is what a batch has decided so far; the memory takes it when it is kept. It is made anew whenever the transaction runs again.
type draft struct {
	below   *memory
	heads   map[int64]*head
	names   map[string]int64
	keys    map[string]*row // by the caller's id, those that the batch asks about
	targets map[int64]*target
	hash    [sha256.Size]byte
	rows    []*row
	opened  []*head
	set     []setting
	undo    undo
	unsound bool // one of keys is
}

// setting is what an opening or a setting makes hold.
type setting struct {
	row   *row
	floor int64
	state State
}

// undo is what a request has changed in a draft, so that all of it can be taken back.
type undo struct {
	heads       []headBefore
	targets     []targetBefore
	opened, set int
}

type headBefore struct {
	head   *head
	before head
}

type targetBefore struct {
	target *target
	before target
}

// begin begins a request: takeBack brings the draft back to here.
func (d *draft) begin() {
	d.undo.heads, d.undo.targets = d.undo.heads[:0], d.undo.targets[:0]
	d.undo.opened, d.undo.set = len(d.opened), len(d.set)
}

// takeBack undoes what was decided since begin.
func (d *draft) takeBack() {
	for i := len(d.undo.heads) - 1; i >= 0; i-- {
		*d.undo.heads[i].head = d.undo.heads[i].before
	}
	for i := len(d.undo.targets) - 1; i >= 0; i-- {
		*d.undo.targets[i].target = d.undo.targets[i].before
	}
	for _, h := range d.opened[d.undo.opened:] {
		delete(d.heads, h.id)
		delete(d.names, h.name)
	}
	d.opened, d.set = d.opened[:d.undo.opened], d.set[:d.undo.set]
}

// target is what a record that can be ended or reversed has come to.
type target struct {
	row      *row
	end      Kind // how a hold ended, 0 if it did not
	reversed int64
}

func newDraft(below *memory) *draft {
	return &draft{below: below, heads: map[int64]*head{}, names: map[string]int64{}, keys: map[string]*row{}, targets: map[int64]*target{}, hash: below.hash}
}

// named is the account of a name, nil if there is none.
func (d *draft) named(name string) *head {
	id, ok := d.names[name]
	if !ok {
		id, ok = d.below.names[name]
	}
	if !ok {
		return nil
	}
	return d.numbered(id)
}

// numbered is an account that was looked up, for looking at alone.
func (d *draft) numbered(id int64) *head {
	if h := d.heads[id]; h != nil {
		return h
	}
	return d.below.heads[id]
}

// doubt is why a request is not decided about: what was read for it is not what was written.
func (d *draft) doubt(r *request) error {
	if !d.unsound && !d.below.unsound {
		return nil
	}
	for i := range r.operations {
		o := &r.operations[i]
		heads := []*head{d.named(o.From), d.named(o.To)}
		for _, id := range [...]string{o.ID, o.Of} {
			was := d.keys[id]
			if was == nil {
				continue
			}
			if was.unsound {
				return fmt.Errorf("record %d: %w", was.id, ErrUnsound)
			}
			heads = append(heads, d.numbered(was.debit.account), d.numbered(was.credit.account))
		}
		for _, h := range heads {
			if h != nil && h.unsound {
				return fmt.Errorf("account %s: %w", h.name, ErrUnsound)
			}
		}
	}
	return nil
}

// change is an account that was looked up, to be changed in this draft.
func (d *draft) change(id int64) *head {
	h := d.heads[id]
	if h == nil {
		copied := *d.below.heads[id]
		h = &copied
		d.heads[id] = h
	}
	d.undo.heads = append(d.undo.heads, headBefore{h, *h})
	return h
}

// changeTarget is one that is about to be changed.
func (d *draft) changeTarget(t *target) *target {
	d.undo.targets = append(d.undo.targets, targetBefore{t, *t})
	return t
}

// kept makes the memory what the draft has come to.
func (m *memory) kept(d *draft) {
	for id, h := range d.heads {
		m.heads[id] = h
	}
	for name, id := range d.names {
		m.names[name] = id
	}
	m.hash = d.hash
}
