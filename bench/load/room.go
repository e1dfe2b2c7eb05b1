package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"palabre.dev/palabre/client"
	"palabre.dev/palabre/xmpp"
)

// Namespaces of XEP-0045.
const (
	nsMUC   = "http://jabber.org/protocol/muc"
	nsUser  = nsMUC + "#user"
	nsOwner = nsMUC + "#owner"
	nsAdmin = nsMUC + "#admin"
)

// occupant is a device that comes into rooms.
type occupant struct {
	client  *client.Client
	account xmpp.JID
	coming  atomic.Pointer[coming]
}

// coming is a room that a device waits to be in.
type coming struct {
	room xmpp.JID // bare
	done chan error
}

// present takes presence: one's own says that one is in (XEP-0045 §7.2.2), an error that one is not.
func (o *occupant) present(_ context.Context, st *xmpp.Stanza) {
	c := o.coming.Load()
	if c == nil || st.From.Bare() != c.room {
		return
	}
	if st.IsError() {
		if o.coming.CompareAndSwap(c, nil) {
			c.done <- fmt.Errorf("%s may not come in: %s", o.account, st)
		}
		return
	}
	x := st.Child(nsUser, "x")
	if x == nil || st.Type != "" {
		return
	}
	for e := range x.Children() {
		if e.Is(nsUser, "status") && e.Attr("code") == "110" && o.coming.CompareAndSwap(c, nil) {
			c.done <- nil
		}
	}
}

// enter comes into a room, with the local part of the account as nick, and waits until it is there.
func (o *occupant) enter(ctx context.Context, room xmpp.JID) error {
	to, err := room.WithResource(o.account.Local())
	if err != nil {
		return err
	}
	c := &coming{room: room, done: make(chan error, 1)}
	o.coming.Store(c)
	st := (&xmpp.Stanza{Kind: xmpp.Presence, To: to}).Add(xmpp.NewElement(nsMUC, "x"))
	if err := o.client.Send(ctx, st); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	select {
	case err := <-c.done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("%s waits to come in: %w", o.account, ctx.Err())
	}
}

// fill makes a room for members only, makes the first n accounts its members, and has them all come in.
func (f *fanout) fill(ctx context.Context, n int) (xmpp.JID, error) {
	room, err := xmpp.NewJID(fmt.Sprintf("bench-%d-%d", n, time.Now().UnixNano()), f.service, "")
	if err != nil {
		return room, err
	}
	owner := f.devices[0]
	if err := owner.enter(ctx, room); err != nil {
		return room, err
	}
	if err := configure(ctx, owner.client, room, n); err != nil {
		return room, fmt.Errorf("configure: %w", err)
	}
	others := f.devices[1:n]
	if err := grant(ctx, owner.client, room, others); err != nil {
		return room, fmt.Errorf("make members: %w", err)
	}
	return room, eachOf(ctx, others, func(ctx context.Context, o *occupant) error { return o.enter(ctx, room) })
}

// grant makes accounts members: by the hundred where the server takes more than one at once, for ejabberd writes the whole room down each time.
func grant(ctx context.Context, owner *client.Client, room xmpp.JID, others []*occupant) error {
	atOnce := min(2, len(others))
	for len(others) > 0 {
		some := others[:min(atOnce, len(others))]
		query := xmpp.NewElement(nsAdmin, "query")
		for _, o := range some {
			query.Add(xmpp.NewElement(nsAdmin, "item").Set("affiliation", "member").Set("jid", o.account.String()))
		}
		if _, err := owner.Set(ctx, room, query); err != nil {
			return err
		}
		if atOnce == 2 {
			if atOnce = 100; some[1].enter(ctx, room) != nil { // Prosody takes the first alone
				atOnce, some = 1, some[:1]
			}
		}
		others = others[len(some):]
	}
	return nil
}

// eachOf does something for all devices, at most 16 at a time.
func eachOf(ctx context.Context, all []*occupant, do func(context.Context, *occupant) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	room := make(chan struct{}, 16)
	for _, o := range all {
		room <- struct{}{}
		go func() {
			defer func() { <-room }()
			if err := do(ctx, o); err != nil {
				cancel(err)
			}
		}()
	}
	for range cap(room) {
		room <- struct{}{}
	}
	return context.Cause(ctx)
}

// configure sets of what the server offers: members only, persistent, with an archive, large enough (XEP-0045 §10.1.3).
func configure(ctx context.Context, owner *client.Client, room xmpp.JID, n int) error {
	answer, err := owner.Get(ctx, room, xmpp.NewElement(nsOwner, "query"))
	if err != nil {
		return err
	}
	offered, err := xmpp.ParseForm(answer.Child(xmpp.NSData, "x"))
	if err != nil {
		return err
	}
	wanted := map[string]string{"membersonly": "1", "persistentroom": "1", "mam": "1", "enablearchiving": "1"}
	if field := offered.Field(nsMUC + "#roomconfig_maxusers"); field != nil {
		most := strconv.Itoa(max(n, 1024))
		if len(field.Options) == 0 || slices.ContainsFunc(field.Options, func(o xmpp.Option) bool { return o.Value == most }) {
			wanted["maxusers"] = most
		}
	}
	form := xmpp.NewForm("submit", nsMUC+"#roomconfig")
	for name, value := range wanted {
		for _, known := range []string{nsMUC + "#roomconfig_" + name, name} {
			if offered.Field(known) != nil {
				form.Add(known, "", "", value)
			}
		}
	}
	_, err = owner.Set(ctx, room, xmpp.NewElement(nsOwner, "query", form.Element()))
	return err
}
