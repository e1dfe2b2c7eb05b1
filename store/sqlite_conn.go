package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"

	"github.com/mattn/go-sqlite3"
)

// maxStatements bounds the statements that one connection keeps prepared.
const maxStatements = 512

// liteConn is one SQLite connection with its prepared statements. It goes around database/sql, which would cost more
// than the statements themselves on the way of every row. One goroutine at a time uses it.
type liteConn struct {
	conn       *sqlite3.SQLiteConn
	statements map[string]*liteStmt
}

type liteStmt struct {
	stmt  *sqlite3.SQLiteStmt
	named []driver.NamedValue // reused for every call
}

func (c *liteConn) prepare(sql string) (*liteStmt, error) {
	if s := c.statements[sql]; s != nil {
		return s, nil
	}
	if len(c.statements) >= maxStatements {
		c.forget()
	}
	s, err := c.compile(sql)
	if err != nil {
		return nil, err
	}
	c.statements[sql] = s
	return s, nil
}

// compile prepares sql without keeping it.
func (c *liteConn) compile(sql string) (*liteStmt, error) {
	text, err := numberPlaceholders(sql)
	if err != nil {
		return nil, err
	}
	stmt, err := c.conn.Prepare(text)
	if err != nil {
		return nil, err
	}
	s := &liteStmt{stmt: stmt.(*sqlite3.SQLiteStmt)}
	if n := s.stmt.NumInput(); n > 0 {
		s.named = make([]driver.NamedValue, n)
	}
	return s, nil
}

func (c *liteConn) forget() {
	for _, s := range c.statements {
		s.stmt.Close() // reports the error of the last run again, which was handled
	}
	clear(c.statements)
}

func (s *liteStmt) bind(args []any) ([]driver.NamedValue, error) {
	if len(args) != len(s.named) {
		return nil, fmt.Errorf("%d arguments for %d placeholders", len(args), len(s.named))
	}
	for i, a := range args {
		s.named[i] = driver.NamedValue{Ordinal: i + 1, Value: a}
	}
	return s.named, nil
}

func (c *liteConn) exec(sql string, args []any) (int64, error) {
	s, err := c.prepare(sql)
	if err != nil {
		return 0, err
	}
	named, err := s.bind(args)
	if err != nil {
		return 0, err
	}
	return s.run(named)
}

func (s *liteStmt) run(named []driver.NamedValue) (int64, error) {
	result, err := s.stmt.ExecContext(context.Background(), named)
	clear(named)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// query reads the whole result. When ctx ends, SQLite is interrupted.
func (c *liteConn) query(ctx context.Context, sql string, args []any) (*Rows, error) {
	s, err := c.prepare(sql)
	if err != nil {
		return nil, err
	}
	named, err := s.bind(args)
	if err != nil {
		return nil, err
	}
	result, err := s.stmt.QueryContext(ctx, named)
	clear(named)
	if err != nil {
		return nil, err
	}
	rows, err := readAll(result.(*sqlite3.SQLiteRows))
	return rows, errors.Join(err, result.Close())
}

func readAll(result *sqlite3.SQLiteRows) (*Rows, error) {
	rows := &Rows{width: len(result.Columns())}
	line := make([]driver.Value, rows.width)
	for {
		err := result.Next(line)
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, err
		}
		for _, v := range line {
			if err := rows.add(v); err != nil {
				return nil, err
			}
		}
	}
}

func (c *liteConn) close() error {
	c.forget()
	return c.conn.Close()
}

// numberPlaceholders turns the `$1` of PostgreSQL into the `?1` of SQLite, where `$1` is a name that is numbered by
// its first appearance. Text within quotes and comments stays. More than one statement is refused, because the driver
// would ignore all but the first.
func numberPlaceholders(sql string) (string, error) {
	out := []byte(sql)
	ended := false
	for i := 0; i < len(out); i++ {
		if skip := skipQuoted(sql[i:]); skip > 0 {
			if sql[i] == '\'' || sql[i] == '"' {
				if ended {
					return "", errSeveral
				}
			}
			i += skip - 1
			continue
		}
		switch ch := out[i]; {
		case ch == ';':
			ended = true
		case ch == ' ' || ch == '\n' || ch == '\t' || ch == '\r':
		case ended:
			return "", errSeveral
		case ch == '$' && i+1 < len(out) && out[i+1] >= '1' && out[i+1] <= '9':
			out[i] = '?'
		}
	}
	return string(out), nil
}

var errSeveral = errors.New("one statement at a time")

// skipQuoted returns the length of the quoted text or comment at the start of sql, 0 if there is none.
func skipQuoted(sql string) int {
	switch {
	case sql[0] == '\'' || sql[0] == '"':
		return upTo(sql, 1, sql[:1])
	case len(sql) > 1 && sql[:2] == "--":
		return upTo(sql, 2, "\n")
	case len(sql) > 1 && sql[:2] == "/*":
		return upTo(sql, 2, "*/")
	}
	return 0
}

// upTo returns the position after the first end in sql[from:], or the length of sql.
func upTo(sql string, from int, end string) int {
	for i := from; i+len(end) <= len(sql); i++ {
		if sql[i:i+len(end)] == end {
			return i + len(end)
		}
	}
	return len(sql)
}
