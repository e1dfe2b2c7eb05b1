package store

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/mattn/go-sqlite3"
)

var (
	// ErrNoRows is returned by Row.Scan when the query found nothing.
	ErrNoRows = errors.New("no rows")
	// ErrConflict means that a primary key or unique constraint refused a row, on either engine.
	ErrConflict = errors.New("unique constraint violated")
	// ErrFull means that the disk (or the database's own size limit) is full. Nothing was written; reading goes on.
	ErrFull error = passing("database disk is full")
	// ErrClosed means that Close was called.
	ErrClosed = errors.New("store is closed")
	// ErrBusy means that the queue of the writer stayed full until the caller's context ended.
	ErrBusy error = passing("store is busy")
	// ErrLocked means that another process has the SQLite file open, or writes to the PostgreSQL database.
	ErrLocked = errors.New("database is in use by another process")
	// ErrUnknown means that the connection broke while a commit was under way and that the store was closed before the server was
	// there again: it may or may not have been kept.
	ErrUnknown = errors.New("outcome of the commit is unknown")
	// ErrUnavailable means that the PostgreSQL server cannot be reached. Nothing was kept; try again later.
	ErrUnavailable error = passing("database server is not available")
	// ErrTooLarge means that a result has more rows or bytes than MaxRows and MaxResultBytes allow; ask for a page.
	ErrTooLarge = errors.New("result is too large")
	// ErrNoTx means that a call that needs a transaction was made outside one, or after its function had returned.
	ErrNoTx = errors.New("no transaction in progress")
)

// errLost marks the loss of the connection before the commit was sent: nothing was kept, the group may run again.
var errLost = fmt.Errorf("%w: connection lost", ErrUnavailable)

// passing is trouble that may be over soon, in which nothing was kept.
type passing string

func (p passing) Error() string { return string(p) }

// TryLater tells those who do not know this package that the same call may succeed later.
func (passing) TryLater() bool { return true }

// classify wraps err, which came from an engine, with the sentinel that callers test for.
func classify(err error) error {
	if err == nil {
		return nil
	}
	if kind := kindOf(err); kind != nil && !errors.Is(err, kind) {
		return fmt.Errorf("%w: %w", kind, err)
	}
	return err
}

func kindOf(err error) error {
	var lite sqlite3.Error
	if errors.As(err, &lite) {
		return kindOfSQLite(lite)
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return kindOfPostgres(pg.Code)
	}
	if errors.Is(err, syscall.ENOSPC) {
		return ErrFull
	}
	return nil
}

func kindOfSQLite(err sqlite3.Error) error {
	switch {
	case err.Code == sqlite3.ErrFull || err.SystemErrno == syscall.ENOSPC || err.SystemErrno == syscall.EDQUOT:
		return ErrFull
	case err.ExtendedCode == sqlite3.ErrConstraintPrimaryKey, err.ExtendedCode == sqlite3.ErrConstraintUnique,
		err.ExtendedCode == sqlite3.ErrConstraintRowID:
		return ErrConflict
	}
	return nil
}

// kindOfPostgres maps the SQLSTATE (PostgreSQL manual, appendix A).
func kindOfPostgres(code string) error {
	switch code {
	case "23505":
		return ErrConflict
	case "53100":
		return ErrFull
	case "57P01", "57P02", "57P03", "08000", "08003", "08006":
		return errLost
	}
	return nil
}

// isFatal says that err took the whole transaction with it, whoever's statement met it.
func isFatal(err error) bool {
	var lite sqlite3.Error
	if errors.As(err, &lite) {
		switch lite.Code {
		case sqlite3.ErrFull, sqlite3.ErrIoErr, sqlite3.ErrNomem, sqlite3.ErrBusy, sqlite3.ErrReadonly,
			sqlite3.ErrCorrupt, sqlite3.ErrNotADB, sqlite3.ErrCantOpen:
			return true
		}
		return false
	}
	return errors.Is(err, ErrFull) || errors.Is(err, errLost) || errors.Is(err, ErrUnknown)
}

// isConnectionError says that err is about the way to the server, not about a statement.
func isConnectionError(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return kindOfPostgres(pg.Code) == errLost
	}
	var n net.Error
	return errors.As(err, &n) || errors.Is(err, fs.ErrClosed) || errors.Is(err, errLost)
}
