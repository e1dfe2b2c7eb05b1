package group

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// search is what is asked of a group's log (XEP-0313 §4).
type search struct {
	id           string
	after, until int64 // strictly between
	page         xmpp.Page
	flip         bool
	exist        []int64
}

// query answers who reads the log.
func (g *Groups) query(ctx context.Context, t *core.Transit, r *room, payload *xmpp.Element, set bool) (*plan, error) {
	if !set {
		form := xmpp.NewForm("form", nsMAM)
		for _, name := range []string{"start", "end", "before-id", "after-id"} {
			form.Add(name, "text-single", "")
		}
		return answer(t, xmpp.NewElement(nsMAM, "query", form.Element())), nil
	}
	q, err := g.parseSearch(payload)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	from, err := r.readable(t.Sender.JID)
	told := r.told
	r.mu.Unlock()
	if err != nil {
		return nil, err
	}
	q.after, q.until = max(q.after, from), min(q.until, told+1)
	for _, id := range q.exist {
		var n int
		if err := g.db.QueryRow(ctx, "select count(*) from group_entry where id = $1 and room = $2 and id > $3", id, r.id, from).Scan(&n); err != nil {
			return nil, fmt.Errorf("look up entry: %w", err)
		}
		if n == 0 {
			return nil, xmpp.ItemNotFound
		}
	}
	found, more, err := g.read(ctx, r.id, q.after, q.until, q.page.Max, q.page.Last)
	if err != nil {
		return nil, err
	}
	if q.page.Last {
		slices.Reverse(found)
	}
	return &plan{tell: func(context.Context) {
		g.sendFound(t.Via, r, q, found)
		t.Via.Send(t.Stanza.Reply(fin(found, more)))
	}}, nil
}

func (g *Groups) parseSearch(payload *xmpp.Element) (*search, error) {
	page, err := xmpp.ParsePage(payload)
	if err != nil {
		return nil, xmpp.BadRequest.Because("%v", err)
	}
	if page.Index >= 0 {
		return nil, xmpp.FeatureNotImplemented.Because("pages by index are not supported")
	}
	if page.Max < 0 {
		page.Max = 50
	}
	page.Max = min(page.Max, g.cfg.MaxPage)
	q := &search{id: payload.Attr("queryid"), page: page, flip: payload.Child(nsMAM, "flip-page") != nil, until: 1<<63 - 1}
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
	for _, side := range []struct {
		id    string
		lower bool
	}{{page.After, true}, {page.Before, false}} {
		if side.id == "" {
			continue
		}
		if err := q.bound(side.id, side.lower); err != nil {
			return nil, err
		}
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
	case "after-id":
		return q.bound(value, true)
	case "before-id":
		return q.bound(value, false)
	}
	return xmpp.FeatureNotImplemented.Because("unknown field %q", field.Var)
}

func (q *search) bound(text string, lower bool) error {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id <= 0 {
		return xmpp.ItemNotFound
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
func (g *Groups) sendFound(to *core.Session, r *room, q *search, found []kept) {
	if q.flip {
		found = slices.Clone(found)
		slices.Reverse(found)
	}
	head := messageHead(to.JID)
	for _, k := range found {
		b := make([]byte, 0, len(k.stanza)+400)
		b = append(b, " from='"...)
		b = xmpp.AppendEscapedAttr(b, r.jid.String())
		b = append(b, "'><result xmlns='"+nsMAM+"'"...)
		if q.id != "" {
			b = append(b, " queryid='"...)
			b = xmpp.AppendEscapedAttr(b, q.id)
			b = append(b, '\'')
		}
		b = append(b, " id='"...)
		b = strconv.AppendInt(b, k.id, 10)
		b = append(b, "'><forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='"...)
		b = append(b, xmpp.FormatTime(time.UnixMicro(k.id))...)
		b = append(b, "'/><message xmlns='jabber:client'"...)
		e := &entry{id: k.id, after: k.after, text: k.stanza}
		b = append(b, e.shared(r.jid)...)
		b = append(b, "</forwarded></result></message>"...)
		to.Deliver(core.Delivery{Stanza: foundStanza, Head: head, Bytes: b})
	}
}

func fin(found []kept, more bool) *xmpp.Element {
	paged := xmpp.Paged{Index: -1, Count: -1}
	if len(found) > 0 {
		paged.First, paged.Last = strconv.FormatInt(found[0].id, 10), strconv.FormatInt(found[len(found)-1].id, 10)
	}
	e := xmpp.NewElement(nsMAM, "fin", paged.Element())
	if !more {
		e.Set("complete", "true")
	}
	return e
}

// metadata tells the first and the last entry that the asker may read (XEP-0313 §5).
func (g *Groups) metadata(ctx context.Context, t *core.Transit, r *room) (*plan, error) {
	r.mu.Lock()
	from, err := r.readable(t.Sender.JID)
	told := r.told
	r.mu.Unlock()
	if err != nil {
		return nil, err
	}
	e := xmpp.NewElement(nsMAM, "metadata")
	var first, last int64
	if err := g.db.QueryRow(ctx, "select coalesce(min(id), 0), coalesce(max(id), 0) from group_entry where room = $1 and id > $2 and id <= $3", r.id, from, told).Scan(&first, &last); err != nil {
		return nil, fmt.Errorf("ends of the log: %w", err)
	}
	if first > 0 {
		for name, id := range map[string]int64{"start": first, "end": last} {
			e.Add(xmpp.NewElement(nsMAM, name).Set("id", strconv.FormatInt(id, 10)).Set("timestamp", xmpp.FormatTime(time.UnixMicro(id))))
		}
	}
	return answer(t, e), nil
}
