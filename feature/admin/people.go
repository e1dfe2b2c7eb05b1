package admin

import (
	"context"
	"strconv"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// accounts is a page of accounts.
func (d *Desk) accounts(ctx context.Context, r *core.Request) (*xmpp.Element, error) {
	max, err := number(r.Payload, "max", defaultPage, 1, maxPage)
	if err != nil {
		return nil, err
	}
	word := r.Payload.Attr("search")
	if len(word) > maxSearch {
		return nil, xmpp.BadRequest.Because("search is longer than %d bytes", maxSearch)
	}
	page, all, err := d.People.Search(ctx, word, r.Payload.Attr("after"), int(max)+1)
	if err != nil {
		return nil, err
	}
	list := xmpp.NewElement(NSDesk, "accounts").Set("total", strconv.Itoa(all))
	if len(page) > int(max) {
		page = page[:max]
		list.Set("more", "true")
	}
	for _, person := range page {
		one, err := d.person(ctx, person)
		if err != nil {
			return nil, err
		}
		list.Add(one)
	}
	return list, nil
}

// person is one account with what belongs to it.
func (d *Desk) person(ctx context.Context, p Person) (*xmpp.Element, error) {
	jid, err := xmpp.NewJID(p.Name, d.server.Domain().Domain(), "")
	if err != nil {
		return nil, err
	}
	account := &core.Account{ID: p.ID, JID: jid}
	used, err := d.Files.Used(ctx, account)
	if err != nil {
		return nil, err
	}
	apps, err := d.Apps.Of(ctx, account)
	if err != nil {
		return nil, err
	}
	e := xmpp.NewElement(NSDesk, "account").Set("name", p.Name).Set("role", p.Role).Set("created", stamp(p.Created)).
		Set("devices", strconv.Itoa(len(apps))).Set("bytes", strconv.FormatInt(used, 10))
	if !p.Seen.IsZero() {
		e.Set("seen", p.Seen.UTC().Format("2006-01-02"))
	}
	flag(e, "disabled", p.Disabled)
	flag(e, "online", len(d.server.Sessions(jid)) > 0)
	return e, nil
}

// account is one account with its devices and its quota.
func (d *Desk) account(ctx context.Context, r *core.Request) (*xmpp.Element, error) {
	account, err := d.named(ctx, r)
	if err != nil {
		return nil, err
	}
	p, err := d.People.Person(ctx, account)
	if err != nil {
		return nil, err
	}
	e, err := d.person(ctx, p)
	if err != nil {
		return nil, err
	}
	return d.withApps(ctx, account, e.Set("quota", strconv.FormatInt(d.Files.QuotaBytes(), 10)))
}

func (d *Desk) withApps(ctx context.Context, account *core.Account, e *xmpp.Element) (*xmpp.Element, error) {
	apps, err := d.Apps.Of(ctx, account)
	if err != nil {
		return nil, err
	}
	for _, app := range apps {
		one := xmpp.NewElement(NSDesk, "device").Set("software", app.Software).Set("name", app.Name).Set("since", stamp(app.Since)).Set("used", stamp(app.Used))
		flag(one, "connected", app.Connected)
		e.Add(one)
	}
	return e, nil
}

// change does one thing with an account. Administrators cannot shut themselves out.
func (d *Desk) change(ctx context.Context, r *core.Request) (*xmpp.Element, error) {
	account, err := d.named(ctx, r)
	if err != nil {
		return nil, err
	}
	do := r.Payload.Attr("do")
	if account.ID == r.Sender.ID && (do == "disable" || do == "remove" || do == "member") {
		return nil, xmpp.NotAllowed.Because("another administrator has to do that to you")
	}
	switch do {
	case "disable":
		err = d.admin.gate.Disable(ctx, account)
	case "enable":
		err = d.admin.gate.Enable(ctx, account)
	case "remove":
		err = d.admin.accounts.Remove(ctx, account, nil)
	case "admin":
		err = d.People.SetAdmin(ctx, account, true, d.admin.raising(r.Sender, do))
	case "member":
		err = d.People.SetAdmin(ctx, account, false, nil)
	case "sign-out":
		err = d.Apps.SignOut(ctx, account)
	case "password":
		link, err := d.Door.PasswordLink(ctx, r.Sender, account)
		return link.element("link"), err
	default:
		return nil, xmpp.BadRequest.Because("nothing is known of %q", do)
	}
	return nil, err
}

// invitations are those that can still be used.
func (d *Desk) invitations(ctx context.Context, _ *core.Request) (*xmpp.Element, error) {
	all, err := d.Door.Open(ctx, maxInvites)
	if err != nil {
		return nil, err
	}
	list := xmpp.NewElement(NSDesk, "invitations")
	for _, one := range all {
		list.Add(one.element("invitation"))
	}
	return list, nil
}

func (i Invitation) element(name string) *xmpp.Element {
	e := xmpp.NewElement(NSDesk, name).Set("expires", stamp(i.Expires))
	if i.ID != 0 {
		e.Set("id", strconv.FormatInt(i.ID, 10))
	}
	if i.Uses > 0 {
		e.Set("uses", strconv.Itoa(i.Uses))
	}
	for _, one := range []Fact{{"by", i.By}, {"name", i.Name}, {"uri", i.URI}, {"web", i.Web}} {
		if one.Value != "" {
			e.Set(one.Name, one.Value)
		}
	}
	flag(e, "admin", i.Admin)
	return e
}

// invite makes an invitation in the operator's name.
func (d *Desk) invite(ctx context.Context, r *core.Request) (*xmpp.Element, error) {
	uses, err := number(r.Payload, "uses", 1, 1, 1000)
	if err != nil {
		return nil, err
	}
	days, err := number(r.Payload, "days", 0, 0, 3650)
	if err != nil {
		return nil, err
	}
	wanted := Invitation{Name: r.Payload.Attr("name"), Admin: r.Payload.Attr("admin") == "true", Uses: int(uses)}
	if days > 0 {
		wanted.Expires = time.Now().AddDate(0, 0, int(days))
	}
	made, err := d.Door.Invite(ctx, wanted)
	if err != nil {
		return nil, err
	}
	return made.element("invitation"), nil
}

func (d *Desk) withdraw(ctx context.Context, r *core.Request) (*xmpp.Element, error) {
	id, err := number(r.Payload, "id", 0, 1, 1<<62)
	if err != nil || id == 0 {
		return nil, xmpp.BadRequest.Because("which invitation?")
	}
	return nil, d.Door.Withdraw(ctx, id)
}
