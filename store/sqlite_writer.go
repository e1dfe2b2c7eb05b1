package store

import (
	"context"
	"errors"
)

// liteWriter is the connection of the lane to SQLite.
type liteWriter struct {
	*liteConn
	checker *checker
	inserts map[*Insert]*liteStmt
	begun   bool
	dead    error
}

func (e *lite) writer(context.Context) (writer, error) {
	c, err := e.connect(cachePragma(e.cfg.CacheSizeBytes))
	if err != nil {
		return nil, err
	}
	return &liteWriter{liteConn: c, checker: e.checker, inserts: map[*Insert]*liteStmt{}}, nil
}

func (w *liteWriter) begin() error {
	if w.begun {
		return w.dead
	}
	w.begun = true
	_, err := w.liteConn.exec("begin immediate", nil)
	return w.note(err)
}

// note remembers the errors that end the transaction: after a full disk SQLite has rolled back by itself.
func (w *liteWriter) note(err error) error {
	if err != nil && w.dead == nil && isFatal(err) {
		w.dead = err
	}
	return err
}

func (w *liteWriter) broken() error { return w.dead }

func (w *liteWriter) mayBeLost() bool { return false }

func (w *liteWriter) exec(sql string, args []any) (int64, error) {
	if err := w.begin(); err != nil {
		return 0, err
	}
	n, err := w.liteConn.exec(sql, args)
	return n, w.note(err)
}

func (w *liteWriter) query(sql string, args []any) (*Rows, error) {
	if err := w.begin(); err != nil {
		return nil, err
	}
	rows, err := w.liteConn.query(context.Background(), sql, args)
	return rows, w.note(err)
}

// insert runs a statement per row. One statement for many rows is slower in SQLite by a quarter: it must be able to take
// back the first rows when a later one is refused, and keeps a journal for that.
func (w *liteWriter) insert(ins *Insert, rows [][]any) error {
	if err := w.begin(); err != nil {
		return err
	}
	s, err := w.insertFor(ins)
	if err != nil {
		return w.note(err)
	}
	for _, row := range rows {
		named, err := s.bind(row)
		if err != nil {
			return err
		}
		if _, err := s.run(named); err != nil {
			return w.note(err)
		}
	}
	return nil
}

func (w *liteWriter) insertFor(ins *Insert) (*liteStmt, error) {
	if s := w.inserts[ins]; s != nil {
		return s, nil
	}
	if len(w.inserts) >= maxStatements {
		w.forgetInserts()
	}
	s, err := w.compile(ins.rowSQL())
	if err != nil {
		return nil, err
	}
	w.inserts[ins] = s
	return s, nil
}

func (w *liteWriter) forgetInserts() {
	for _, s := range w.inserts {
		s.stmt.Close() // reports the error of the last run again, which was handled
	}
	clear(w.inserts)
}

func (w *liteWriter) close() error {
	w.forgetInserts()
	return w.liteConn.close()
}

func (w *liteWriter) savepoint() error {
	_, err := w.exec("savepoint f", nil)
	return err
}

func (w *liteWriter) release() error {
	_, err := w.exec("release f", nil)
	return err
}

func (w *liteWriter) rollbackTo() error {
	if _, err := w.exec("rollback to f", nil); err != nil {
		return err
	}
	return w.release()
}

func (w *liteWriter) commit(mark int64) error {
	if mark != 0 {
		if _, err := w.exec(clockSave, []any{mark}); err != nil {
			return err
		}
	}
	if !w.begun {
		return nil
	}
	if _, err := w.liteConn.exec("commit", nil); err != nil {
		w.dead = errors.Join(w.dead, err)
		return err
	}
	w.begun = false
	return nil
}

// rollback leaves the writer as new. Its error means that the connection is of no use any more.
func (w *liteWriter) rollback() error {
	w.begun, w.dead = false, nil
	if w.conn.AutoCommit() {
		return nil
	}
	_, err := w.liteConn.exec("rollback", nil)
	return err
}

func (w *liteWriter) idle() { w.checker.look(w.liteConn) }
