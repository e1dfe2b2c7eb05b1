package channel

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

// Limits of posts that wait for their time.
const (
	maxScheduled  = 100 // of one channel
	maxAhead      = 366 * 24 * time.Hour
	schedulePause = time.Second // how often it is looked for those whose time has come
	dueAtOnce     = 100
)

// schedule plans that a post is kept until its time.
func (cs *Channels) schedule(t *core.Transit, c *channel, p *post, text string) (*plan, error) {
	at, err := xmpp.ParseTime(text)
	switch {
	case err != nil:
		return nil, xmpp.BadRequest.Because("at: %v", err)
	case !at.After(cs.now()) || at.Sub(cs.now()) > maxAhead:
		return nil, xmpp.NotAcceptable.Because("a post waits for a time within the next %d days", int(maxAhead/(24*time.Hour)))
	}
	by := t.Sender.JID
	var id int64
	return (&plan{write: func(ctx context.Context) error {
		s, err := cs.read(ctx, c)
		if err != nil {
			return err
		}
		if err := cs.mayPost(ctx, c, s, p, by); err != nil {
			return err
		}
		id, err = cs.keepScheduled(ctx, c, p, at, by)
		return err
	}}).answered(t, func() *xmpp.Element {
		item := xmpp.NewElement(nsPubSub, "item").Set("id", p.item)
		return xmpp.NewElement(nsPubSub, "pubsub", xmpp.NewElement(nsPubSub, "publish", item).Set("node", c.name),
			xmpp.NewElement(NS, "schedule").Set("id", strconv.FormatInt(id, 10)).Set("at", xmpp.FormatTime(at)))
	}), nil
}

// keepScheduled keeps a post that waits, within the transaction of ctx, and gives its id. What waits under the id of the same post makes room for it.
func (cs *Channels) keepScheduled(ctx context.Context, c *channel, p *post, at time.Time, by xmpp.JID) (id int64, err error) {
	as, err := cs.stands(ctx, c, by)
	if err != nil {
		return 0, err
	}
	var author string
	err = cs.db.QueryRow(ctx, "select id, author from channel_scheduled where channel = $1 and item = $2", c.id, p.item).Scan(&id, &author)
	switch {
	case errors.Is(err, store.ErrNoRows):
		var n int
		if err := cs.db.QueryRow(ctx, "select count(*) from channel_scheduled where channel = $1", c.id).Scan(&n); err != nil {
			return 0, fmt.Errorf("count scheduled posts: %w", err)
		}
		if n >= maxScheduled {
			return 0, xmpp.ResourceConstraint.Because("at most %d posts of a channel wait for their time", maxScheduled)
		}
		id = cs.db.Next()
	case err != nil:
		return 0, fmt.Errorf("look for a scheduled post: %w", err)
	case as < owner && author != by.Bare().String():
		return 0, xmpp.Forbidden.Because("somebody else has scheduled this")
	default:
		if _, err := cs.db.Exec(ctx, "delete from channel_scheduled where id = $1", id); err != nil {
			return 0, fmt.Errorf("replace a scheduled post: %w", err)
		}
	}
	_, err = cs.db.Exec(ctx, "insert into channel_scheduled (id, channel, due, item, author, segments, payload) values ($1, $2, $3, $4, $5, $6, $7)",
		id, c.id, at.UnixMicro(), p.item, by.Bare().String(), join(p.segments), p.text)
	return id, err
}

// published is the channel that a request of ours names, if the asker publishes there.
func (cs *Channels) published(ctx context.Context, t *core.Transit, payload *xmpp.Element) (*channel, error) {
	c, err := cs.node(ctx, payload)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c, c.mayPublish(t.Sender.JID)
}

// scheduled lists to publishers the posts that wait for their time.
func (cs *Channels) scheduled(ctx context.Context, t *core.Transit, payload *xmpp.Element) (*plan, error) {
	c, err := cs.published(ctx, t, payload)
	if err != nil {
		return nil, err
	}
	list := xmpp.NewElement(NS, "scheduled").Set("node", c.name)
	rows, err := cs.db.Query(ctx, "select id, due, item, author, payload from channel_scheduled where channel = $1 order by due, id limit $2", c.id, int64(maxScheduled))
	if err != nil {
		return nil, fmt.Errorf("list scheduled posts: %w", err)
	}
	for size := 0; rows.Next(); {
		var id, due int64
		var item, author, text string
		if err := rows.Scan(&id, &due, &item, &author, &text); err != nil {
			return nil, fmt.Errorf("list scheduled posts: %w", err)
		}
		post := xmpp.NewElement(NS, "post").Set("id", strconv.FormatInt(id, 10)).Set("item", item).Set("at", xmpp.FormatTime(time.UnixMicro(due))).Set("by", author)
		if size += len(text); size <= maxAnswerBytes {
			payload, err := parsePayload(text)
			if err != nil {
				return nil, err
			}
			post.Add(payload)
		}
		list.Add(post)
	}
	return answer(t, list), nil
}

// cancel decides that a post that waits for its time is not published.
func (cs *Channels) cancel(ctx context.Context, t *core.Transit, payload *xmpp.Element) (*plan, error) {
	c, err := cs.published(ctx, t, payload)
	if err != nil {
		return nil, err
	}
	id, err := xmpp.ParseArchiveID(payload.Attr("id"))
	if err != nil {
		return nil, err
	}
	return (&plan{write: func(ctx context.Context) error {
		as, err := cs.stands(ctx, c, t.Sender.JID)
		if err != nil {
			return err
		}
		if as < publisher {
			return xmpp.Forbidden
		}
		n, err := cs.db.Exec(ctx, "delete from channel_scheduled where channel = $1 and id = $2", c.id, id)
		if err == nil && n == 0 {
			return xmpp.ItemNotFound
		}
		return err
	}}).answered(t, nil), nil
}

// runSchedule publishes posts whose time has come, until ctx ends.
func (cs *Channels) runSchedule(ctx context.Context) {
	tick := time.NewTicker(schedulePause)
	defer tick.Stop()
	for {
		if err := cs.publishDue(ctx); err != nil && ctx.Err() == nil {
			cs.log.Warn("scheduled posts could not be published; they are tried again", "err", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// due is a post whose time has come.
type due struct {
	id   int64
	name string // of its channel
	by   xmpp.JID
	post post
}

// publishDue publishes posts whose time has come, each once: it stops waiting in the transaction that puts it into the log.
func (cs *Channels) publishDue(ctx context.Context) error {
	rows, err := cs.db.Query(ctx, `select s.id, n.name, s.item, s.author, s.segments, s.payload from channel_scheduled s join channel_node n on n.id = s.channel
		where s.due <= $1 order by s.due, s.id limit $2`, cs.now().UnixMicro(), int64(dueAtOnce))
	if err != nil {
		return fmt.Errorf("look for scheduled posts: %w", err)
	}
	for rows.Next() {
		var d due
		var segments, author string
		if err := rows.Scan(&d.id, &d.name, &d.post.item, &author, &segments, &d.post.text); err != nil {
			return fmt.Errorf("read scheduled post: %w", err)
		}
		if d.by, err = xmpp.ParseJID(author); err != nil {
			return fmt.Errorf("read scheduled post: %w", err)
		}
		d.post.segments = split(segments)
		if err := cs.publishOne(ctx, d); err != nil {
			return err
		}
	}
	return nil
}

// errCancelled means that a post does not wait any more.
var errCancelled = errors.New("not scheduled any more")

// later is how long a post waits when its channel has published too much.
const later = time.Minute

func (cs *Channels) publishOne(ctx context.Context, d due) error {
	c, err := cs.loaded.get(ctx, d.name)
	if err != nil {
		return err
	}
	p := cs.posting(c, &d.post, d.by)
	err = cs.server.KeepIn(ctx, c.id, func(ctx context.Context) error {
		n, err := cs.db.Exec(ctx, "delete from channel_scheduled where id = $1", d.id)
		if err != nil {
			return err
		}
		if n == 0 {
			return errCancelled
		}
		return p.write(ctx)
	}, p.tell)
	var refused *xmpp.Error
	switch {
	case err == nil, errors.Is(err, errCancelled):
		return nil
	case errors.Is(err, xmpp.ResourceConstraint):
		_, err = cs.db.Exec(ctx, "update channel_scheduled set due = $1 where id = $2", cs.now().Add(later).UnixMicro(), d.id)
		return err
	case errors.As(err, &refused): // its author may not publish any more, or the channel is gone
		cs.log.Info("a scheduled post is not published", "channel", c.id, "err", err)
		cs.tellDropped(ctx, d, refused)
		_, err = cs.db.Exec(ctx, "delete from channel_scheduled where id = $1", d.id)
		return err
	case errors.Is(err, store.ErrNoRows):
		return nil
	}
	return fmt.Errorf("publish scheduled post: %w", err)
}

// tellDropped tells the author of a post that waited that it is not published, with a message that waits for them if they are away. After a crash they may be told twice.
func (cs *Channels) tellDropped(ctx context.Context, d due, why *xmpp.Error) {
	from, err := xmpp.NewJID(d.name, cs.domain.Domain(), "")
	if err != nil {
		cs.log.Error("a channel without an address", "channel", d.name, "err", err)
		return
	}
	title := d.post.item
	if entry, err := parsePayload(d.post.text); err == nil {
		title = entry.ChildText(nsAtom, "title")
	}
	body := fmt.Sprintf("Your post \"%.200s\" was not published: %s", title, cmp.Or(why.Text, why.Condition))
	dropped := xmpp.NewElement(NS, "dropped", why.Element()).Set("node", d.name).Set("item", d.post.item)
	st := (&xmpp.Stanza{Kind: xmpp.Message, From: from, To: d.by.Bare()}).Add(xmpp.NewText(xmpp.NSClient, "body", body), dropped)
	if err := cs.server.Route(ctx, st); err != nil {
		cs.log.Info("an author is not told of a post that is not published", "channel", d.name, "err", err)
	}
}
