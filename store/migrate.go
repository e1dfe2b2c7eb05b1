package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
)

// migrator is a way into the database for goose, which wants database/sql.
type migrator struct {
	db      *sql.DB
	dialect database.Dialect
	close   func() error
}

var ownerName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)

// Migrate brings the tables of owner (the name of its folder) up to date with files: `NNNN_name.sql` at the root of files
// or in its folder `migrations`, run in the order of their numbers, each once and in a transaction of its own. What was
// run is kept in the table store_migrations_<owner>. A new file has a number above all others of its owner. One that comes
// below some that were run (two were written at the same time) runs before those that are new, so it may need nothing of
// those above it; and they nothing of it, or a new database and an old one would not become the same. The text is the same for both engines; lines after a line
// `-- only: postgres` or `-- only: sqlite`, up to `-- only: end` or the end of the file, are for that engine alone. A
// file without goose annotations is one `-- +goose Up` section.
func (db *DB) Migrate(ctx context.Context, owner string, files fs.FS) error {
	if db.closed.Load() {
		return ErrClosed
	}
	if !ownerName.MatchString(owner) {
		return fmt.Errorf("migrate: owner %q is not a folder name", owner)
	}
	files, err := migrationFolder(files)
	if err != nil {
		return fmt.Errorf("migrate %s: %w", owner, err)
	}
	m, err := db.engine.migrator(ctx)
	if err != nil {
		return fmt.Errorf("migrate %s: %w", owner, err)
	}
	return errors.Join(db.migrate(ctx, m, owner, files), m.close())
}

func (db *DB) migrate(ctx context.Context, m *migrator, owner string, files fs.FS) error {
	p, err := goose.NewProvider(m.dialect, m.db, engineFiles{files, db.Engine()},
		goose.WithTableName("store_migrations_"+owner), goose.WithDisableGlobalRegistry(true),
		goose.WithAllowOutofOrder(true)) // without it, such a database would not start any more
	if err != nil {
		return fmt.Errorf("migrate %s: %w", owner, err)
	}
	results, err := p.Up(ctx)
	var partial *goose.PartialError
	if errors.As(err, &partial) {
		return fmt.Errorf("migrate %s: %s: %w", owner, partial.Failed.Source.Path, partial.Err)
	}
	if err != nil {
		return fmt.Errorf("migrate %s: %w", owner, err)
	}
	for _, r := range results {
		db.log.Info("migrated", "owner", owner, "file", r.Source.Path, "dur", r.Duration)
	}
	return nil
}

// migrationFolder finds the files: embedding a folder keeps its name in the way.
func migrationFolder(files fs.FS) (fs.FS, error) {
	found, err := fs.Glob(files, "*.sql")
	if err != nil || len(found) > 0 {
		return files, err
	}
	if found, err = fs.Glob(files, "migrations/*.sql"); err != nil || len(found) == 0 {
		return nil, errors.Join(errors.New("there are no files NNNN_name.sql"), err)
	}
	return fs.Sub(files, "migrations")
}

// engineFiles shows each file as the engine is to see it.
type engineFiles struct {
	fs.FS
	engine string
}

// Open returns the file without the lines for other engines.
func (e engineFiles) Open(name string) (fs.File, error) {
	if !strings.HasSuffix(name, ".sql") {
		return e.FS.Open(name)
	}
	text, err := fs.ReadFile(e.FS, name)
	if err != nil {
		return nil, err
	}
	text = forEngine(text, e.engine)
	return &textFile{Reader: bytes.NewReader(text), name: name, size: int64(len(text))}, nil
}

// forEngine keeps the number of lines, so that errors name the right one.
func forEngine(text []byte, engine string) []byte {
	lines := strings.Split(string(text), "\n")
	mine := true
	for i, line := range lines {
		if only, found := strings.CutPrefix(strings.TrimSpace(line), "-- only:"); found {
			only = strings.TrimSpace(only)
			mine = only == engine || only == "end"
		} else if !mine {
			lines[i] = ""
		}
	}
	if !strings.Contains(string(text), "-- +goose") {
		lines = append([]string{"-- +goose Up"}, lines...)
	}
	return []byte(strings.Join(lines, "\n") + "\n")
}

// textFile is an fs.File in memory, and its own fs.FileInfo.
type textFile struct {
	*bytes.Reader
	name string
	size int64
}

func (f *textFile) Stat() (fs.FileInfo, error) { return f, nil }
func (f *textFile) Close() error               { return nil }
func (f *textFile) Name() string               { return f.name }
func (f *textFile) Size() int64                { return f.size }
func (f *textFile) Mode() fs.FileMode          { return 0o444 }
func (f *textFile) ModTime() time.Time         { return time.Time{} }
func (f *textFile) IsDir() bool                { return false }
func (f *textFile) Sys() any                   { return nil }

func (e *lite) migrator(context.Context) (*migrator, error) {
	db, err := sql.Open("sqlite3", e.dsn()+"&_synchronous=full&_txlock=immediate")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	return &migrator{db: db, dialect: goose.DialectSQLite3, close: db.Close}, nil
}

// migrationLock is the key of the advisory lock that keeps two nodes from migrating at the same time.
const migrationLock = 0x70616c6162726501

// migrator holds an advisory lock on a connection of its own until it is closed.
func (e *postgres) migrator(ctx context.Context) (*migrator, error) {
	lock, err := e.connect(ctx)
	if err != nil {
		return nil, err
	}
	free := func() error { return lock.Close(context.WithoutCancel(ctx)) }
	if _, err := lock.Exec(ctx, `select pg_advisory_lock($1::bigint # hashtext(current_schema()))`, int64(migrationLock)); err != nil {
		return nil, errors.Join(fmt.Errorf("lock: %w", err), free())
	}
	db := stdlib.OpenDB(*e.conn)
	db.SetMaxOpenConns(1)
	return &migrator{db: db, dialect: goose.DialectPostgres, close: func() error { return errors.Join(db.Close(), free()) }}, nil
}
