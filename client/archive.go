package client

import (
	"context"
	"fmt"
	"time"

	"palabre.dev/palabre/xmpp"
)

const nsArchive = "urn:xmpp:mam:2" // XEP-0313

// MaxPage is the most entries that one page of an archive may have.
const MaxPage = 250

// ArchiveQuery says which page of an archive is wanted (XEP-0313 §4).
type ArchiveQuery struct {
	// Archive is whose archive: zero for the account's own, or a room.
	Archive xmpp.JID
	// Node is the node of a publish-subscribe service whose log is wanted, "" for none (XEP-0313 §4.1).
	Node string
	// With narrows it to the conversation with one address.
	With xmpp.JID
	// Start and End narrow it by time; zero for open.
	Start, End time.Time
	// After and Before are ids of entries: only what comes after or before them. Last pages from the end towards the beginning.
	After, Before string
	Last          bool
	// Max is the most entries to return, 1 to MaxPage; 0 means 100.
	Max int

	urgent bool // past what is held
}

// ArchivePage is one page, oldest first.
type ArchivePage struct {
	Entries []ArchiveEntry
	// Complete says that there is nothing beyond this page in the direction of paging.
	Complete bool
	// First and Last are the ids to go on from.
	First, Last string
	// Count is how many there are in all, -1 if the server does not say.
	Count int
}

// ArchiveEntry is one kept message.
type ArchiveEntry struct {
	ID      string // the archive's own, also in the message's stanza-id
	Time    time.Time
	Message *xmpp.Stanza
}

// collector takes the results of one query as they arrive.
type collector struct {
	from    xmpp.JID
	max     int
	entries []ArchiveEntry
	seen    map[string]bool
}

// Archive returns one page of an archive. To catch up, ask for what comes After the last id known until Complete. It returns
// xmpp.ItemNotFound when the archive knows no such id, and the errors of Ask.
func (c *Client) Archive(ctx context.Context, q ArchiveQuery) (*ArchivePage, error) {
	if q.Max <= 0 || q.Max > MaxPage {
		q.Max = 100
	}
	id := c.NewID()
	collect := &collector{from: q.Archive, max: q.Max, seen: map[string]bool{}}
	c.mu.Lock()
	if c.pages == nil {
		c.pages = map[string]*collector{}
	}
	c.pages[id] = collect
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.pages, id)
	}()
	iq := &xmpp.Stanza{Kind: xmpp.IQ, Type: "set", To: q.Archive}
	answer, err := c.askFor(ctx, iq.Add(q.element(id)), q.urgent)
	if err != nil {
		return nil, fmt.Errorf("page the archive: %w", err)
	}
	fin := answer.Child(nsArchive, "fin")
	paged := xmpp.ParsePaged(fin)
	complete, _ := xmpp.Bool(fin.Attr("complete"))
	c.mu.Lock()
	defer c.mu.Unlock()
	return &ArchivePage{Entries: collect.entries, Complete: complete, First: paged.First, Last: paged.Last, Count: paged.Count}, nil
}

func (q *ArchiveQuery) element(id string) *xmpp.Element {
	form := xmpp.NewForm("submit", nsArchive)
	if !q.With.IsZero() {
		form.Add("with", "", "", q.With.String())
	}
	if !q.Start.IsZero() {
		form.Add("start", "", "", xmpp.FormatTime(q.Start))
	}
	if !q.End.IsZero() {
		form.Add("end", "", "", xmpp.FormatTime(q.End))
	}
	page := xmpp.Page{Max: q.Max, After: q.After, Before: q.Before, Last: q.Last || q.Before != "", Index: -1}
	query := xmpp.NewElement(nsArchive, "query", form.Element(), page.Element()).Set("queryid", id)
	if q.Node != "" {
		query.Set("node", q.Node)
	}
	return query
}

// collected takes a result of a query. One that nobody asked for is dropped too: it may be forged.
func (c *Client) collected(st *xmpp.Stanza) bool {
	if st.Kind != xmpp.Message {
		return false
	}
	result := st.Child(nsArchive, "result")
	if result == nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	collect := c.pages[result.Attr("queryid")]
	id := result.Attr("id")
	if collect == nil || !c.speaksFor(st.From, collect.from) || len(collect.entries) == collect.max || collect.seen[id] {
		return true
	}
	if inner, at := forwarded(result); inner != nil {
		collect.seen[id] = true // after a resumption it may come again
		collect.entries = append(collect.entries, ArchiveEntry{ID: id, Time: at, Message: inner})
	}
	return true
}

// forwarded takes the message out of a <forwarded/> (XEP-0297); nil if there is none. The time is zero if not said.
func forwarded(parent *xmpp.Element) (*xmpp.Stanza, time.Time) {
	wrap := parent.Child(xmpp.NSForward, "forwarded")
	st, err := xmpp.NewStanza(orEmpty(wrap.Child(xmpp.NSClient, "message")), xmpp.NSClient)
	if err != nil {
		return nil, time.Time{}
	}
	at, err := xmpp.ParseTime(wrap.Child(xmpp.NSDelay, "delay").Attr("stamp"))
	if err != nil {
		at = time.Time{}
	}
	return st, at
}

func orEmpty(e *xmpp.Element) *xmpp.Element {
	if e == nil {
		return &xmpp.Element{}
	}
	return e
}

// StanzaID is the id that an archive gave to a message, "" if none did (XEP-0359 §3.2). Only that of the own account is to be
// believed, and only in what its server delivered.
func StanzaID(st *xmpp.Stanza, by xmpp.JID) string {
	for i := range st.Nodes {
		if e := st.Nodes[i].Element; e.Is(xmpp.NSStanzaID, "stanza-id") && e.Attr("by") == by.String() {
			return e.Attr("id")
		}
	}
	return ""
}
