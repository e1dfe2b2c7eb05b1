package archive

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// resultStanza stands for every result in the session's queue; the bytes differ.
var resultStanza = &xmpp.Stanza{Kind: xmpp.Message}

// send sends the messages of a page to the device that asked (XEP-0313 §4.2).
func send(to *core.Session, q *request, found []entry) {
	bare, full := to.Account.JID, to.JID
	if q.Flip {
		found = slices.Clone(found)
		slices.Reverse(found)
	}
	head := appendResultHead(nil, bare, full, q.QueryID)
	for _, e := range found {
		bytes := make([]byte, 0, len(head)+len(e.stanza)+256)
		bytes = append(bytes, head...)
		bytes = append(bytes, " id='"...)
		bytes = append(bytes, formatID(e.id)...)
		bytes = append(bytes, "'><forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='"...)
		bytes = append(bytes, xmpp.FormatTime(time.UnixMicro(e.id))...)
		bytes = append(bytes, "'/>"...)
		bytes = appendAlone(bytes, e.stanza)
		bytes = append(bytes, "</forwarded></result></message>"...)
		to.Deliver(core.Delivery{Stanza: resultStanza, Bytes: bytes})
	}
}

// appendResultHead writes what all results of a page begin with, up to the attribute that differs.
func appendResultHead(dst []byte, from, to xmpp.JID, queryID string) []byte {
	dst = append(dst, "<message from='"...)
	dst = xmpp.AppendEscapedAttr(dst, from.String())
	dst = append(dst, "' to='"...)
	dst = xmpp.AppendEscapedAttr(dst, to.String())
	dst = append(dst, "'><result xmlns='urn:xmpp:mam:2'"...)
	if queryID != "" {
		dst = append(dst, " queryid='"...)
		dst = xmpp.AppendEscapedAttr(dst, queryID)
		dst = append(dst, '\'')
	}
	return dst
}

// appendAlone writes a message of the log with its namespace declared.
func appendAlone(dst []byte, stanza string) []byte {
	const head = "<message"
	dst = append(dst, "<message xmlns='jabber:client'"...)
	return append(dst, stanza[len(head):]...)
}

// fin ends an answer. The number of messages is only counted when nothing else is wanted (XEP-0059 §2.7): counting is slow.
func (a *Archive) fin(ctx context.Context, account *core.Account, q *request, found []entry, complete bool) (*xmpp.Element, error) {
	paged := xmpp.Paged{Index: -1, Count: -1}
	if len(found) > 0 {
		paged.First, paged.Last = formatID(found[0].id), formatID(found[len(found)-1].id)
	}
	if q.Page.Max == 0 {
		var err error
		if paged.Count, err = a.count(ctx, account, q); err != nil {
			return nil, err
		}
	}
	fin := xmpp.NewElement(NS, "fin", paged.Element())
	if complete {
		fin.Set("complete", "true")
	}
	return fin, nil
}

// count is how many entries a request finds, at most maxCounted. The index alone tells, but for the few that are not shown.
func (a *Archive) count(ctx context.Context, account *core.Account, q *request) (n int, err error) {
	if err := a.allowed.begin(account.ID); err != nil {
		return 0, err
	}
	defer func() { a.allowed.end(account.ID, n) }()
	for _, s := range a.stretches(ctx, account, q) {
		var some int
		where, args := s.among(account)
		if err := a.db.QueryRow(ctx, countEntries(s.index, where), args...).Scan(&some); err != nil {
			return 0, fmt.Errorf("count archive: %w", err)
		}
		n = min(n+some, maxCounted)
	}
	if !a.hiding(account.ID) {
		return n, nil
	}
	var unseen int
	where, args := q.among(account)
	if err := a.db.QueryRow(ctx, countEntries(asKept, where+" and (kind & 2) = 2"), args...).Scan(&unseen); err != nil {
		return 0, fmt.Errorf("count archive: %w", err)
	}
	return max(0, n-unseen), nil
}

func countEntries(from, where string) string {
	return "select count(*) from (select 1 as one from " + from + " where " + where + " limit " + strconv.Itoa(maxCounted) + ") as counted"
}

// metadata tells the first and last entry (XEP-0313 §5).
func (a *Archive) metadata(ctx context.Context, r *core.Request) (*xmpp.Element, error) {
	if !r.Own() || r.Set {
		return nil, xmpp.Forbidden
	}
	return a.Metadata(ctx, r.Account)
}

// Metadata is the <metadata/> of an account's archive: the ids and times of its first and last messages, nothing if it is empty
// (XEP-0313 §5; also told inline by Bind 2, XEP-0386).
func (a *Archive) Metadata(ctx context.Context, account *core.Account) (*xmpp.Element, error) {
	e := xmpp.NewElement(NS, "metadata")
	for _, end := range []string{"start", "end"} {
		q := &request{Until: math.MaxInt64}
		q.Page.Last = end == "end"
		found, _, err := a.read(ctx, account, q, 1)
		if err != nil || len(found) == 0 {
			return e, err
		}
		id := found[0].id
		e.Add(xmpp.NewElement(NS, end).Set("id", formatID(id)).Set("timestamp", xmpp.FormatTime(time.UnixMicro(id))))
	}
	return e, nil
}
