package channel

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

// maxAnswerBytes is about how many bytes of posts one answer holds; one post always goes.
const maxAnswerBytes = 512 << 10

// span is a part of a channel's log: the entries with ids strictly between two.
type span struct {
	after, until int64
	last         bool // the newest ones first
	posts        bool // posts alone
	ids          []int64
}

// where is what a statement asks of entries to be within a span.
func (s span) where(c *channel) (sql string, args []any) {
	sql, args = " where channel = $1 and id > $2 and id < $3", []any{c.id, s.after, s.until}
	if s.posts {
		sql += " and kind = " + strconv.Itoa(int(postEntry))
	}
	for i, id := range s.ids {
		sql += []string{" and id in (", ", "}[min(i, 1)] + "$" + strconv.Itoa(len(args)+1)
		args = append(args, id)
	}
	if len(s.ids) > 0 {
		sql += ")"
	}
	return sql, args
}

// readLog reads at most limit entries of a channel, and whether there are more.
func (cs *Channels) readLog(ctx context.Context, c *channel, s span, limit int) (found []entry, more bool, err error) {
	sql, args := s.where(c)
	order := " order by id limit "
	if s.last {
		order = " order by id desc limit "
	}
	rows, err := cs.db.Query(ctx, "select id, after, kind, item, author, segments, payload from channel_entry"+sql+order+strconv.Itoa(limit+1), args...)
	if err != nil {
		return nil, false, fmt.Errorf("read log: %w", err)
	}
	for size := 0; rows.Next(); {
		var e entry
		var segments string
		if err := rows.Scan(&e.id, &e.after, &e.kind, &e.item, &e.author, &segments, &e.payload); err != nil {
			return nil, false, fmt.Errorf("read log: %w", err)
		}
		e.segments = split(segments)
		if size += len(e.payload); len(found) == limit || size > maxAnswerBytes && len(found) > 0 {
			return found, true, nil
		}
		found = append(found, e)
	}
	return found, false, nil
}

// post reads one post.
func (cs *Channels) post(ctx context.Context, c *channel, item string) (e *entry, err error) {
	e = &entry{kind: postEntry, item: item}
	var segments string
	err = cs.db.QueryRow(ctx, "select id, after, author, segments, payload from channel_entry where channel = $1 and item = $2 and kind = $3", c.id, item, int64(postEntry)).
		Scan(&e.id, &e.after, &e.author, &segments, &e.payload)
	if errors.Is(err, store.ErrNoRows) {
		return nil, xmpp.ItemNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read post: %w", err)
	}
	e.segments = split(segments)
	return e, nil
}

// maxNamed is how many posts one request may name.
const maxNamed = 100

// retrieve gives posts, oldest first (XEP-0060 §6.5).
func (cs *Channels) retrieve(ctx context.Context, t *core.Transit, pubsub, e *xmpp.Element) (*plan, error) {
	c, err := cs.readable(ctx, t, e)
	if err != nil {
		return nil, err
	}
	var found []entry
	var set *xmpp.Element
	if named := namedItems(e); len(named) > 0 {
		found, err = cs.named(ctx, c, named)
	} else {
		found, set, err = cs.page(ctx, c, pubsub, e)
	}
	if err != nil {
		return nil, err
	}
	items := xmpp.NewElement(nsPubSub, "items").Set("node", c.name)
	for i := range found {
		item, err := found[i].element()
		if err != nil {
			return nil, err
		}
		items.Add(item)
	}
	return answer(t, xmpp.NewElement(nsPubSub, "pubsub", items, set)), nil
}

// element is a post as an item of a node.
func (e *entry) element() (*xmpp.Element, error) {
	payload, err := parsePayload(e.payload)
	if err != nil {
		return nil, err
	}
	return xmpp.NewElement(nsPubSub, "item", payload).Set("id", e.item).Set("publisher", e.author), nil
}

func parsePayload(text string) (*xmpp.Element, error) {
	payload, err := xmpp.Parse(text, xmpp.Scope{Default: nsAtom})
	if err != nil {
		return nil, fmt.Errorf("stored post: %w", err)
	}
	return payload, nil
}

// named are the posts that a request names: xmpp.ItemNotFound if none of them is there (XEP-0060 §6.5.8).
func (cs *Channels) named(ctx context.Context, c *channel, items []string) (found []entry, err error) {
	if len(items) > maxNamed {
		return nil, xmpp.PolicyViolation.Because("at most %d posts at a time", maxNamed)
	}
	size := 0
	for _, item := range items {
		one, err := cs.post(ctx, c, item)
		if errors.Is(err, xmpp.ItemNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if size += len(one.payload); size > maxAnswerBytes && len(found) > 0 {
			return nil, xmpp.PolicyViolation.Because("these posts are too large for one answer: ask for fewer")
		}
		found = append(found, *one)
	}
	if len(found) == 0 {
		return nil, xmpp.ItemNotFound
	}
	return found, nil
}

// page are the posts that a request bounds by a number (the newest) or by a result set (XEP-0060 §6.5.4, §6.5.7).
func (cs *Channels) page(ctx context.Context, c *channel, pubsub, e *xmpp.Element) ([]entry, *xmpp.Element, error) {
	page, err := xmpp.ParsePage(pubsub)
	if err != nil {
		return nil, nil, xmpp.BadRequest.Because("%v", err)
	}
	if page.Index >= 0 {
		return nil, nil, xmpp.FeatureNotImplemented.Because("ask with after or before (XEP-0059)")
	}
	bounded := pubsub.Child(xmpp.NSRSM, "set") != nil
	limit := page.Size(cs.cfg.MaxPage)
	if given := e.Attr("max_items"); given != "" {
		n, err := strconv.ParseUint(given, 10, 31)
		if err != nil || n == 0 {
			return nil, nil, xmpp.BadRequest.Because("max_items must be a positive number")
		}
		limit = min(limit, int(n))
	}
	s := span{until: 1<<63 - 1, last: page.Last || !bounded, posts: true}
	for id, bound := range map[string]*int64{page.After: &s.after, page.Before: &s.until} {
		if id == "" {
			continue
		}
		one, err := cs.post(ctx, c, id)
		if err != nil {
			return nil, nil, err
		}
		*bound = one.id
	}
	found, more, err := cs.readLog(ctx, c, s, limit)
	if err != nil {
		return nil, nil, err
	}
	if s.last {
		slices.Reverse(found)
	}
	if !bounded && !more {
		return found, nil, nil
	}
	paged := xmpp.Paged{Index: -1, Count: -1}
	if len(found) > 0 {
		paged.First, paged.Last = found[0].item, found[len(found)-1].item
	}
	return found, paged.Element(), nil
}
