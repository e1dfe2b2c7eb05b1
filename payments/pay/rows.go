package pay

import (
	"context"
	"fmt"

	"palabre.dev/palabre/store"
)

// read makes one of each row that a query gives. what says in an error what was to be read.
func read[T any](ctx context.Context, db *store.DB, what string, one func(*store.Rows) (T, error), sql string, args ...any) ([]T, error) {
	rows, err := db.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", what, err)
	}
	var all []T
	for rows.Next() {
		found, err := one(rows)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", what, err)
		}
		all = append(all, found)
	}
	return all, nil
}

// readText reads a row of one text.
func readText(rows *store.Rows) (text string, err error) {
	err = rows.Scan(&text)
	return text, err
}
