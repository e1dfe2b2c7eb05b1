package channel

import (
	"context"
	"fmt"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
	"palabre.dev/palabre/xmpp/fault"
)

// people lists to owners who stands how with the channel (XEP-0060 §8.9.1). That is not who follows.
func (cs *Channels) people(ctx context.Context, t *core.Transit, _, e *xmpp.Element) (*plan, error) {
	c, err := cs.owned(ctx, t, e)
	if err != nil {
		return nil, err
	}
	rows, err := cs.db.Query(ctx, "select jid, affiliation from channel_person where channel = $1 order by affiliation desc, jid", c.id)
	if err != nil {
		return nil, fmt.Errorf("list people: %w", err)
	}
	list := xmpp.NewElement(nsOwner, "affiliations").Set("node", c.name)
	for rows.Next() {
		var jid string
		var a affiliation
		if err := rows.Scan(&jid, &a); err != nil {
			return nil, fmt.Errorf("list people: %w", err)
		}
		list.Add(xmpp.NewElement(nsOwner, "affiliation").Set("jid", jid).Set("affiliation", a.String()))
	}
	return answer(t, xmpp.NewElement(nsOwner, "pubsub", list)), nil
}

// wish is how somebody shall stand with a channel.
type wish struct {
	who xmpp.JID // bare
	as  affiliation
}

// maxWishes is how many one request may name.
const maxWishes = 100

func readWishes(e *xmpp.Element) (wishes []wish, err error) {
	for child := range e.Children() {
		if !child.Is(nsOwner, "affiliation") {
			continue
		}
		who, err := xmpp.ParseJID(child.Attr("jid"))
		as, ok := parseAffiliation(child.Attr("affiliation"))
		if err != nil || who.Local() == "" {
			return nil, fault.InvalidJID
		}
		if !ok {
			return nil, xmpp.NotAcceptable.Because("somebody is owner, publisher, member, outcast or none")
		}
		wishes = append(wishes, wish{who.Bare(), as})
	}
	if len(wishes) == 0 || len(wishes) > maxWishes {
		return nil, xmpp.NotAcceptable.Because("1 to %d people at a time", maxWishes)
	}
	return wishes, nil
}

// setPeople decides about how people stand with a channel (XEP-0060 §8.9.2). It keeps an owner.
func (cs *Channels) setPeople(ctx context.Context, t *core.Transit, _, e *xmpp.Element) (*plan, error) {
	c, err := cs.owned(ctx, t, e)
	if err != nil {
		return nil, err
	}
	wishes, err := readWishes(e)
	if err != nil {
		return nil, err
	}
	for _, one := range wishes {
		if one.as > none {
			if _, err := cs.server.Account(ctx, one.who); err != nil {
				return nil, xmpp.ItemNotFound.Because("there is no such account here")
			}
		}
	}
	var shut []*core.Account
	return cs.change(c, t.Sender.JID, func(ctx context.Context, s state) (string, error) {
		shut = nil
		for _, one := range wishes {
			if err := cs.writePerson(ctx, c, one); err != nil {
				return "", err
			}
			gone, err := cs.shutOutOne(ctx, c, s, one)
			if err != nil {
				return "", err
			}
			shut = append(shut, gone...)
		}
		return "", cs.mustHaveOwner(ctx, c)
	}, func() {
		for _, one := range wishes {
			c.nowStands(one)
		}
	}).answered(t, nil).then(func() { cs.nowShutOut(c, shut) }), nil
}

// nowStands does in memory that somebody stands otherwise; c.mu is held.
func (c *channel) nowStands(one wish) {
	if one.as == none {
		delete(c.people, one.who)
		return
	}
	c.people[one.who] = one.as
}

// writePerson keeps how somebody stands with a channel within the transaction of ctx.
func (cs *Channels) writePerson(ctx context.Context, c *channel, one wish) error {
	if one.as == none {
		_, err := cs.db.Exec(ctx, "delete from channel_person where channel = $1 and jid = $2", c.id, one.who.String())
		return err
	}
	_, err := cs.db.Exec(ctx, `insert into channel_person (channel, jid, affiliation, since) values ($1, $2, $3, $4)
		on conflict (channel, jid) do update set affiliation = excluded.affiliation`, c.id, one.who.String(), int64(one.as), cs.db.Next())
	return err
}

// mustHaveOwner refuses within the transaction of ctx a channel without owners, and one that names too many people.
func (cs *Channels) mustHaveOwner(ctx context.Context, c *channel) error {
	var owners, all int
	err := cs.db.QueryRow(ctx, "select count(case when affiliation = 3 then 1 end), count(*) from channel_person where channel = $1", c.id).Scan(&owners, &all)
	switch {
	case err != nil:
		return fmt.Errorf("count people: %w", err)
	case owners == 0:
		return xmpp.NotAcceptable.Because("a channel has an owner")
	case all > cs.cfg.MaxPeople:
		return xmpp.ResourceConstraint.Because("a channel names at most %d people", cs.cfg.MaxPeople)
	}
	return nil
}

// shutOutOne ends within the transaction of ctx that somebody follows who may not read any more.
func (cs *Channels) shutOutOne(ctx context.Context, c *channel, s state, one wish) ([]*core.Account, error) {
	if one.as >= member || one.as == none && !s.settings.Private {
		return nil, nil
	}
	rows, err := cs.db.Query(ctx, "delete from channel_follower where channel = $1 and jid = $2 returning account", c.id, one.who.String())
	if err != nil {
		return nil, fmt.Errorf("shut a follower out: %w", err)
	}
	var shut []*core.Account
	for rows.Next() {
		account := &core.Account{JID: one.who}
		if err := rows.Scan(&account.ID); err != nil {
			return nil, fmt.Errorf("shut a follower out: %w", err)
		}
		shut = append(shut, account)
	}
	return shut, nil
}
