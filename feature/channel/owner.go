package channel

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
	"palabre.dev/palabre/xmpp/fault"
)

// askedOwner decides about what owners do (XEP-0060 §8). Who follows is shown to nobody.
func (cs *Channels) askedOwner(ctx context.Context, t *core.Transit, pubsub *xmpp.Element, set bool) (*plan, error) {
	hidden := func(context.Context, *core.Transit, *xmpp.Element, *xmpp.Element) (*plan, error) {
		return nil, fault.Unsupported("manage-subscriptions")
	}
	acts := map[string]act{"configure": cs.settingsForm, "default": cs.defaultForm, "affiliations": cs.people, "subscriptions": hidden}
	if set {
		acts = map[string]act{"configure": cs.configure, "delete": cs.delete, "affiliations": cs.setPeople, "subscriptions": hidden,
			"purge": func(context.Context, *core.Transit, *xmpp.Element, *xmpp.Element) (*plan, error) {
				return nil, fault.Unsupported("purge-nodes")
			}}
	}
	return doFirst(ctx, t, pubsub, acts)
}

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// create decides about a new channel (XEP-0060 §8.1).
func (cs *Channels) create(ctx context.Context, t *core.Transit, pubsub, e *xmpp.Element) (*plan, error) {
	name := e.Attr("node")
	if name == "" {
		return nil, fault.NoInstantNode
	}
	if !isName(name) {
		return nil, xmpp.NotAcceptable.Because("a channel has a name of at most %d small letters, digits, dots, hyphens and underscores", maxName)
	}
	var s Settings
	if x := pubsub.Child(nsPubSub, "configure").Child(xmpp.NSData, "x"); x != nil {
		form, err := parseForm(x, configType)
		if err != nil {
			return nil, err
		}
		if err := s.take(form); err != nil {
			return nil, err
		}
	}
	text, err := s.text()
	if err != nil {
		return nil, err
	}
	return (&plan{write: func(ctx context.Context) error { return cs.make(ctx, t.Sender, name, text) }}).answered(t, func() *xmpp.Element {
		return xmpp.NewElement(nsPubSub, "pubsub", xmpp.NewElement(nsPubSub, "create").Set("node", name))
	}), nil
}

// make keeps a new channel within the transaction of ctx, with an entry that says so.
func (cs *Channels) make(ctx context.Context, maker *core.Account, name, settings string) error {
	var taken, today int
	err := cs.db.QueryRow(ctx, `select (select count(*) from channel_node where name = $1) + (select count(*) from channel_gone where hash = $2),
		(select count(*) from channel_node where maker = $3 and id > $4)`, name, hashOf(name), maker.ID, cs.now().Add(-24*time.Hour).UnixMicro()).Scan(&taken, &today)
	switch {
	case err != nil:
		return fmt.Errorf("make channel: %w", err)
	case taken > 0:
		return xmpp.Conflict.Because("this name is taken")
	case today >= cs.cfg.MaxChannelsPerDay:
		return xmpp.ResourceConstraint.Because("an account makes at most %d channels in a day", cs.cfg.MaxChannelsPerDay)
	}
	id := cs.db.Next()
	for _, row := range []struct {
		sql  string
		args []any
	}{
		{"insert into channel_node (id, name, maker, settings, mark, marked, deleted) values ($1, $2, $3, $4, '', 0, 0)", []any{id, name, maker.ID, settings}},
		{"insert into channel_person (channel, jid, affiliation, since) values ($1, $2, $3, $1)", []any{id, maker.JID.String(), int64(owner)}},
	} {
		if _, err := cs.db.Exec(ctx, row.sql, row.args...); err != nil {
			return fmt.Errorf("make channel: %w", err)
		}
	}
	e := &entry{kind: changeEntry, author: maker.JID.String(), payload: changed("made")}
	return cs.keep(ctx, &channel{id: id}, state{}, e)
}

// changed is what the log says of a change of a channel (docs/protocol/channels.md).
func changed(what string, attrs ...string) string {
	e := xmpp.NewElement(NS, "change").Set("what", what)
	for i := 0; i+1 < len(attrs); i += 2 {
		e.Set(attrs[i], attrs[i+1])
	}
	return string(e.Append(nil, ""))
}

// owned is the channel that a request names, if the asker owns it.
func (cs *Channels) owned(ctx context.Context, t *core.Transit, e *xmpp.Element) (*channel, error) {
	c, err := cs.node(ctx, e)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.gone:
		return nil, xmpp.Gone
	case c.people[t.Sender.JID] < owner:
		return nil, xmpp.Forbidden
	}
	return c, nil
}

// settingsForm shows owners the settings (XEP-0060 §8.2.1).
func (cs *Channels) settingsForm(ctx context.Context, t *core.Transit, _, e *xmpp.Element) (*plan, error) {
	c, err := cs.owned(ctx, t, e)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	form := c.settings.form("form", configType)
	return answer(t, xmpp.NewElement(nsOwner, "pubsub", xmpp.NewElement(nsOwner, "configure", form.Element()).Set("node", c.name))), nil
}

// defaultForm shows the settings of a new channel (XEP-0060 §8.3).
func (cs *Channels) defaultForm(_ context.Context, t *core.Transit, _, _ *xmpp.Element) (*plan, error) {
	return answer(t, xmpp.NewElement(nsOwner, "pubsub", xmpp.NewElement(nsOwner, "default", new(Settings).form("form", configType).Element()))), nil
}

// change plans a change by an owner: write makes it within the transaction and says what the log gets of it ("" for nothing); done does it in memory,
// where c.mu is held.
func (cs *Channels) change(c *channel, by xmpp.JID, write func(ctx context.Context, s state) (string, error), done func()) *plan {
	var e *entry
	return &plan{channel: c, write: func(ctx context.Context) error {
		e = nil
		s, err := cs.read(ctx, c)
		if err != nil {
			return err
		}
		if !by.IsZero() {
			as, err := cs.stands(ctx, c, by)
			if err != nil {
				return err
			}
			if as < owner {
				return xmpp.Forbidden
			}
		}
		says, err := write(ctx, s)
		if err != nil || says == "" {
			return err
		}
		e = &entry{kind: changeEntry, author: by.String(), payload: says}
		return cs.keep(ctx, c, s, e)
	}, tell: func(context.Context) {
		c.mu.Lock()
		done()
		c.mu.Unlock()
		if e != nil {
			cs.tell(c, e)
		}
	}}
}

// configure decides about new settings (XEP-0060 §8.2.4).
func (cs *Channels) configure(ctx context.Context, t *core.Transit, _, e *xmpp.Element) (*plan, error) {
	c, err := cs.owned(ctx, t, e)
	if err != nil {
		return nil, err
	}
	x, err := xmpp.ParseForm(e.Child(xmpp.NSData, "x"))
	if err == nil && x.Type == "cancel" {
		return answer(t, nil), nil
	}
	form, err := parseForm(e.Child(xmpp.NSData, "x"), configType)
	if err != nil {
		return nil, err
	}
	var now Settings
	var shut []*core.Account
	return cs.change(c, t.Sender.JID, func(ctx context.Context, s state) (string, error) {
		now = s.settings
		if err := now.take(form); err != nil {
			return "", err
		}
		text, err := now.text()
		if err != nil {
			return "", err
		}
		if _, err := cs.db.Exec(ctx, "update channel_node set settings = $1 where id = $2", text, c.id); err != nil {
			return "", fmt.Errorf("write settings: %w", err)
		}
		if shut = nil; now.Private && !s.settings.Private {
			if shut, err = cs.shutOut(ctx, c); err != nil {
				return "", err
			}
		}
		return changed("settings", "title", now.Title), nil
	}, func() { c.settings = now }).answered(t, nil).then(func() { cs.nowShutOut(c, shut) }), nil
}

// then adds what happens when a plan was carried out.
func (p *plan) then(do func()) *plan {
	tell := p.tell
	p.tell = func(ctx context.Context) {
		if tell != nil {
			tell(ctx)
		}
		do()
	}
	return p
}

// shutOut ends within the transaction of ctx that accounts follow a private channel that it does not name.
func (cs *Channels) shutOut(ctx context.Context, c *channel) (shut []*core.Account, err error) {
	const those = " from channel_follower where channel = $1 and jid not in (select jid from channel_person where channel = $1 and affiliation >= 1)"
	rows, err := cs.db.Query(ctx, "select account, jid"+those+" limit $2", c.id, int64(cs.cfg.MaxPeople)+1)
	if err != nil {
		return nil, fmt.Errorf("look for followers: %w", err)
	}
	for rows.Next() {
		var id int64
		var text string
		if err := rows.Scan(&id, &text); err != nil {
			return nil, fmt.Errorf("look for followers: %w", err)
		}
		jid, err := xmpp.ParseJID(text)
		if err != nil {
			return nil, fmt.Errorf("look for followers: %w", err)
		}
		shut = append(shut, &core.Account{ID: id, JID: jid})
	}
	if len(shut) > cs.cfg.MaxPeople {
		return nil, xmpp.NotAcceptable.Because("more than %d follow whom the channel does not name", cs.cfg.MaxPeople)
	}
	if _, err := cs.db.Exec(ctx, "delete"+those, c.id); err != nil {
		return nil, fmt.Errorf("shut followers out: %w", err)
	}
	return shut, nil
}

func (cs *Channels) nowShutOut(c *channel, shut []*core.Account) {
	for _, account := range shut {
		cs.nowFollows(c, account, following{is: true}, following{})
	}
}

// delete decides about the end of a channel (XEP-0060 §8.4). Its name is not given to anybody again; what it held goes piece by piece.
func (cs *Channels) delete(ctx context.Context, t *core.Transit, _, e *xmpp.Element) (*plan, error) {
	c, err := cs.owned(ctx, t, e)
	if err != nil {
		return nil, err
	}
	return cs.change(c, t.Sender.JID, func(ctx context.Context, _ state) (string, error) { return "", cs.end(ctx, c) }, func() { c.gone = true }).
		answered(t, nil).then(func() { cs.tellDeleted(c) }), nil
}

// end notes within the transaction of ctx that a channel is no more.
func (cs *Channels) end(ctx context.Context, c *channel) error {
	if _, err := cs.db.Exec(ctx, "update channel_node set deleted = $1 where id = $2", cs.now().UnixMicro(), c.id); err != nil {
		return fmt.Errorf("end channel: %w", err)
	}
	_, err := cs.db.Exec(ctx, "insert into channel_gone (hash) values ($1) on conflict (hash) do nothing", hashOf(c.name))
	return err
}

// tellDeleted tells all who hear that a channel is no more (XEP-0060 §8.4.2).
func (cs *Channels) tellDeleted(c *channel) {
	st := (&xmpp.Stanza{Kind: xmpp.Message, Type: "headline", From: cs.domain}).Add(xmpp.NewElement(nsEvent, "event", xmpp.NewElement(nsEvent, "delete").Set("node", c.name)))
	shared := st.Append(nil)[len("<message"):]
	c.mu.Lock()
	defer c.mu.Unlock()
	for session, h := range c.hearing {
		cs.follows.Forget(session.Account.ID)
		h.session.Deliver(core.Delivery{Stanza: heardStanza, Head: h.head, Bytes: shared})
	}
	clear(c.hearing)
}
