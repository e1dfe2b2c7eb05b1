package rail

import (
	"context"
	"errors"
	"fmt"
	"time"

	"palabre.dev/palabre/jobs"
	"palabre.dev/palabre/payments/ledger"
)

// step does the next thing for one transfer, and says what kept it from that.
func (e *Engine) step(ctx context.Context, job jobs.Job) error {
	err := e.next(ctx, job)
	if _, goesOn := errors.AsType[jobs.Again](err); err != nil && !goesOn && ctx.Err() == nil {
		e.log.Error("a transfer could not be gone on with; it is tried again", "transfer", job.Name, "err", err)
	}
	return err
}

// next does the next thing for one transfer: what it does is safe to be done again, after a crash at any point in it.
func (e *Engine) next(ctx context.Context, job jobs.Job) error {
	e.mu.Lock()
	delete(e.hinted, job.Name)
	e.mu.Unlock()
	t, err := e.Get(ctx, job.Name)
	if errors.Is(err, ErrNotFound) {
		return fmt.Errorf("%w: no transfer %s", jobs.ErrGiveUp, job.Name)
	}
	if err != nil {
		return err
	}
	network := e.networks[t.Rail]
	t.attempt = job.Attempts
	if t.hold != "" && !t.State.Over() && t.heldUntil.Sub(e.now()) < renewal {
		if t, err = e.renew(ctx, t); err != nil {
			return err
		}
	}
	asked := true // whether the network was asked as far as needed
	switch {
	case t.State.Over() && t.Sent.IsZero(): // it never left
	case t.State == Created:
		t, err = e.submit(ctx, network, t)
	case t.State == Submitted: // this process, or one before it, ended before it had the answer
		if t, err = e.unknown(ctx, t, "the answer was not awaited"); err == nil {
			t, asked, err = e.ask(ctx, network, t)
		}
	default:
		t, asked, err = e.ask(ctx, network, t)
	}
	if err != nil {
		return err
	}
	return e.after(t, asked)
}

// after says when to go on: never for what is over and was asked about, at once if the network has told something meanwhile.
func (e *Engine) after(t Transfer, asked bool) error {
	e.mu.Lock()
	hinted := e.hinted[t.ID]
	e.mu.Unlock()
	switch {
	case hinted:
		return jobs.Again(0)
	case t.State.Over() && asked:
		return nil
	}
	return jobs.Again(e.pause(t))
}

// pause grows with the time that a transfer has been waited for.
func (e *Engine) pause(t Transfer) time.Duration {
	since, least, most := t.Changed, 2*time.Second, time.Hour
	if t.State == Unknown {
		since, least, most = t.UnknownSince, time.Second, 15*time.Minute
	}
	return min(max(e.now().Sub(since)/4, least), most)
}

// submit sends a transfer. That it may have been sent is on disk before it is.
func (e *Engine) submit(ctx context.Context, network Network, t Transfer) (Transfer, error) {
	was := t
	t.State, t.Why = Submitted, ""
	if t.Sent.IsZero() {
		t.Sent = e.now().UTC()
	}
	t, err := e.change(ctx, was, t)
	if err != nil {
		return t, err
	}
	status, err := e.call(ctx, t, "submit", network.Submit)
	if ctx.Err() != nil {
		return t, ctx.Err()
	}
	if err != nil {
		return e.unknown(ctx, t, err.Error())
	}
	return e.apply(ctx, t, status)
}

// ask asks what became of a transfer and does what follows; asked is false if there was no answer.
func (e *Engine) ask(ctx context.Context, network Network, t Transfer) (_ Transfer, asked bool, err error) {
	status, err := e.call(ctx, t, "ask", network.Ask)
	switch {
	case ctx.Err() != nil:
		return t, false, ctx.Err()
	case err != nil: // it stays what it was
		e.log.Debug("a network was asked and did not say", "rail", t.Rail, "transfer", t.ID, "err", err)
		return t, false, nil
	case status.State == Absent:
		t, err = e.absent(ctx, network, t)
		return t, true, err
	}
	t, err = e.apply(ctx, t, status)
	return t, true, err
}

// absent does what follows when the network never saw a transfer: it is sent again under the same name while the network knows names that come twice, and is
// over after that.
func (e *Engine) absent(ctx context.Context, network Network, t Transfer) (Transfer, error) {
	switch {
	case t.State.Over():
		return t, nil // the nightly comparison tells the operator
	case t.State == Accepted:
		return e.unknown(ctx, t, "the network had it and does not know it any more")
	case e.now().Sub(t.Sent) > network.Terms().Repeat:
		return e.reject(ctx, t, Status{Why: "the network never saw it"})
	}
	return e.submit(ctx, network, t)
}

// call asks a network something, with a deadline, and counts it.
func (e *Engine) call(ctx context.Context, t Transfer, name string, do func(context.Context, Transfer) (Status, error)) (status Status, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	status, err = do(ctx, t)
	e.noteCall(t.Rail, err)
	outcome := "failed"
	if err == nil {
		outcome = status.State.String()
	}
	e.calls.WithLabelValues(t.Rail, name, outcome).Inc()
	if err != nil {
		return status, err
	}
	status.Reference, status.Why = clip(status.Reference), clip(status.Why)
	switch {
	case status.State != Accepted && status.State != Rejected && status.State != Settled && status.State != Absent:
		return status, fmt.Errorf("the network said a state that there is not: %d", status.State)
	case status.Amount < 0 || status.Amount > ledger.MaxAmount || status.Cost < 0 || status.Cost > ledger.MaxAmount || len(status.Next.Value) > 4096:
		return status, errors.New("the network said amounts that cannot be")
	}
	if status.Amount == 0 {
		status.Amount = t.Amount
	}
	if status.Returned < 0 || status.Returned > status.Amount {
		return status, errors.New("the network has taken back more than it had moved")
	}
	return status, nil
}

// unknown notes that nobody here knows what became of a transfer.
func (e *Engine) unknown(ctx context.Context, t Transfer, why string) (Transfer, error) {
	was := t
	t.State, t.Why = Unknown, clip(why)
	if t.UnknownSince.IsZero() {
		t.UnknownSince = e.now().UTC()
	}
	return e.change(ctx, was, t)
}

// apply does what follows from what a network says. It may say the same again, what it said before, or what contradicts that.
func (e *Engine) apply(ctx context.Context, t Transfer, s Status) (Transfer, error) {
	if moved := t.State == Settled || t.State == Reversed; t.Kind != CashIn && s.State == Settled && s.Amount > t.Amount && !moved {
		return e.unknown(ctx, t, fmt.Sprintf("the network says that it has moved %d, and was asked for %d", s.Amount, t.Amount))
	}
	switch {
	case s.State == Accepted:
		return e.accept(ctx, t, s)
	case s.State == Rejected && !t.State.Over():
		return e.reject(ctx, t, s)
	case s.State == Rejected && t.State == Settled: // what was moved is not any more
		return e.giveBack(ctx, t, t.Moved, s)
	case s.State == Rejected:
		return t, nil
	}
	var err error
	if t.State != Settled && t.State != Reversed {
		if t, err = e.settle(ctx, t, s); err != nil {
			return t, err
		}
	}
	if returned := min(s.Returned, t.Moved); returned != t.Returned {
		return e.giveBack(ctx, t, returned, s)
	}
	return t, nil
}

func (e *Engine) accept(ctx context.Context, t Transfer, s Status) (Transfer, error) {
	was := t
	s = known(t, s)
	if t.State.Over() || t.State == Accepted && t.Reference == s.Reference && t.Next == s.Next {
		return t, nil
	}
	t.State, t.Reference, t.Next, t.Why, t.UnknownSince = Accepted, s.Reference, s.Next, s.Why, time.Time{}
	return e.change(ctx, was, t)
}

// known fills in what a network has said before.
func known(t Transfer, s Status) Status {
	if s.Reference == "" {
		s.Reference = t.Reference
	}
	if s.Next == (Next{}) {
		s.Next = t.Next
	}
	return s
}
