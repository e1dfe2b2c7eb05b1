package register

import (
	"context"
	"errors"
	"net/netip"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// Guest is a client that has not logged in; it keeps a few values from one request to the next.
type Guest interface {
	Get(key any) any
	Set(key, value any)
}

// guestInvite is where a guest keeps the invitation that it has shown.
type guestInvite struct{}

var errEncrypt = xmpp.NotAllowed.Because("registration needs an encrypted connection")

// Preauth takes a token shown before registration (XEP-0445 §4).
func (f *Feature) Preauth(ctx context.Context, guest Guest, address netip.Addr, encrypted bool, iq *xmpp.Stanza) (*xmpp.Element, error) {
	if !encrypted {
		return nil, errEncrypt
	}
	if iq.Type != "set" {
		return nil, xmpp.BadRequest
	}
	if err := f.attempt(address); err != nil {
		return nil, err
	}
	invite, err := f.find(ctx, iq.First().Attr("token"))
	if err != nil {
		return nil, err
	}
	if !invite.Account {
		return nil, ErrInvite
	}
	guest.Set(guestInvite{}, invite)
	return nil, nil
}

// Register answers a registration before login (XEP-0077 §3.1).
func (f *Feature) Register(ctx context.Context, guest Guest, address netip.Addr, encrypted bool, iq *xmpp.Stanza) (*xmpp.Element, error) {
	if !encrypted {
		return nil, errEncrypt
	}
	invite, _ := guest.Get(guestInvite{}).(*Invite)
	if invite == nil && !f.cfg.Open {
		return nil, errNeedsInvite
	}
	if iq.Type == "get" {
		if name := iq.First().ChildText(nsRegister, "username"); name != "" {
			if err := f.mayHave(ctx, invite, address, name); err != nil {
				return nil, err
			}
		}
		return fields(invite), nil
	}
	name, password, err := answers(iq.First())
	if err != nil {
		return nil, err
	}
	if err := f.attempt(address); err != nil {
		return nil, err
	}
	if _, err := f.enrol(ctx, "app", invite, address, name, password); err != nil {
		return nil, err
	}
	guest.Set(guestInvite{}, (*Invite)(nil))
	return nil, nil
}

// mayHave says whether a name could be had, as apps ask while somebody chooses one (docs/protocol/register-name.md). It promises nothing, and
// counts as an attempt, so that nobody learns many names by it.
func (f *Feature) mayHave(ctx context.Context, invite *Invite, address netip.Addr, name string) error {
	if err := f.attempt(address); err != nil {
		return err
	}
	if err := f.mayTake(ctx, invite, name); err != nil {
		return err
	}
	jid, err := xmpp.NewJID(name, f.server.Domain().Domain(), "")
	if err != nil {
		return xmpp.NotAcceptable.Because("this name cannot be used")
	}
	switch _, err := f.server.Account(ctx, jid); { // an invitation for this very name does not ask that before
	case err == nil:
		return xmpp.Conflict.Because("this name is taken")
	case !errors.Is(err, core.ErrNoAccount):
		return err
	}
	return nil
}

// fields is what has to be filled in, both plainly and as a form (XEP-0077 §4).
func fields(invite *Invite) *xmpp.Element {
	const help = "Choose a name and a password."
	name := ""
	if invite != nil {
		name = invite.Name
	}
	form := xmpp.NewForm("form", nsRegister)
	form.Title, form.Instructions = "Make an account", help
	var values []string
	if name != "" {
		values = []string{name}
	}
	form.Add("username", "text-single", "Name", values...).Add("password", "text-private", "Password")
	for i := range form.Fields {
		form.Fields[i].Required = form.Fields[i].Type != "hidden"
	}
	return xmpp.NewElement(nsRegister, "query", xmpp.NewText(nsRegister, "instructions", help), xmpp.NewText(nsRegister, "username", name),
		xmpp.NewElement(nsRegister, "password"), form.Element())
}

// answers reads a name and a password, plain or from a form.
func answers(query *xmpp.Element) (name, password string, err error) {
	name, password = query.ChildText(nsRegister, "username"), query.ChildText(nsRegister, "password")
	if x := query.Child(xmpp.NSData, "x"); x != nil {
		form, err := xmpp.ParseForm(x)
		if err != nil {
			return "", "", xmpp.BadRequest
		}
		name, password = form.Get("username"), form.Get("password")
	}
	if name == "" || password == "" {
		return "", "", xmpp.NotAcceptable.Because("a name and a password are needed")
	}
	return name, password, nil
}

// passwordsPerHour is how often an account may change its password: each time costs the processor as much as hundreds of messages.
const passwordsPerHour = 20

// handleOwn is for those who have an account: what is registered, a new password (XEP-0077 §3.3), the end (§3.2).
func (f *Feature) handleOwn(ctx context.Context, r *core.Request) (*xmpp.Element, error) {
	if r.Sender == nil || r.Account != nil && !r.Own() {
		return nil, xmpp.Forbidden
	}
	if !r.Set {
		return xmpp.NewElement(nsRegister, "query", xmpp.NewElement(nsRegister, "registered"),
			xmpp.NewText(nsRegister, "username", r.Sender.JID.Local())), nil
	}
	if r.Payload.Child(nsRegister, "remove") != nil {
		return nil, f.leave(ctx, r)
	}
	name, password, err := answers(r.Payload)
	if err != nil {
		return nil, err
	}
	own, err := xmpp.NewJID(name, r.Sender.JID.Domain(), "")
	if err != nil || own != r.Sender.JID {
		return nil, xmpp.NotAllowed.Because("the name of an account cannot be changed")
	}
	if !f.passwords.Allow(r.Sender.ID) {
		return nil, xmpp.ResourceConstraint.Because("at most %d changes of the password in an hour", passwordsPerHour)
	}
	return nil, f.owners.SetPassword(ctx, r.Sender, password, r.Via, nil)
}

// leave removes an account at its owner's wish. The answer goes out before the session ends.
func (f *Feature) leave(ctx context.Context, r *core.Request) error {
	if r.Via == nil {
		return xmpp.Forbidden
	}
	if r.Payload.First() == nil || len(r.Payload.Nodes) != 1 {
		return xmpp.BadRequest.Because("remove stands alone")
	}
	reply := r.Stanza.Reply()
	return f.owners.Remove(ctx, r.Sender, func() { r.Via.Send(reply) })
}
