package main

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
)

// jobsWaiting is the server's own figure.
func (s *served) jobsWaiting(t *testing.T) string {
	t.Helper()
	response, err := http.Get("http://" + s.local + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if figure, ok := strings.CutPrefix(line, "palabre_jobs_waiting "); ok {
			return strings.TrimSpace(figure)
		}
	}
	t.Fatal("there is no figure of jobs")
	return ""
}

// TestARemovalSurvivesKill kills the server while it removes an account with a large archive.
func TestARemovalSurvivesKill(t *testing.T) {
	const messages = 100_000
	for _, engine := range []string{storetest.SQLite, storetest.Postgres} {
		t.Run(engine, func(t *testing.T) {
			cfg := storetest.Config(t, engine)
			if engine == storetest.SQLite {
				cfg = storetest.File(t)
			}
			p := newPlace(t, cfg, "")
			p.run("wherefore\n", "account", "add", "juliet")
			p.run("wherefore\n", "account", "add", "romeo")
			db := storetest.OpenConfig(t, cfg)
			if _, err := db.Exec(t.Context(), `insert into archive_entry (id, account, contact, kind, stanza)
				with recursive n(i) as (select 1 union all select i + 1 from n where i < $1)
				select 2 * i + case when name = 'romeo' then 1 else 0 end, id, 7, 1, name from n, account`, messages); err != nil {
				t.Fatal(err)
			}
			shut(t, db)

			s := p.serve()
			removing := p.command("account", "remove", "--yes", "juliet")
			if err := removing.Start(); err != nil {
				t.Fatal(err)
			}
			for p.accounts()["juliet"].Name != "" {
			}
			s.kill(t)
			if err := removing.Wait(); err == nil {
				t.Log("the removal was done before the server was killed")
			}
			db = storetest.OpenConfig(t, cfg)
			t.Logf("left after the kill: %d messages", rows(t, db, "archive_entry where stanza = 'juliet'"))
			if rows(t, db, "account where name = 'juliet' and removing") != 1 && rows(t, db, "account_gone where name = 'juliet'") != 1 {
				t.Error("what was certain before the kill is not after it")
			}
			shut(t, db)
			if out, err := p.try("wherefore\n", "account", "add", "juliet"); err == nil || !strings.Contains(out, "not free yet") {
				t.Errorf("the name is free: %v %s", err, out)
			}

			s = p.serve()
			look := time.NewTicker(100 * time.Millisecond)
			for late := time.Now().Add(5 * time.Minute); s.jobsWaiting(t) != "0" && time.Now().Before(late); {
				<-look.C
			}
			look.Stop()
			if all := p.accounts(); len(all) != 1 || all["romeo"].Name == "" {
				t.Errorf("accounts %+v", all)
			}
			s.stop(t)
			db = storetest.OpenConfig(t, cfg)
			if n := rows(t, db, "archive_entry where stanza = 'juliet'"); n != 0 {
				t.Errorf("%d messages are left", n)
			}
			if n := rows(t, db, "archive_entry where stanza = 'romeo'"); n != messages {
				t.Errorf("romeo has %d messages", n)
			}
			if rows(t, db, "account where name = 'juliet'") != 0 || rows(t, db, "account_gone where name = 'juliet'") != 1 {
				t.Error("the account is not gone, or its name does not rest")
			}
			shut(t, db)
		})
	}
}

func shut(t *testing.T, db *store.DB) {
	t.Helper()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func rows(t *testing.T, db *store.DB, what string) (n int) {
	t.Helper()
	if err := db.QueryRow(t.Context(), "select count(*) from "+what).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
