package roster

import (
	"context"
	"strconv"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// turn makes the caller the only one who tells the devices of an account about its roster; call what it returns when done. Turns order
// pushes as the database orders changes; nothing but reads and non-blocking sends happens in one.
func (f *Feature) turn(account int64) (done func()) {
	turn := f.turns[uint64(account)%uint64(len(f.turns))]
	turn <- struct{}{}
	return func() { <-turn }
}

// changed tells memory, and if push is true the account's devices, about a contact after a commit. It reads the contact again, so that whoever comes last
// tells the truth.
func (f *Feature) changed(ctx context.Context, account *core.Account, jid xmpp.JID, push bool) {
	ctx = context.WithoutCancel(ctx)
	defer f.turn(account.ID)()
	it, err := f.item(ctx, account.ID, jid)
	if err != nil {
		f.contacts.Forget(account.ID)
		f.log.Error("could not tell devices of a changed roster", "account", account.JID.String(), "err", err)
		return
	}
	f.noteState(account.ID, jid, it.state&^gone)
	if !push {
		return
	}
	for _, session := range f.server.Sessions(account.JID) {
		if f.devices.Get(session).isInterested() {
			f.push(session, it)
		}
	}
}

// push tells one device of a contact (RFC 6121 §2.1.6).
func (f *Feature) push(session *core.Session, it *item) {
	ver := verText(it.ver)
	query := xmpp.NewElement(NS, "query", it.element()).Set("ver", ver)
	f.pushes.Inc()
	session.Send((&xmpp.Stanza{Kind: xmpp.IQ, Type: "set", ID: "push" + strconv.FormatInt(it.ver, 36), To: session.JID}).Add(query))
}

// interested are the sessions that have asked for the roster (RFC 6121 §2.2).
func (f *Feature) interested(bare xmpp.JID) []*core.Session {
	var found []*core.Session
	for _, session := range f.server.Sessions(bare) {
		if f.devices.Get(session).isInterested() {
			found = append(found, session)
		}
	}
	return found
}

// available are the sessions that have sent initial presence.
func (f *Feature) available(bare xmpp.JID) []*core.Session {
	var found []*core.Session
	for _, session := range f.server.Sessions(bare) {
		if ok, _ := session.Available(); ok {
			found = append(found, session)
		}
	}
	return found
}
