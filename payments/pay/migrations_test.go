package pay

import (
	"io/fs"
	"testing"
	"testing/fstest"

	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
)

// TestADatabaseOfBeforeTheLanguages: 0070 came when 0080 and 0090 had been run already.
func TestADatabaseOfBeforeTheLanguages(t *testing.T) {
	before := fstest.MapFS{}
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := fs.ReadFile(migrations, name)
		if err != nil {
			t.Fatal(err)
		}
		if name < "migrations/0070" || name > "migrations/0071" && name < "migrations/0091" {
			before[name] = &fstest.MapFile{Data: text}
		}
	}
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		if err := db.Migrate(t.Context(), "pay", before); err != nil {
			t.Fatal(err)
		}
		g := newStage(t, db, "karim", "nadia")
		g.people["karim"].done(g.people["karim"].send("nadia", 1, ""))
		if _, err := db.Exec(t.Context(), "select account, language from pay_language"); err != nil {
			t.Error(err)
		}
	})
}
