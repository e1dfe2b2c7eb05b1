package app

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/test/palabretest"
)

// until waits for what happens in the background.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	look, late := time.NewTicker(10*time.Millisecond), time.After(time.Minute)
	defer look.Stop()
	for !is() {
		select {
		case <-look.C:
		case <-late:
			t.Fatalf("it is not so after a minute: %s", what)
		}
	}
}

// whatSheWrites are requests that write rows of juliet's; SECRET is new each time.
var whatSheWrites = append([]string{
	`<iq type='get' id='s' to='upload.localhost'><request xmlns='urn:xmpp:http:upload:0' filename='SECRET' size='1'/></iq>`,
	`<iq type='set' id='v'><vCard xmlns='vcard-temp'><FN>SECRET</FN></vCard></iq>`,
}, whatJulietDoes...)

// whatOthersWrite are requests of romeo and the nurse that write rows of juliet's.
var whatOthersWrite = []string{
	`<message type='chat' to='juliet@localhost'><body>SECRET</body></message>`,
	`<presence type='subscribe' to='juliet@localhost'/>`,
	`<presence type='unsubscribe' to='juliet@localhost'/>`,
	`<iq type='set' id='p' to='juliet@localhost'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='open'><item id='SECRET'><mood xmlns='test:mood'/></item></publish></pubsub></iq>`,
	`<iq type='set' id='q' to='juliet@localhost'><pubsub xmlns='http://jabber.org/protocol/pubsub'><subscribe node='open' jid='romeo@localhost'/></pubsub></iq>`,
}

// writer sends requests as fast as they are taken, and reads nothing but what makes room, until its stream ends or stop is called.
func writer(ctx context.Context, t *testing.T, who *palabretest.Person, requests []string, all *sync.WaitGroup) {
	t.Helper()
	all.Go(func() {
		for n := 0; ctx.Err() == nil; n++ {
			text := strings.ReplaceAll(requests[n%len(requests)], "SECRET", fmt.Sprintf("%s%d", secret, n))
			if err := who.Stream.Write([]byte(text)); err != nil {
				return
			}
		}
	})
	all.Go(func() {
		for {
			if _, err := who.Stream.Next(); err != nil {
				return
			}
		}
	})
}

// TestNothingIsWrittenToARemovedAccount removes an account while its own devices and others write to it at full speed, and then looks for what
// they have left behind.
func TestNothingIsWrittenToARemovedAccount(t *testing.T) {
	for _, engine := range []string{storetest.SQLite, storetest.Postgres} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			r := start(t, testConfig(t, engine))
			live(t, r).Close()
			removed, err := r.accounts.Lookup(t.Context(), "juliet")
			if err != nil {
				t.Fatal(err)
			}
			writing, stop := context.WithCancel(t.Context())
			defer stop()
			var all sync.WaitGroup
			for i := range 4 {
				writer(writing, t, r.test.Login(t, fmt.Sprintf("juliet/%d", i)), whatSheWrites, &all)
			}
			others := []*palabretest.Person{r.test.Login(t, "romeo/a"), r.test.Login(t, "nurse/b")}
			for _, other := range others {
				writer(writing, t, other, whatOthersWrite, &all)
			}
			entries := func() int { return rowsWith(t, r.db, "archive_entry", 5, removed.ID, "") }
			was := entries()
			until(t, "they write", func() bool { return entries() > was+20 })
			if err := r.accounts.Remove(t.Context(), removed, nil); err != nil {
				t.Fatal(err)
			}
			if err := r.accounts.FinishRemoval(t.Context(), removed); err != nil {
				t.Fatal(err)
			}
			stop()
			for _, other := range others {
				if err := other.Stream.Abort(); err != nil {
					t.Error(err)
				}
			}
			all.Wait()
			until(t, "nobody is there any more", func() bool { return r.server.CountSessions() == 0 })
			there := func() bool { return rowsWith(t, r.db, "account", tables(t, r.db)["account"], removed.ID, "") > 0 }
			until(t, "the pause of the removal is over", func() bool { // there is none for one that was begun before the server was, an hour ago
				if _, err := r.db.Exec(t.Context(), `update jobs_job set due = 0, id = id - 3600000000`); err != nil {
					t.Fatal(err)
				}
				return !there()
			})
			for table, columns := range tables(t, r.db) {
				if table == "upload_file" { // has lost the account, and is swept
					continue
				}
				if n := rowsWith(t, r.db, table, columns, removed.ID, ""); n != 0 {
					t.Errorf("%s: %d rows are left", table, n)
				}
			}
		})
	}
}

// TestARemovalIsFinishedAfterARestart: those who wrote late have ended with the process, so nothing is waited for.
func TestARemovalIsFinishedAfterARestart(t *testing.T) {
	for _, engine := range []string{storetest.SQLite, storetest.Postgres} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			cfg := testConfig(t, engine)
			if engine == storetest.SQLite {
				cfg.Store = storetest.File(t)
			}
			r := start(t, cfg)
			removed, err := r.accounts.Lookup(t.Context(), "juliet")
			if err != nil {
				t.Fatal(err)
			}
			if err := r.accounts.Remove(t.Context(), removed, nil); err != nil {
				t.Fatal(err)
			}
			until(t, "the removal waits for those who write late", func() bool {
				var waiting int
				err := r.db.QueryRow(t.Context(), `select count(*) from jobs_job where due > $1`, time.Now().Add(time.Minute).UnixMicro()).Scan(&waiting)
				return err == nil && waiting == 1
			})
			r.stop()
			again := serveAgain(t, r.cfg)
			all := tables(t, again.db)
			until(t, "the account is gone", func() bool { return rowsWith(t, again.db, "account", all["account"], removed.ID, "") == 0 })
		})
	}
}
