package app

import (
	"context"
	"encoding/csv"
	"strconv"
	"strings"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/feature/admin"
	"palabre.dev/palabre/payments/pay"
	"palabre.dev/palabre/payments/rail"
	"palabre.dev/palabre/xmpp"
)

// payDesk is what administrators ask about payments (docs/protocol/admin.md): the web client's pages, with the names of who asks.
type payDesk struct {
	app     *App
	service *pay.Service
	rails   railBook // nil without rails
	only    func(next func(ctx context.Context, r *core.Request) (*xmpp.Element, error)) core.IQHandler
}

// railBook is what the desk asks of the rails.
type railBook interface {
	Figures(ctx context.Context) ([]rail.Figure, error)
	Waiting(ctx context.Context) ([]rail.Waiting, error)
	Unknown(ctx context.Context, limit int) ([]rail.Transfer, error)
}

// Attach takes the requests.
func (d *payDesk) Attach(s *core.Server) {
	type handler = func(ctx context.Context, r *core.Request) (*xmpp.Element, error)
	only := func(set bool, next handler) handler {
		return func(ctx context.Context, r *core.Request) (*xmpp.Element, error) {
			if r.Set != set {
				return nil, xmpp.BadRequest
			}
			return next(ctx, r)
		}
	}
	for name, handle := range map[string]handler{
		"money": only(false, d.money), "proposals": only(false, d.proposals), "propose": only(true, d.propose), "approve": only(true, d.approve), "decline": only(true, d.decline),
		"purse": d.purse, "keys": only(false, d.keys), "suspicions": only(false, d.suspicions), "cases": only(false, d.cases), "dismiss": only(true, d.dismiss), "uphold": only(true, d.uphold), "audit": only(false, d.audit), "journal": only(false, d.journal),
	} {
		s.HandleIQ(core.AtServer, admin.NSDesk, name, d.only(handle))
	}
}

// deskElement makes an element; attributes are names and values, those without a value are left out.
func deskElement(name string, attributes ...string) *xmpp.Element {
	e := xmpp.NewElement(admin.NSDesk, name)
	for i := 0; i+1 < len(attributes); i += 2 {
		if attributes[i+1] != "" {
			e.Set(attributes[i], attributes[i+1])
		}
	}
	return e
}

func number(n int64) string { return strconv.FormatInt(n, 10) }

func deskTime(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format("2006-01-02T15:04:05Z")
}

func truth(is bool) string {
	if is {
		return "true"
	}
	return ""
}

// whole reads an attribute that is a number; without it, 0.
func whole(e *xmpp.Element, name string) (int64, error) {
	text := e.Attr(name)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, xmpp.BadRequest.Because("%s is no number", name)
	}
	return n, nil
}

// deskPage is how many lines a list has; one more is read to know whether there are more.
const deskPage = 50

// list reads a page of something and makes its elements.
func list[T any](name string, page []T, element func(one T) *xmpp.Element) *xmpp.Element {
	e := deskElement(name, "more", truth(len(page) > deskPage))
	for _, one := range page[:min(len(page), deskPage)] {
		e.Add(element(one))
	}
	return e
}

// by is who asks, as the books name them.
func by(r *core.Request) string { return r.Sender.JID.Bare().String() }

// circulation is what there is of a unit, and where it is. Amounts are in minor units.
type circulation struct {
	pay.Circulation
	wallets, pockets, held         int64 // what people have, and what of it is set aside
	walletAccounts, pocketAccounts int64
}

// circulations are those of all units that can be paid.
func (a *App) circulations(ctx context.Context) ([]circulation, error) {
	units, err := a.pay.Circulations(ctx)
	if err != nil {
		return nil, err
	}
	totals, err := a.ledger.Totals(ctx, time.Now().Add(time.Hour))
	if err != nil {
		return nil, err
	}
	all := make([]circulation, 0, len(units))
	for _, unit := range units {
		one := circulation{Circulation: unit}
		for _, t := range totals {
			switch {
			case t.Unit != unit.Unit:
			case t.Class == "wallet":
				one.wallets, one.walletAccounts, one.held = t.Balance, t.Accounts, t.Held
			case t.Class == "pocket":
				one.pockets, one.pocketAccounts = t.Balance, t.Accounts
			}
		}
		all = append(all, one)
	}
	return all, nil
}

// money is what there is of each unit, and what rails do not know.
func (d *payDesk) money(ctx context.Context, _ *core.Request) (*xmpp.Element, error) {
	all, err := d.app.circulations(ctx)
	if err != nil {
		return nil, err
	}
	e := deskElement("money", "levels", strings.Join(d.service.Levels(), " "))
	for _, one := range all {
		unit := deskElement("unit", "code", one.Unit, "exponent", strconv.Itoa(one.Exponent), "closed", truth(one.Closed), "issued", number(one.Issued), "fees", number(one.Fees))
		if one.walletAccounts > 0 {
			unit.Set("wallets", number(one.wallets)).Set("wallet-accounts", number(one.walletAccounts)).Set("held", number(one.held))
		}
		if one.pocketAccounts > 0 {
			unit.Set("pockets", number(one.pockets)).Set("pocket-accounts", number(one.pocketAccounts))
		}
		e.Add(unit)
	}
	return e, d.addRails(ctx, e)
}

const maxUnknown = 100

func (d *payDesk) addRails(ctx context.Context, e *xmpp.Element) error {
	if d.rails == nil {
		return nil
	}
	figures, err := d.rails.Figures(ctx)
	if err != nil {
		return err
	}
	for _, f := range figures {
		e.Add(deskElement("rail", "name", f.Rail, "state", f.State.String(), "count", number(f.Count)))
	}
	waiting, err := d.rails.Waiting(ctx)
	if err != nil {
		return err
	}
	for _, w := range waiting {
		e.Add(deskElement("waiting", "rail", w.Rail, "kind", w.Kind.String(), "count", number(w.Count), "oldest", deskTime(w.Oldest)))
	}
	unknown, err := d.rails.Unknown(ctx, maxUnknown)
	if err != nil {
		return err
	}
	for _, t := range unknown {
		e.Add(deskElement("unknown", "id", t.ID, "rail", t.Rail, "amount", number(t.Amount), "unit", t.Unit, "since", deskTime(t.UnknownSince)))
	}
	return nil
}

func proposalElement(p pay.Proposal) *xmpp.Element {
	e := deskElement("proposal", "id", number(p.ID), "kind", p.Kind, "account", p.Account, "unit", p.Unit, "amount", number(p.Amount), "of", p.Of, "by", p.Proposer, "approver", p.Approver,
		"state", p.State, "at", deskTime(p.At()), "decided", deskTime(p.Decided))
	if p.Number > 0 {
		e.Set("number", number(p.Number))
	}
	e.AddText(p.Why)
	return e
}

func (d *payDesk) proposals(ctx context.Context, r *core.Request) (*xmpp.Element, error) {
	before, err := whole(r.Payload, "before")
	if err != nil {
		return nil, err
	}
	page, err := d.service.Proposals(ctx, r.Payload.Attr("decided") != "true", before, deskPage+1)
	if err != nil {
		return nil, err
	}
	return list("proposals", page, proposalElement), nil
}

func (d *payDesk) propose(ctx context.Context, r *core.Request) (*xmpp.Element, error) {
	amount, err := whole(r.Payload, "amount")
	if err != nil {
		return nil, err
	}
	p, err := d.service.Propose(ctx, by(r), pay.Proposal{Kind: r.Payload.Attr("kind"), Account: r.Payload.Attr("account"), Unit: r.Payload.Attr("unit"), Amount: amount, Of: r.Payload.Attr("of"),
		Why: r.Payload.Text()})
	if err != nil {
		return nil, err
	}
	return proposalElement(p), nil
}

func (d *payDesk) approve(ctx context.Context, r *core.Request) (*xmpp.Element, error) {
	return d.decide(r, func(id int64) (pay.Proposal, error) { return d.service.Approve(ctx, by(r), id) })
}

func (d *payDesk) decline(ctx context.Context, r *core.Request) (*xmpp.Element, error) {
	return d.decide(r, func(id int64) (pay.Proposal, error) { return d.service.Decline(ctx, by(r), id) })
}

func (d *payDesk) decide(r *core.Request, do func(id int64) (pay.Proposal, error)) (*xmpp.Element, error) {
	id, err := whole(r.Payload, "id")
	if err != nil {
		return nil, err
	}
	p, err := do(id)
	if err != nil {
		return nil, err
	}
	return proposalElement(p), nil
}

// purse is a wallet: what it may, and what is on it; set changes its level, stops it, or lets it go on.
func (d *payDesk) purse(ctx context.Context, r *core.Request) (*xmpp.Element, error) {
	asked := r.Payload
	account, err := purseOwner(asked.Attr("account"))
	if err != nil {
		return nil, err
	}
	if r.Set {
		if err := d.app.changePurse(ctx, by(r), account, asked.Attr("do"), asked.Attr("level"), asked.Text()); err != nil {
			return nil, err
		}
	}
	p, err := d.service.Purse(ctx, account)
	if err != nil {
		return nil, err
	}
	e := deskElement("purse", "account", p.Account, "level", p.Level, "frozen", deskTime(p.Frozen), "shut", truth(p.Shut), "stopped", truth(p.Stopped), "keys", strconv.Itoa(p.Keys),
		"levels", strings.Join(d.service.Levels(), " "))
	for _, m := range p.Money {
		e.Add(deskElement("money", "unit", m.Unit, "balance", number(m.Balance), "held", number(m.Held), "pocket", number(m.Pocket), "transaction", number(m.Transaction), "day", number(m.Day),
			"left", number(m.Left), "step-up", number(m.StepUp)))
	}
	return e, nil
}

// keys are the payment keys of somebody, of which a proposal says which stay.
func (d *payDesk) keys(ctx context.Context, r *core.Request) (*xmpp.Element, error) {
	account, err := purseOwner(r.Payload.Attr("account"))
	if err != nil {
		return nil, err
	}
	all, err := d.service.Keys(ctx, account)
	if err != nil {
		return nil, err
	}
	e := deskElement("keys", "account", account.String())
	for _, k := range all {
		e.Add(deskElement("key", "id", k.ID, "name", k.Name, "kind", k.Kind, "added", deskTime(k.Added), "ready", deskTime(k.Ready), "locked", deskTime(k.Locked), "opens", truth(k.Opens)))
	}
	return e, nil
}

// purseOwner is whose wallet somebody asks about.
func purseOwner(text string) (xmpp.JID, error) {
	account, err := xmpp.ParseJID(text)
	if err != nil || !account.IsBare() {
		return account, xmpp.BadRequest.Because("whose wallet?")
	}
	return account, nil
}

// What is done with a wallet.
const (
	toLevel = "level"
	toStop  = "stop"
	toGoOn  = "go-on"
)

// changePurse sets the level of an account, stops its wallet or lets it go on, in somebody's name who says why.
func (a *App) changePurse(ctx context.Context, by string, account xmpp.JID, do, level, why string) error {
	why = strings.TrimSpace(why)
	if why == "" || len(why) > 400 {
		return xmpp.BadRequest.Because("say why, in at most 400 bytes")
	}
	switch do {
	case toLevel:
		return a.pay.Grade(ctx, by, account, level, why)
	case toStop, toGoOn:
		return a.pay.Stop(ctx, by, account, do == toStop, why)
	}
	return xmpp.BadRequest.Because("level, stop or go-on?")
}

func (d *payDesk) suspicions(ctx context.Context, _ *core.Request) (*xmpp.Element, error) {
	all, err := d.service.Watch(ctx)
	if err != nil {
		return nil, err
	}
	return list("suspicions", all, func(s pay.Suspicion) *xmpp.Element {
		return deskElement("suspicion", "at", deskTime(s.At), "account", s.Account, "kind", s.Kind, "payment", s.Payment, "about", s.About)
	}), nil
}

func (d *payDesk) cases(ctx context.Context, r *core.Request) (*xmpp.Element, error) {
	before, err := whole(r.Payload, "before")
	if err != nil {
		return nil, err
	}
	page, err := d.service.Cases(ctx, r.Payload.Attr("decided") != "true", before, deskPage+1)
	if err != nil {
		return nil, err
	}
	return list("cases", page, func(c pay.Case) *xmpp.Element {
		e := deskElement("case", "id", c.ID, "place", number(c.Made), "of", c.Of, "payer", c.Payer, "payee", c.Payee, "amount", number(c.Amount), "refunded", number(c.Refunded), "unit", c.Unit,
			"why", c.Why, "state", c.State, "decided", c.Decided, "at", deskTime(time.UnixMicro(c.Made)))
		e.Add(xmpp.NewText(admin.NSDesk, "words", c.Text))
		for _, piece := range c.Evidence {
			e.Add(deskElement("evidence", "by", piece.By, "at", deskTime(piece.At), "hash", piece.Hash, "address", piece.Address, "name", piece.Name, "size", number(piece.Size)).AddText(piece.Text))
		}
		return e
	}), nil
}

func (d *payDesk) dismiss(ctx context.Context, r *core.Request) (*xmpp.Element, error) {
	return nil, d.service.Dismiss(ctx, by(r), r.Payload.Attr("id"), strings.TrimSpace(r.Payload.Text()))
}

func (d *payDesk) uphold(ctx context.Context, r *core.Request) (*xmpp.Element, error) {
	return nil, d.service.Uphold(ctx, by(r), r.Payload.Attr("id"), strings.TrimSpace(r.Payload.Text()))
}

func (d *payDesk) audit(ctx context.Context, r *core.Request) (*xmpp.Element, error) {
	before, err := whole(r.Payload, "before")
	if err != nil {
		return nil, err
	}
	page, err := d.service.Audit(ctx, before, deskPage+1)
	if err != nil {
		return nil, err
	}
	return list("audit", page, func(deed pay.Deed) *xmpp.Element {
		return deskElement("deed", "id", number(deed.ID), "at", deskTime(deed.At()), "who", deed.Who, "what", deed.What, "account", deed.Account, "about", deed.About)
	}), nil
}

// journalPage is how many records one answer of the export holds.
const journalPage = 200

// journal is a page of the export for an accountant: lines of CSV, and from where to go on. The first page is in the audit log.
func (d *payDesk) journal(ctx context.Context, r *core.Request) (*xmpp.Element, error) {
	after, err := whole(r.Payload, "after")
	if err != nil {
		return nil, err
	}
	var since, until time.Time
	for name, at := range map[string]*time.Time{"since": &since, "until": &until} {
		if text := r.Payload.Attr(name); text != "" {
			if *at, err = time.Parse(time.RFC3339, text); err != nil {
				return nil, xmpp.BadRequest.Because("%s is no time", name)
			}
		}
	}
	if after == 0 {
		if err := d.service.Note(ctx, by(r), "export", "", r.Payload.Attr("since")+"/"+r.Payload.Attr("until")); err != nil {
			return nil, err
		}
	}
	var text strings.Builder
	next, err := d.app.ledger.ExportPage(ctx, csv.NewWriter(&text), after, since, until, journalPage)
	if err != nil {
		return nil, err
	}
	e := deskElement("journal")
	if next > 0 {
		e.Set("next", number(next))
	}
	e.AddText(text.String())
	return e, nil
}
