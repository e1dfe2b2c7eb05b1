package archive

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// nsArchive is the namespace of archived messages in an export (XEP-0227 §4.8).
const nsArchive = "urn:xmpp:pie:0#mam"

// exportChunk is how many messages are read at once.
const exportChunk = 1000

// export gives all archived messages (XEP-0227 §4.8), and what the account wants archived as XEP-0441 writes it.
func (a *Archive) export(ctx context.Context, account *core.Account) ([]*xmpp.Element, error) {
	archive := xmpp.NewElement(nsArchive, "archive")
	q := &request{until: 1<<63 - 1}
	for {
		entries, more, err := a.read(ctx, account, q, exportChunk)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			st, err := parseStored(e.stanza)
			if err != nil {
				return nil, fmt.Errorf("entry %d: %w", e.id, err)
			}
			forwarded := xmpp.NewElement(xmpp.NSForward, "forwarded", xmpp.Delay(account.JID, time.UnixMicro(e.id)), st.Element())
			archive.Add(xmpp.NewElement(NS, "result", forwarded).Set("id", formatID(e.id)))
			q.after = e.id
		}
		if len(entries) < exportChunk && !more {
			break
		}
	}
	var parts []*xmpp.Element
	if len(archive.Nodes) > 0 {
		parts = append(parts, archive)
	}
	p, err := a.readPreferences(ctx, account)
	if err != nil {
		return nil, err
	}
	if p != everything {
		parts = append(parts, p.element())
	}
	return parts, nil
}

// adopt takes archived messages and preferences back. Each message keeps its time; where an id is taken, the next free one is used.
func (a *Archive) adopt(ctx context.Context, account *core.Account, part *xmpp.Element) error {
	if part.Is(NS, "prefs") {
		p, err := parsePrefs(part)
		if err != nil {
			return err
		}
		return a.writePreferences(ctx, account, p)
	}
	if !part.Is(nsArchive, "archive") {
		return nil
	}
	for result := range part.Children() {
		forwarded := result.Child(xmpp.NSForward, "forwarded")
		message := forwarded.Child(xmpp.NSClient, "message")
		stamp, err := xmpp.ParseTime(forwarded.Child(xmpp.NSDelay, "delay").Attr("stamp"))
		if message == nil || err != nil {
			return fmt.Errorf("archived message %q: no message, or no time", result.Attr("id"))
		}
		st, err := xmpp.NewStanza(message, xmpp.NSClient)
		if err != nil {
			return fmt.Errorf("archived message %q: %w", result.Attr("id"), err)
		}
		if err := a.restore(ctx, account, st, importID(result.Attr("id"), stamp)); err != nil {
			return err
		}
	}
	return nil
}

// importID is the id that an imported message would like: its own if that agrees with its time.
func importID(text string, stamp time.Time) int64 {
	if id, err := strconv.ParseInt(text, 10, 64); err == nil && time.UnixMicro(id).Sub(stamp).Abs() < time.Second {
		return id
	}
	return stamp.UnixMicro()
}

func (a *Archive) restore(ctx context.Context, account *core.Account, st *xmpp.Stanza, id int64) error {
	bits, contact := kind(0), st.To
	if st.From.Bare() != account.JID {
		bits, contact = incoming, st.From
	}
	if st.Child(nsRetract, "retracted") != nil {
		bits |= tombstone
	}
	text := string(st.Append(nil))
	for id = min(id, a.db.Next()); ; id++ { // one from the future would stand before what is yet to come
		n, err := a.db.Exec(ctx, `insert into archive_entry (id, account, contact, kind, stanza) values ($1, $2, $3, $4, $5)
			on conflict do nothing`, id, account.ID, contactID(contact), int64(bits), text)
		if err != nil || n > 0 {
			return err
		}
	}
}
