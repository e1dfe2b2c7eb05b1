package channel

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// search is what is asked of a channel's log (XEP-0313 §4).
type search struct {
	span
	id    string
	limit int
	flip  bool
	exist []int64 // ids that must be in the log
}

func searchForm() *xmpp.Element {
	form := xmpp.NewForm("form", nsMAM)
	for _, name := range []string{"start", "end", "before-id", "after-id"} {
		form.Add(name, "text-single", "")
	}
	form.Add("ids", "list-multi", "")
	return xmpp.NewElement(nsMAM, "query", form.Element())
}

// query answers who reads the log of a node (XEP-0313 §4.1). Of posts for segments that the asker has not chosen the places are told alone.
func (cs *Channels) query(ctx context.Context, t *core.Transit, payload *xmpp.Element) (*plan, error) {
	c, err := cs.readable(ctx, t, payload)
	if err != nil {
		return nil, err
	}
	q, err := cs.parseSearch(payload)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	told := c.told
	c.mu.Unlock()
	q.until = min(q.until, told+1)
	if err := cs.mustExist(ctx, c, told, q.exist); err != nil {
		return nil, err
	}
	found, more, err := cs.readLog(ctx, c, q.span, q.limit)
	if err != nil {
		return nil, err
	}
	is, err := cs.readFollowing(ctx, c, t.Sender.ID)
	if err != nil {
		return nil, err
	}
	if q.last != q.flip {
		slices.Reverse(found)
	}
	return &plan{tell: func(context.Context) {
		cs.sendFound(t.Via, c, q, found, is.segments)
		if q.flip {
			slices.Reverse(found)
		}
		t.Via.Send(t.Stanza.Reply(fin(found, more)))
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

func (cs *Channels) parseSearch(payload *xmpp.Element) (*search, error) {
	page, err := xmpp.ParsePage(payload)
	if err != nil {
		return nil, xmpp.BadRequest.Because("%v", err)
	}
	if page.Index >= 0 {
		return nil, xmpp.FeatureNotImplemented.Because("pages by index are not supported")
	}
	q := &search{id: payload.Attr("queryid"), limit: min(50, cs.cfg.MaxPage), flip: payload.Child(nsMAM, "flip-page") != nil, span: span{until: 1<<63 - 1, last: page.Last}}
	if page.Max >= 0 {
		q.limit = min(page.Max, cs.cfg.MaxPage)
	}
	if x := payload.Child(xmpp.NSData, "x"); x != nil {
		form, err := xmpp.ParseForm(x)
		if err != nil || form.FormType() != nsMAM {
			return nil, xmpp.BadRequest.Because("not a form of %s", nsMAM)
		}
		for _, field := range form.Fields {
			if err := q.take(field); err != nil {
				return nil, err
			}
		}
	}
	if page.After != "" {
		if err := q.bound(page.After, true); err != nil {
			return nil, err
		}
	}
	if page.Before != "" {
		return q, q.bound(page.Before, false)
	}
	return q, nil
}

func (q *search) take(field xmpp.Field) error {
	value := ""
	if len(field.Values) > 0 {
		value = field.Values[0]
	}
	switch field.Var {
	case "FORM_TYPE":
		return nil
	case "start", "end":
		at, err := xmpp.ParseTime(value)
		if err != nil {
			return xmpp.BadRequest.Because("%s: %v", field.Var, err)
		}
		if field.Var == "start" {
			q.after = max(q.after, at.UnixMicro()-1)
		} else {
			q.until = min(q.until, at.UnixMicro()+1)
		}
		return nil
	case "after-id", "before-id":
		return q.bound(value, field.Var == "after-id")
	case "ids":
		if len(field.Values) > maxNamed {
			return xmpp.ResourceConstraint.Because("at most %d ids", maxNamed)
		}
		for _, value := range field.Values {
			id, err := parseID(value)
			if err != nil {
				return err
			}
			q.ids = append(q.ids, id)
		}
		q.exist = append(q.exist, q.ids...)
		return nil
	}
	return xmpp.FeatureNotImplemented.Because("unknown field %.80q", field.Var)
}

// parseID reads an id; one that no log can have given is an unknown one.
func parseID(text string) (int64, error) {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id <= 0 {
		return 0, xmpp.ItemNotFound
	}
	return id, nil
}

func (q *search) bound(text string, lower bool) error {
	id, err := parseID(text)
	if err != nil {
		return err
	}
	q.exist = append(q.exist, id)
	if lower {
		q.after = max(q.after, id)
	} else {
		q.until = min(q.until, id)
	}
	return nil
}

var foundStanza = &xmpp.Stanza{Kind: xmpp.Message}

// sendFound sends a page (XEP-0313 §4.2).
func (cs *Channels) sendFound(to *core.Session, c *channel, q *search, found []entry, chosen []string) {
	head := messageHead(to.JID)
	for i := range found {
		e := &found[i]
		b := attr(make([]byte, 0, len(e.payload)+600), "from", cs.domain.String())
		b = append(b, "><result xmlns='"+nsMAM+"'"...)
		if q.id != "" {
			b = attr(b, "queryid", q.id)
		}
		b = append(b, " id='"...)
		b = strconv.AppendInt(b, e.id, 10)
		b = append(b, "'><forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='"...)
		b = append(b, xmpp.FormatTime(time.UnixMicro(e.id))...)
		b = append(b, "'/><message xmlns='jabber:client'"...)
		b = append(b, e.shared(cs.domain, c.name, isFor(e.segments, chosen))...)
		b = append(b, "</forwarded></result></message>"...)
		to.Deliver(core.Delivery{Stanza: foundStanza, Head: head, Bytes: b})
	}
}

func fin(found []entry, more bool) *xmpp.Element {
	paged := xmpp.Paged{Index: -1, Count: -1}
	if n := len(found); n > 0 {
		first, last := found[0].id, found[n-1].id
		paged.First, paged.Last = strconv.FormatInt(min(first, last), 10), strconv.FormatInt(max(first, last), 10)
	}
	e := xmpp.NewElement(nsMAM, "fin", paged.Element())
	if !more {
		e.Set("complete", "true")
	}
	return e
}
