package archive

import (
	"strings"
	"testing"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/xmpp"
)

// A chat is found where it is filed: by the account, a device that opens 200 chats has the whole log read 200 times. Entries are counted in
// the index alone. What is not filed yet is found by the account, but only from there on.
func TestSQLiteReadsAChatByItsIndex(t *testing.T) {
	w := begin(t, storetest.Open(t, storetest.SQLite), DefaultConfig())
	const chat, account = "archive_contact USING PRIMARY KEY (account=? AND contact=? AND id>? AND id<?)", "archive_entry_account (account=? AND rowid>? AND rowid<?)"
	const message, several = "archive_entry USING INTEGER PRIMARY KEY (rowid=?)", "archive_contact USING PRIMARY KEY (account=? AND contact=? AND id=?)"
	one := &request{with: xmpp.MustJID("juliet@example.org"), until: 1<<63 - 1}
	where, args := one.where(&core.Account{ID: 1})
	counted, _ := one.among(&core.Account{ID: 1})
	all, ofAll := (&request{until: 1<<63 - 1}).among(&core.Account{ID: 1})
	named, ofNamed := (&request{with: one.with, until: 1<<63 - 1, named: []int64{1, 2}}).where(&core.Account{ID: 1})
	for sql, c := range map[string]struct {
		args  []any
		plans []string
	}{
		"select id, stanza from " + asFiled + " where " + where + " order by id limit 50":      {args, []string{chat, message}},
		"select id, stanza from " + asFiled + " where " + where + " order by id desc limit 50": {args, []string{chat, message}},
		"select id, stanza from " + asKept + " where " + where + " order by id limit 50":       {args, []string{"USING INDEX " + account}},
		"select id, stanza from " + asKept + " where " + where + " order by id desc limit 50":  {args, []string{"USING INDEX " + account}},
		"select id, stanza from " + asKept + " where " + named + " order by id limit 50":       {ofNamed, []string{message}},
		countEntries("archive_contact", counted):                                               {args, []string{chat}},
		countEntries(asKept, all):                                                              {ofAll, []string{"USING COVERING INDEX " + account}},
		filedOf + "account = $1 and id <= $2)":                                                 {[]any{1, 9}, []string{several, "archive_entry_account (account=? AND rowid<?)"}},
		filedOf + "account = $1 and id <= $2 and (kind & 2) = 2)":                              {[]any{1, 9}, []string{several, "archive_entry_hidden (account=? AND id<?)"}},
	} {
		rows, err := w.archive.db.Query(t.Context(), "explain query plan "+sql, c.args...)
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
		for _, want := range c.plans {
			if !strings.Contains(plan.String(), want) || strings.Contains(plan.String(), "B-TREE") || strings.Contains(plan.String(), "SCAN archive") {
				t.Errorf("%s: plan:\n%s", sql, plan.String())
			}
		}
	}
}
