package group

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

// maxBuried is how many corrections of one message go with it.
const maxBuried = 100

// takeBack puts a tombstone in the place of what its author takes back by the id that the log has given it (XEP-0424 §5); ctx carries a transaction. What names no
// message of the log is the apps' matter.
func (g *Groups) takeBack(ctx context.Context, r *room, st *xmpp.Stanza, by xmpp.JID) error {
	retract := st.Child(nsRetract, "retract")
	id, err := strconv.ParseInt(retract.Attr("id"), 10, 64)
	if retract == nil || err != nil {
		return nil
	}
	var author string
	var kind entryKind
	err = g.db.QueryRow(ctx, "select author, kind from group_entry where id = $1 and room = $2", id, r.id).Scan(&author, &kind)
	switch {
	case errors.Is(err, store.ErrNoRows):
		return nil
	case err != nil:
		return fmt.Errorf("read what is taken back: %w", err)
	case kind == changeEntry, author != by.String():
		return xmpp.Forbidden.Because("only who has said it takes it back")
	case kind == tombstone:
		return nil
	}
	return g.bury(ctx, r, id, xmpp.NewElement(nsRetract, "retracted").Set("id", st.ID).Set("stamp", xmpp.FormatTime(g.now())))
}

// bury puts in the place of a message, and of its corrections, that it was taken back or away (XEP-0424 §5); ctx carries a transaction.
func (g *Groups) bury(ctx context.Context, r *room, id int64, why *xmpp.Element) error {
	var author, text string
	err := g.db.QueryRow(ctx, "select author, stanza from group_entry where id = $1 and room = $2 and kind <> $3", id, r.id, int64(changeEntry)).Scan(&author, &text)
	if errors.Is(err, store.ErrNoRows) {
		return xmpp.ItemNotFound
	}
	if err != nil {
		return fmt.Errorf("read what is buried: %w", err)
	}
	st, err := parseStanza(text)
	if err != nil {
		return err
	}
	if err := g.writeGrave(ctx, id, st, why); err != nil || st.ID == "" {
		return err
	}
	rows, err := g.db.Query(ctx, "select id, stanza from group_entry where room = $1 and author = $2 and kind = 4 and id > $3 order by id limit $4", r.id, author, id, maxBuried)
	if err != nil {
		return fmt.Errorf("look for corrections: %w", err)
	}
	for rows.Next() {
		var later int64
		if err := rows.Scan(&later, &text); err != nil {
			return fmt.Errorf("look for corrections: %w", err)
		}
		correction, err := parseStanza(text)
		if err != nil {
			return err
		}
		if correction.Child("urn:xmpp:message-correct:0", "replace").Attr("id") != st.ID {
			continue
		}
		if err := g.writeGrave(ctx, later, correction, why); err != nil {
			return err
		}
	}
	return nil
}

// writeGrave leaves of a message who has said it, and why it is not there.
func (g *Groups) writeGrave(ctx context.Context, id int64, st *xmpp.Stanza, why *xmpp.Element) error {
	grave := (&xmpp.Stanza{Kind: st.Kind, Type: st.Type, ID: st.ID, From: st.From}).Add(why, st.Child(nsWho, "occupant-id"))
	if _, err := g.db.Exec(ctx, "update group_entry set stanza = $1, kind = $2 where id = $3", string(grave.Append(nil)), int64(tombstone), id); err != nil {
		return fmt.Errorf("bury: %w", err)
	}
	return nil
}
