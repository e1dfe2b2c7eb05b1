package app

import (
	"context"
	"errors"
	"strings"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/payments/rail"
	"palabre.dev/palabre/xmpp"
)

// getOnly answers what is asked, and refuses what would be set.
func getOnly(next func(ctx context.Context, r *core.Request) (*xmpp.Element, error)) func(ctx context.Context, r *core.Request) (*xmpp.Element, error) {
	return func(ctx context.Context, r *core.Request) (*xmpp.Element, error) {
		if r.Set {
			return nil, xmpp.BadRequest
		}
		return next(ctx, r)
	}
}

// list is how each rail stands, and the transfers of which nobody knows, for the longest first.
func (d *railDesk) list(ctx context.Context, _ *core.Request) (*xmpp.Element, error) {
	figures, err := d.engine.Figures(ctx)
	if err != nil {
		return nil, err
	}
	unknown, err := d.engine.Unknown(ctx, maxUnknown)
	if err != nil {
		return nil, err
	}
	e := deskElement("rails")
	for _, name := range d.engine.Rails() {
		health := d.engine.Health(name)
		one := deskElement("rail", "name", name, "kind", d.rails[name].Kind(), "title", d.rails[name].Title, "up", truth(health.Up()), "answered", deskTime(health.Answered),
			"failed", deskTime(health.Failed), "why", health.Why)
		for _, f := range figures {
			if f.Rail == name {
				one.Set(f.State.String(), number(f.Count))
			}
		}
		e.Add(one)
	}
	for _, t := range unknown {
		e.Add(transferElement("unknown", t))
	}
	return e, nil
}

// transferElement is a transfer without those whom it is about.
func transferElement(name string, t rail.Transfer) *xmpp.Element {
	e := deskElement(name, "id", t.ID, "number", number(t.Number), "rail", t.Rail, "kind", t.Kind.String(), "state", t.State.String(), "amount", number(t.Amount), "unit", t.Unit, "of", t.Of,
		"reference", t.Reference, "why", t.Why, "created", deskTime(t.Created), "sent", deskTime(t.Sent), "settled", deskTime(t.SettledAt), "since", deskTime(t.UnknownSince))
	for _, sum := range []struct {
		name   string
		amount int64
	}{{"fee", t.Fee}, {"moved", t.Moved}, {"returned", t.Returned}, {"refunded", t.Refunded}, {"owed", t.Owed}, {"cost", t.Cost}} {
		if sum.amount > 0 {
			e.Set(sum.name, number(sum.amount))
		}
	}
	return e
}

// transfers is a page of them, the newest first.
func (d *railDesk) transfers(ctx context.Context, r *core.Request) (*xmpp.Element, error) {
	before, err := whole(r.Payload, "before")
	if err != nil {
		return nil, err
	}
	page, err := d.engine.List(ctx, rail.Filter{Rail: r.Payload.Attr("rail"), Before: before, Limit: deskPage + 1})
	if err != nil {
		return nil, err
	}
	return list("transfers", page, func(t rail.Transfer) *xmpp.Element { return transferElement("transfer", t) }), nil
}

// transfer is one, with whom it is about and all that has become of it.
func (d *railDesk) transfer(ctx context.Context, r *core.Request) (*xmpp.Element, error) {
	t, err := d.engine.Get(ctx, r.Payload.Attr("id"))
	if err != nil {
		return nil, verdictError(err)
	}
	steps, err := d.engine.Steps(ctx, t.ID)
	if err != nil {
		return nil, err
	}
	e := transferElement("transfer", t).Set("account", strings.TrimPrefix(t.Wallet, "wallet/"+t.Unit+"/")).Set("address", t.Address)
	for _, step := range steps {
		e.Add(deskElement("step", "at", deskTime(step.At), "state", step.State.String()).AddText(step.Why))
	}
	return e, nil
}

// ask has the network asked now.
func (d *railDesk) ask(ctx context.Context, r *core.Request) (*xmpp.Element, error) {
	if !r.Set {
		return nil, xmpp.BadRequest
	}
	if err := d.engine.Ask(ctx, r.Payload.Attr("id")); err != nil {
		return nil, verdictError(err)
	}
	return deskElement("ask"), nil
}

// comparisons are the reports of a rail, the newest first.
func (d *railDesk) comparisons(ctx context.Context, r *core.Request) (*xmpp.Element, error) {
	before, err := whole(r.Payload, "before")
	if err != nil {
		return nil, err
	}
	page, err := d.engine.Reports(ctx, r.Payload.Attr("rail"), before, deskPage+1)
	if err != nil {
		return nil, err
	}
	return list("comparisons", page, comparisonElement), nil
}

func comparisonElement(one rail.Report) *xmpp.Element {
	return deskElement("comparison", "number", number(one.Number), "rail", one.Rail, "since", deskTime(one.Since), "until", deskTime(one.Until), "lines", number(int64(one.Lines)),
		"differences", number(int64(one.Differences)))
}

// compareTime is how long somebody waits for a comparison.
const compareTime = 25 * time.Second

// compare compares our list with the network's for one day (UTC) now. It is a day that is over, as those that are compared at night: half a day would tell what is on its way as missing.
func (d *railDesk) compare(ctx context.Context, r *core.Request) (*xmpp.Element, error) {
	day, err := time.Parse(time.DateOnly, r.Payload.Attr("day"))
	if now := time.Now(); !r.Set || err != nil || day.AddDate(0, 0, 1).After(now) || now.Sub(day) > 366*24*time.Hour {
		return nil, xmpp.BadRequest
	}
	ctx, cancel := context.WithTimeout(ctx, compareTime)
	defer cancel()
	report, err := d.engine.Reconcile(ctx, r.Payload.Attr("rail"), day, day.AddDate(0, 0, 1))
	switch {
	case errors.Is(err, rail.ErrNoRail):
		return nil, xmpp.ItemNotFound
	case err != nil:
		return nil, xmpp.RemoteServerTimeout.Because("the network did not give its list: %s", err)
	}
	return comparisonElement(report), nil
}

// maxShown is how many differences of a comparison are told; the command line has all.
const maxShown = 500

// differences are what one comparison has found.
func (d *railDesk) differences(ctx context.Context, r *core.Request) (*xmpp.Element, error) {
	which, err := whole(r.Payload, "number")
	if err != nil {
		return nil, err
	}
	all, err := d.engine.Differences(ctx, which)
	if err != nil {
		return nil, verdictError(err)
	}
	e := deskElement("differences", "more", truth(len(all) > maxShown))
	for _, one := range all[:min(len(all), maxShown)] {
		e.Add(deskElement("difference", "kind", strings.ReplaceAll(one.Kind.String(), " ", "-"), "id", one.ID, "reference", one.Reference, "here", number(one.Here), "there", number(one.There), "unit", one.Unit).AddText(one.Note))
	}
	return e, nil
}
