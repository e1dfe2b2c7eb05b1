package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// ErrPooled means that a pooler between here and PostgreSQL gives each transaction whatever session of the server is free (PgBouncer's
// pool_mode transaction or statement): the lock that keeps a second process out, and prepared statements, belong to a session.
var ErrPooled = errors.New("a connection pooler changes the session between transactions: connect to PostgreSQL itself, or use session pooling")

// poolTries is how often a pooler is watched: one that takes turns among its sessions may give the same one by chance.
const poolTries = 4

// requireSession returns ErrPooled if conn does not stay with one session of the server. That it passes through a pooler shows in the
// number of the session, which is not the one told at login; the pooler's mode shows when another connection has taken a session away.
func (e *postgres) requireSession(ctx context.Context, conn *pgx.Conn) error {
	mine, err := sessionOf(ctx, conn)
	if err != nil || mine == conn.PgConn().PID() {
		return err
	}
	other, err := pgx.ConnectConfig(ctx, e.conn)
	if err != nil {
		return fmt.Errorf("look for a pooler: %w", err)
	}
	return errors.Join(e.watch(ctx, conn, other, mine), other.Close(ctx))
}

func (e *postgres) watch(ctx context.Context, conn, other *pgx.Conn, mine uint32) error {
	for range poolTries {
		tx, err := other.Begin(ctx)
		if err != nil {
			return fmt.Errorf("look for a pooler: %w", err)
		}
		taken, err := sessionOf(ctx, other)
		if err != nil {
			return err
		}
		now, err := sessionOf(ctx, conn)
		if err := errors.Join(err, tx.Rollback(ctx)); err != nil {
			return err
		}
		if taken == mine || now != mine {
			return ErrPooled
		}
	}
	return nil
}

// sessionOf is the number of the server's process that answers now.
func sessionOf(ctx context.Context, conn *pgx.Conn) (pid uint32, err error) {
	if err := conn.QueryRow(ctx, `select pg_backend_pid()`, pgx.QueryExecModeSimpleProtocol).Scan(&pid); err != nil {
		return 0, fmt.Errorf("look for a pooler: %w", err)
	}
	return pid, nil
}
