package group

import (
	"context"
	"fmt"
	"strconv"

	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

// entryKind says what an entry of the log is; the numbers are stored.
type entryKind int64

const (
	saidEntry   entryKind = iota // a message
	changeEntry                  // a change of the group
	tombstone                    // a message that was taken back
)

var insertEntry = store.NewInsert("group_entry", "id", "room", "after", "kind", "author", "stanza")

// entry is what goes into the log, and with it to those who attend.
type entry struct {
	kind   entryKind
	author xmpp.JID // bare
	text   string   // the whole message without address, as xmpp.Stanza.Append writes it
	id     int64    // set when it is written
	after  int64
}

// keep appends an entry within the transaction of ctx. It may run more than once.
func (g *Groups) keep(ctx context.Context, r *room, e *entry) error {
	if e.id == 0 || e.id != r.tail { // else it has been the newest one already, in a transaction that failed
		e.after = r.tail
	}
	e.id = g.db.Next()
	r.tail = e.id
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
