package store

import (
	"fmt"
	"strconv"
	"strings"
)

// Insert describes rows that DB.Append adds to one table. Make it once (a package variable) and share it: the
// statements prepared for it are found by its address.
type Insert struct {
	table    string
	columns  []string
	conflict string
}

// NewInsert returns an Insert into the given columns of table. Both are written into SQL text as they are, so they must
// be constants of the program. The columns must be bigint, integer, text, bytea, boolean or double precision.
func NewInsert(table string, columns ...string) *Insert {
	if table == "" || len(columns) == 0 {
		panic("store: an Insert needs a table and columns")
	}
	return &Insert{table: table, columns: columns}
}

// OnConflict returns a copy of the Insert with an `on conflict` clause, for example OnConflict("do nothing") or
// OnConflict("(id) do update set n = excluded.n").
func (ins *Insert) OnConflict(action string) *Insert {
	with := *ins
	with.conflict = " on conflict " + action
	return &with
}

func (ins *Insert) head() string {
	return "insert into " + ins.table + " (" + strings.Join(ins.columns, ", ") + ") "
}

// rowSQL returns the statement for one row.
func (ins *Insert) rowSQL() string {
	places := make([]string, len(ins.columns))
	for i := range places {
		places[i] = "$" + strconv.Itoa(i+1)
	}
	return ins.head() + "values (" + strings.Join(places, ", ") + ")" + ins.conflict
}

// pending holds the rows that the functions of a group appended and that are not written yet.
type pending struct {
	order   []*batch // by first append
	batches map[*Insert]*batch
	recent  []*batch // one entry per row of the function that is running
	rows    int
}

type batch struct {
	ins    *Insert
	rows   [][]any
	listed bool // in pending.order
}

// maxBatches bounds the memory that inserts made anew for every call would take.
const maxBatches = 1024

func (p *pending) add(ins *Insert, row []any) {
	b := p.batches[ins]
	if b == nil {
		b = &batch{ins: ins}
		if p.batches == nil {
			p.batches = map[*Insert]*batch{}
		}
		p.batches[ins] = b
	}
	if !b.listed {
		b.listed = true
		p.order = append(p.order, b)
	}
	b.rows = append(b.rows, row)
	p.recent = append(p.recent, b)
	p.rows++
}

// dropRecent takes back what the function that is running has appended. Nothing of it may have been flushed.
func (p *pending) dropRecent() {
	for _, b := range p.recent {
		b.rows = b.rows[:len(b.rows)-1]
		p.rows--
	}
	p.recent = p.recent[:0]
}

// clear forgets all rows and keeps the memory for the next group.
func (p *pending) clear() {
	for _, b := range p.order {
		clear(b.rows)
		b.rows, b.listed = b.rows[:0], false
	}
	if len(p.batches) > maxBatches {
		p.batches = nil
	}
	p.order, p.recent, p.rows = p.order[:0], p.recent[:0], 0
}

// touches says whether the text of a statement names a table that has rows waiting.
func (p *pending) touches(sql string) bool {
	for _, b := range p.order {
		if len(b.rows) > 0 && strings.Contains(sql, b.ins.table) {
			return true
		}
	}
	return false
}

// flush hands all rows to w, table by table in the order of their first append.
func (p *pending) flush(w writer) error {
	defer p.clear()
	for _, b := range p.order {
		if len(b.rows) == 0 {
			continue
		}
		if err := w.insert(b.ins, b.rows); err != nil {
			return fmt.Errorf("insert into %s: %w", b.ins.table, err)
		}
	}
	return nil
}
