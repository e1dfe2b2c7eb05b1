package publishing

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"palabre.dev/palabre/feature/status"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/test/palabretest"
	"palabre.dev/palabre/xmpp"
)

// count is the number that a question to the database has for an answer.
func count(t *testing.T, db *store.DB, sql string) (n int64) {
	t.Helper()
	if err := db.QueryRow(t.Context(), sql).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// statuses are those that an account's own node shows, and those that its list names.
func statuses(t *testing.T, who *palabretest.Person) (shown, listed int) {
	t.Helper()
	ask := func(payload string) *xmpp.Element {
		who.Send("<iq type='get' id='q'>" + payload + "</iq>")
		return who.Expect(xmpp.NSClient, "iq").First()
	}
	shown = strings.Count(ask("<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='"+status.Node+"'/></pubsub>").String(), "<item ")
	listed = strings.Count(ask("<statuses xmlns='"+status.NS+"'/>").String(), "<status ")
	return shown, listed
}

// TestAStatusStaysForADay lets all but two seconds of a day pass for one, sees it go at that moment, and wants nothing of it to be left when the server begins again.
func TestAStatusStaysForADay(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		var usedBefore int64
		t.Run("a day", func(t *testing.T) {
			s := palabretest.StartOn(t, db, palabretest.With(together))
			romeo := s.Login(t, "romeo")
			for _, id := range []string{"one", "two"} {
				if id == "two" {
					usedBefore = count(t, db, "select bytes from pubsub_usage")
				}
				romeo.Send(fmt.Sprintf("<iq type='set' id='p'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='%s'><item id='%s'><entry xmlns='http://www.w3.org/2005/Atom'/></item></publish></pubsub></iq>", status.Node, id))
				if answer := romeo.Expect(xmpp.NSClient, "iq"); answer.Attr("type") != "result" {
					t.Fatal(answer)
				}
			}
			most := (status.Lifetime - 2*time.Second).Microseconds()
			for _, sql := range []string{"update pubsub_item set id = id - $1 where name = 'one'", "update status_item set posted = posted - $1, expires = expires - $1 where name = 'one'"} {
				if _, err := db.Exec(t.Context(), sql, most); err != nil {
					t.Fatal(err)
				}
			}
			over := time.UnixMicro(count(t, db, "select id from pubsub_item where name = 'one'")).Add(status.Lifetime)
			look := time.NewTicker(5 * time.Millisecond)
			defer look.Stop()
			for gone := false; !gone; <-look.C {
				before := time.Now()
				shown, listed := statuses(t, romeo)
				gone = shown == 1 && listed == 1
				if now := time.Now(); shown == 1 && now.Before(over) || shown == 2 && before.After(over) {
					t.Fatalf("it is over at %s, and at %s there are %d", over, now, shown)
				}
				if time.Since(over) > time.Minute {
					t.Fatalf("after a day %d are shown and %d listed", shown, listed)
				}
			}
		})
		t.Run("the next day", func(t *testing.T) {
			s := palabretest.StartOn(t, db, palabretest.With(together))
			look, late := time.NewTicker(5*time.Millisecond), time.After(time.Minute)
			defer look.Stop()
			for count(t, db, "select count(*) from pubsub_item")+count(t, db, "select count(*) from status_item") != 2 {
				select {
				case <-look.C:
				case <-late:
					t.Fatal("it is still there")
				}
			}
			if now := count(t, db, "select bytes from pubsub_usage"); now != usedBefore {
				t.Errorf("%d bytes are counted, not %d", now, usedBefore)
			}
			if shown, listed := statuses(t, s.Login(t, "romeo")); shown != 1 || listed != 1 {
				t.Errorf("%d are shown and %d listed", shown, listed)
			}
		})
	})
}

// TestStatusesStayBehind moves an account: the time that a status has left does not move, so the status does not either.
func TestStatusesStayBehind(t *testing.T) {
	s := palabretest.Start(t, storetest.SQLite, palabretest.With(together))
	romeo := s.Login(t, "romeo")
	romeo.Send("<iq type='set' id='p'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='" + status.Node + "'><item id='one'><entry xmlns='http://www.w3.org/2005/Atom'/></item></publish></pubsub></iq>")
	if answer := romeo.Expect(xmpp.NSClient, "iq"); answer.Attr("type") != "result" {
		t.Fatal(answer)
	}
	parts, err := s.Core.Export(t.Context(), s.Accounts.Get("romeo"))
	if err != nil {
		t.Fatal(err)
	}
	node := false
	for _, part := range parts {
		node = node || strings.Contains(part.String(), "configure node='"+status.Node+"'")
		if strings.Contains(part.String(), "Atom") {
			t.Errorf("it was exported: %s", part)
		}
	}
	if !node {
		t.Error("who may read it was not exported")
	}
	there := s.Accounts.Add("paris")
	foreign := "<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='" + status.Node + "'><item id='old'><entry xmlns='http://www.w3.org/2005/Atom'/></item></items></pubsub>"
	part, err := xmpp.Parse(foreign, xmpp.Scope{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Core.Import(t.Context(), there, part); err != nil {
		t.Fatal(err)
	}
	if n := count(t, s.DB, "select count(*) from pubsub_item where name = 'old'"); n != 0 {
		t.Error("one came from elsewhere, and would stay for another day")
	}
}
