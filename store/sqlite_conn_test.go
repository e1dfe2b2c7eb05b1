package store

import (
	"errors"
	"testing"
)

func TestNumberPlaceholders(t *testing.T) {
	for in, want := range map[string]string{
		`select $2, $1, $10`:                      `select ?2, ?1, ?10`,
		`select '$1', "$2", $3`:                   `select '$1', "$2", ?3`,
		`select 'it''s $1' -- $2` + "\n" + `, $3`: `select 'it''s $1' -- $2` + "\n" + `, ?3`,
		`select /* $1; */ $2; `:                   `select /* $1; */ ?2; `,
		`select $a, $`:                            `select $a, $`,
		`select 'open $1`:                         `select 'open $1`,
		`select 1; -- done`:                       `select 1; -- done`,
		``:                                        ``,
	} {
		if got, err := numberPlaceholders(in); got != want || err != nil {
			t.Errorf("%q became %q, want %q, %v", in, got, want, err)
		}
	}
	for _, in := range []string{`select 1; select 2`, `select 1;;'x'`, `select 1; "x"`} {
		if _, err := numberPlaceholders(in); !errors.Is(err, errSeveral) {
			t.Errorf("%q: %v", in, err)
		}
	}
}

func FuzzNumberPlaceholders(f *testing.F) {
	f.Add(`select '$1', $2 -- $3`)
	f.Add(`/*;*/ "`)
	f.Fuzz(func(t *testing.T, sql string) {
		once, err := numberPlaceholders(sql)
		if err != nil {
			return
		}
		if len(once) != len(sql) {
			t.Fatalf("%q changed its length: %q", sql, once)
		}
		if twice, err := numberPlaceholders(once); twice != once || err != nil {
			t.Fatalf("%q again became %q, %v", once, twice, err)
		}
	})
}
