package store_test

import (
	"context"
	"database/sql"
	"errors"
	"reflect"
	"testing"

	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
)

var every = store.NewInsert("every", "id", "whole", "name", "bytes", "yes", "share")

func TestEveryTypeComesBack(t *testing.T) {
	type name string
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		mustExec(t, db, `create table every (id bigint primary key, whole integer, name text, bytes bytea, yes boolean,
			share double precision)`)
		row := []any{int64(1) << 60, -5, name("näme"), []byte{0, 0xff}, true, 0.5}
		null := []any{2, nil, (*string)(nil), []byte(nil), sql.Null[bool]{}, nil}
		empty := []any{3, 0, "", []byte{}, false, 0}
		err := db.Tx(ctx, func(ctx context.Context) error {
			insert := `insert into every (yes, share, id, whole, name, bytes) values ($5, $6, $1, $2, $3, $4)`
			if _, err := db.Exec(ctx, insert, 4, -5, "näme", []byte{0, 0xff}, true, 0.5); err != nil {
				return err
			}
			return errors.Join(db.Append(ctx, every, row...), db.Append(ctx, every, null...), db.Append(ctx, every, empty...))
		})
		if err != nil {
			t.Fatal(err)
		}
		checkEvery(t, db, 1<<60, -5, "näme", []byte{0, 0xff}, true, 0.5)
		checkEvery(t, db, 4, -5, "näme", []byte{0, 0xff}, true, 0.5)
		checkEvery(t, db, 3, 0, "", []byte{}, false, 0)
		checkNull(t, db)
	})
}

func checkEvery(t *testing.T, db *store.DB, want ...any) {
	t.Helper()
	read := func(ctx context.Context) error {
		var id, whole int64
		var s string
		var b []byte
		var yes bool
		var share float64
		q := `select id, whole, name, bytes, yes, share from every where id = $1`
		if err := db.QueryRow(ctx, q, want[0]).Scan(&id, &whole, &s, &b, &yes, &share); err != nil {
			return err
		}
		got := []any{int(id), int(whole), s, b, yes, share}
		want[5] = reflect.ValueOf(want[5]).Convert(reflect.TypeFor[float64]()).Interface()
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %#v, want %#v", got, want)
		}
		return nil
	}
	if err := errors.Join(read(context.Background()), db.Tx(context.Background(), read)); err != nil {
		t.Error(err)
	}
}

func checkNull(t *testing.T, db *store.DB) {
	t.Helper()
	var whole *int
	var name sql.NullString
	var b []byte
	var yes *bool
	var share any
	q := `select whole, name, bytes, yes, share from every where id = 2`
	if err := db.QueryRow(context.Background(), q).Scan(&whole, &name, &b, &yes, &share); err != nil {
		t.Fatal(err)
	}
	if whole != nil || name.Valid || b != nil || yes != nil || share != nil {
		t.Errorf("nulls came back as %v %v %v %v %v", whole, name, b, yes, share)
	}
	var s string
	if err := db.QueryRow(context.Background(), `select name from every where id = 2`).Scan(&s); err == nil {
		t.Error("null was scanned into a string")
	}
}

func TestResults(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		makeNote(t, db)
		var total int64
		if err := db.QueryRow(ctx, `select account from note`).Scan(&total); !errors.Is(err, store.ErrNoRows) {
			t.Errorf("empty: %v", err)
		}
		mustExec(t, db, `insert into note (account, id, body) values (1, 1, 'a; b $1 -- c'), (1, 2, 'b')`)
		if err := db.QueryRow(ctx, `select sum(id) from note`).Scan(&total); err != nil || total != 3 {
			t.Errorf("sum %d, %v", total, err)
		}
		var body string
		if err := db.QueryRow(ctx, `select body from note where body = 'a; b $1 -- c' and id = $2 and account = $1 -- $3`, 1, 1).Scan(&body); err != nil {
			t.Errorf("quoted placeholder: %v", err)
		}
		if _, err := db.Exec(ctx, `delete from note; delete from note`); err == nil {
			t.Error("two statements were taken as one")
		}
		if n := count(t, db, "1 = 1"); n != 2 {
			t.Errorf("%d rows are left", n)
		}
		err := db.Tx(ctx, func(ctx context.Context) error {
			return db.QueryRow(ctx, `insert into note (account, id) values (7, 8) returning id`).Scan(&total)
		})
		if err != nil || total != 8 {
			t.Errorf("returning %d, %v", total, err)
		}
		_, err = db.Query(ctx, `with recursive n(i) as (select 1 union all select i + 1 from n where i < 200000) select i from n`)
		if !errors.Is(err, store.ErrTooLarge) {
			t.Errorf("large result: %v", err)
		}
	})
}
