package group

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// maxIDs is how many ids one request may name.
const maxIDs = 100

// query answers who reads the log.
func (g *Groups) query(ctx context.Context, t *core.Transit, r *room, payload *xmpp.Element, set bool) (*plan, error) {
	if !set {
		return answer(t, xmpp.NewArchiveForm()), nil
	}
	q, err := xmpp.ParseArchiveRequest(payload, xmpp.ArchiveLimits{IDs: maxIDs, Page: g.cfg.MaxPage})
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	from, err := r.readable(t.Sender.JID)
	told, veil := r.told, !r.seesAddresses(t.Sender.JID)
	r.mu.Unlock()
	if err != nil {
		return nil, err
	}
	if err := g.mustExist(ctx, r.id, span{after: from, until: told + 1, ids: q.MustExist}); err != nil {
		return nil, err
	}
	found, more, err := g.read(ctx, r.id, span{after: max(q.After, from), until: min(q.Until, told+1), ids: q.IDs, last: q.Page.Last}, q.Page.Max)
	if err != nil {
		return nil, err
	}
	if veil {
		if found, err = r.veilAll(found); err != nil {
			return nil, err
		}
	} else {
		signAll(found)
	}
	if q.Page.Last {
		slices.Reverse(found)
	}
	return &plan{tell: func(context.Context) {
		g.sendFound(t.Via, r, q, found)
		var first, last int64
		if len(found) > 0 {
			first, last = found[0].id, found[len(found)-1].id
		}
		t.Via.Send(t.Stanza.Reply(xmpp.ArchiveFin(first, last, !more)))
	}}, nil
}

// mustExist refuses ids that are not in a part of the log (XEP-0313 §4.3.2).
func (g *Groups) mustExist(ctx context.Context, room int64, s span) error {
	slices.Sort(s.ids)
	s.ids = slices.Compact(s.ids)
	if len(s.ids) == 0 {
		return nil
	}
	sql, args := s.statement(room)
	var n int
	if err := g.db.QueryRow(ctx, "select count(*) from ("+sql+strconv.Itoa(len(s.ids))+") as found", args...).Scan(&n); err != nil {
		return fmt.Errorf("look up entries: %w", err)
	}
	if n != len(s.ids) {
		return xmpp.ItemNotFound
	}
	return nil
}

// veilAll hides addresses in changes.
func (r *room) veilAll(found []kept) ([]kept, error) {
	for i := range found {
		if found[i].kind != changeEntry {
			continue
		}
		text, err := r.veiled(found[i].stanza)
		if err != nil {
			return nil, err
		}
		found[i].stanza = text
	}
	return found, nil
}

// signAll puts the addresses of authors into what they said, for those who may know them (XEP-0313 §6.1.2).
func signAll(found []kept) {
	const end = "</message>"
	for i := range found {
		k := &found[i]
		if k.kind == changeEntry || !strings.HasSuffix(k.stanza, end) {
			continue
		}
		b := append([]byte(nil), k.stanza[:len(k.stanza)-len(end)]...)
		b = append(b, "<x xmlns='"+nsUser+"'><item jid='"...)
		b = xmpp.AppendEscapedAttr(b, k.author)
		k.stanza = string(append(b, "'/></x>"+end...))
	}
}

var foundStanza = &xmpp.Stanza{Kind: xmpp.Message}

// sendFound sends a page (XEP-0313 §4.2).
func (g *Groups) sendFound(to *core.Session, r *room, q *xmpp.ArchiveRequest, found []kept) {
	if q.Flip {
		found = slices.Clone(found)
		slices.Reverse(found)
	}
	head := messageHead(to.JID)
	for _, k := range found {
		b := make([]byte, 0, len(k.stanza)+400)
		b = append(b, " from='"...)
		b = xmpp.AppendEscapedAttr(b, r.jid.String())
		b = xmpp.AppendArchived(append(b, "'>"...), q.QueryID, k.id)
		b = append(b, "<message xmlns='jabber:client'"...)
		e := &entry{id: k.id, after: k.after, text: k.stanza}
		b = append(b, e.shared(r.jid)...)
		b = append(b, "</forwarded></result></message>"...)
		to.Deliver(core.Delivery{Stanza: foundStanza, Head: head, Bytes: b})
	}
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
		for _, end := range []struct {
			name string
			id   int64
		}{{"start", first}, {"end", last}} {
			e.Add(xmpp.NewElement(nsMAM, end.name).Set("id", strconv.FormatInt(end.id, 10)).Set("timestamp", xmpp.FormatTime(time.UnixMicro(end.id))))
		}
	}
	return answer(t, e), nil
}
