package component

import (
	"context"
	"errors"
	"sync"

	"palabre.dev/palabre/xmpp"
)

// maxAsks bounds the calls of Send and Ask that wait at once.
const maxAsks = 4096

// maxBatch bounds the stanzas of one Send.
const maxBatch = 256

// Send sends at most 256 stanzas in order, and returns when the server has read them all, or has not: see ErrAway, ErrUnsure and ErrBusy. From is the component's
// domain where a stanza names none. Those that were answered with an error meanwhile are in the error as a *Refusal each, and only those.
func (c *Component) Send(ctx context.Context, batch ...*xmpp.Stanza) error {
	if len(batch) == 0 {
		return nil
	}
	if len(batch) > maxBatch {
		return errors.New("send: more than 256 stanzas at once")
	}
	behind := c.ping(c.id())
	w, err := c.asks.begin(behind.ID, xmpp.JID{}, batch)
	if err != nil {
		return err
	}
	defer c.asks.end(w)
	if err := c.writeAll(ctx, w, append(c.addressed(batch), behind)); err != nil {
		return err
	}
	return w.refusals()
}

// Ask sends a request and waits for the answer, or for the end of ctx. An error answer is returned as *xmpp.Error.
func (c *Component) Ask(ctx context.Context, iq *xmpp.Stanza) (*xmpp.Stanza, error) {
	ask := iq.Copy()
	ask.ID = c.id()
	w, err := c.asks.begin(ask.ID, ask.To, nil)
	if err != nil {
		return nil, err
	}
	defer c.asks.end(w)
	if err := c.writeAll(ctx, w, c.addressed([]*xmpp.Stanza{ask})); err != nil {
		return nil, err
	}
	return w.result()
}

// addressed are the stanzas with the component as the sender of those that name none.
func (c *Component) addressed(batch []*xmpp.Stanza) []*xmpp.Stanza {
	all := make([]*xmpp.Stanza, len(batch), len(batch)+1)
	for i, st := range batch {
		if st.From.IsZero() {
			st = st.Copy()
			st.From = c.jid
		}
		all[i] = st
	}
	return all
}

// writeAll writes stanzas in one go and waits until w is answered.
func (c *Component) writeAll(ctx context.Context, w *waiting, all []*xmpp.Stanza) error {
	c.mu.Lock()
	s, broken := c.stream, c.broken
	c.mu.Unlock()
	if s == nil {
		return ErrAway
	}
	items := make([][]byte, len(all))
	for i, st := range all {
		items[i] = st.Append(nil)
	}
	if err := s.Write(items...); err != nil {
		return errors.Join(ErrUnsure, err, s.Abort())
	}
	stanzas.WithLabelValues("external", "out").Add(float64(len(all)))
	select {
	case <-w.done:
		return nil
	case <-broken:
		select {
		case <-w.done: // it was the last that came
			return nil
		default:
			return ErrUnsure
		}
	case <-ctx.Done():
		return errors.Join(ErrUnsure, ctx.Err())
	}
}

// asks are those that wait for an answer.
type asks struct {
	mu      sync.Mutex // guards what follows, and the waiting within
	waiting map[string]*waiting
	batches map[string]*waiting // by the ids of the stanzas that were sent
}

// waiting is one Send or Ask.
type waiting struct {
	id    string
	to    xmpp.JID // of an Ask
	batch map[string]xmpp.JID
	reply *xmpp.Stanza
	bad   []error
	done  chan struct{} // closed with the answer
}

func (a *asks) begin(id string, to xmpp.JID, batch []*xmpp.Stanza) (*waiting, error) {
	w := &waiting{id: id, to: to, done: make(chan struct{})}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.waiting == nil {
		a.waiting, a.batches = map[string]*waiting{}, map[string]*waiting{}
	}
	if len(a.waiting) >= maxAsks {
		return nil, ErrBusy
	}
	a.waiting[id] = w
	if len(batch) > 0 {
		w.batch = make(map[string]xmpp.JID, len(batch))
	}
	for _, st := range batch {
		if st.ID != "" {
			w.batch[st.ID] = st.To
			a.batches[st.ID] = w
		}
	}
	return w, nil
}

func (a *asks) end(w *waiting) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.waiting, w.id)
	for id := range w.batch {
		if a.batches[id] == w {
			delete(a.batches, id)
		}
	}
}

// arrived reports whether somebody waited for this stanza: an answer, a ping of our own that has come back, or the refusal of a stanza that is on its way.
func (a *asks) arrived(st *xmpp.Stanza) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if st.IsError() {
		if w := a.batches[st.ID]; w != nil && w.reply == nil && w.batch[st.ID].Bare() == st.From.Bare() {
			w.bad = append(w.bad, &Refusal{st.ID, w.batch[st.ID], xmpp.ErrorOf(st)})
			delete(w.batch, st.ID)
			delete(a.batches, st.ID)
			return true
		}
	}
	w := a.waiting[st.ID]
	if w == nil || st.Kind != xmpp.IQ || w.reply != nil || !w.isAnswer(st) {
		return false
	}
	w.reply = st
	close(w.done)
	return true
}

// isAnswer reports whether st is what w waits for: of a ping to oneself the ping itself, or what the server says in its place; of a request the answer of whoever was asked.
func (w *waiting) isAnswer(st *xmpp.Stanza) bool {
	if w.to.IsZero() {
		return st.From == st.To
	}
	return !st.IsRequest() && st.From == w.to
}

func (w *waiting) refusals() error { return errors.Join(w.bad...) }

func (w *waiting) result() (*xmpp.Stanza, error) {
	if w.reply.IsError() {
		return nil, xmpp.ErrorOf(w.reply)
	}
	return w.reply, nil
}
