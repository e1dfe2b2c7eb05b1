package store_test

import (
	"context"
	"strings"
	"testing"
	"testing/fstest"

	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
)

func files(named map[string]string) fstest.MapFS {
	m := fstest.MapFS{}
	for name, text := range named {
		m[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return m
}

func TestMigrateRunsEachFileOnceForItsEngine(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		first := map[string]string{"migrations/0001_begin.sql": "create table engine (name text);\n" +
			"-- only: postgres\ninsert into engine values ('postgres');\n" +
			"-- only: sqlite\ninsert into engine values ('sqlite');\n-- only: end\n" +
			"create table other (id bigint primary key, body bytea not null);"}
		for range 2 {
			if err := db.Migrate(ctx, "engine", files(first)); err != nil {
				t.Fatal(err)
			}
		}
		first["migrations/0002_more.sql"] = "alter table other add column more text;"
		first["migrations/0003_not_here.sql"] = "-- only: nowhere\nnonsense;"
		if err := db.Migrate(ctx, "engine", files(first)); err != nil {
			t.Fatal(err)
		}
		var name string
		if err := db.QueryRow(ctx, `select name from engine`).Scan(&name); err != nil || name != db.Engine() {
			t.Errorf("engine %q, err %v", name, err)
		}
		mustExec(t, db, `insert into other (id, body, more) values ($1, $2, $3)`, 1, []byte{0, 1}, "x")
	})
}

func TestMigrateNamesTheFileThatFails(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		err := db.Migrate(context.Background(), "bad", files(map[string]string{
			"0001_fine.sql": "create table bad_fine (id bigint);", "0002_wrong.sql": "create nonsense;"}))
		if err == nil || !strings.Contains(err.Error(), "0002_wrong.sql") {
			t.Errorf("error %v does not name the file", err)
		}
		mustExec(t, db, `insert into bad_fine (id) values (1)`)
	})
}

// TestMigrateRunsWhatCameLate: a file whose number is below those that were run already, as two that were written at the same time have them.
func TestMigrateRunsWhatCameLate(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		all := map[string]string{"0001_first.sql": "create table late_first (id bigint);", "0003_third.sql": "create table late_third (id bigint);"}
		if err := db.Migrate(t.Context(), "late", files(all)); err != nil {
			t.Fatal(err)
		}
		all["0002_second.sql"], all["0004_fourth.sql"] = "create table late_second (id bigint);", "create table late_fourth (id bigint);"
		for range 2 {
			if err := db.Migrate(t.Context(), "late", files(all)); err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range []string{"first", "second", "third", "fourth"} {
			mustExec(t, db, "insert into late_"+name+" (id) values ($1)", 1)
		}
	})
}
