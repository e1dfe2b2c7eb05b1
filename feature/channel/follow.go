package channel

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
	"palabre.dev/palabre/xmpp/fault"
)

// mayMove refuses who follows, or follows no more, too often, and who asks it for others.
func (cs *Channels) mayMove(t *core.Transit, e *xmpp.Element) error {
	if err := ownAddress(t, e); err != nil {
		return err
	}
	if !cs.moves.Allow(t.Sender.ID) {
		return xmpp.ResourceConstraint.Because("at most %d times in a minute", maxPerMinute)
	}
	return nil
}

// ownAddress checks that a request is about the asker's own bare address: nobody follows with one device alone (XEP-0060 §6.1.3.1).
func ownAddress(t *core.Transit, e *xmpp.Element) error {
	who, err := xmpp.ParseJID(e.Attr("jid"))
	if err != nil || who.Bare() != t.Sender.JID {
		return fault.InvalidJID
	}
	return nil
}

// following is how an account follows a channel, before and after a change.
type following struct {
	is       bool
	segments []string
}

// subscribe decides about following a channel (XEP-0060 §6.1), perhaps with options beside it (§6.3.7).
func (cs *Channels) subscribe(ctx context.Context, t *core.Transit, pubsub, e *xmpp.Element) (*plan, error) {
	c, err := cs.readable(ctx, t, e)
	if err != nil {
		return nil, err
	}
	if err := cs.mayMove(t, e); err != nil {
		return nil, err
	}
	var chosen []string
	options := pubsub.Child(nsPubSub, "options")
	if options != nil {
		if chosen, err = readChoice(options); err != nil {
			return nil, err
		}
	}
	return cs.setFollowing(c, t.Sender, func(was following) (following, error) {
		now := following{is: true, segments: was.segments}
		if options != nil {
			now.segments = chosen
		}
		return now, nil
	}).answered(t, func() *xmpp.Element {
		return xmpp.NewElement(nsPubSub, "pubsub", subscription(c.name, t.Sender.JID, "subscribed"))
	}), nil
}

func subscription(node string, who xmpp.JID, state string) *xmpp.Element {
	return xmpp.NewElement(nsPubSub, "subscription").Set("node", node).Set("jid", who.Bare().String()).Set("subscription", state)
}

// unsubscribe decides about following a channel no more (XEP-0060 §6.2).
func (cs *Channels) unsubscribe(ctx context.Context, t *core.Transit, _, e *xmpp.Element) (*plan, error) {
	c, err := cs.node(ctx, e)
	if err != nil {
		return nil, err
	}
	if err := cs.mayMove(t, e); err != nil {
		return nil, err
	}
	return cs.setFollowing(c, t.Sender, func(was following) (following, error) {
		if !was.is {
			return was, fault.NotSubscribed
		}
		return following{}, nil
	}).answered(t, nil), nil
}

// setFollowing plans that an account follows a channel, or not any more, as change says.
func (cs *Channels) setFollowing(c *channel, account *core.Account, change func(was following) (following, error)) *plan {
	var was, now following
	return &plan{channel: c, write: func(ctx context.Context) (err error) {
		if was, err = cs.readFollowing(ctx, c, account.ID); err != nil {
			return err
		}
		if now, err = change(was); err != nil {
			return err
		}
		if !now.is {
			_, err = cs.db.Exec(ctx, "delete from channel_follower where channel = $1 and account = $2", c.id, account.ID)
			return err
		}
		if err := cs.mayFollow(ctx, c, account, was.is, now.segments); err != nil {
			return err
		}
		_, err = cs.db.Exec(ctx, `insert into channel_follower (channel, account, jid, segments) values ($1, $2, $3, $4)
			on conflict (channel, account) do update set segments = excluded.segments`, c.id, account.ID, account.JID.String(), join(now.segments))
		return err
	}, tell: func(context.Context) { cs.nowFollows(c, account, was, now) }}
}

// readFollowing reads within the transaction of ctx how an account follows a channel.
func (cs *Channels) readFollowing(ctx context.Context, c *channel, account int64) (following, error) {
	var text string
	err := cs.db.QueryRow(ctx, "select segments from channel_follower where channel = $1 and account = $2", c.id, account).Scan(&text)
	if errors.Is(err, store.ErrNoRows) {
		return following{}, nil
	}
	if err != nil {
		return following{}, fmt.Errorf("read who follows: %w", err)
	}
	return following{is: true, segments: split(text)}, nil
}

// mayFollow looks within the transaction of ctx whether an account may follow a channel so.
func (cs *Channels) mayFollow(ctx context.Context, c *channel, account *core.Account, already bool, segments []string) error {
	s, err := cs.read(ctx, c)
	if err != nil {
		return err
	}
	as, err := cs.stands(ctx, c, account.JID)
	switch {
	case err != nil:
		return err
	case as == outcast:
		return xmpp.Forbidden
	case s.settings.Private && as < member:
		return fault.ClosedNode
	case !s.settings.has(segments):
		return fault.InvalidOptions.Because("the channel has no such segment")
	case already:
		return nil
	}
	var n int
	if err := cs.db.QueryRow(ctx, "select count(*) from channel_follower where account = $1", account.ID).Scan(&n); err != nil {
		return fmt.Errorf("count what an account follows: %w", err)
	}
	if n >= cs.cfg.MaxFollowed {
		return xmpp.ResourceConstraint.Because("an account follows at most %d channels", cs.cfg.MaxFollowed)
	}
	return nil
}

// nowFollows does in memory that an account follows otherwise than before.
func (cs *Channels) nowFollows(c *channel, account *core.Account, was, now following) {
	cs.follows.Forget(account.ID)
	c.mu.Lock()
	if was.is && !now.is {
		c.followers--
	}
	if now.is && !was.is {
		c.followers++
	}
	if !now.is { // also sessions that end at this moment, which look for what they hear where it is not any more
		maps.DeleteFunc(c.hearing, func(session *core.Session, _ *hearer) bool { return session.Account.ID == account.ID })
	}
	c.mu.Unlock()
	for _, session := range cs.server.Sessions(account.JID) {
		if now.is {
			c.hear(session, now.segments)
		}
		if !now.is || cs.server.Session(session.JID) != session { // it has ended meanwhile
			c.deafen(session)
		}
	}
}

const optionsType = nsPubSub + "#subscribe_options"

// readChoice reads the segments that a follower chooses (XEP-0060 §6.3).
func readChoice(options *xmpp.Element) ([]string, error) {
	form, err := parseForm(options.Child(xmpp.NSData, "x"), optionsType)
	if err != nil {
		return nil, err
	}
	var chosen []string
	for _, f := range form.Fields {
		if f.Var == NS+"#segments" {
			chosen = f.Values
		}
	}
	if len(chosen) > maxSegments {
		return nil, fault.InvalidOptions.Because("at most %d segments", maxSegments)
	}
	for _, one := range chosen {
		if !isWord(one, maxSegmentName) {
			return nil, fault.InvalidOptions.Because("the channel has no such segment")
		}
	}
	return chosen, nil
}

// setOptions decides about which segments a follower chooses (XEP-0060 §6.3.5).
func (cs *Channels) setOptions(ctx context.Context, t *core.Transit, _, e *xmpp.Element) (*plan, error) {
	c, err := cs.readable(ctx, t, e)
	if err != nil {
		return nil, err
	}
	if err := cs.mayMove(t, e); err != nil {
		return nil, err
	}
	chosen, err := readChoice(e)
	if err != nil {
		return nil, err
	}
	return cs.setFollowing(c, t.Sender, func(was following) (following, error) {
		if !was.is {
			return was, fault.NotSubscribed
		}
		return following{is: true, segments: chosen}, nil
	}).answered(t, nil), nil
}

// options shows a follower which segments there are, and which are chosen (XEP-0060 §6.3.2).
func (cs *Channels) options(ctx context.Context, t *core.Transit, _, e *xmpp.Element) (*plan, error) {
	c, err := cs.readable(ctx, t, e)
	if err != nil {
		return nil, err
	}
	if err := ownAddress(t, e); err != nil {
		return nil, err
	}
	is, err := cs.readFollowing(ctx, c, t.Sender.ID)
	if err != nil {
		return nil, err
	}
	if !is.is {
		return nil, fault.NotSubscribed
	}
	form := xmpp.NewForm("form", optionsType)
	form.Add(NS+"#segments", "list-multi", "What posts are for", is.segments...)
	field := &form.Fields[len(form.Fields)-1]
	c.mu.Lock()
	for _, one := range c.settings.Segments {
		field.Options = append(field.Options, xmpp.Option{Label: one.Label, Value: one.Name})
	}
	c.mu.Unlock()
	return answer(t, xmpp.NewElement(nsPubSub, "pubsub", xmpp.NewElement(nsPubSub, "options", form.Element()).Set("node", c.name).Set("jid", t.Sender.JID.String()))), nil
}

// mySubscriptions lists what the asker follows (XEP-0060 §5.6).
func (cs *Channels) mySubscriptions(ctx context.Context, t *core.Transit, _, e *xmpp.Element) (*plan, error) {
	all, err := cs.follows.Get(ctx, t.Sender.ID)
	if err != nil {
		return nil, err
	}
	list := xmpp.NewElement(nsPubSub, "subscriptions")
	for _, one := range all.channels {
		if node := e.Attr("node"); node == "" || node == one.name {
			list.Add(subscription(one.name, t.Sender.JID, "subscribed"))
		}
	}
	return answer(t, xmpp.NewElement(nsPubSub, "pubsub", list)), nil
}

// myAffiliations lists how the asker stands with channels (XEP-0060 §5.7).
func (cs *Channels) myAffiliations(ctx context.Context, t *core.Transit, _, e *xmpp.Element) (*plan, error) {
	rows, err := cs.db.Query(ctx, `select n.name, p.affiliation from channel_person p join channel_node n on n.id = p.channel
		where p.jid = $1 and n.deleted = 0 and ($2 = '' or n.name = $2) order by n.name limit $3`, t.Sender.JID.String(), e.Attr("node"), int64(cs.cfg.MaxFollowed))
	if err != nil {
		return nil, fmt.Errorf("list affiliations: %w", err)
	}
	list := xmpp.NewElement(nsPubSub, "affiliations")
	for rows.Next() {
		var name string
		var a affiliation
		if err := rows.Scan(&name, &a); err != nil {
			return nil, fmt.Errorf("list affiliations: %w", err)
		}
		list.Add(xmpp.NewElement(nsPubSub, "affiliation").Set("node", name).Set("affiliation", a.String()))
	}
	return answer(t, xmpp.NewElement(nsPubSub, "pubsub", list)), nil
}
