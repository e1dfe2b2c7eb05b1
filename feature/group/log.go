package group

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

// entryKind says what an entry of the log is; the numbers are stored.
type entryKind int64

const (
	saidEntry       entryKind = iota // a message that has something to read
	changeEntry                      // a change of the group
	tombstone                        // a message that was taken back
	noteEntry                        // what is about something that was said: reactions, markers, that it was taken back
	correctionEntry                  // a message in the place of an earlier one (XEP-0308)
	quietEntry                       // a message that its author wants nobody to notice, such as a vote (docs/protocol/polls-and-events.md)
)

// kindOf says what a message is for the log.
func kindOf(st *xmpp.Stanza) entryKind {
	switch {
	case st.Child("urn:xmpp:message-correct:0", "replace") != nil:
		return correctionEntry
	case st.Child(nsRetract, "retract") != nil || st.Body() == "" && !hasPayload(st):
		return noteEntry
	case st.Child(nsQuiet, "quiet") != nil:
		return quietEntry
	}
	return saidEntry
}

var insertEntry = store.NewInsert("group_entry", "id", "room", "after", "kind", "author", "stanza")

// entry is what goes into the log, and with it to those who attend.
type entry struct {
	kind   entryKind
	author xmpp.JID // bare
	text   string   // the whole message without address, as xmpp.Stanza.Append writes it
	id     int64    // set when it is written
	after  int64
}

// tail is the end of a group's log as the writer of the database has left it.
type tail struct {
	newest, change int64 // ids of the newest entry, and of the newest change
	undone         int64 // store.DB.Undone when that was certain, and one more; 0 for never
}

// sight makes certain where the log ends, within the transaction of ctx. What is remembered is certain unless the writer has taken something back since.
func (g *Groups) sight(ctx context.Context, r *room) error {
	undone := g.db.Undone() + 1
	if r.tail.undone == undone {
		return nil
	}
	err := g.db.QueryRow(ctx, "select version, coalesce((select max(id) from group_entry where room = $1), 0) from group_room where id = $1", r.id).
		Scan(&r.tail.change, &r.tail.newest)
	if errors.Is(err, store.ErrNoRows) {
		return xmpp.ItemNotFound
	}
	if err != nil {
		return fmt.Errorf("end of the log: %w", err)
	}
	r.tail.undone = undone
	return nil
}

// keep appends an entry within the transaction of ctx. It may run more than once.
func (g *Groups) keep(ctx context.Context, r *room, e *entry) error {
	return g.keepAs(ctx, r, e, g.db.Next())
}

// keepAs is keep with an id that was taken from the row within the same transaction.
func (g *Groups) keepAs(ctx context.Context, r *room, e *entry, id int64) error {
	if err := g.sight(ctx, r); err != nil {
		return err
	}
	e.id, e.after, r.tail.newest = id, r.tail.newest, id
	return g.db.Append(ctx, insertEntry, e.id, r.id, e.after, int64(e.kind), e.author.String(), e.text)
}

// newest is the id of the newest entry of a group, 0 if there is none.
func (g *Groups) newest(ctx context.Context, room int64) (id int64, err error) {
	err = g.db.QueryRow(ctx, "select coalesce(max(id), 0) from group_entry where room = $1", room).Scan(&id)
	if err != nil {
		return 0, fmt.Errorf("newest entry: %w", err)
	}
	return id, nil
}

// shared are the bytes of an entry that all who attend get after the beginning of the tag: with its number and what comes before it.
func (e *entry) shared(room xmpp.JID) []byte {
	const head, end = "<message", "</message>"
	b := make([]byte, 0, len(e.text)+len(room.String())+160)
	b = append(b, e.text[len(head):len(e.text)-len(end)]...)
	b = append(b, "<stanza-id xmlns='urn:xmpp:sid:0' by='"...)
	b = xmpp.AppendEscapedAttr(b, room.String())
	b = append(b, "' id='"...)
	b = strconv.AppendInt(b, e.id, 10)
	b = append(b, "'/><entry xmlns='"+NS+"' after='"...)
	b = strconv.AppendInt(b, e.after, 10)
	b = append(b, "'/>"...)
	return append(b, end...)
}
