package store

import (
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgtype"
)

// maxRowsPerCall bounds the size of one message to the server.
const maxRowsPerCall = 4096

// insert queues the rows: one array per column, so that one prepared statement serves any number of rows.
func (w *pgWriter) insert(ins *Insert, rows [][]any) error {
	if err := w.begin(); err != nil {
		return err
	}
	p, err := w.insertFor(ins)
	if err != nil {
		return err
	}
	step := maxRowsPerCall
	if p.single {
		step = 1
	}
	for len(rows) > 0 {
		n := min(step, len(rows))
		if err := w.queueArrays(p, rows[:n]); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

func (w *pgWriter) queueArrays(p *pgInsert, rows [][]any) error {
	c := pgCall{statement: p.statement, values: make([][]byte, len(p.columns)), formats: binaryFormats}
	for i, oid := range p.columns {
		from := len(w.values)
		values, err := appendArray(w.values, rows, i, oid)
		if err != nil {
			return fmt.Errorf("column %d: %w", i+1, err)
		}
		w.values = values
		c.values[i] = values[from:len(values):len(values)]
	}
	w.queue = append(w.queue, c)
	return nil
}

var binaryFormats = []int16{pgtype.BinaryFormatCode}

// insertFor learns the types of the columns from the server and prepares the statement, once per connection.
func (w *pgWriter) insertFor(ins *Insert) (*pgInsert, error) {
	if p := w.inserts[ins]; p != nil {
		return p, nil
	}
	probe, err := w.prepare(ins.rowSQL())
	if err != nil {
		return nil, err
	}
	for i, oid := range probe.ParamOIDs {
		if elementTypes[oid] == "" {
			return nil, fmt.Errorf("column %s has a type that rows cannot be appended to", ins.columns[i])
		}
	}
	p := &pgInsert{columns: probe.ParamOIDs, single: strings.Contains(ins.conflict, "update")}
	if p.statement, err = w.prepare(ins.insertSQL(p.columns)); err != nil {
		return nil, err
	}
	w.inserts[ins] = p
	return p, nil
}
