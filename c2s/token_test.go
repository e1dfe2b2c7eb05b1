package c2s

import (
	"strconv"
	"testing"
	"time"

	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
)

// Nobody fills the database with tokens: an account has so many, and those that are over do not stay.
func TestTokensAreBounded(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		cfg := DefaultConfig()
		tokens, err := newTokens(t.Context(), db, cfg)
		if err != nil {
			t.Fatal(err)
		}
		count := func() (n int) {
			if err := db.QueryRow(t.Context(), "select count(*) from c2s_token where account = 1").Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		}
		issue := func(id int) {
			if _, err := tokens.issue(t.Context(), 1, client{id: strconv.Itoa(id)}, "HT-SHA-256-NONE"); err != nil {
				t.Fatal(err)
			}
		}
		for i := range 2*maxDevices + 20 {
			issue(i)
		}
		if n := count(); n > 2*maxDevices {
			t.Errorf("%d tokens", n)
		}
		if found, err := tokens.find(t.Context(), 1, strconv.Itoa(2*maxDevices+19), "HT-SHA-256-NONE"); err != nil || len(found) != 1 {
			t.Errorf("the last token: %v, %v", found, err)
		}
		if _, err := db.Exec(t.Context(), "update c2s_token set expires = $1", time.Now().UnixMicro()); err != nil {
			t.Fatal(err)
		}
		issue(0)
		if n := count(); n != 1 {
			t.Errorf("%d tokens after all have expired", n)
		}
	})
}
