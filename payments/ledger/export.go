package ledger

import (
	"context"
	"encoding/csv"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Text writes an amount of minor units with the unit's digits: 12500 of a unit with two is 125.00.
func (u Unit) Text(amount int64) string {
	text, sign := strconv.FormatInt(amount, 10), ""
	if amount < 0 {
		text, sign = text[1:], "-"
	}
	if u.Exponent == 0 {
		return sign + text
	}
	if short := u.Exponent + 1 - len(text); short > 0 {
		text = strings.Repeat("0", short) + text
	}
	whole := len(text) - u.Exponent
	return sign + text[:whole] + "." + text[whole:]
}

// Total is what all accounts of one class have in one unit.
type Total struct {
	Unit, Class string
	Accounts    int64
	// Balance and Held are sums in minor units; the balances of a unit together are zero.
	Balance, Held int64
}

// Class is the part of an account's name before the first slash: what sort of account it is, as those who open them have it.
func Class(name string) string {
	class, _, _ := strings.Cut(name, "/")
	return class
}

// Totals is the trial balance at a time: by unit, then by class.
func (l *Ledger) Totals(ctx context.Context, at time.Time) ([]Total, error) {
	sums := map[[2]string]*Total{}
	for after := ""; ; {
		page, err := l.Accounts(ctx, at, after, MaxLines)
		if err != nil {
			return nil, err
		}
		for _, a := range page {
			after = a.Name
			key := [2]string{a.Unit, Class(a.Name)}
			if sums[key] == nil {
				sums[key] = &Total{Unit: a.Unit, Class: Class(a.Name)}
			}
			sums[key].Accounts++
			sums[key].Balance += a.Balance
			sums[key].Held += a.Held
		}
		if len(page) < MaxLines {
			break
		}
	}
	all := make([]Total, 0, len(sums))
	for _, one := range sums {
		all = append(all, *one)
	}
	slices.SortFunc(all, func(a, b Total) int { return strings.Compare(a.Unit+"\x00"+a.Class, b.Unit+"\x00"+b.Class) })
	return all, nil
}

var exportHead = []string{"number", "time", "kind", "id", "of", "from", "to", "amount", "unit", "from balance", "to balance", "for", "refused", "hash"}

// Export writes the records from a time until before another one (zero for all) as CSV (RFC 4180), in their order, with a line of names. Signed texts are not
// in it. A cell that a spreadsheet would take for a formula has an apostrophe before it: people choose what a payment is for.
func (l *Ledger) Export(ctx context.Context, to io.Writer, since, until time.Time) error {
	w := csv.NewWriter(to)
	for after := int64(0); ; {
		next, err := l.ExportPage(ctx, w, after, since, until, MaxLines)
		if err != nil || next == 0 {
			return err
		}
		after = next
	}
}

// ExportPage writes at most limit (1–1,000) records of an Export: those after a number, 0 for the first, which has the line of names before it. It gives the number to go on
// after, 0 if there are no more.
func (l *Ledger) ExportPage(ctx context.Context, w *csv.Writer, after int64, since, until time.Time, limit int) (next int64, err error) {
	if after == 0 {
		if err := w.Write(exportHead); err != nil {
			return 0, fmt.Errorf("export: %w", err)
		}
	}
	if !since.IsZero() {
		after = max(after, since.UnixMicro()-1)
	}
	if !until.IsZero() {
		until = until.Add(-time.Microsecond)
	}
	page, err := l.Journal(ctx, after, until, limit)
	if err != nil {
		return 0, err
	}
	for i := range page {
		if err := w.Write(l.cells(&page[i])); err != nil {
			return 0, fmt.Errorf("export: %w", err)
		}
	}
	w.Flush()
	if len(page) == min(max(limit, 1), MaxLines) {
		next = page[len(page)-1].Number
	}
	return next, w.Error()
}

// cells is a record as a line of Export.
func (l *Ledger) cells(e *Entry) []string {
	unit := l.units[e.Unit]
	amount, from, to, refused := "", "", "", ""
	switch {
	case e.Refused != nil:
		refused = e.Refused.Error()
	case e.Kind == Opening || e.Kind == Setting:
		from = unit.Text(e.FromBalance)
	default:
		amount, from, to = unit.Text(e.Amount), unit.Text(e.FromBalance), unit.Text(e.ToBalance)
	}
	return []string{strconv.FormatInt(e.Number, 10), e.Time().UTC().Format("2006-01-02T15:04:05.000000Z"), e.Kind.String(), plainCell(e.ID), plainCell(e.Of), plainCell(e.From), plainCell(e.To),
		amount, e.Unit, from, to, plainCell(e.About), refused, hex.EncodeToString(e.Hash[:])}
}

// plainCell keeps a spreadsheet from computing what somebody has written.
func plainCell(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}
