package channel

import (
	"context"
	"fmt"
	"slices"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// query answers who reads the log of a node (XEP-0313 §4.1). Of posts for segments that the asker has not chosen the places are told alone.
func (cs *Channels) query(ctx context.Context, t *core.Transit, payload *xmpp.Element) (*plan, error) {
	c, err := cs.readable(ctx, t, payload)
	if err != nil {
		return nil, err
	}
	q, err := xmpp.ParseArchiveRequest(payload, xmpp.ArchiveLimits{IDs: maxNamed, Page: cs.cfg.MaxPage})
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	told := c.told
	c.mu.Unlock()
	if err := cs.mustExist(ctx, c, told, q.MustExist); err != nil {
		return nil, err
	}
	found, more, err := cs.readLog(ctx, c, span{after: q.After, until: min(q.Until, told+1), ids: q.IDs, last: q.Page.Last}, q.Page.Max)
	if err != nil {
		return nil, err
	}
	is, err := cs.readFollowing(ctx, c, t.Sender.ID)
	if err != nil {
		return nil, err
	}
	if q.Page.Last != q.Flip {
		slices.Reverse(found)
	}
	return &plan{tell: func(context.Context) {
		cs.sendFound(t.Via, c, q, found, is.segments)
		if q.Flip {
			slices.Reverse(found)
		}
		var first, last int64
		if n := len(found); n > 0 {
			first, last = min(found[0].id, found[n-1].id), max(found[0].id, found[n-1].id)
		}
		t.Via.Send(t.Stanza.Reply(xmpp.ArchiveFin(first, last, !more)))
	}}, nil
}

// mustExist refuses ids that are not in the log (XEP-0313 §4.3.2).
func (cs *Channels) mustExist(ctx context.Context, c *channel, told int64, ids []int64) error {
	slices.Sort(ids)
	ids = slices.Compact(ids)
	if len(ids) == 0 {
		return nil
	}
	sql, args := span{until: told + 1, ids: ids}.where(c)
	var n int
	if err := cs.db.QueryRow(ctx, "select count(*) from channel_entry"+sql, args...).Scan(&n); err != nil {
		return fmt.Errorf("look up entries: %w", err)
	}
	if n != len(ids) {
		return xmpp.ItemNotFound
	}
	return nil
}

var foundStanza = &xmpp.Stanza{Kind: xmpp.Message}

// sendFound sends a page (XEP-0313 §4.2).
func (cs *Channels) sendFound(to *core.Session, c *channel, q *xmpp.ArchiveRequest, found []entry, chosen []string) {
	head := messageHead(to.JID)
	for i := range found {
		e := &found[i]
		b := attr(make([]byte, 0, len(e.payload)+600), "from", cs.domain.String())
		b = xmpp.AppendArchived(append(b, '>'), q.QueryID, e.id)
		b = append(b, "<message xmlns='jabber:client'"...)
		b = append(b, e.shared(cs.domain, c.name, isFor(e.segments, chosen))...)
		b = append(b, "</forwarded></result></message>"...)
		to.Deliver(core.Delivery{Stanza: foundStanza, Head: head, Bytes: b})
	}
}
