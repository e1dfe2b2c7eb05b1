package blocking

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

var insertItem = store.NewInsert("blocking_item", "account", "jid").OnConflict("do nothing")

// list gives an account's list (XEP-0191 §3.2).
func (f *Feature) list(ctx context.Context, r *core.Request) (*xmpp.Element, error) {
	if !r.Own() {
		return nil, xmpp.Forbidden
	}
	if r.Set {
		return nil, xmpp.BadRequest
	}
	if r.Via != nil {
		f.interested.Set(r.Via, true)
	}
	return f.listElement(ctx, r.Account)
}

func (f *Feature) listElement(ctx context.Context, account *core.Account) (*xmpp.Element, error) {
	b, err := f.lists.Get(ctx, account.ID)
	if err != nil {
		return nil, err
	}
	return withItems("blocklist", sorted(maps.Keys(b))), nil
}

func sorted(jids func(yield func(xmpp.JID) bool)) []xmpp.JID {
	return slices.SortedFunc(jids, func(a, b xmpp.JID) int {
		if a.String() < b.String() {
			return -1
		}
		return 1
	})
}

func withItems(local string, jids []xmpp.JID) *xmpp.Element {
	e := xmpp.NewElement(NS, local)
	for _, jid := range jids {
		e.Add(xmpp.NewElement(NS, "item").Set("jid", jid.String()))
	}
	return e
}

// block shuts out addresses (XEP-0191 §3.3), with a report where there is one (XEP-0377).
func (f *Feature) block(ctx context.Context, r *core.Request) (*xmpp.Element, error) {
	jids, err := f.readItems(r)
	if err != nil {
		return nil, err
	}
	if len(jids) == 0 {
		return nil, xmpp.BadRequest.Because("nothing to block")
	}
	reports, err := readReports(r.Payload)
	if err != nil {
		return nil, err
	}
	account := r.Account
	err = f.db.Tx(ctx, func(ctx context.Context) error {
		if err := f.keep(ctx, account.ID, jids); err != nil {
			return err
		}
		return f.keepReports(ctx, account.ID, reports)
	})
	if err != nil {
		return nil, err
	}
	f.lists.Forget(account.ID)
	f.count(reports)
	f.push(account, withItems("block", jids))
	// XEP-0191 §3.3: those newly shut out see the account go; this presence alone passes checkSent.
	f.logged("hide", account, f.presence.Hide(context.WithValue(ctx, passes{}, true), account, only(jids).matches))
	return nil, nil
}

func (f *Feature) keep(ctx context.Context, account int64, jids []xmpp.JID) error {
	for _, jid := range jids {
		if err := f.db.Append(ctx, insertItem, account, jid.String()); err != nil {
			return err
		}
	}
	var n int
	if err := f.db.QueryRow(ctx, `select count(*) from blocking_item where account = $1`, account).Scan(&n); err != nil {
		return fmt.Errorf("count blocked addresses: %w", err)
	}
	if n > f.cfg.MaxBlocked {
		return xmpp.PolicyViolation.Because("at most %d addresses can be blocked", f.cfg.MaxBlocked)
	}
	return nil
}

// unblock lets addresses in again, all of them when none is named (XEP-0191 §3.4 and §3.5).
func (f *Feature) unblock(ctx context.Context, r *core.Request) (*xmpp.Element, error) {
	jids, err := f.readItems(r)
	if err != nil {
		return nil, err
	}
	account := r.Account
	had, err := f.lists.Get(ctx, account.ID)
	if err != nil {
		return nil, err
	}
	if err := f.db.Tx(ctx, func(ctx context.Context) error { return f.forget(ctx, account.ID, jids) }); err != nil {
		return nil, err
	}
	f.lists.Forget(account.ID)
	f.push(account, withItems("unblock", jids))
	freed := had
	if len(jids) > 0 {
		freed = only(jids)
	}
	still, err := f.lists.Get(ctx, account.ID)
	if err != nil {
		return nil, err
	}
	f.logged("show", account, f.presence.Show(ctx, account, func(jid xmpp.JID) bool {
		return had.matches(jid) && freed.matches(jid) && !still.matches(jid)
	}))
	return nil, nil
}

func (f *Feature) forget(ctx context.Context, account int64, jids []xmpp.JID) error {
	if len(jids) == 0 {
		_, err := f.db.Exec(ctx, `delete from blocking_item where account = $1`, account)
		return err
	}
	for _, jid := range jids {
		if _, err := f.db.Exec(ctx, `delete from blocking_item where account = $1 and jid = $2`, account, jid.String()); err != nil {
			return err
		}
	}
	return nil
}

func (f *Feature) logged(what string, account *core.Account, err error) {
	if err != nil {
		f.log.Error("presence did not follow a change of the block list", "account", account.JID.String(), "what", what, "err", err)
	}
}

func only(jids []xmpp.JID) blocked {
	b := make(blocked, len(jids))
	for _, jid := range jids {
		b[jid] = struct{}{}
	}
	return b
}

// readItems reads the addresses of a <block/> or <unblock/>.
func (f *Feature) readItems(r *core.Request) ([]xmpp.JID, error) {
	if !r.Own() {
		return nil, xmpp.Forbidden
	}
	if !r.Set {
		return nil, xmpp.BadRequest
	}
	var jids []xmpp.JID
	for e := range r.Payload.Children() {
		jid, err := xmpp.ParseJID(e.Attr("jid"))
		if err != nil || !e.Is(NS, "item") {
			return nil, xmpp.BadRequest.Because("an item has no valid jid")
		}
		if len(jids) >= f.cfg.MaxBlocked {
			return nil, xmpp.PolicyViolation.Because("at most %d addresses can be blocked", f.cfg.MaxBlocked)
		}
		jids = append(jids, jid)
	}
	return jids, nil
}

// push tells the account's sessions that have asked for the list (XEP-0191 §3.3).
func (f *Feature) push(account *core.Account, change *xmpp.Element) {
	id := "block" + strconv.FormatInt(f.db.Next(), 36)
	for _, session := range f.server.Sessions(account.JID) {
		if f.interested.Get(session) {
			session.Send((&xmpp.Stanza{Kind: xmpp.IQ, Type: "set", ID: id, To: session.JID}).Add(change))
		}
	}
}

func (f *Feature) remove(ctx context.Context, account *core.Account) error {
	for _, table := range []string{"blocking_item", "blocking_report"} {
		if _, err := f.db.Exec(ctx, `delete from `+table+` where account = $1`, account.ID); err != nil {
			return fmt.Errorf("remove a block list: %w", err)
		}
	}
	f.lists.Forget(account.ID)
	return nil
}

// export gives the list as XEP-0227 carries it, if there is one.
func (f *Feature) export(ctx context.Context, account *core.Account) ([]*xmpp.Element, error) {
	e, err := f.listElement(ctx, account)
	if err != nil || e.First() == nil {
		return nil, err
	}
	return []*xmpp.Element{e}, nil
}

// adopt takes back what export gave, adding to what there is.
func (f *Feature) adopt(ctx context.Context, account *core.Account, part *xmpp.Element) error {
	if !part.Is(NS, "blocklist") {
		return nil
	}
	var jids []xmpp.JID
	for e := range part.Children() {
		jid, err := xmpp.ParseJID(e.Attr("jid"))
		if err != nil {
			return xmpp.BadRequest.Because("an item of the block list has no valid jid")
		}
		jids = append(jids, jid)
	}
	if err := f.db.Tx(ctx, func(ctx context.Context) error { return f.keep(ctx, account.ID, jids) }); err != nil {
		return fmt.Errorf("import a block list: %w", err)
	}
	f.lists.Forget(account.ID)
	return nil
}
