package archive

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

// nsArchive is the namespace of archived messages in an export (XEP-0227 §4.8).
const nsArchive = "urn:xmpp:pie:0#mam"

// exportChunk is how many messages are read at once.
const exportChunk = 1000

// Around is the element that holds an account's archived messages in an export (XEP-0227 §4.8), without them.
func Around() *xmpp.Element { return xmpp.NewElement(nsArchive, "archive") }

// Each hands all messages that the account's archive has now to write, oldest first, each as a child of Around, and stops with the error of
// write.
func (a *Archive) Each(ctx context.Context, account *core.Account, write func(*xmpp.Element) error) error {
	q := &request{Until: a.db.Next()}
	for {
		entries, more, err := a.read(ctx, account, q, exportChunk)
		if err != nil {
			return err
		}
		for _, e := range entries {
			st, err := parseStored(e.stanza)
			if err != nil {
				return fmt.Errorf("entry %d: %w", e.id, err)
			}
			forwarded := xmpp.NewElement(xmpp.NSForward, "forwarded", xmpp.Delay(account.JID, time.UnixMicro(e.id)), st.Element())
			if err := write(xmpp.NewElement(NS, "result", forwarded).Set("id", formatID(e.id))); err != nil {
				return err
			}
			q.After = e.id
		}
		if len(entries) < exportChunk && !more {
			return nil
		}
	}
}

// export gives what the account wants archived as XEP-0441 writes it.
func (a *Archive) export(ctx context.Context, account *core.Account) ([]*xmpp.Element, error) {
	p, err := a.readPreferences(ctx, account)
	if err != nil || p == everything {
		return nil, err
	}
	return []*xmpp.Element{p.element()}, nil
}

// adopt takes archived messages, or some of them, and preferences back. Each message keeps its time; where an id is taken, the next free one is used.
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
	var entries []imported
	for result := range part.Children() {
		one, err := a.readImported(account, result)
		if err != nil {
			return fmt.Errorf("archived message %q: %w", result.Attr("id"), err)
		}
		entries = append(entries, one)
	}
	err := a.db.Tx(ctx, func(ctx context.Context) error { return a.restoreAll(ctx, account, entries) })
	if errors.Is(err, store.ErrConflict) { // an id is taken
		err = a.db.Tx(ctx, func(ctx context.Context) error { return a.restoreEach(ctx, account, entries) })
	}
	if err != nil {
		return fmt.Errorf("import messages: %w", err)
	}
	return nil
}

// imported is a message of a file.
type imported struct {
	id, contact int64 // the id that it would like
	kind        kind
	text        string
}

func (a *Archive) readImported(account *core.Account, result *xmpp.Element) (imported, error) {
	forwarded := result.Child(xmpp.NSForward, "forwarded")
	message := forwarded.Child(xmpp.NSClient, "message")
	stamp, err := xmpp.ParseTime(forwarded.Child(xmpp.NSDelay, "delay").Attr("stamp"))
	if message == nil || err != nil {
		return imported{}, errors.New("no message, or no time")
	}
	st, err := xmpp.NewStanza(message, xmpp.NSClient)
	if err != nil {
		return imported{}, err
	}
	bits, contact := kind(0), st.To
	if st.From.Bare() != account.JID {
		bits, contact = incoming, st.From
	} else if st.To.Bare() == account.JID {
		bits = incoming // see keepSent
	}
	if st.Child(nsRetract, "retracted") != nil {
		bits |= tombstone
	}
	id := min(importID(result.Attr("id"), stamp), a.db.Next()) // one from the future would stand before what is yet to come
	return imported{id, contactID(contact), bits, string(st.Append(nil))}, nil
}

// importID is the id that an imported message would like: its own if that agrees with its time.
func importID(text string, stamp time.Time) int64 {
	if id, err := strconv.ParseInt(text, 10, 64); err == nil && time.UnixMicro(id).Sub(stamp).Abs() < time.Second {
		return id
	}
	return stamp.UnixMicro()
}

// restoreAll keeps messages that have the ids that they would like: store.ErrConflict if one is taken.
func (a *Archive) restoreAll(ctx context.Context, account *core.Account, entries []imported) error {
	for _, e := range entries {
		if err := a.db.Append(ctx, insertEntry, e.id, account.ID, e.contact, int64(e.kind), e.text); err != nil {
			return err
		}
		if err := a.fileAtOnce(ctx, filed{account.ID, e.contact, e.id}); err != nil {
			return err
		}
	}
	return nil
}

// restoreEach gives each message the next free id.
func (a *Archive) restoreEach(ctx context.Context, account *core.Account, entries []imported) error {
	for _, e := range entries {
		for id := e.id; ; id = min(id+1, a.db.Next()) {
			n, err := a.db.Exec(ctx, `insert into archive_entry (id, account, contact, kind, stanza) values ($1, $2, $3, $4, $5)
				on conflict do nothing`, id, account.ID, e.contact, int64(e.kind), e.text)
			if err != nil {
				return err
			}
			if n > 0 {
				e.id = id
				break
			}
		}
		if err := a.fileAtOnce(ctx, filed{account.ID, e.contact, e.id}); err != nil {
			return err
		}
	}
	return nil
}
