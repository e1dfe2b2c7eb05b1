package archive

import (
	"strings"
	"testing"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/xmpp"
)

// A chat is found where it is filed: by the account, a device that opens 200 chats has the whole log read 200 times. Entries are counted in
// what is filed alone. What is not filed yet is found by its ids.
func TestSQLiteReadsAChatByItsIndex(t *testing.T) {
	w := begin(t, storetest.Open(t, storetest.SQLite), DefaultConfig())
	const account, chat = "archive_account USING PRIMARY KEY (account=? AND id>? AND id<?)", "archive_contact USING PRIMARY KEY (account=? AND contact=? AND id>? AND id<?)"
	const message, ofAccount, ofChat = "archive_entry USING INTEGER PRIMARY KEY (rowid=?)", "archive_account USING PRIMARY KEY (account=? AND id=?)",
		"archive_contact USING PRIMARY KEY (account=? AND contact=? AND id=?)"
	romeo, some := &core.Account{ID: 1}, make([]int64, manyIDs)
	one := request{With: xmpp.MustJID("juliet@example.org"), Until: 1<<63 - 1}
	filed, all, late := stretch{from: byContact, request: one}, stretch{from: byAccount, request: request{Until: 1<<63 - 1}}, stretch{ids: some, request: one}
	where, args := filed.shown(romeo)
	counted, _ := filed.among(romeo)
	whole, ofAll := all.among(romeo)
	waiting, ofWaiting := late.shown(romeo)
	named, ofNamed := (&request{With: one.With, Until: 1<<63 - 1, IDs: []int64{1, 2}}).among(romeo)
	deleted, ofDeleted := oneOf([]any{1}, some)
	for sql, c := range map[string]struct {
		args  []any
		plans []string
	}{
		"select id, stanza from " + byContact + " where " + where + " order by id limit 50":      {args, []string{chat, message}},
		"select id, stanza from " + byContact + " where " + where + " order by id desc limit 50": {args, []string{chat, message}},
		"select id, stanza from " + byAccount + " where " + whole + " order by id limit 50":      {ofAll, []string{account, message}},
		"select id, stanza from " + byAccount + " where " + whole + " order by id desc limit 50": {ofAll, []string{account, message}},
		"select id, stanza from " + asKept + " where " + waiting + " order by id desc limit 50":  {ofWaiting, []string{message}},
		"select id, stanza from " + asKept + " where " + named + " order by id limit 50":         {ofNamed, []string{message}},
		countEntries(filedByContact, counted):                                                    {args, []string{chat}},
		countEntries(filedByAccount, whole):                                                      {ofAll, []string{account}},
		filedOf(filedByAccount, "account, id", "account = $1 and "+deleted):                      {ofDeleted, []string{ofAccount, message}},
		filedOf(filedByContact, "account, contact, id", "account = $1 and "+deleted):             {ofDeleted, []string{ofChat, message}},
		filedOf(filedByContact, "account, contact, id", "account = $1 and id <= $2 and (kind & 2) = 2"): {[]any{1, 9},
			[]string{ofChat, "archive_entry_hidden (account=? AND id<?)"}},
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
