package channel

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
	"palabre.dev/palabre/xmpp/fault"
)

// maxItem is the most bytes that the id of a post may have.
const maxItem = 128

// segmentScheme marks the categories of a post that say whom it is for.
const segmentScheme = NS + "#segment"

// post is what a request wants published.
type post struct {
	item     string
	named    bool     // the publisher has given the id
	text     string   // the payload's bytes
	segments []string // whom it is for; none for everybody
	options  *xmpp.Form
}

// parsePost reads <publish/> and what is beside it (XEP-0060 §7.1, XEP-0472 §4.2).
func (cs *Channels) parsePost(pubsub, publish *xmpp.Element) (*post, error) {
	item := publish.Child(nsPubSub, "item")
	if item == nil {
		return nil, fault.ItemRequired
	}
	n := 0
	for child := range publish.Children() {
		if child.Is(nsPubSub, "item") {
			n++
		}
	}
	if n > 1 {
		return nil, fault.MaxItems.Because("one post at a time")
	}
	p := &post{item: item.Attr("id"), named: item.Attr("id") != ""}
	entry := item.First()
	for child := range item.Children() {
		if child != entry {
			return nil, fault.InvalidPayload.Because("an item holds one element")
		}
	}
	if entry == nil {
		return nil, fault.PayloadRequired
	}
	if len(p.item) > maxItem {
		return nil, xmpp.NotAcceptable.Because("the id of a post has at most %d bytes", maxItem)
	}
	if err := p.takeEntry(entry); err != nil {
		return nil, err
	}
	if len(p.text) > cs.cfg.MaxPostBytes {
		return nil, fault.PayloadTooBig.Because("a post has at most %d bytes", cs.cfg.MaxPostBytes)
	}
	if p.item == "" {
		p.item = rand.Text()
	}
	if options := pubsub.Child(nsPubSub, "publish-options"); options != nil {
		form, err := parseForm(options.Child(xmpp.NSData, "x"), nsPubSub+"#publish-options")
		if err != nil {
			return nil, err
		}
		p.options = form
	}
	return p, nil
}

// takeEntry reads an Atom entry (RFC 4287 §4.1.2), as far as the server must know it. It goes on unchanged.
func (p *post) takeEntry(entry *xmpp.Element) error {
	if !entry.Is(nsAtom, "entry") {
		return fault.InvalidPayload.Because("a post is an Atom entry")
	}
	for _, name := range []string{"id", "title", "updated"} {
		if entry.Child(nsAtom, name) == nil {
			return fault.InvalidPayload.Because("an Atom entry has an %s", name)
		}
	}
	if _, err := xmpp.ParseTime(entry.ChildText(nsAtom, "updated")); err != nil {
		return fault.InvalidPayload.Because("updated: %v", err)
	}
	for child := range entry.Children() {
		if child.Is(nsAtom, "category") && child.Attr("scheme") == segmentScheme {
			p.segments = append(p.segments, child.Attr("term"))
		}
	}
	if len(p.segments) > maxSegments {
		return xmpp.NotAcceptable.Because("a post is for at most %d segments", maxSegments)
	}
	p.text = string(entry.Append(nil, ""))
	return nil
}

// publish decides about a post (XEP-0060 §7.1).
func (cs *Channels) publish(ctx context.Context, t *core.Transit, pubsub, e *xmpp.Element) (*plan, error) {
	c, err := cs.node(ctx, e)
	if err != nil {
		return nil, err
	}
	p, err := cs.parsePost(pubsub, e)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	may := c.mayPublish(t.Sender.JID)
	c.mu.Unlock()
	if may != nil {
		return nil, may
	}
	if err := cs.checkSignature(ctx, c, p, e.Child(nsPubSub, "item").First(), t.Sender); err != nil {
		return nil, err
	}
	if when := pubsub.Child(NS, "schedule"); when != nil {
		return cs.schedule(t, c, p, when.Attr("at"))
	}
	posted := cs.posting(c, p, t.Sender.JID)
	tell := posted.tell
	posted.tell = func(ctx context.Context) { // it is kept: who publishes does not wait until all have it
		item := xmpp.NewElement(nsPubSub, "item").Set("id", p.item)
		t.Via.Send(t.Stanza.Reply(xmpp.NewElement(nsPubSub, "pubsub", xmpp.NewElement(nsPubSub, "publish", item).Set("node", c.name))))
		tell(ctx)
	}
	return posted, nil
}

// mayPublish refuses who may not; c.mu is held.
func (c *channel) mayPublish(who xmpp.JID) error {
	switch {
	case c.gone:
		return xmpp.Gone
	case c.people[who.Bare()] < publisher:
		return xmpp.Forbidden.Because("only who publishes here may do that")
	}
	return nil
}

// posting plans that a post is kept and told.
func (cs *Channels) posting(c *channel, p *post, by xmpp.JID) *plan {
	e := &entry{kind: postEntry, item: p.item, author: by.Bare().String(), segments: p.segments, payload: p.text}
	again := false
	write := func(ctx context.Context) (err error) {
		again, err = cs.writePost(ctx, c, p, e, by)
		return err
	}
	return &plan{channel: c, write: write, tell: func(context.Context) {
		if !again {
			cs.tell(c, e)
		}
	}}
}

// writePost keeps a post within the transaction of ctx, if that may still be. What was published under the same id makes room; what is the same to the byte
// stays, and nothing is kept again: who did not get the answer publishes it once more without anybody noticing.
func (cs *Channels) writePost(ctx context.Context, c *channel, p *post, e *entry, by xmpp.JID) (again bool, err error) {
	s, err := cs.read(ctx, c)
	if err != nil {
		return false, err
	}
	if err := cs.mayPost(ctx, c, s, p, by); err != nil {
		return false, err
	}
	was, err := cs.post(ctx, c, p.item)
	if err != nil && !errors.Is(err, xmpp.ItemNotFound) {
		return false, err
	}
	if err == nil && was.author == e.author && was.payload == e.payload {
		return true, nil
	}
	return false, cs.replacePost(ctx, c, s, p, e, by)
}

// replacePost keeps a post in the place of the one with its id, if there is one, within the transaction of ctx.
func (cs *Channels) replacePost(ctx context.Context, c *channel, s state, p *post, e *entry, by xmpp.JID) error {
	if err := cs.notTooOften(ctx, c); err != nil {
		return err
	}
	as, err := cs.stands(ctx, c, by)
	if err != nil {
		return err
	}
	if err := cs.clear(ctx, c, p.item, by, as); err != nil && !errors.Is(err, xmpp.ItemNotFound) {
		return err
	}
	return cs.keep(ctx, c, s, e)
}

// mayPost looks within the transaction of ctx whether somebody may publish a post.
func (cs *Channels) mayPost(ctx context.Context, c *channel, s state, p *post, by xmpp.JID) error {
	as, err := cs.stands(ctx, c, by)
	if err != nil {
		return err
	}
	if as < publisher {
		return xmpp.Forbidden.Because("only who publishes here may do that")
	}
	if !s.settings.has(p.segments) {
		return xmpp.NotAcceptable.Because("a post is for segments that the channel has")
	}
	if p.options != nil {
		if unmet := s.settings.unmet(p.options); unmet != "" {
			return fault.Precondition.Because("%.80s", unmet)
		}
	}
	return nil
}

// notTooOften refuses more posts than a channel may publish in an hour.
func (cs *Channels) notTooOften(ctx context.Context, c *channel) error {
	var n int
	err := cs.db.QueryRow(ctx, "select count(*) from (select 1 from channel_entry where channel = $1 and id > $2 and kind in (0, 3) limit $3) as recent",
		c.id, cs.now().Add(-time.Hour).UnixMicro(), int64(cs.cfg.MaxPostsPerHour)).Scan(&n)
	if err != nil {
		return fmt.Errorf("count posts: %w", err)
	}
	if n >= cs.cfg.MaxPostsPerHour {
		return xmpp.ResourceConstraint.Because("a channel publishes at most %d posts in an hour", cs.cfg.MaxPostsPerHour)
	}
	return nil
}

// clear empties the place of a post within the transaction of ctx: xmpp.ItemNotFound if there is none. Publishers clear what they have published, owners
// anything.
func (cs *Channels) clear(ctx context.Context, c *channel, item string, by xmpp.JID, as affiliation) error {
	var id int64
	var author string
	err := cs.db.QueryRow(ctx, "select id, author from channel_entry where channel = $1 and item = $2 and kind = $3", c.id, item, int64(postEntry)).Scan(&id, &author)
	if errors.Is(err, store.ErrNoRows) {
		return xmpp.ItemNotFound
	}
	if err != nil {
		return fmt.Errorf("look for a post: %w", err)
	}
	if as < owner && author != by.Bare().String() {
		return xmpp.Forbidden.Because("somebody else has published this")
	}
	if _, err := cs.db.Exec(ctx, "update channel_entry set kind = $1, payload = '', segments = '' where id = $2", int64(emptyEntry), id); err != nil {
		return fmt.Errorf("empty the place of a post: %w", err)
	}
	return nil
}

// maxRetracted is how many posts one request may take back.
const maxRetracted = 1

// retract decides about taking a post back (XEP-0060 §7.2).
func (cs *Channels) retract(ctx context.Context, t *core.Transit, _, e *xmpp.Element) (*plan, error) {
	c, err := cs.node(ctx, e)
	if err != nil {
		return nil, err
	}
	items := namedItems(e)
	switch {
	case len(items) == 0 || items[0] == "":
		return nil, fault.ItemRequired
	case len(items) > maxRetracted:
		return nil, xmpp.PolicyViolation.Because("one post at a time")
	case len(items[0]) > maxItem:
		return nil, xmpp.ItemNotFound
	}
	by := t.Sender.JID
	taken := &entry{kind: retractEntry, item: items[0], author: by.Bare().String()}
	return (&plan{channel: c, write: func(ctx context.Context) error {
		s, err := cs.read(ctx, c)
		if err != nil {
			return err
		}
		as, err := cs.stands(ctx, c, by)
		if err != nil {
			return err
		}
		if as < publisher {
			return xmpp.Forbidden.Because("only who publishes here may do that")
		}
		if err := cs.clear(ctx, c, taken.item, by, as); err != nil {
			return err
		}
		return cs.keep(ctx, c, s, taken)
	}, tell: func(context.Context) { cs.tell(c, taken) }}).answered(t, nil), nil
}

// namedItems are the ids of the items that a request names.
func namedItems(e *xmpp.Element) (ids []string) {
	for child := range e.Children() {
		if child.Is(nsPubSub, "item") {
			ids = append(ids, child.Attr("id"))
		}
	}
	return ids
}
