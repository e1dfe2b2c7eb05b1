package app

import (
	"context"
	"net/netip"
	"path/filepath"

	"palabre.dev/palabre/blob"
	"palabre.dev/palabre/c2s"
	"palabre.dev/palabre/core"
	"palabre.dev/palabre/feature/archive"
	"palabre.dev/palabre/feature/carbons"
	"palabre.dev/palabre/feature/command"
	"palabre.dev/palabre/feature/register"
	"palabre.dev/palabre/feature/roster"
	"palabre.dev/palabre/feature/upload"
	"palabre.dev/palabre/xmpp"
)

// makeFeatures is the product's table of contents, in the order in which the features' rules are asked.
func (a *App) makeFeatures(ctx context.Context) error {
	contacts, err := roster.New(ctx, a.db, a.cfg.Roster, a.log)
	if err != nil {
		return err
	}
	kept, err := archive.New(ctx, a.cfg.Archive, a.db, inRoster{contacts}, a.log)
	if err != nil {
		return err
	}
	blobs, err := blob.OpenDisk(filepath.Join(a.cfg.Data, "uploads"))
	if err != nil {
		return err
	}
	files, err := upload.New(ctx, a.cfg.uploads(), a.db, blobs, a.log)
	if err != nil {
		return err
	}
	a.invites, err = register.New(ctx, a.db, a.cfg.Register, a.accounts, a.accounts, contacts, a.web(), a.log)
	if err != nil {
		return err
	}
	commands := command.New(a.log)
	a.invites.AddCommands(commands)
	a.accounts.OnNewPassword(func(ctx context.Context, account *core.Account) error { return a.c2s.ForgetDevice(ctx, account, "") })
	a.features = []any{a.accounts, contacts, kept, carbons.New(), files, a.invites, commands}
	a.wireGuests()
	for _, element := range contacts.StreamFeatures() {
		a.offer(element, true)
	}
	return nil
}

// wireGuests lets the door pass what apps ask before they log in.
func (a *App) wireGuests() {
	for _, element := range a.invites.StreamFeatures() {
		a.offer(element, false)
	}
	type handler = func(ctx context.Context, guest register.Guest, address netip.Addr, encrypted bool, iq *xmpp.Stanza) (*xmpp.Element, error)
	for name, handle := range map[[2]string]handler{{"urn:xmpp:pars:0", "preauth"}: a.invites.Preauth, {"jabber:iq:register", "query"}: a.invites.Register} {
		a.c2s.PreAuthIQ(name[0], name[1], func(ctx context.Context, guest *c2s.Guest, iq *xmpp.Stanza) (*xmpp.Element, error) {
			return handle(ctx, guest, guest.Address, guest.Encrypted, iq)
		})
	}
}

// offer announces a stream feature before login or after it.
func (a *App) offer(element *xmpp.Element, after bool) {
	a.c2s.StreamFeature(func(authenticated bool) *xmpp.Element {
		if authenticated != after {
			return nil
		}
		return element
	})
}

// inRoster is the roster as the archive asks it.
type inRoster struct{ *roster.Feature }

// Has reports whether the contact is in the account's roster.
func (r inRoster) Has(ctx context.Context, account *core.Account, contact xmpp.JID) (bool, error) {
	return r.Listed(ctx, account, contact)
}
