package archive

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

// maxPreferred is the most addresses that each list of the preferences may have.
const maxPreferred = 1000

// preferences are what an account wants archived (XEP-0441).
type preferences struct {
	fallback      string // always, never or roster
	always, never []string
}

var everything = &preferences{fallback: "always"}

// preferencesOf reads the preferences, from the cache if it can. It is for the Keep phase alone: there all reads and writes of preferences
// come one after another, so the cache is never older than the table.
func (a *Archive) preferencesOf(ctx context.Context, account *core.Account) (*preferences, error) {
	if p, ok := a.prefs.Get(account.ID); ok {
		return p, nil
	}
	p, err := a.readPreferences(ctx, account)
	if err == nil {
		a.prefs.Add(account.ID, p)
	}
	return p, err
}

func (a *Archive) readPreferences(ctx context.Context, account *core.Account) (*preferences, error) {
	p := &preferences{}
	var always, never string
	err := a.db.QueryRow(ctx, "select fallback, always, never from archive_preference where account = $1", account.ID).
		Scan(&p.fallback, &always, &never)
	switch {
	case errors.Is(err, store.ErrNoRows):
		return everything, nil
	case err != nil:
		return nil, fmt.Errorf("read archive preferences: %w", err)
	}
	p.always, p.never = strings.Fields(always), strings.Fields(never)
	return p, nil
}

func (a *Archive) writePreferences(ctx context.Context, account *core.Account, p *preferences) error {
	defer a.prefs.Remove(account.ID)
	return a.db.Tx(ctx, func(ctx context.Context) error {
		_, err := a.db.Exec(ctx, `insert into archive_preference (account, fallback, always, never) values ($1, $2, $3, $4)
			on conflict (account) do update set fallback = excluded.fallback, always = excluded.always, never = excluded.never`,
			account.ID, p.fallback, strings.Join(p.always, "\n"), strings.Join(p.never, "\n"))
		a.prefs.Remove(account.ID)
		return err
	})
}

// wants reports whether the account wants its messages with a contact archived (XEP-0441 §2: never, then always, then the default).
func (a *Archive) wants(ctx context.Context, account *core.Account, p *preferences, contact xmpp.JID) (bool, error) {
	switch {
	case p == everything:
		return true, nil
	case matches(p.never, contact):
		return false, nil
	case matches(p.always, contact):
		return true, nil
	case p.fallback == "roster" && a.roster != nil:
		return a.roster.Has(ctx, account, contact)
	}
	return p.fallback != "never", nil
}

func matches(list []string, contact xmpp.JID) bool {
	return slices.Contains(list, contact.Bare().String())
}

func (a *Archive) handlePrefs(ctx context.Context, r *core.Request) (*xmpp.Element, error) {
	if !r.Own() {
		return nil, xmpp.Forbidden
	}
	if !r.Set {
		p, err := a.readPreferences(ctx, r.Account)
		if err != nil {
			return nil, err
		}
		return p.element(), nil
	}
	p, err := parsePrefs(r.Payload)
	if err != nil {
		return nil, err
	}
	if err := a.writePreferences(ctx, r.Account, p); err != nil {
		return nil, fmt.Errorf("write archive preferences: %w", err)
	}
	return p.element(), nil
}

func parsePrefs(e *xmpp.Element) (*preferences, error) {
	p := &preferences{fallback: e.Attr("default")}
	if !slices.Contains([]string{"always", "never", "roster"}, p.fallback) {
		return nil, xmpp.BadRequest.Because("default must be always, never or roster")
	}
	var err error
	if p.always, err = parseAddresses(e.Child(NS, "always")); err != nil {
		return nil, err
	}
	p.never, err = parseAddresses(e.Child(NS, "never"))
	return p, err
}

func parseAddresses(e *xmpp.Element) ([]string, error) {
	var list []string
	for child := range e.Children() {
		if !child.Is(NS, "jid") {
			return nil, xmpp.BadRequest
		}
		jid, err := xmpp.ParseJID(child.Text())
		if err != nil {
			return nil, xmpp.JIDMalformed
		}
		if len(list) == maxPreferred {
			return nil, xmpp.ResourceConstraint.Because("at most %d addresses", maxPreferred)
		}
		if text := jid.Bare().String(); !slices.Contains(list, text) {
			list = append(list, text)
		}
	}
	return list, nil
}

func (p *preferences) element() *xmpp.Element {
	list := func(name string, addresses []string) *xmpp.Element {
		e := xmpp.NewElement(NS, name)
		for _, address := range addresses {
			e.Add(xmpp.NewText(NS, "jid", address))
		}
		return e
	}
	return xmpp.NewElement(NS, "prefs", list("always", p.always), list("never", p.never)).Set("default", p.fallback)
}
