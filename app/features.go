package app

import (
	"context"
	"path/filepath"

	"palabre.dev/palabre/blob"
	"palabre.dev/palabre/feature/about"
	"palabre.dev/palabre/feature/admin"
	"palabre.dev/palabre/feature/archive"
	"palabre.dev/palabre/feature/blocking"
	"palabre.dev/palabre/feature/bookmark"
	"palabre.dev/palabre/feature/caps"
	"palabre.dev/palabre/feature/carbons"
	"palabre.dev/palabre/feature/channel"
	"palabre.dev/palabre/feature/command"
	"palabre.dev/palabre/feature/device"
	"palabre.dev/palabre/feature/disco"
	"palabre.dev/palabre/feature/displayed"
	"palabre.dev/palabre/feature/group"
	"palabre.dev/palabre/feature/health"
	"palabre.dev/palabre/feature/last"
	"palabre.dev/palabre/feature/link"
	"palabre.dev/palabre/feature/linkcard"
	"palabre.dev/palabre/feature/private"
	"palabre.dev/palabre/feature/pubsub"
	"palabre.dev/palabre/feature/push"
	"palabre.dev/palabre/feature/register"
	"palabre.dev/palabre/feature/roster"
	"palabre.dev/palabre/feature/status"
	"palabre.dev/palabre/feature/upload"
	"palabre.dev/palabre/feature/vcard"
)

// makeFeatures is the product's table of contents. Rules are asked in the order in which the features stand in the last list: those that
// refuse, those that keep, those that wake devices.
func (a *App) makeFeatures(ctx context.Context) error {
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
	waker, err := push.New(ctx, a.cfg.Push, a.db, a.jobs, a.log)
	if err != nil {
		return err
	}
	apps, err := caps.New(ctx, a.db, a.cfg.Caps, a.log)
	if err != nil {
		return err
	}
	published, err := a.makePublishing(ctx, contacts, apps)
	if err != nil {
		return err
	}
	seen, err := last.New(ctx, a.db, contacts, a.log)
	if err != nil {
		return err
	}
	files, groups, err := a.makeServices(ctx, group.Siblings{Waker: groupWaker{waker}, Markers: published.displayed, Contacts: contacts}, waker, published.personal)
	if err != nil {
		return err
	}
	if a.invites, err = register.New(ctx, a.db, a.cfg.Register, a.accounts, a.accounts, a.accounts, contacts, a.web(), a.log); err != nil {
		return err
	}
	pages, err := linkcard.New(a.cfg.LinkCard, a.log)
	if err != nil {
		return err
	}
	discovery, err := disco.New(a.cfg.Disco, contacts)
	if err != nil {
		return err
	}
	office, err := a.makeOffice(ctx, files, blocked)
	if err != nil {
		return err
	}
	commands := command.New(a.log)
	a.invites.AddCommands(commands)
	office.commands.AddCommands(commands)
	seen.AddCommands(commands)
	blocked.AddCommands(commands, a.accounts)
	a.channels.AddCommands(commands, a.accounts.IsAdmin)
	wireEvents(apps, published.personal)
	wireDisco(discovery, published.personal, commands)
	a.wireStream(discovery, contacts)
	a.wireDevices(office.devices, waker)
	a.wireLong(kept, files, groups)
	a.wireGuests()
	a.wireInline(kept)
	a.features = []any{
		a.jobs, a.accounts, office.devices, link.New(doorForLinks{a.c2s}, a.log), contacts, blocked, a.invites, // who may
		published.displayed, published.cards, // what is changed on the way
		kept, carbons.New(), waker, // what is kept and who is told
		apps, published.personal, published.told, published.stored, published.rooms, seen, files, groups, a.channels, pages, commands, office.commands, office.desk, a.health, about.New(Version()), discovery,
	}
	return a.makePayments(ctx, contacts, published.personal, groups, office)
}

// office is what administrators and owners of accounts look after them with.
type office struct {
	devices  *device.Feature
	commands *admin.Feature
	desk     *admin.Desk
}

func (a *App) makeOffice(ctx context.Context, files *upload.Upload, blocked *blocking.Feature) (o office, err error) {
	if o.devices, err = device.New(ctx, a.cfg.Device, a.db, doorForDevices{a.c2s}, a.log); err != nil {
		return o, err
	}
	o.commands = admin.New(a.accounts, a.accounts, a.accounts, a.log)
	o.desk = admin.NewDesk(o.commands, admin.Sources{People: deskPeople{a.accounts}, Apps: deskApps{o.devices}, Files: deskFiles{files, a.cfg.Upload.QuotaBytes},
		Door: deskDoor{a.invites}, Reports: deskReports{blocked, a.accounts}, Machine: deskMachine{a, files}}, a.log)
	a.reports = blocked
	a.health, err = health.New(ctx, a.cfg.Health, a.db, a.registry, aboutApp{a}, o.desk.Only, a.log)
	return o, err
}

// makeServices are those that live at addresses of their own.
func (a *App) makeServices(ctx context.Context, beside group.Siblings, waker *push.Push, personal *pubsub.Feature) (*upload.Upload, *group.Groups, error) {
	files, err := a.makeUpload(ctx)
	if err != nil {
		return nil, nil, err
	}
	if a.channels, err = channel.New(ctx, a.cfg.Channel, a.db, channelWaker{waker}, personal, a.web(), a.log); err != nil {
		return nil, nil, err
	}
	groups, err := group.New(ctx, a.cfg.Group, a.db, beside, a.log)
	return files, groups, err
}

func (a *App) makeUpload(ctx context.Context) (*upload.Upload, error) {
	blobs, err := blob.OpenDisk(filepath.Join(a.cfg.Data, "uploads"))
	if err != nil {
		return nil, err
	}
	return upload.New(ctx, a.cfg.uploads(), a.db, blobs, a.log)
}

// publishing is what accounts publish of themselves, and the older forms of it.
type publishing struct {
	personal  *pubsub.Feature
	told      *status.Feature
	stored    *private.Feature
	cards     *vcard.Feature
	rooms     *bookmark.Feature
	displayed *displayed.Feature
}

func (a *App) makePublishing(ctx context.Context, contacts *roster.Feature, apps *caps.Feature) (p publishing, err error) {
	if p.personal, err = pubsub.New(ctx, a.cfg.PubSub, a.db, contacts, contacts, apps, a.log); err != nil {
		return p, err
	}
	if p.told, err = status.New(ctx, a.cfg.Status, a.db, p.personal, p.personal, contacts, a.log); err != nil {
		return p, err
	}
	if p.stored, err = private.New(ctx, a.cfg.Private, a.db); err != nil {
		return p, err
	}
	if p.cards, err = vcard.New(ctx, a.cfg.VCard, a.db, contacts, p.personal, p.personal, p.personal, a.log); err != nil {
		return p, err
	}
	p.rooms = bookmark.New(p.personal, p.personal, p.personal, p.stored, a.log)
	p.displayed = displayed.New(p.personal, a.log)
	return p, nil
}
