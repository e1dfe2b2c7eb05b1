package archive

import (
	"context"
	"strconv"
	"sync"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

// kind says what an entry is; the bits are stored.
type kind int64

const (
	incoming kind = 1 << iota // from the contact, not to it
	hidden                    // kept only until it reaches a device: the account does not want it archived
	tombstone
)

var insertEntry = store.NewInsert("archive_entry", "id", "account", "contact", "kind", "stanza")

// worth says what a message is to the archive.
type worth uint8

const (
	nothing   worth = iota // never kept, and nobody is told when it reaches no device
	fleeting               // not to be kept, but its sender is told when it reaches no device
	lasting                // a part of the conversation
	untilRead              // to be kept until it reaches a device, but not archived
)

// worthOf applies XEP-0313 §5.1, XEP-0334 and what is known of today's message types.
func worthOf(st *xmpp.Stanza) worth {
	if kind := st.MessageType(); kind != "chat" && kind != "normal" {
		return fleeting
	}
	body, store := false, false
	for i := range st.Nodes {
		e := st.Nodes[i].Element
		switch {
		case e == nil:
		case e.Space == xmpp.NSHints && e.Local == "no-store":
			if st.Child(xmpp.NSClient, "body") != nil {
				return fleeting
			}
			return nothing
		case e.Space == xmpp.NSHints && e.Local == "no-permanent-store":
			return untilRead
		case e.Space == xmpp.NSHints && e.Local == "store":
			store = true
		case e.Space == xmpp.NSClient && e.Local == "body":
			body = true
		case isConversation(e):
			store = true
		}
	}
	if body || store {
		return lasting
	}
	return nothing
}

// isConversation reports whether an element without a body belongs in the conversation's record.
func isConversation(e *xmpp.Element) bool {
	switch e.Space {
	case xmpp.NSClient:
		return e.Local == "subject"
	case "urn:xmpp:receipts":
		return e.Local == "received"
	case "urn:xmpp:chat-markers:0":
		return e.Local != "markable"
	case "eu.siacs.conversations.axolotl", "urn:xmpp:omemo:2":
		return e.Local == "encrypted" && e.Child(e.Space, "payload") != nil
	case "urn:xmpp:eme:0", "urn:xmpp:reactions:0", nsRetract, "urn:xmpp:message-correct:0", "jabber:x:conference", "urn:xmpp:jingle-message:0",
		"urn:xmpp:fasten:0":
		return true
	}
	return false
}

// dropForgedID removes stanza-ids that only this server may give (XEP-0359 §4).
func (a *Archive) dropForgedID(_ context.Context, t *core.Transit) error {
	if t.Stanza.Kind != xmpp.Message {
		return nil
	}
	forged := func(e *xmpp.Element) bool {
		if !e.Is(xmpp.NSStanzaID, "stanza-id") {
			return false
		}
		by, err := xmpp.ParseJID(e.Attr("by"))
		return err != nil || t.Sender != nil && by == t.Sender.JID || t.Receiver != nil && by == t.Receiver.JID
	}
	for i := range t.Stanza.Nodes {
		if e := t.Stanza.Nodes[i].Element; e != nil && forged(e) {
			t.Edit().Remove(forged)
			break
		}
	}
	return nil
}

// keepSent plans the entry in the sender's log.
func (a *Archive) keepSent(t *core.Transit) core.Write {
	if t.Stanza.Kind != xmpp.Message || worthOf(t.Stanza) != lasting {
		return nil
	}
	if t.Receiver != nil && t.Receiver.ID == t.Sender.ID { // a note to self is one entry, which the other devices may have missed
		return a.plan(t, t.Sender, t.Stanza.To, incoming, &t.SentID)
	}
	return a.plan(t, t.Sender, t.Stanza.To, 0, &t.SentID)
}

// keepReceived plans the entry in the receiver's log.
func (a *Archive) keepReceived(t *core.Transit) core.Write {
	if t.Stanza.Kind != xmpp.Message {
		return nil
	}
	kind := incoming
	switch worthOf(t.Stanza) {
	case nothing:
		t.Stored = true
		return nil
	case fleeting:
		return nil
	case untilRead:
		kind |= hidden
	}
	t.Stored = true
	if t.Sender != nil && t.Sender.ID == t.Receiver.ID && kind&hidden == 0 { // see keepSent
		return func(context.Context) error {
			t.ReceivedID = t.SentID
			return nil
		}
	}
	return a.plan(t, t.Receiver, t.Stanza.From, kind, &t.ReceivedID)
}

func (a *Archive) plan(t *core.Transit, account *core.Account, contact xmpp.JID, as kind, id *int64) core.Write {
	contact = contact.Bare()
	stanza := t.Stanza
	retracts := retracted(stanza)
	written := a.writtenOf(t)
	return func(ctx context.Context) error {
		kind := as
		*id = 0
		passing.Set(t, false)
		prefs, err := a.preferencesOf(ctx, account)
		if err != nil {
			return err
		}
		wanted, err := a.wants(ctx, account, prefs, contact)
		if err != nil {
			return err
		}
		if !wanted {
			if kind&incoming == 0 {
				return nil
			}
			kind |= hidden
		}
		if retracts != "" {
			if err := a.bury(ctx, account, contact, kind&incoming, stanza, retracts); err != nil {
				return err
			}
		}
		if kind&hidden != 0 {
			a.hide(account.ID)
			passing.Set(t, true)
		}
		*id = a.db.Next()
		return a.add(ctx, *id, account.ID, contactID(contact), kind, written.text())
	}
}

// add keeps an entry with a new id; ctx carries a transaction.
func (a *Archive) add(ctx context.Context, id, account, contact int64, kind kind, text string) error {
	a.filing.note(account, id)
	return a.db.Append(ctx, insertEntry, id, account, contact, int64(kind), text)
}

// written is a message as the log keeps it, made when the first of the two logs wants it.
type written struct {
	stanza *xmpp.Stanza
	made   string
}

// writtenOf is shared by both ends of a message.
func (a *Archive) writtenOf(t *core.Transit) *written {
	w := a.written.Get(t)
	if w == nil || w.stanza != t.Stanza {
		w = &written{stanza: t.Stanza}
		a.written.Set(t, w)
	}
	return w
}

func (w *written) text() string {
	if w.made == "" {
		scratch := scratches.Get().(*[]byte)
		*scratch = w.stanza.Append((*scratch)[:0])
		w.made = string(*scratch)
		if cap(*scratch) <= maxScratch {
			scratches.Put(scratch)
		}
	}
	return w.made
}

// scratches are for messages that are being written out; larger ones are not kept.
var scratches = sync.Pool{New: func() any { return new([]byte) }}

const maxScratch = 16 << 10

// passing marks a message that is in the receiver's log only until it reaches a device.
var passing = new(core.Note[bool])

// stamp gives a received message its number in the receiver's log (XEP-0359 §3.2), if it can be found there (XEP-0313 §5.1.2).
func (a *Archive) stamp(t *core.Transit) {
	if t.ReceivedID != 0 && !passing.Get(t) {
		t.Edit().Add(xmpp.StanzaID(t.Receiver.JID, t.ReceivedID))
	}
}

func formatID(id int64) string { return strconv.FormatInt(id, 10) }
