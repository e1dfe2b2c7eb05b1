package archive

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// TestBackFromUnavailable checks that a device which was unavailable for a while on the same session gets what came meanwhile, once.
func TestBackFromUnavailable(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		romeo, juliet := w.device("romeo@localhost/a").available(), w.device("juliet@localhost/b").available()
		romeo.say("juliet@localhost", "one")
		if text := bodies(juliet.ack()); text != "one" {
			t.Fatalf("live: %q", text)
		}
		juliet.session.SetPresence(nil, 0)
		romeo.say("juliet@localhost", "two")
		romeo.say("juliet@localhost/b", "three")
		juliet.available()
		romeo.say("juliet@localhost", "four")
		got := juliet.ack()
		seen := map[string]int{}
		for _, st := range got {
			seen[st.Body()]++
		}
		if len(got) != 3 || len(seen) != 3 {
			t.Errorf("juliet got %q, each is to come once", bodies(got))
		}
	})
}

// TestDirectMessageBeforePresence checks that what a session was given before it became available does not come again.
func TestDirectMessageBeforePresence(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		romeo, juliet := w.device("romeo@localhost/a").available(), w.device("juliet@localhost/b")
		romeo.say("juliet@localhost", "missed")
		romeo.say("juliet@localhost/b", "direct")
		if text := bodies(juliet.ack()); text != "direct" {
			t.Fatalf("before presence: %q", text)
		}
		if text := bodies(juliet.available().ack()); text != "missed" {
			t.Errorf("with presence: %q", text)
		}
	})
}

// TestReaderGetsWhatTheArchiveHides checks that an app which reads the archive still gets the messages that were kept for it alone.
func TestReaderGetsWhatTheArchiveHides(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		romeo := w.device("romeo@localhost/a").available()
		romeo.say("juliet@localhost", "archived")
		romeo.send("<message to='juliet@localhost' type='chat'><body>passing</body><no-permanent-store xmlns='urn:xmpp:hints'/></message>")
		juliet := w.device("juliet@localhost/b")
		juliet.ask("")
		got := juliet.available().ack()
		if bodies(got) != "passing" {
			t.Fatalf("juliet got %q", bodies(got))
		}
		if got[0].Child(xmpp.NSStanzaID, "stanza-id") != nil {
			t.Error("the message names a place in the archive, where it is not (XEP-0313 §5.1)")
		}
		romeo.send("<message to='juliet@localhost' type='chat'><body>live</body><no-permanent-store xmlns='urn:xmpp:hints'/></message>")
		if got = juliet.ack(); bodies(got) != "live" || got[0].Child(xmpp.NSStanzaID, "stanza-id") != nil {
			t.Errorf("live: %v", got)
		}
	})
}

// TestNoteToSelfWhileCatchingUp checks that a device which is still being sent what it missed gets a note of another one as well.
func TestNoteToSelfWhileCatchingUp(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		romeo, phone := w.device("romeo@localhost/a").available(), w.device("juliet@localhost/phone")
		romeo.say("juliet@localhost", "missed")
		laptop := w.device("juliet@localhost/laptop").available()
		phone.say("juliet@localhost", "note")
		if text := bodies(laptop.ack()); text != "missed note" {
			t.Errorf("the laptop got %q", text)
		}
	})
}

// TestAckApart checks that the acknowledgement of a message that went past the others says nothing of the others.
func TestAckApart(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		romeo, juliet := w.device("romeo@localhost/a").available(), w.device("juliet@localhost/b").available()
		juliet.session.SetPresence(nil, 0)
		romeo.say("juliet@localhost", "missed")
		romeo.say("juliet@localhost/b", "direct")
		juliet.ack()
		if text := bodies(juliet.available().deliveriesAsStanzas()); text != "missed" {
			t.Errorf("available again: %q", text)
		}
		w.server.Unbind(t.Context(), juliet.session) // "missed" was never acknowledged
		next := w.device("juliet@localhost/c").available()
		if text := bodies(next.ack()); text != "missed direct" && text != "missed" {
			t.Errorf("the next device got %q", text)
		}
	})
}

func (d *device) deliveriesAsStanzas() (out []*xmpp.Stanza) {
	for _, delivery := range d.deliveries() {
		out = append(out, delivery.Stanza)
	}
	return out
}

// TestLostIsNotDoubled checks that what a device had as a carbon is not sent to it again when the device that it was for is lost.
func TestLostIsNotDoubled(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		carbon := true
		w.server.Tell(core.Received, func(ctx context.Context, tr *core.Transit) {
			for _, session := range w.server.Sessions(tr.Receiver.JID) {
				if carbon && !tr.WasDeliveredTo(session) && w.server.MayDeliver(ctx, tr, session) {
					session.Send(tr.Stanza)
				}
			}
		})
		romeo := w.device("romeo@localhost/a").available()
		phone, laptop := w.device("juliet@localhost/phone").available(), w.device("juliet@localhost/laptop").available()
		romeo.say("juliet@localhost/phone", "copied")
		carbon = false
		romeo.say("juliet@localhost/phone", "not-copied")
		w.server.Lost(t.Context(), phone.session, phone.deliveries())
		w.server.Unbind(t.Context(), phone.session)
		if text := bodies(laptop.ack()); text != "copied not-copied" {
			t.Errorf("the laptop got %q", text)
		}
	})
}

// TestLargeMessagesAreReadBack fills a log with large stanzas and reads it in every way: a page ends before it grows too large for a
// session's queue, and goes on after that.
func TestLargeMessagesAreReadBack(t *testing.T) {
	const messages, size = 66, 1 << 20
	each(t, func(t *testing.T, w *world) {
		juliet := w.device("juliet@localhost/b")
		account := juliet.session.Account
		err := w.archive.db.Tx(t.Context(), func(ctx context.Context) error {
			for i := range messages {
				text := fmt.Sprintf("<message from='romeo@localhost/a' to='juliet@localhost' id='%d'><body>%s</body></message>", i, strings.Repeat("x", size))
				if err := w.archive.add(ctx, w.archive.db.Next(), account.ID, contactID(xmpp.MustJID("romeo@localhost")), incoming, text); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, filter := range []string{"", form("with", "romeo@localhost/a")} {
			if all := walk(juliet, filter, 100, false, false); len(all) != messages {
				t.Errorf("%q: %d messages", filter, len(all))
			}
		}
		if fresh := w.device("juliet@localhost/c").available(); len(fresh.ack()) != messages || fresh.end != "" {
			t.Errorf("the next device ended with %q", fresh.end)
		}
		if part := exported(t, w.archive, account); len(part.Nodes) != messages {
			t.Errorf("export: %d messages", len(part.Nodes))
		}
	})
}

// TestRetractionFindsOddIDs retracts messages whose ids need escaping.
func TestRetractionFindsOddIDs(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		romeo, juliet := w.device("romeo@localhost/a").available(), w.device("juliet@localhost/b").available()
		for _, id := range []string{"a&amp;long", "it&apos;s", "%", "été"} {
			romeo.send("<message to='juliet@localhost' type='chat' id='" + id + "'><body>oops</body></message>")
			romeo.send("<message to='juliet@localhost' type='chat'><retract xmlns='urn:xmpp:message-retract:1' id='" + id + "'/></message>")
		}
		for _, d := range []*device{romeo, juliet} {
			if texts, _, _ := d.ask(""); slices.Contains(texts, "oops") {
				t.Errorf("%v keeps %q", d.session.JID, texts)
			}
		}
	})
}

// TestExpire deletes what is old in every account, and nothing else.
func TestExpire(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		romeo, juliet := w.device("romeo@localhost/a").available(), w.device("juliet@localhost/b").available()
		err := w.archive.db.Tx(t.Context(), func(ctx context.Context) error {
			for i := range int64(1100) {
				if err := w.archive.add(ctx, 1+i, 1+i%2, 7, 0, "<message/>"); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		romeo.say("juliet@localhost", "new")
		if err := w.archive.expire(t.Context(), time.Now().Add(-time.Hour)); err != nil {
			t.Fatal(err)
		}
		for _, d := range []*device{romeo, juliet} {
			if texts, _, _ := d.ask(""); !slices.Equal(texts, []string{"new"}) {
				t.Errorf("%v has %q", d.session.JID, texts)
			}
		}
	})
}

// TestPlans looks at how the queries that are asked often, or on the one road to the disk, reach their rows: by an index, and on
// PostgreSQL without sorting all that an account has.
func TestPlans(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		db := w.archive.db
		err := db.Tx(t.Context(), func(ctx context.Context) error {
			for i := range int64(20_000) {
				if err := db.Append(ctx, insertEntry, db.Next(), 1+i%4, i/4%50, i&1, "<message/>"); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		explain, prepare := "explain query plan ", "select 1"
		if db.Engine() == "postgres" {
			explain, prepare = "explain ", "analyze archive_entry"
		}
		if _, err := db.Exec(t.Context(), prepare); err != nil {
			t.Fatal(err)
		}
		account := &core.Account{ID: 1}
		all, chat := &request{Until: 1<<63 - 1}, &request{Until: 1<<63 - 1, With: xmpp.MustJID("juliet@localhost")}
		all.Page.Last, chat.Page.Last = true, true
		a := begin(t, db, DefaultConfig()).archive // knows what is not filed
		if err := a.file(t.Context()); err != nil {
			t.Fatal(err)
		}
		whole, ofOne := a.stretches(t.Context(), account, all)[0], a.stretches(t.Context(), account, chat)[0]
		where, args := whole.shown(account)
		chatWhere, chatArgs := ofOne.shown(account)
		plans := []struct {
			sql  string
			args []any
		}{
			{"select id, kind, stanza from " + whole.from + " where " + where + " order by id limit $4", append(args, 51)},
			{"select id, kind, stanza from " + whole.from + " where " + where + " order by id desc limit $4", append(args, 51)},
			{"select id, kind, stanza from " + ofOne.from + " where " + chatWhere + " order by id desc limit $5", append(chatArgs, 51)},
			{"select account from " + whole.index + " where account > $1 order by account limit 1", []any{1}},
			{"update archive_entry set kind = $1, stanza = $2 where account = $3 and id = $4", []any{1, "x", 1, 5}},
			{"delete from archive_entry where account = $1 and id <= $2 and (kind & 2) = 2", []any{1, 5}},
		}
		for _, p := range plans {
			text := ""
			err := db.Tx(t.Context(), func(ctx context.Context) error {
				rows, err := db.Query(ctx, explain+p.sql, p.args...)
				if err != nil {
					return err
				}
				for text = ""; rows.Next(); {
					var line string
					if dest := []any{new(int64), new(int64), new(int64), &line}; db.Engine() == "postgres" {
						err = rows.Scan(&line)
					} else {
						err = rows.Scan(dest...)
					}
					text += line + "\n"
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			sorts := strings.Contains(text, "Sort") && !strings.Contains(p.sql, "contact") || strings.Contains(text, "B-TREE")
			if sorts || strings.Contains(text, "Seq Scan") || strings.Contains(text, "SCAN ") || !strings.Contains(strings.ToLower(text), "index archive_entry_") &&
				!strings.Contains(text, "using archive_entry_") && !strings.Contains(text, "PRIMARY KEY") && !strings.Contains(text, "Bitmap Index Scan on archive_entry_") {
				t.Errorf("%s\n%s", p.sql, text)
			}
		}
	})
}
