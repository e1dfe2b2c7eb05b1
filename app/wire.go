package app

import (
	"context"
	"net/netip"
	"net/url"
	"time"

	"palabre.dev/palabre/c2s"
	"palabre.dev/palabre/core"
	"palabre.dev/palabre/feature/archive"
	"palabre.dev/palabre/feature/caps"
	"palabre.dev/palabre/feature/carbons"
	"palabre.dev/palabre/feature/command"
	"palabre.dev/palabre/feature/device"
	"palabre.dev/palabre/feature/disco"
	"palabre.dev/palabre/feature/group"
	"palabre.dev/palabre/feature/link"
	"palabre.dev/palabre/feature/pubsub"
	"palabre.dev/palabre/feature/push"
	"palabre.dev/palabre/feature/register"
	"palabre.dev/palabre/feature/roster"
	"palabre.dev/palabre/feature/upload"
	"palabre.dev/palabre/xmpp"
)

// Here features that do not know each other meet.

// wireGuests lets the door pass what apps ask before they log in, and makes the invitations of an account void that is closed.
func (a *App) wireGuests() {
	if a.site.Built() {
		a.invites.OfferBrowser()
	}
	a.accounts.OnDisable(a.invites.TakeBack)
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

// wireStream tells apps with the features of their streams what they would ask for else.
func (a *App) wireStream(discovery *disco.Feature, contacts *roster.Feature) {
	a.c2s.StreamFeature(discovery.StreamFeature)
	for _, element := range contacts.StreamFeatures() {
		a.offer(element, true)
	}
}

// wireLong lets what has no limit be moved and removed piece by piece.
func (a *App) wireLong(kept *archive.Archive, files *upload.Upload, groups *group.Groups) {
	a.accounts.OnExportLong(archive.Around(), kept.Each)
	a.accounts.OnRemovePiece(kept.RemovePiece)
	a.accounts.OnRemovePiece(files.RemovePiece)
	a.accounts.OnRemovePiece(groups.RemovePiece)
	a.accounts.OnRemovePiece(a.channels.RemovePiece)
}

// groupWaker is what wakes devices as groups know it.
type groupWaker struct{ *push.Push }

// Missed wakes the devices of members who may have missed something.
func (w groupWaker) Missed(ctx context.Context, chat xmpp.JID, who []group.Missed) error {
	all := make([]push.Missed, len(who))
	for i, one := range who {
		all[i] = push.Missed(one)
	}
	return w.Push.Missed(ctx, chat, all)
}

// channelWaker is what wakes devices as channels know it.
type channelWaker struct{ *push.Push }

// Missed wakes the devices of followers who may have missed a post.
func (w channelWaker) Missed(ctx context.Context, chat xmpp.JID, who []*core.Account) error {
	all := make([]push.Missed, len(who))
	for i, account := range who {
		all[i] = push.Missed{Account: account, Messages: 1}
	}
	return w.Push.Missed(ctx, chat, all)
}

// wireInline lets an app have with its login what it would ask for next (XEP-0386 §4): carbons, and where its archive begins and ends.
func (a *App) wireInline(kept *archive.Archive) {
	a.c2s.BindInline(carbons.NS, func(_ context.Context, session *core.Session, request *xmpp.Element) *xmpp.Element {
		if request != nil && request.Local == "enable" {
			carbons.Enable(session)
		}
		return nil
	})
	a.c2s.BindInline(archive.NS, func(ctx context.Context, session *core.Session, _ *xmpp.Element) *xmpp.Element {
		ends, err := kept.Metadata(ctx, session.Account)
		if err != nil {
			a.log.Warn("an app was not told where its archive ends", "session", session, "err", err)
			return nil
		}
		return ends
	})
}

// wireDevices lets the door tell of apps, a new password take away what stands in for the old one, and an app that is signed out wake no more.
func (a *App) wireDevices(devices *device.Feature, waker *push.Push) {
	a.c2s.OnRevoke(waker.Leave)
	a.c2s.OnBegin(devices.Begun)
	a.accounts.OnNewPassword(func(ctx context.Context, account *core.Account) error { return a.c2s.ForgetDevice(ctx, account, "") })
	a.accounts.OnNewPassword(devices.NewPassword)
	a.accounts.OnNewPassword(a.invites.VoidLink)
}

// doorForDevices is the door as the list of devices asks it.
type doorForDevices struct{ *c2s.Door }

// Of is the app behind a session.
func (d doorForDevices) Of(session *core.Session) (device.App, bool) {
	one, password := d.DeviceOf(session)
	return device.App{ID: one.ID, Software: one.Software, Name: one.Name}, password
}

// Returning are the apps with tokens.
func (d doorForDevices) Returning(ctx context.Context, account *core.Account) ([]device.App, error) {
	found, err := d.Devices(ctx, account)
	apps := make([]device.App, len(found))
	for i, one := range found {
		apps[i] = device.App(one)
	}
	return apps, err
}

// Forget takes an app's tokens away.
func (d doorForDevices) Forget(ctx context.Context, account *core.Account, id string) error {
	return d.RevokeDevice(ctx, account, id)
}

// doorForLinks is the door as linking a device asks it.
type doorForLinks struct{ *c2s.Door }

// Admit gives a new device its first token.
func (d doorForLinks) Admit(ctx context.Context, account *core.Account, life time.Duration) (link.Ticket, error) {
	one, err := d.Door.Admit(ctx, account, life)
	return link.Ticket(one), err
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

// wireEvents tells personal publishing which apps have come that want events.
func wireEvents(apps *caps.Feature, personal *pubsub.Feature) {
	apps.OnWants(func(ctx context.Context, want caps.Want) {
		if want.Session != nil {
			personal.Interested(ctx, want.Session, want.Nodes)
		} else {
			personal.InterestedElsewhere(ctx, want.Account, want.To, want.Nodes)
		}
	})
}

// wireDisco lets service discovery tell of the nodes that features have.
func wireDisco(discovery *disco.Feature, personal *pubsub.Feature, commands *command.Commands) {
	discovery.AddIdentity(core.AtAccount, pubsub.Identity())
	discovery.AddInfo(core.AtAccount, personal.NodeInfo)
	discovery.AddItems(core.AtAccount, personal.NodeItems)
	discovery.AddInfo(core.AtServer, func(ctx context.Context, r *core.Request, node string) ([]*xmpp.Element, error) {
		return commands.Info(ctx, r.Sender, node)
	})
	discovery.AddItems(core.AtServer, func(ctx context.Context, r *core.Request, node string) ([]*xmpp.Element, error) {
		if node == "" {
			return nil, nil
		}
		return commands.Items(ctx, r.Sender, node)
	})
}

// inRoster is the roster as the archive asks it.
type inRoster struct{ *roster.Feature }

// Has reports whether the contact is in the account's roster.
func (r inRoster) Has(ctx context.Context, account *core.Account, contact xmpp.JID) (bool, error) {
	return r.Listed(ctx, account, contact)
}

// origins are the addresses without their paths, as a browser's policy names them.
func origins(addresses []string) []string {
	origins := make([]string, 0, len(addresses))
	for _, address := range addresses {
		if u, err := url.Parse(address); err == nil && u.Host != "" {
			origins = append(origins, u.Scheme+"://"+u.Host)
		}
	}
	return origins
}
