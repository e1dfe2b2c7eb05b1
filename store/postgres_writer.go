package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// pgWriter is the connection of the lane to PostgreSQL. Statements without a result anybody waits for (begin, the
// appended rows, savepoints) are queued and travel in one round trip with the next one that has: a group that only
// appended rows costs a single exchange of `begin … commit`.
type pgWriter struct {
	conn       *pgx.Conn
	statements map[string]*pgconn.StatementDescription
	inserts    map[*Insert]*pgInsert
	named      int // for the names of prepared statements
	queue      []pgCall
	values     []byte // memory for the arrays in queue
	begun      bool   // `begin` is queued or sent
	unsaved    int    // queue length at the savepoint that has not been sent, plus one
	short      bool   // the server itself ended the last exchange before its last statement
	dead       error
}

// pgCall is one prepared statement with its encoded parameters.
type pgCall struct {
	statement *pgconn.StatementDescription
	values    [][]byte
	formats   []int16
	results   []int16
}

// pgInsert is an Insert with the types of its columns.
type pgInsert struct {
	statement *pgconn.StatementDescription
	columns   []uint32
	single    bool // one statement per row: `do update` must not meet the same row twice in one statement
}

func (e *postgres) writer(ctx context.Context) (writer, error) {
	conn, err := e.connect(ctx)
	if err != nil {
		return nil, err
	}
	if err := own(ctx, conn); err != nil {
		return nil, errors.Join(err, conn.Close(ctx))
	}
	w := &pgWriter{conn: conn}
	w.forget()
	return w, nil
}

func (w *pgWriter) forget() {
	w.statements = map[string]*pgconn.StatementDescription{}
	w.inserts = map[*Insert]*pgInsert{}
}

func (w *pgWriter) deadline() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), roundTripTimeout)
}

// note remembers the errors that end the transaction for everybody.
func (w *pgWriter) note(err error) error {
	if err == nil {
		return nil
	}
	if isStale(err) {
		w.forget() // the next run of the group prepares anew
	}
	if w.conn.IsClosed() || isConnectionError(err) {
		err = fmt.Errorf("%w: %w", errLost, err)
	}
	err = classify(err)
	if w.dead == nil && isFatal(err) {
		w.dead = err
	}
	return err
}

// isStale says that a prepared statement does not fit the tables any more (a migration by another node), or is gone.
func isStale(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "0A000" || pg.Code == "26000")
}

func (w *pgWriter) broken() error { return w.dead }

func (w *pgWriter) mayBeLost() bool { return true }

// prepare is a round trip at the first use of a text on this connection. What is queued goes ahead of it: should the
// text be wrong, then the savepoint to go back to is there.
func (w *pgWriter) prepare(sql string) (*pgconn.StatementDescription, error) {
	if s := w.statements[sql]; s != nil {
		return s, nil
	}
	if len(w.queue) > 0 {
		if _, err := w.send(nil); err != nil {
			return nil, err
		}
	}
	ctx, cancel := w.deadline()
	defer cancel()
	if len(w.statements) >= maxStatements {
		if _, err := w.conn.PgConn().Exec(ctx, "deallocate all").ReadAll(); err != nil {
			return nil, w.note(err)
		}
		w.forget()
	}
	w.named++
	s, err := w.conn.PgConn().Prepare(ctx, "s"+strconv.Itoa(w.named), sql, nil)
	if err != nil {
		return nil, w.note(err)
	}
	w.statements[sql] = s
	return s, nil
}

func (w *pgWriter) begin() error {
	if w.dead != nil || w.begun {
		return w.dead
	}
	if err := w.add("begin"); err != nil {
		return err
	}
	w.begun = true
	return nil
}

// add queues a statement without parameters.
func (w *pgWriter) add(sql string) error {
	s, err := w.prepare(sql)
	if err != nil {
		return err
	}
	w.queue = append(w.queue, pgCall{statement: s})
	return nil
}

func (w *pgWriter) addArgs(sql string, args []any) error {
	if err := w.begin(); err != nil {
		return err
	}
	s, err := w.prepare(sql)
	if err != nil {
		return err
	}
	var b pgx.ExtendedQueryBuilder
	if err := b.Build(w.conn.TypeMap(), s, args); err != nil {
		return err
	}
	w.queue = append(w.queue, pgCall{statement: s, values: b.ParamValues, formats: b.ParamFormats, results: b.ResultFormats})
	return nil
}

func (w *pgWriter) exec(sql string, args []any) (int64, error) {
	if err := w.addArgs(sql, args); err != nil {
		return 0, err
	}
	tag, err := w.send(nil)
	return tag.RowsAffected(), err
}

func (w *pgWriter) query(sql string, args []any) (*Rows, error) {
	if err := w.addArgs(sql, args); err != nil {
		return nil, err
	}
	rows := &Rows{}
	_, err := w.send(rows)
	return rows, err
}

// send carries the queue to the server in one round trip. It returns the tag of the last statement and puts its result
// into rows, if rows is not nil.
func (w *pgWriter) send(rows *Rows) (pgconn.CommandTag, error) {
	ctx, cancel := w.deadline()
	defer cancel()
	p := w.conn.PgConn().StartPipeline(ctx)
	for _, c := range w.queue {
		p.SendQueryStatement(c.statement, c.values, c.formats, c.results)
	}
	n := len(w.queue)
	w.drop()
	if err := p.Sync(); err != nil {
		return pgconn.CommandTag{}, w.note(errors.Join(err, p.Close()))
	}
	tag, err := w.receive(p, n, rows)
	return tag, w.note(errors.Join(err, closePipeline(p, err)))
}

// keepBytes is how much memory for arrays is kept from one group to the next.
const keepBytes = 4 << 20

func (w *pgWriter) drop() {
	w.queue, w.unsaved = w.queue[:0], 0
	if cap(w.values) > keepBytes {
		w.values = nil
	}
	w.values = w.values[:0]
}

// closePipeline reads up to the end of the exchange. It reports the error that was seen already once more.
func closePipeline(p *pgconn.Pipeline, seen error) error {
	err := p.Close()
	if seen != nil {
		return nil
	}
	return err
}

func (w *pgWriter) receive(p *pgconn.Pipeline, n int, rows *Rows) (tag pgconn.CommandTag, err error) {
	w.short = false
	for i := range n {
		result, err := p.GetResults()
		if err != nil {
			var answer *pgconn.PgError
			w.short = i < n-1 && errors.As(err, &answer)
			return tag, err
		}
		reader, ok := result.(*pgconn.ResultReader)
		if !ok {
			return tag, fmt.Errorf("unexpected %T in the answer", result)
		}
		if rows != nil && i == n-1 {
			if err := w.read(reader, rows); err != nil {
				return tag, err
			}
		}
		if tag, err = reader.Close(); err != nil {
			return tag, err
		}
	}
	return tag, nil
}

func (w *pgWriter) read(reader *pgconn.ResultReader, rows *Rows) error {
	rows.width = len(reader.FieldDescriptions())
	for reader.NextRow() {
		if err := addRaw(rows, w.conn.TypeMap(), reader.FieldDescriptions(), reader.Values()); err != nil {
			return err
		}
	}
	return nil
}

func (w *pgWriter) savepoint() error {
	if err := w.begin(); err != nil {
		return err
	}
	s, err := w.prepare("savepoint f")
	if err != nil {
		return err
	}
	w.unsaved = len(w.queue) + 1
	w.queue = append(w.queue, pgCall{statement: s})
	return nil
}

func (w *pgWriter) release() error {
	if w.unsaved > 0 && len(w.queue) == w.unsaved { // nothing happened inside
		w.queue = w.queue[:w.unsaved-1]
		w.unsaved = 0
		return nil
	}
	if err := w.add("release savepoint f"); err != nil {
		return err
	}
	_, err := w.send(nil)
	return err
}

// rollbackTo needs no round trip when the savepoint has not even been sent.
func (w *pgWriter) rollbackTo() error {
	if w.unsaved > 0 {
		w.queue = w.queue[:w.unsaved-1]
		w.unsaved = 0
		return nil
	}
	w.drop()
	if err := w.add("rollback to savepoint f"); err != nil {
		return err
	}
	if err := w.add("release savepoint f"); err != nil {
		return err
	}
	_, err := w.send(nil)
	return err
}

// commit sends what is queued together with `commit`. If the connection breaks from here on, nobody knows whether the
// server kept the group, unless the server said so before it came to the commit.
func (w *pgWriter) commit(mark int64) error {
	if mark != 0 {
		if err := w.addArgs(clockSave, []any{mark}); err != nil {
			return err
		}
	}
	if !w.begun {
		return nil
	}
	if err := w.add("commit"); err != nil {
		return err
	}
	tag, err := w.send(nil)
	if errors.Is(err, errLost) && !w.short {
		w.dead = fmt.Errorf("%w: %v", ErrUnknown, err)
		return w.dead
	}
	if err == nil && tag.String() != "COMMIT" { // the server answers ROLLBACK when an earlier statement failed
		err = fmt.Errorf("commit was answered with %s", tag)
	}
	if err != nil {
		return err
	}
	w.begun = false
	return nil
}

// rollback leaves the writer as new. Its error means that the connection is of no use any more.
func (w *pgWriter) rollback() error {
	begun := w.begun
	w.drop()
	w.begun = false
	if w.dead != nil {
		return w.dead
	}
	if !begun {
		return nil
	}
	ctx, cancel := w.deadline()
	defer cancel()
	_, err := w.conn.PgConn().Exec(ctx, "rollback").ReadAll()
	return err
}

func (w *pgWriter) idle() {}

func (w *pgWriter) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), connectTimeout)
	defer cancel()
	return w.conn.Close(ctx)
}

// insertSQL returns the statement that takes one array per column.
func (ins *Insert) insertSQL(columns []uint32) string {
	arrays := make([]string, len(columns))
	for i, oid := range columns {
		arrays[i] = "$" + strconv.Itoa(i+1) + "::" + elementTypes[oid]
	}
	return ins.head() + "select * from unnest(" + strings.Join(arrays, ", ") + ")" + ins.conflict
}
