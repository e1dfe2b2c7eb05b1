package archive

import (
	"strings"
	"testing"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/xmpp"
)

// A chat is found by its own index: by that of the account, a device that opens 200 chats has the whole log read 200 times.
func TestSQLiteReadsAChatByItsIndex(t *testing.T) {
	w := begin(t, storetest.Open(t, storetest.SQLite), DefaultConfig())
	for _, order := range []string{"order by id", "order by id desc"} {
		q := &request{with: xmpp.MustJID("juliet@example.org"), until: 1<<63 - 1}
		where, args := q.where(&core.Account{ID: 1})
		rows, err := w.archive.db.Query(t.Context(), "explain query plan select id, stanza from archive_entry where "+where+" "+order+" limit 50", args...)
		if err != nil {
			t.Fatal(err)
		}
		var plan strings.Builder
		for rows.Next() {
			var id, parent, unused int64
			var detail string
			if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
				t.Fatal(err)
			}
			plan.WriteString(detail + "\n")
		}
		if !strings.Contains(plan.String(), "USING INDEX archive_entry_contact (account=? AND contact=? AND rowid>? AND rowid<?)") {
			t.Errorf("%s: plan:\n%s", order, plan.String())
		}
	}
}
