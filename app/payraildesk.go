package app

import (
	"context"
	"errors"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/feature/admin"
	"palabre.dev/palabre/payments/rail"
	"palabre.dev/palabre/payments/rail/adapter"
	"palabre.dev/palabre/xmpp"
)

// RailArgs ask about rails, or say something about a transfer.
type RailArgs struct {
	// ID is that of a transfer; Number that of a verdict, or of a report.
	ID     string `json:"id,omitempty"`
	Number int64  `json:"number,omitempty"`
	// State is settled or rejected; Amount is what was moved, 0 for what was asked for.
	State  string `json:"state,omitempty"`
	Amount int64  `json:"amount,omitempty"`
	Why    string `json:"why,omitempty"`
	// As is the name of the person at the command line, where payments run alone.
	As string `json:"as,omitempty"`
}

// RailView is how the rails stand.
type RailView struct {
	Figures  []rail.Figure   `json:"figures"`
	Waiting  []rail.Waiting  `json:"waiting"`
	Unknown  []rail.Transfer `json:"unknown"`
	Verdicts []rail.Verdict  `json:"verdicts"`
	Reports  []rail.Report   `json:"reports"`
}

// RailTransfer is one transfer and all that has become of it.
type RailTransfer struct {
	rail.Transfer
	Steps []rail.Step `json:"steps"`
}

func init() {
	operations["pay/rails"] = onRails(func(ctx context.Context, e *rail.Engine, _ RailArgs) (v RailView, err error) {
		var failed [4]error
		v.Waiting, failed[3] = e.Waiting(ctx)
		v.Figures, failed[0] = e.Figures(ctx)
		v.Unknown, failed[1] = e.Unknown(ctx, maxUnknown)
		v.Verdicts, failed[2] = e.Verdicts(ctx, false)
		for _, name := range e.Rails() {
			reports, err := e.Reports(ctx, name, 0, 3)
			if err != nil {
				return v, err
			}
			v.Reports = append(v.Reports, reports...)
		}
		return v, errors.Join(failed[:]...)
	})
	operations["pay/rail"] = onRails(func(ctx context.Context, e *rail.Engine, args RailArgs) (t RailTransfer, err error) {
		if t.Transfer, err = e.Get(ctx, args.ID); err == nil {
			t.Steps, err = e.Steps(ctx, args.ID)
		}
		return t, err
	})
	operations["pay/report"] = onRails(func(ctx context.Context, e *rail.Engine, args RailArgs) ([]rail.Difference, error) {
		return e.Differences(ctx, args.Number)
	})
	operations["pay/ask"] = onRails(func(ctx context.Context, e *rail.Engine, args RailArgs) (struct{}, error) {
		return struct{}{}, e.Ask(ctx, args.ID)
	})
	operations["pay/verdict"] = onRailsBy(func(ctx context.Context, a *App, args RailArgs, by string) (rail.Verdict, error) {
		return proposeVerdict(ctx, a.rails, a.pay, verdictOf(args, by))
	})
	operations["pay/disagree"] = onRailsBy(func(ctx context.Context, a *App, args RailArgs, by string) (rail.Verdict, error) {
		return declineVerdict(ctx, a.rails, a.pay, args.Number, by)
	})
	operations["pay/agree"] = onRailsBy(func(ctx context.Context, a *App, args RailArgs, by string) (rail.Transfer, error) {
		return agreeVerdict(ctx, a.rails, a.pay, args.Number, by)
	})
}

// proposeVerdict keeps a verdict, and writes into the log who has proposed it.
func proposeVerdict(ctx context.Context, e *rail.Engine, log auditLog, v rail.Verdict) (rail.Verdict, error) {
	return e.Propose(ctx, v, func(ctx context.Context, v rail.Verdict) error {
		return log.Note(ctx, v.Proposer, "propose-verdict", "", v.Transfer+" "+v.State.String()+" ("+v.Why+")")
	})
}

// agreeVerdict makes a verdict hold, and writes into the log who has agreed.
func agreeVerdict(ctx context.Context, e *rail.Engine, log auditLog, number int64, by string) (rail.Transfer, error) {
	v, err := e.Verdict(ctx, number)
	if err != nil {
		return rail.Transfer{}, err
	}
	if by != v.Proposer {
		if err := log.TwoPairs(ctx, v.Proposer, by); err != nil {
			return rail.Transfer{}, err
		}
	}
	return e.Approve(ctx, number, by, func(ctx context.Context, t rail.Transfer) error {
		return log.Note(ctx, by, "agree-verdict", "", t.ID+" "+t.State.String())
	})
}

// declineVerdict ends a verdict in the name of who has proposed it, or of somebody else, and writes into the log who it was.
func declineVerdict(ctx context.Context, e *rail.Engine, log auditLog, number int64, by string) (rail.Verdict, error) {
	return e.Decline(ctx, number, by, func(ctx context.Context, v rail.Verdict) error {
		what := "decline-verdict"
		if by == v.Proposer {
			what = "withdraw-verdict"
		}
		return log.Note(ctx, by, what, "", v.Transfer+" "+v.State.String()+" ("+v.Why+")")
	})
}

// onRails makes an operation of what is done with the rails.
func onRails[R any](do func(ctx context.Context, e *rail.Engine, args RailArgs) (R, error)) operation {
	return onRailsBy(func(ctx context.Context, a *App, args RailArgs, _ string) (R, error) { return do(ctx, a.rails, args) })
}

// onRailsBy is onRails for what is done in somebody's name.
func onRailsBy[R any](do func(ctx context.Context, a *App, args RailArgs, by string) (R, error)) operation {
	return plainly(func(ctx context.Context, a *App, args RailArgs) (none R, err error) {
		if a.rails == nil {
			return none, errors.New("there is no rail: docs/rails.md says how one is set up")
		}
		return do(ctx, a, args, a.atShell(args.As))
	})
}

func verdictOf(args RailArgs, by string) rail.Verdict {
	return rail.Verdict{Transfer: args.ID, State: map[string]rail.State{"settled": rail.Settled, "rejected": rail.Rejected}[args.State], Amount: args.Amount, Proposer: by, Why: args.Why}
}

// auditLog is where it is written what administrators do.
type auditLog interface {
	Note(ctx context.Context, who, what, account, about string) error
	TwoPairs(ctx context.Context, proposer, approver string) error
}

// railDesk is what administrators say over the wire about transfers that are unknown (docs/protocol/admin.md).
type railDesk struct {
	engine *rail.Engine
	log    auditLog
	rails  map[string]adapter.Config
	only   func(next func(ctx context.Context, r *core.Request) (*xmpp.Element, error)) core.IQHandler
}

// Attach takes the requests.
func (d *railDesk) Attach(s *core.Server) {
	s.HandleIQ(core.AtServer, admin.NSDesk, "verdicts", d.only(d.verdicts))
	s.HandleIQ(core.AtServer, admin.NSDesk, "verdict", d.only(d.verdict))
	s.HandleIQ(core.AtServer, admin.NSDesk, "agree", d.only(d.agree))
	s.HandleIQ(core.AtServer, admin.NSDesk, "disagree", d.only(d.disagree))
	s.HandleIQ(core.AtServer, admin.NSDesk, "rails", d.only(getOnly(d.list)))
	s.HandleIQ(core.AtServer, admin.NSDesk, "transfers", d.only(getOnly(d.transfers)))
	s.HandleIQ(core.AtServer, admin.NSDesk, "transfer", d.only(getOnly(d.transfer)))
	s.HandleIQ(core.AtServer, admin.NSDesk, "ask", d.only(d.ask))
	s.HandleIQ(core.AtServer, admin.NSDesk, "comparisons", d.only(getOnly(d.comparisons)))
	s.HandleIQ(core.AtServer, admin.NSDesk, "compare", d.only(d.compare))
	s.HandleIQ(core.AtServer, admin.NSDesk, "differences", d.only(getOnly(d.differences)))
}

func verdictElement(v rail.Verdict) *xmpp.Element {
	e := deskElement("verdict", "number", number(v.Number), "id", v.Transfer, "state", v.State.String(), "by", v.Proposer, "approver", v.Approver, "declined", truth(v.Declined), "decided", deskTime(v.Decided))
	if v.Amount > 0 {
		e.Set("amount", number(v.Amount))
	}
	return e.AddText(v.Why)
}

func (d *railDesk) verdicts(ctx context.Context, r *core.Request) (*xmpp.Element, error) {
	if r.Set {
		return nil, xmpp.BadRequest
	}
	all, err := d.engine.Verdicts(ctx, r.Payload.Attr("decided") == "true")
	if err != nil {
		return nil, err
	}
	e := deskElement("verdicts")
	for _, v := range all {
		e.Add(verdictElement(v))
	}
	return e, nil
}

func (d *railDesk) verdict(ctx context.Context, r *core.Request) (*xmpp.Element, error) {
	amount, err := whole(r.Payload, "amount")
	if err != nil || !r.Set {
		return nil, xmpp.BadRequest
	}
	v, err := proposeVerdict(ctx, d.engine, d.log, verdictOf(RailArgs{ID: r.Payload.Attr("id"), State: r.Payload.Attr("state"), Amount: amount, Why: r.Payload.Text()}, by(r)))
	if err != nil {
		return nil, verdictError(err)
	}
	return verdictElement(v), nil
}

func (d *railDesk) agree(ctx context.Context, r *core.Request) (*xmpp.Element, error) {
	which, err := whole(r.Payload, "number")
	if err != nil || !r.Set {
		return nil, xmpp.BadRequest
	}
	t, err := agreeVerdict(ctx, d.engine, d.log, which, by(r))
	if err != nil {
		return nil, verdictError(err)
	}
	return deskElement("transfer", "id", t.ID, "rail", t.Rail, "state", t.State.String()), nil
}

func (d *railDesk) disagree(ctx context.Context, r *core.Request) (*xmpp.Element, error) {
	which, err := whole(r.Payload, "number")
	if err != nil || !r.Set {
		return nil, xmpp.BadRequest
	}
	v, err := declineVerdict(ctx, d.engine, d.log, which, by(r))
	if err != nil {
		return nil, verdictError(err)
	}
	return verdictElement(v), nil
}

func verdictError(err error) error {
	switch {
	case errors.Is(err, rail.ErrNotFound):
		return xmpp.ItemNotFound
	case errors.Is(err, rail.ErrSame):
		return xmpp.NotAllowed
	case errors.Is(err, rail.ErrBad):
		return xmpp.NotAcceptable
	}
	return err
}
