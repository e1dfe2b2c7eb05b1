package app

import (
	"context"
	"net/netip"
	"path/filepath"

	"palabre.dev/palabre/blob"
	"palabre.dev/palabre/c2s"
	"palabre.dev/palabre/core"
	"palabre.dev/palabre/feature/admin"
	"palabre.dev/palabre/feature/archive"
	"palabre.dev/palabre/feature/blocking"
	"palabre.dev/palabre/feature/carbons"
	"palabre.dev/palabre/feature/command"
	"palabre.dev/palabre/feature/push"
	"palabre.dev/palabre/feature/register"
	"palabre.dev/palabre/feature/roster"
	"palabre.dev/palabre/feature/upload"
	"palabre.dev/palabre/jobs"
	"palabre.dev/palabre/xmpp"
)

// makeFeatures is the product's table of contents. Rules are asked in the order in which the features stand in the last list: those that
// refuse, those that keep, those that wake devices.
func (a *App) makeFeatures(ctx context.Context) error {
	work, err := jobs.New(ctx, a.db, a.log)
	if err != nil {
		return err
	}
	contacts, err := roster.New(ctx, a.db, a.cfg.Roster, a.log)
	if err != nil {
		return err
	}
	blocked, err := blocking.New(ctx, a.db, a.cfg.Blocking, contacts, a.log)
	if err != nil {
		return err
	}
	kept, err := archive.New(ctx, a.cfg.Archive, a.db, inRoster{contacts}, a.log)
	if err != nil {
		return err
	}
	waker, err := push.New(ctx, a.cfg.Push, a.db, work, a.log)
	if err != nil {
		return err
	}
	files, err := a.makeUpload(ctx)
	if err != nil {
		return err
	}
	if a.invites, err = register.New(ctx, a.db, a.cfg.Register, a.accounts, a.accounts, contacts, a.web(), a.log); err != nil {
		return err
	}
	administration := admin.New(a.accounts, a.accounts, a.accounts, a.log)
	commands := command.New(a.log)
	a.invites.AddCommands(commands)
	administration.AddCommands(commands)
	a.accounts.OnNewPassword(func(ctx context.Context, account *core.Account) error { return a.c2s.ForgetDevice(ctx, account, "") })
	a.wireGuests()
	for _, element := range contacts.StreamFeatures() {
		a.offer(element, true)
	}
	a.features = []any{work, a.accounts, contacts, blocked, a.invites, kept, carbons.New(), waker, files, commands, administration}
	return nil
}

func (a *App) makeUpload(ctx context.Context) (*upload.Upload, error) {
	blobs, err := blob.OpenDisk(filepath.Join(a.cfg.Data, "uploads"))
	if err != nil {
		return nil, err
	}
	return upload.New(ctx, a.cfg.uploads(), a.db, blobs, a.log)
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
