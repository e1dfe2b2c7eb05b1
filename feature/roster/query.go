package roster

import (
	"context"
	"slices"
	"strconv"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// query answers what an account's devices ask about their roster (RFC 6121 §2).
func (f *Feature) query(ctx context.Context, r *core.Request) (*xmpp.Element, error) {
	if !r.Own() {
		return nil, xmpp.Forbidden // RFC 6121 §2.3.3
	}
	if !r.Set {
		return f.get(ctx, r)
	}
	wanted, remove, err := f.readItem(r)
	if err != nil {
		return nil, err
	}
	if remove {
		return nil, f.removeItem(ctx, r.Account, wanted.contact)
	}
	return nil, f.setItem(ctx, r.Account, wanted)
}

// readItem reads the one item of a roster set (RFC 6121 §2.3.3).
func (f *Feature) readItem(r *core.Request) (it *item, remove bool, err error) {
	e := r.Payload.First()
	count := 0
	for range r.Payload.Children() {
		count++
	}
	if count != 1 || !e.Is(NS, "item") {
		return nil, false, xmpp.BadRequest.Because("a roster set has exactly one item")
	}
	jid, err := xmpp.ParseJID(e.Attr("jid"))
	if err != nil {
		return nil, false, xmpp.BadRequest.Because("the item's jid is malformed")
	}
	it = &item{contact: jid.Bare(), name: e.Attr("name")}
	if it.contact == r.Account.JID {
		return nil, false, xmpp.NotAllowed.Because("an account is not its own contact")
	}
	if e.Attr("subscription") == "remove" {
		return it, true, nil
	}
	return it, false, f.readGroups(it, e)
}

func (f *Feature) readGroups(it *item, e *xmpp.Element) error {
	if len(it.name) > maxText {
		return xmpp.NotAcceptable.Because("the name is longer than %d bytes", maxText)
	}
	for child := range e.Children() {
		if !child.Is(NS, "group") {
			continue
		}
		group := child.Text()
		switch {
		case group == "" || len(group) > maxText:
			return xmpp.NotAcceptable.Because("a group's name has 1 to %d bytes", maxText)
		case slices.Contains(it.groups, group):
			return xmpp.BadRequest.Because("a group is named twice")
		case len(it.groups) >= f.cfg.MaxGroups:
			return xmpp.NotAcceptable.Because("at most %d groups for one contact", f.cfg.MaxGroups)
		}
		it.groups = append(it.groups, group)
	}
	return nil
}

// setItem adds a contact or changes its name and groups.
func (f *Feature) setItem(ctx context.Context, account *core.Account, wanted *item) error {
	err := f.db.Tx(ctx, func(ctx context.Context) error {
		it, err := f.item(ctx, account.ID, wanted.contact)
		if err != nil {
			return err
		}
		was := it.state
		it.state, it.name, it.groups, it.edited = was|Listed, wanted.name, wanted.groups, true
		return f.save(ctx, account.ID, it, was)
	})
	if err != nil {
		return err
	}
	f.changed(ctx, account, wanted.contact, true)
	return nil
}

// removeItem takes a contact out and ends what was between the two (RFC 6121 §2.5).
func (f *Feature) removeItem(ctx context.Context, account *core.Account, jid xmpp.JID) error {
	var was State
	err := f.db.Tx(ctx, func(ctx context.Context) error {
		it, err := f.item(ctx, account.ID, jid)
		if err != nil {
			return err
		}
		if was = it.state; was&Listed == 0 {
			return xmpp.ItemNotFound
		}
		it.state &= Request
		return f.save(ctx, account.ID, it, was)
	})
	if err != nil {
		return err
	}
	f.changed(ctx, account, jid, true)
	if was&(To|Ask) != 0 {
		f.say(ctx, account, "unsubscribe", jid)
	}
	if was&From != 0 {
		f.say(ctx, account, "unsubscribed", jid)
		f.present(ctx, account, jid, false)
	}
	return nil
}

// maxIncremental is how many changes are pushed one by one; more, and the whole roster is shorter.
const maxIncremental = 100

// get gives the roster, or only what has changed since the version that the device knows (RFC 6121 §2.6). It answers itself: the pushes
// of changes come after the result, and those of later changes after them.
func (f *Feature) get(ctx context.Context, r *core.Request) (*xmpp.Element, error) {
	defer f.turn(r.Account.ID)()
	if r.Via != nil {
		f.devices.Get(r.Via).setInterested()
	}
	result, changes, err := f.rosterSince(ctx, r.Account.ID, r.Payload)
	if err != nil {
		return nil, err
	}
	if err := f.server.Answer(ctx, r.Transit, r.Stanza.Reply(result)); err != nil {
		return nil, err
	}
	for _, it := range changes {
		if r.Via != nil {
			f.push(r.Via, it)
		}
	}
	return nil, core.ErrAnswered
}

// rosterSince is the whole roster, or nil and the changes since the version that the device named.
func (f *Feature) rosterSince(ctx context.Context, account int64, ask *xmpp.Element) (result *xmpp.Element, changes []*item, err error) {
	known, hasVersion := ask.LookupAttr("", "ver")
	now, err := f.version(ctx, account)
	if err == nil && now.untouched {
		_, err = f.db.Exec(ctx, `update roster_version set untouched = $2 where account = $1`, account, false)
	}
	if err != nil {
		return nil, nil, err
	}
	since, parseErr := strconv.ParseInt(known, 10, 64)
	if hasVersion && parseErr == nil && since >= now.floor && since <= now.ver {
		changes, err = f.items(ctx, `account = $1 and ver > $2 order by ver limit $3`, account, since, maxIncremental+1)
		if err != nil || len(changes) <= maxIncremental {
			return nil, changes, err
		}
	}
	items, err := f.items(ctx, `account = $1 and (state & $2) <> 0 order by contact`, account, int64(Listed))
	if err != nil {
		return nil, nil, err
	}
	result = xmpp.NewElement(NS, "query")
	if hasVersion {
		result.Set("ver", verText(now.ver))
	}
	for _, it := range items {
		result.Add(it.element())
	}
	return result, nil, nil
}
