package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"palabre.dev/palabre/store"
)

// postTimeout bounds how long one batch may take to be kept.
const postTimeout = 30 * time.Second

// Post does operations, all of them or none, and answers when they are on disk: with a record for each, in their order. It returns ErrMalformed, ErrIDTaken, a
// *Refused, ErrClosed, ErrUnsound, or the error that kept them from being kept; after that, and after the end of ctx, it may be asked again with the same
// ids: what was kept is answered and not done again. also, if there is one, writes what belongs to it in the same transaction; it runs like any function of
// store.DB.Tx, and if it fails nothing is kept. It does not run when what is asked for was kept before.
func (l *Ledger) Post(ctx context.Context, also func(ctx context.Context, records []Record) error, operations ...Operation) ([]Record, error) {
	return l.ask(ctx, &request{operations: operations, also: also, done: make(chan struct{})})
}

// Try is Post for what is asked again when the reason why it was refused has gone: a refusal is not kept, and leaves its ids free. What Post has refused under one stays refused.
func (l *Ledger) Try(ctx context.Context, also func(ctx context.Context, records []Record) error, operations ...Operation) ([]Record, error) {
	return l.ask(ctx, &request{operations: operations, also: also, tried: true, done: make(chan struct{})})
}

func (l *Ledger) ask(ctx context.Context, r *request) ([]Record, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	r.since = time.Now()
	select {
	case l.waiting <- r:
	default:
		select {
		case l.waiting <- r:
		case <-l.stop:
			return nil, ErrClosed
		case <-ctx.Done():
			l.metrics.refused.Inc()
			return nil, ctx.Err()
		}
	}
	select {
	case <-r.done:
		return r.records, r.err
	case <-l.finished:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	select { // it was answered before the end, or it never will be
	case <-r.done:
		return r.records, r.err
	default:
		return nil, ErrClosed
	}
}

// check refuses requests that cannot be ones.
func (r *request) check() error {
	if n := len(r.operations); n == 0 || n > MaxLinked {
		return fmt.Errorf("%w: 1 to %d in one request", ErrMalformed, MaxLinked)
	}
	ids := make(map[string]bool, len(r.operations))
	for i := range r.operations {
		o := &r.operations[i]
		if err := o.check(r.own); err != nil {
			return err
		}
		if ids[o.ID] {
			return malformed(o, "an id is there once")
		}
		ids[o.ID] = true
	}
	return nil
}

// post answers requests, many in one transaction, until Close.
func (l *Ledger) post() {
	defer close(l.finished)
	batch := make([]*request, 0, l.cfg.MaxBatch)
	for {
		select {
		case r := <-l.waiting:
			batch = append(batch[:0], r)
		case <-l.stop:
			return
		}
		for len(batch) < cap(batch) && len(l.waiting) > 0 {
			batch = append(batch, <-l.waiting)
		}
		now := time.Now()
		l.metrics.begun(now, batch[0].since)
		n := len(batch)
		l.commit(batch)
		l.metrics.ended(n, time.Since(now))
	}
}

// errAgain runs a transaction once more, without a request that has failed.
var errAgain = errors.New("once more without what failed")

// commit keeps a batch and answers it.
func (l *Ledger) commit(batch []*request) {
	ctx, cancel := context.WithTimeout(context.Background(), postTimeout)
	defer cancel()
	for {
		var d *draft
		err := l.db.Tx(ctx, func(ctx context.Context) (err error) {
			d, err = l.draftOf(ctx, batch)
			return err
		})
		if errors.Is(err, errAgain) {
			batch = answerFailed(batch)
			continue
		}
		if err != nil {
			l.metrics.failures.Inc()
			l.known.clear() // it may have been kept all the same
			for _, r := range batch {
				r.records, r.err = nil, fmt.Errorf("post: %w", err)
			}
		} else {
			l.known.kept(d)
			l.known.shrink(l.cfg.MaxCached)
		}
		for _, r := range batch {
			close(r.done)
		}
		return
	}
}

// answerFailed answers the requests whose own writing has failed, and gives the others.
func answerFailed(batch []*request) []*request {
	rest := batch[:0]
	for _, r := range batch {
		var failed *alsoFailed
		if errors.As(r.err, &failed) {
			r.records, r.err = nil, failed.err
			close(r.done)
			continue
		}
		rest = append(rest, r)
	}
	return rest
}

// draftOf decides about a batch within the transaction of ctx, and writes what was decided.
func (l *Ledger) draftOf(ctx context.Context, batch []*request) (*draft, error) {
	if err := l.lookUp(ctx, batch); err != nil {
		return nil, err
	}
	d := newDraft(&l.known)
	if err := l.lookUpKept(ctx, d, batch); err != nil {
		return nil, err
	}
	for _, r := range batch {
		if err := l.do(ctx, d, r); err != nil {
			return nil, err
		}
	}
	return d, l.write(ctx, d)
}

// do decides about one request.
func (l *Ledger) do(ctx context.Context, d *draft, r *request) error {
	r.records, r.err = nil, d.doubt(r)
	if r.err != nil {
		return nil
	}
	if done, err := d.before(r); done {
		r.err = err
		return nil
	}
	d.begin()
	first := len(d.rows)
	r.records = make([]Record, 0, len(r.operations))
	for i := range r.operations {
		o := &r.operations[i]
		id := l.next()
		one, why := l.decide(d, o, id)
		if why != 0 {
			d.takeBack()
			d.forget(first)
			d.refuse(l, r, i, why)
			return nil
		}
		one.id = id
		one.content = o.content()
		d.rows = append(d.rows, one)
		d.keys[one.key] = one
	}
	d.seal(first)
	for _, one := range d.rows[first:] {
		r.records = append(r.records, one.record())
	}
	if r.also == nil {
		return nil
	}
	if err := alongside(ctx, r); err != nil {
		r.err = &alsoFailed{err}
		return errAgain
	}
	return nil
}

// alsoFailed means that what was to be written beside the records was not.
type alsoFailed struct{ err error }

// Error is that of what failed.
func (a *alsoFailed) Error() string { return a.err.Error() }

// alongside writes what a caller keeps beside the records. A panic fails that caller alone.
func alongside(ctx context.Context, r *request) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return r.also(ctx, r.records)
}

// before answers a request that was kept before, done or refused. What is the same in part alone is something else.
func (d *draft) before(r *request) (done bool, err error) {
	known := 0
	for i := range r.operations {
		o := &r.operations[i]
		was := d.keys[o.ID]
		if was == nil {
			continue
		}
		content := o.content()
		if !bytes.Equal(was.content[:], content[:]) {
			return true, fmt.Errorf("%.64q: %w", o.ID, ErrIDTaken)
		}
		known++
	}
	switch known {
	case 0:
		return false, nil
	case len(r.operations):
	default:
		return true, fmt.Errorf("%.64q: %w", r.operations[0].ID, ErrIDTaken)
	}
	var refused *Refused
	for i := range r.operations {
		was := d.keys[r.operations[i].ID]
		if was.reason != 0 && (refused == nil || refused.Reason == Linked) {
			refused = &Refused{was.key, was.reason}
		}
		r.records = append(r.records, was.record())
	}
	if refused != nil {
		r.records = nil
		return true, refused
	}
	return true, nil
}

// forget takes rows back that were not written.
func (d *draft) forget(first int) {
	for _, one := range d.rows[first:] {
		delete(d.keys, one.key)
	}
	d.rows = d.rows[:first]
}

// refuse keeps that a request was refused because of one of its operations, so that it is the same answer the next time. What was tried is kept nowhere.
func (d *draft) refuse(l *Ledger, r *request, which int, why Reason) {
	r.records, r.err = nil, &Refused{r.operations[which].ID, why}
	if r.tried {
		return
	}
	first := len(d.rows)
	for i := range r.operations {
		o := &r.operations[i]
		reason := Linked
		if i == which {
			reason = why
		}
		one := &row{id: l.next(), key: o.ID, kind: o.Kind, reason: reason, amount: o.Amount, about: o.About, data: o.kept(), content: o.content()}
		d.rows = append(d.rows, one)
		d.keys[one.key] = one
	}
	d.seal(first)
}

// seal gives rows their hashes.
func (d *draft) seal(first int) {
	for _, one := range d.rows[first:] {
		one.hash = one.sum(d.hash)
		d.hash = one.hash
	}
}

var (
	insertRecord = store.NewInsert("ledger_record", "id", "key", "kind", "reason", "debit", "debit_balance", "debit_held", "credit", "credit_balance", "credit_held",
		"amount", "target", "expires", "about", "data", "content", "hash")
	insertAccount = store.NewInsert("ledger_account", "id", "name", "unit")
	insertSetting = store.NewInsert("ledger_setting", "record", "account", "floor", "state")
)

// write writes a draft within the transaction of ctx.
func (l *Ledger) write(ctx context.Context, d *draft) error {
	for _, r := range d.rows {
		err := l.db.Append(ctx, insertRecord, r.id, r.key, int64(r.kind), int64(r.reason), r.debit.account, r.debit.balance, r.debit.held, r.credit.account, r.credit.balance, r.credit.held,
			r.amount, r.target, r.expires, r.about, r.data, r.content[:], r.hash[:])
		if err != nil {
			return err
		}
	}
	for _, h := range d.opened {
		if err := l.db.Append(ctx, insertAccount, h.id, h.name, h.unit); err != nil {
			return err
		}
		_, err := l.db.Exec(ctx, "insert into ledger_unit (code, exponent) values ($1, $2) on conflict (code) do nothing", h.unit, l.units[h.unit].Exponent)
		if err != nil {
			return err
		}
	}
	for _, s := range d.set {
		if err := l.db.Append(ctx, insertSetting, s.row.id, s.row.debit.account, s.floor, int64(s.state)); err != nil {
			return err
		}
	}
	return nil
}
