package store

import (
	"context"
	"database/sql/driver"
	"errors"
)

// The sizes of the multi-row inserts: few texts to prepare, few calls for many rows.
var insertSizes = [...]int{64, 8, 1}

// maxVariables is SQLITE_MAX_VARIABLE_NUMBER, the most placeholders one statement may have.
const maxVariables = 32766

// liteWriter is the connection of the lane to SQLite.
type liteWriter struct {
	*liteConn
	checker *checker
	inserts map[*Insert][len(insertSizes)]*liteStmt
	begun   bool
	dead    error
}

func (e *lite) writer(context.Context) (writer, error) {
	c, err := e.connect(cachePragma(e.cfg.CacheSizeBytes))
	if err != nil {
		return nil, err
	}
	return &liteWriter{liteConn: c, checker: e.checker, inserts: map[*Insert][len(insertSizes)]*liteStmt{}}, nil
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

func (w *liteWriter) insert(ins *Insert, rows [][]any) error {
	if err := w.begin(); err != nil {
		return err
	}
	for i, size := range insertSizes {
		if size*len(ins.columns) > maxVariables {
			continue
		}
		for len(rows) >= size {
			if err := w.insertSome(ins, i, rows[:size]); err != nil {
				return w.note(err)
			}
			rows = rows[size:]
		}
	}
	return nil
}

func (w *liteWriter) insertSome(ins *Insert, i int, rows [][]any) error {
	s, err := w.insertStmt(ins, i)
	if err != nil {
		return err
	}
	n := 0
	for _, row := range rows {
		for _, v := range row {
			s.named[n] = driver.NamedValue{Ordinal: n + 1, Value: v}
			n++
		}
	}
	_, err = s.run(s.named)
	return err
}

func (w *liteWriter) insertStmt(ins *Insert, i int) (*liteStmt, error) {
	all := w.inserts[ins]
	if all[i] != nil {
		return all[i], nil
	}
	if len(w.inserts) >= maxStatements {
		w.forgetInserts()
		all = w.inserts[ins]
	}
	s, err := w.compile(ins.valuesSQL(insertSizes[i]))
	if err != nil {
		return nil, err
	}
	all[i] = s
	w.inserts[ins] = all
	return s, nil
}

func (w *liteWriter) forgetInserts() {
	for _, all := range w.inserts {
		for _, s := range all {
			if s != nil {
				s.stmt.Close() // reports the error of the last run again, which was handled
			}
		}
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
