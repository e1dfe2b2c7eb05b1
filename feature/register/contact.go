package register

import (
	"context"
	"errors"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// introduce makes the inviter and the new account contacts of each other. Each approves first, so that no request waits for anybody.
func (f *Feature) introduce(ctx context.Context, invite *Invite, account *core.Account) {
	if invite == nil || !invite.Befriend || invite.Inviter == 0 {
		return
	}
	inviter, err := f.inviter(ctx, invite)
	if err != nil {
		f.log.Warn("inviter and invited did not become contacts", "account", account.JID.Local(), "err", err)
		return
	}
	f.befriend(ctx, inviter, account)
	f.befriend(ctx, account, inviter)
}

// befriend lets a contact see the account, and asks it for the same.
func (f *Feature) befriend(ctx context.Context, account, contact *core.Account) {
	err := errors.Join(f.contacts.Approve(ctx, account, contact.JID), f.contacts.Subscribe(ctx, account, contact.JID))
	if err != nil {
		f.log.Warn("inviter and invited did not become contacts", "account", account.JID.Local(), "err", err)
	}
}

// errNoInviter means that the inviter's account is gone.
var errNoInviter = errors.New("the inviter has no account any more")

func (f *Feature) inviter(ctx context.Context, invite *Invite) (*core.Account, error) {
	jid, err := xmpp.NewJID(invite.from, f.server.Domain().Domain(), "")
	if err != nil {
		return nil, err
	}
	account, err := f.server.Account(ctx, jid)
	if errors.Is(err, core.ErrNoAccount) || err == nil && account.ID != invite.Inviter {
		return nil, errNoInviter
	}
	return account, err
}

// approveInvited lets a subscription request with a good token in without asking (XEP-0379 §3.4): the account approves before the request
// arrives (RFC 6121 §3.4).
func (f *Feature) approveInvited(ctx context.Context, t *core.Transit) error {
	token := preauthToken(t)
	if token == "" {
		return nil
	}
	invite, err := f.find(ctx, token)
	if errors.Is(err, ErrInvite) || err == nil && (!invite.Befriend || invite.Inviter != t.Receiver.ID) {
		return nil // the account decides, as without a token
	}
	if err != nil {
		return err
	}
	if err := f.db.Tx(ctx, func(ctx context.Context) error { return f.use(ctx, invite) }); err != nil {
		if errors.Is(err, ErrInvite) {
			return nil
		}
		return err
	}
	if err := f.contacts.Approve(ctx, t.Receiver, t.Stanza.From.Bare()); err != nil {
		return err
	}
	f.approved.Set(t, true)
	return nil
}

// returnSubscription asks the invited contact for its presence in turn, once its own request has been handled.
func (f *Feature) returnSubscription(ctx context.Context, t *core.Transit) {
	if t.Stanza.Kind != xmpp.Presence || !f.approved.Get(t) {
		return
	}
	if err := f.contacts.Subscribe(ctx, t.Receiver, t.Stanza.From.Bare()); err != nil {
		f.log.Warn("could not subscribe to an invited contact", "account", t.Receiver.JID.Local(), "err", err)
	}
}

// preauthToken is the token within a subscription request, "" if there is none.
func preauthToken(t *core.Transit) string {
	if t.Stanza.Kind != xmpp.Presence || t.Stanza.Type != "subscribe" {
		return ""
	}
	return t.Stanza.Child(nsPreauth, "preauth").Attr("token")
}
