package omemo

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
)

// The model: whatever is sent is decrypted exactly once by whoever it was sent to, if it arrives at all and is not later than about ten turns.
// Messages are lost, doubled and shuffled, everybody begins anew at any moment, programs restart, and saving fails.

var errDisk = errors.New("disk full")

// failingStore is a store whose disk is full now and then.
type failingStore struct {
	*MemoryStore
	full bool
}

func (f *failingStore) Save(ctx context.Context, values map[string][]byte) error {
	if f.full {
		return errDisk
	}
	return f.MemoryStore.Save(ctx, values)
}

type world struct {
	t       *testing.T
	v       Version
	dice    *rand.Rand
	devices []*Device
	pending []delivery
	done    []delivery // delivered before: must never open again
	sent    int
	opened  int
	clock   int
}

type delivery struct {
	from, to int
	message  *Message
	text     string
	since    int
}

func TestModel(t *testing.T) {
	for _, v := range versions {
		for seed := range uint64(8) {
			t.Run(fmt.Sprintf("%s/%d", v, seed), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, v, rand.New(rand.NewPCG(seed, uint64(v))))
				for w.clock = range 250 {
					w.step()
				}
				for len(w.pending) > 0 {
					w.deliver(0)
				}
				if w.opened < 50 {
					t.Fatalf("%d sent, %d opened: the test tests little", w.sent, w.opened)
				}
			})
		}
	}
}

// newWorld has two accounts, one with two devices.
func newWorld(t *testing.T, v Version, dice *rand.Rand) *world {
	w := &world{t: t, v: v, dice: dice}
	for _, jid := range []string{"romeo@example.org", "juliet@example.org", "juliet@example.org"} {
		d, err := Create(t.Context(), &failingStore{MemoryStore: NewMemoryStore()}, jid, nil, start)
		if err != nil {
			t.Fatal(err)
		}
		w.devices = append(w.devices, d)
	}
	return w
}

func (w *world) step() {
	who := w.dice.IntN(len(w.devices))
	switch n := w.dice.IntN(100); {
	case n < 35:
		w.send(who)
	case n < 85 && len(w.pending) > 0:
		w.deliver(w.dice.IntN(len(w.pending)))
	case n < 88 && len(w.pending) > 0:
		w.pending = w.pending[1:] // lost
	case n < 93 && len(w.done) > 0:
		w.repeat(w.done[w.dice.IntN(len(w.done))])
	case n < 95:
		w.beginAnew(who)
	case n < 98:
		w.restart(who)
	default:
		w.fillDisk(who)
	}
	if len(w.pending) > 0 && w.clock-w.pending[0].since > 25 {
		w.deliver(0)
	}
}

func (w *world) everybody() (all []Address) {
	for _, d := range w.devices {
		all = append(all, d.address())
	}
	return all
}

func (w *world) send(who int) {
	from := w.devices[who]
	missing, err := from.Missing(w.t.Context(), w.v, w.everybody())
	if err != nil {
		w.t.Fatal(err)
	}
	for to, d := range w.devices {
		for _, a := range missing {
			if a == d.address() {
				begin(w.t, from, w.devices[to], w.v)
			}
		}
	}
	w.sent++
	text := fmt.Sprintf("message %d", w.sent)
	m := send(w.t, from, w.v, text, w.everybody()...)
	for to := range w.devices {
		if to != who {
			w.pending = append(w.pending, delivery{who, to, m, text, w.clock})
		}
	}
}

func (w *world) deliver(n int) {
	d := w.pending[n]
	w.pending = append(w.pending[:n:n], w.pending[n+1:]...)
	from, to := w.devices[d.from], w.devices[d.to]
	o, err := to.Decrypt(w.t.Context(), from.jid, d.message)
	if err != nil || string(o.Plaintext) != d.text {
		w.t.Fatalf("step %d: %d to %d, %q of step %d: %+v, %v", w.clock, d.from, d.to, d.text, d.since, o, err)
	}
	w.opened++
	w.done = append(w.done, d)
}

func (w *world) repeat(d delivery) {
	if o, err := w.devices[d.to].Decrypt(w.t.Context(), w.devices[d.from].jid, d.message); err == nil {
		w.t.Fatalf("step %d: %q opened twice: %+v", w.clock, d.text, o)
	}
}

func (w *world) beginAnew(who int) {
	if to := w.dice.IntN(len(w.devices)); to != who {
		begin(w.t, w.devices[who], w.devices[to], w.v)
	}
}

// restart goes on from what was saved.
func (w *world) restart(who int) {
	old := w.devices[who]
	store := &failingStore{MemoryStore: old.store.(*failingStore).Clone()}
	d, err := Open(w.t.Context(), store, old.jid)
	if err != nil || d == nil || d.ID() != old.ID() || d.Identity() != old.Identity() {
		w.t.Fatalf("reopened %+v, %v", d, err)
	}
	w.devices[who] = d
}

// fillDisk tries to send and to receive without a disk: neither message nor plaintext may come out, and nothing may change.
func (w *world) fillDisk(who int) {
	d := w.devices[who]
	store := d.store.(*failingStore)
	store.full = true
	defer func() { store.full = false }()
	if m, _, err := d.Encrypt(w.t.Context(), w.v, []byte("x"), w.everybody()); m != nil || err != nil && !errors.Is(err, errDisk) {
		w.t.Fatalf("encrypted %v without saving: %v", m, err)
	}
	for _, p := range w.pending {
		if p.to == who {
			if o, err := d.Decrypt(w.t.Context(), w.devices[p.from].jid, p.message); o != nil || !errors.Is(err, errDisk) {
				w.t.Fatalf("decrypted %v without saving: %v", o, err)
			}
		}
	}
}
