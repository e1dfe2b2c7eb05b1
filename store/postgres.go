package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	// connectTimeout bounds one attempt to reach the server.
	connectTimeout = 10 * time.Second
	// roundTripTimeout bounds one exchange of the writer with the server; then the connection is given up.
	roundTripTimeout = 30 * time.Second
	// readTimeout bounds a read whose context has no earlier end.
	readTimeout = 60 * time.Second
	// restPause is for how long no reader connects after one could not, when nobody has a connection: a server that is just starting
	// must not be kept busy with turning hundreds away.
	restPause = 250 * time.Millisecond
)

// postgres is the PostgreSQL engine: one writing connection, and a pool of reading ones.
type postgres struct {
	conn    *pgx.ConnConfig
	log     *slog.Logger
	readers *pgxpool.Pool
	rest    atomic.Int64 // the end of the pause, in microseconds since 1970
}

func openPostgres(ctx context.Context, cfg Config, log *slog.Logger) (*postgres, error) {
	pool, err := pgxpool.ParseConfig(cfg.URL)
	if err != nil {
		return nil, fmt.Errorf("read url: %w", err)
	}
	pool.ConnConfig.ConnectTimeout = connectTimeout
	// Plans are kept for the life of a connection. One made while a table was nearly empty would read all of it, until the server
	// gathers statistics; every query that is repeated has an index.
	pool.ConnConfig.RuntimeParams["enable_seqscan"] = "off"
	e := &postgres{conn: pool.ConnConfig.Copy(), log: log}
	pool.MaxConns = int32(cfg.ReadConnections)
	pool.MinConns = 0
	pool.ConnConfig.RuntimeParams["default_transaction_read_only"] = "on"
	if e.readers, err = pgxpool.NewWithConfig(ctx, pool); err != nil {
		return nil, fmt.Errorf("open read pool: %w", err)
	}
	return e, nil
}

func (e *postgres) name() string { return "postgres" }

// query reads the whole result. Each statement sees one snapshot. That a connection was lost while nobody used it is found out by its next
// reader, who takes another one. An error of the way to the server is ErrUnavailable or ErrBusy.
func (e *postgres) query(caller context.Context, sql string, args []any) (*Rows, error) {
	ctx, cancel := context.WithTimeout(caller, readTimeout)
	defer cancel()
	for left := e.readers.Config().MaxConns; ; left-- {
		rows, err := e.queryOnce(ctx, sql, args)
		if err != nil && ctx.Err() != nil && caller.Err() == nil {
			return nil, fmt.Errorf("%w: no answer within %v: %w", ErrUnavailable, readTimeout, err)
		}
		if !errors.Is(err, errLost) || left == 0 {
			return rows, err
		}
	}
}

func (e *postgres) queryOnce(ctx context.Context, sql string, args []any) (*Rows, error) {
	if time.Now().UnixMicro() < e.rest.Load() && e.readers.Stat().TotalConns() == 0 {
		return nil, fmt.Errorf("%w: it could not be reached a moment ago", ErrUnavailable)
	}
	conn, err := e.readers.Acquire(ctx)
	if err != nil {
		if ctx.Err() == nil {
			e.rest.Store(time.Now().Add(restPause).UnixMicro())
		}
		return nil, e.acquireError(ctx, err)
	}
	defer conn.Release()
	rows, err := readFrom(ctx, conn, sql, args)
	if err != nil && ctx.Err() == nil && (conn.Conn().IsClosed() || isConnectionError(err)) {
		return nil, fmt.Errorf("%w: %w", errLost, err)
	}
	return rows, err
}

func readFrom(ctx context.Context, conn *pgxpool.Conn, sql string, args []any) (*Rows, error) {
	result, err := conn.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	defer result.Close()
	rows := &Rows{width: len(result.FieldDescriptions())}
	for result.Next() {
		if err := addRaw(rows, conn.Conn().TypeMap(), result.FieldDescriptions(), result.RawValues()); err != nil {
			return nil, err
		}
	}
	return rows, result.Err()
}

func (e *postgres) acquireError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%w: no read connection is free: %w", ErrBusy, err)
	}
	return fmt.Errorf("%w: read connection: %w", ErrUnavailable, err)
}

func (e *postgres) backup(context.Context, string) error {
	return errors.New("PostgreSQL makes its own backups: use pg_dump, or base backups with a WAL archive")
}

func (e *postgres) close() error {
	e.readers.Close()
	return nil
}

// connect opens a connection that writes, and makes sure that it is one session, and that its commits are durable.
func (e *postgres) connect(ctx context.Context) (*pgx.Conn, error) {
	conn, err := pgx.ConnectConfig(ctx, e.conn)
	if err != nil {
		return nil, err
	}
	for _, require := range []func(context.Context, *pgx.Conn) error{e.requireSession, e.requireDurable} {
		if err := require(ctx, conn); err != nil {
			return nil, errors.Join(err, conn.Close(ctx))
		}
	}
	return conn, nil
}

// requireDurable turns synchronous_commit on unless the operator asked for more (remote_apply, remote_write), and says
// so when the server does not sync at all.
func (e *postgres) requireDurable(ctx context.Context, conn *pgx.Conn) error {
	var commit, fsync string
	settings := `select current_setting('synchronous_commit'), current_setting('fsync')`
	if err := conn.QueryRow(ctx, settings).Scan(&commit, &fsync); err != nil {
		return fmt.Errorf("read settings: %w", err)
	}
	if fsync == "off" {
		e.log.Error("the PostgreSQL server runs with fsync=off: a power cut can lose acknowledged rows")
	}
	// A session whose other end is gone without a word must end soon: it holds the lock (own).
	set := `set idle_in_transaction_session_timeout = '60s'; set tcp_keepalives_idle = 30; set tcp_keepalives_interval = 10; set tcp_keepalives_count = 3; set tcp_user_timeout = '20s'`
	if commit == "off" || commit == "local" {
		set += `; set synchronous_commit = on`
	}
	if _, err := conn.Exec(ctx, set, pgx.QueryExecModeSimpleProtocol); err != nil {
		return fmt.Errorf("set up session: %w", err)
	}
	return nil
}

const (
	ownAttempts = 10                     // a process that was just killed may still be holding the database
	ownPause    = 200 * time.Millisecond // between them
)

// own makes this process the only one that writes to the database (its schema), for as long as the connection lasts. Ids and caches are
// those of one process. It returns ErrLocked when another one has it.
func own(ctx context.Context, conn *pgx.Conn) error {
	for attempt := 1; ; attempt++ {
		var mine bool
		err := conn.QueryRow(ctx, `select pg_try_advisory_lock(hashtext('palabre'), hashtext(coalesce(current_schema(), '')))`).Scan(&mine)
		if err != nil {
			return fmt.Errorf("lock database: %w", err)
		}
		if mine {
			return nil
		}
		if attempt == ownAttempts {
			return ErrLocked
		}
		select {
		case <-ctx.Done():
			return errors.Join(ErrLocked, ctx.Err())
		case <-time.After(ownPause):
		}
	}
}
