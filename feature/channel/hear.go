package channel

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// followed is what an account follows.
type followed struct{ channels []followedOne }

type followedOne struct {
	name     string
	segments []string
}

// loadFollowed reads what an account follows.
func (cs *Channels) loadFollowed(ctx context.Context, account int64) (*followed, error) {
	rows, err := cs.db.Query(ctx, `select n.name, f.segments from channel_follower f join channel_node n on n.id = f.channel
		where f.account = $1 and n.deleted = 0 order by n.name`, account)
	if err != nil {
		return nil, fmt.Errorf("read what an account follows: %w", err)
	}
	all := &followed{}
	for rows.Next() {
		var name, segments string
		if err := rows.Scan(&name, &segments); err != nil {
			return nil, fmt.Errorf("read what an account follows: %w", err)
		}
		all.channels = append(all.channels, followedOne{name, split(segments)})
	}
	return all, nil
}

// ears are what a session needs to hear channels.
type ears struct {
	head    []byte // the beginning of a message to it
	chained bool
}

var hasEars = new(core.Key[*ears])

// messageHead is what the tag of a message begins with for one receiver.
func messageHead(to xmpp.JID) []byte {
	b := append(make([]byte, 0, len(to.String())+16), "<message to='"...)
	return append(xmpp.AppendEscapedAttr(b, to.String()), '\'')
}

// openEars makes a session hear what its account follows, now and later. chained says that it follows the chain of entries.
func openEars(session *core.Session, chained bool) {
	e := hasEars.Get(session)
	if e == nil {
		e = &ears{head: messageHead(session.JID)}
	}
	hasEars.Set(session, &ears{head: e.head, chained: e.chained || chained})
}

// listenTimeout bounds how long a session that comes online waits until it hears.
const listenTimeout = 10 * time.Second

// available makes a session that takes messages hear what its account follows (XEP-0060 §12.1).
func (cs *Channels) available(session *core.Session) {
	ctx, cancel := context.WithTimeout(context.Background(), listenTimeout)
	defer cancel()
	openEars(session, false)
	if err := cs.listen(ctx, session); err != nil {
		cs.log.Warn("a session does not hear its channels", "session", session, "err", err)
	}
}

// maxListens is how often what an account follows is looked at again because it changed meanwhile.
const maxListens = 5

// listen makes a session hear all that its account follows. What changes meanwhile is looked at again.
func (cs *Channels) listen(ctx context.Context, session *core.Session) error {
	for range maxListens {
		all, err := cs.follows.Get(ctx, session.Account.ID)
		if err != nil {
			return err
		}
		if err := cs.hearAll(ctx, session, all); err != nil {
			return err
		}
		if now, err := cs.follows.Get(ctx, session.Account.ID); err == nil && now == all {
			if cs.server.Session(session.JID) != session { // it has ended meanwhile
				cs.unbound(ctx, session)
			}
			return nil
		}
		cs.deafen(session, all)
	}
	return xmpp.ResourceConstraint.Because("what this account follows changes all the time; try again")
}

func (cs *Channels) hearAll(ctx context.Context, session *core.Session, all *followed) error {
	for _, one := range all.channels {
		c, err := cs.loaded.get(ctx, one.name)
		if errors.Is(err, xmpp.ItemNotFound) { // it was deleted
			continue
		}
		if err != nil {
			return err
		}
		c.hear(session, one.segments)
	}
	return nil
}

// hear makes a session get what is published, if it hears at all.
func (c *channel) hear(session *core.Session, segments []string) {
	e := hasEars.Get(session)
	if e == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.gone {
		c.hearing[session] = &hearer{session: session, head: e.head, chained: e.chained, segments: segments}
	}
}

// deafen makes a session hear these channels no more.
func (cs *Channels) deafen(session *core.Session, all *followed) {
	for _, one := range all.channels {
		cs.loaded.mu.Lock()
		l := cs.loaded.all[one.name]
		cs.loaded.mu.Unlock()
		if l == nil {
			continue
		}
		<-l.ready
		if l.channel != nil {
			l.channel.deafen(session)
		}
	}
}

// deafen makes a session hear a channel no more.
func (c *channel) deafen(session *core.Session) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.hearing, session)
}

// unbound is called when a session has ended.
func (cs *Channels) unbound(ctx context.Context, session *core.Session) {
	if hasEars.Get(session) == nil {
		return
	}
	all, err := cs.follows.Get(context.WithoutCancel(ctx), session.Account.ID)
	if err != nil {
		cs.log.Warn("a session that has ended may be counted as hearing", "session", session, "err", err)
		return
	}
	cs.deafen(session, all)
}

// attend makes a session hear all that its account follows, and lists it, so that it knows with what to catch up (docs/protocol/channels.md).
func (cs *Channels) attend(ctx context.Context, t *core.Transit, payload *xmpp.Element) (*plan, error) {
	page, err := xmpp.ParsePage(payload)
	if err != nil {
		return nil, xmpp.BadRequest.Because("%v", err)
	}
	limit := page.Size(cs.cfg.MaxPage)
	openEars(t.Via, true)
	if err := cs.listen(ctx, t.Via); err != nil {
		return nil, err
	}
	all, err := cs.follows.Get(ctx, t.Sender.ID)
	if err != nil {
		return nil, err
	}
	list := xmpp.NewElement(NS, "channels")
	paged := xmpp.Paged{Index: -1, Count: len(all.channels)}
	n := 0
	for _, one := range all.channels {
		if one.name <= page.After {
			continue
		}
		if n++; n > limit {
			return answer(t, list.Add(paged.Element())), nil
		}
		c, err := cs.loaded.get(ctx, one.name)
		if errors.Is(err, xmpp.ItemNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if paged.First == "" {
			paged.First = one.name
		}
		paged.Last = one.name
		list.Add(cs.listed(c, one, t.Sender.JID))
	}
	return answer(t, list.Set("complete", "true").Add(paged.Element())), nil
}

// listed is a channel as an account's apps are told of it.
func (cs *Channels) listed(c *channel, one followedOne, who xmpp.JID) *xmpp.Element {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := xmpp.NewElement(NS, "channel").Set("node", c.name).Set("title", c.settings.Title).Set("newest", strconv.FormatInt(c.told, 10)).
		Set("affiliation", c.people[who].String()).Set("followers", strconv.Itoa(c.followers))
	if c.settings.Picture != "" {
		e.Set("picture", c.settings.Picture)
	}
	if c.mark != "" {
		e.Set("mark", c.mark)
	}
	for _, segment := range one.segments {
		e.Add(xmpp.NewElement(NS, "segment").Set("name", segment))
	}
	return e
}
