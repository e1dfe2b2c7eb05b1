package archive

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

// retractReach is how many of the latest messages with a contact a retraction is looked for among, those aside that are not filed yet.
const retractReach = 2000

// retracted is the id of the message that st retracts, "" if it is no retraction (XEP-0424 §3).
func retracted(st *xmpp.Stanza) string { return st.Child(nsRetract, "retract").Attr("id") }

// maxCandidates is how many of them, those that have the id in them, are looked at closely.
const maxCandidates = 20

// bury replaces the message that st retracts by a tombstone in one account's log (XEP-0424 §5). Only its own author can retract a
// message; anything else leaves the log as it is. from is the bit that the author's messages have in this log.
func (a *Archive) bury(ctx context.Context, account *core.Account, contact xmpp.JID, from kind, st *xmpp.Stanza, id string) error {
	latest := &request{With: contact, Until: 1<<63 - 1, Page: xmpp.Page{Last: true}}
	for _, s := range a.stretches(ctx, account, latest) {
		where, args := s.among(account)
		place := func(i int) string { return "$" + strconv.Itoa(len(args)+i) }
		rows, err := a.db.Query(ctx, "select id, kind, stanza from (select id, kind, stanza from "+s.from+" where "+where+" order by id desc limit "+place(1)+
			") as latest where (kind & 5) = "+place(2)+" and replace(stanza, "+place(3)+", '') <> stanza order by id desc limit "+place(4),
			append(args, retractReach, int64(from), plainPart(id), maxCandidates)...)
		if err != nil {
			return fmt.Errorf("look for the retracted message: %w", err)
		}
		if found, err := a.buryAmong(ctx, account, rows, st, id); found || err != nil {
			return err
		}
	}
	return nil
}

// buryAmong replaces the first of the candidates that is the message which st retracts, if there is one.
func (a *Archive) buryAmong(ctx context.Context, account *core.Account, rows *store.Rows, st *xmpp.Stanza, id string) (found bool, err error) {
	for rows.Next() {
		var entry int64
		var bits kind
		var text string
		if err := rows.Scan(&entry, &bits, &text); err != nil {
			return false, err
		}
		original, err := parseStored(text)
		if err != nil {
			return false, err
		}
		if sameMessage(original, id) && original.From.Bare() == st.From.Bare() {
			return true, a.replace(ctx, account, entry, bits|tombstone, buried(original, st))
		}
	}
	return false, nil
}

// plainPart is the longest part of an id that is written in only one way.
func plainPart(id string) (longest string) {
	for _, part := range strings.FieldsFunc(id, func(r rune) bool { return r < ' ' || r > '~' || strings.ContainsRune(`&<>'"`, r) }) {
		if len(part) > len(longest) {
			longest = part
		}
	}
	return longest
}

func (a *Archive) replace(ctx context.Context, account *core.Account, entry int64, kind kind, st *xmpp.Stanza) error {
	_, err := a.db.Exec(ctx, "update archive_entry set kind = $1, stanza = $2 where account = $3 and id = $4", int64(kind), string(st.Append(nil)), account.ID, entry)
	return err
}

// sameMessage reports whether a message goes by this id: its own, or its origin-id (XEP-0359 §3.1).
func sameMessage(st *xmpp.Stanza, id string) bool {
	return st.ID == id || st.Child(xmpp.NSStanzaID, "origin-id").Attr("id") == id
}

// buried is what is left of a message: who, to whom, when, and that it was retracted.
func buried(original, retraction *xmpp.Stanza) *xmpp.Stanza {
	mark := xmpp.NewElement(nsRetract, "retracted").Set("stamp", xmpp.FormatTime(time.Now())).Set("id", retraction.ID)
	left := &xmpp.Stanza{Kind: xmpp.Message, Type: original.Type, ID: original.ID, From: original.From, To: original.To}
	return left.Add(mark)
}

// parseStored reads a message of the log.
func parseStored(text string) (*xmpp.Stanza, error) {
	e, err := xmpp.Parse(text, xmpp.Scope{Default: xmpp.NSClient})
	if err != nil {
		return nil, fmt.Errorf("archived message: %w", err)
	}
	return xmpp.NewStanza(e, xmpp.NSClient)
}
