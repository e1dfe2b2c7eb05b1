package storetest

import (
	"io/fs"
	"testing"
	"testing/fstest"
)

// Migrations are those of a folder migrations/ whose names (0001_begin.sql) a condition picks: a database as an older version left it.
func Migrations(t testing.TB, all fs.FS, is func(name string) bool) fs.FS {
	t.Helper()
	picked := fstest.MapFS{}
	files, err := fs.ReadDir(all, "migrations")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		path := "migrations/" + file.Name()
		text, err := fs.ReadFile(all, path)
		if err != nil {
			t.Fatal(err)
		}
		if is(file.Name()) {
			picked[path] = &fstest.MapFile{Data: text}
		}
	}
	return picked
}
