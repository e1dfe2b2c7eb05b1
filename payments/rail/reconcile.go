package rail

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"palabre.dev/palabre/jobs"
	"palabre.dev/palabre/store"
)

// Reconciler is a Network that has a list of what it has moved.
type Reconciler interface {
	// Statement calls each for every movement that the network's list has from since to until, in any order, and returns the first error of each.
	Statement(ctx context.Context, since, until time.Time, each func(Line) error) error
}

// Line is one movement in a network's list.
type Line struct {
	// ID is that of our transfer, if the network gives it back; Reference the network's name for it.
	ID, Reference string
	// Return says that a transfer of before was taken back by the network.
	Return bool
	// Amount is in minor units of Unit; negative only for a Return that was undone.
	Amount int64
	Unit   string
	At     time.Time
	// Decimal is the amount as the network writes it, where it writes it with the digits of the unit (125.00); then Amount does not matter.
	Decimal string
}

// DifferenceKind says in what our list and a network's differ; the numbers are stored.
type DifferenceKind int64

const (
	// MissingHere: the network has moved what we know nothing of.
	MissingHere DifferenceKind = iota + 1
	// MissingThere: we have booked what the network's list has not.
	MissingThere
	// OtherAmount: both have it, with different amounts.
	OtherAmount
	// OtherState: the network has moved it and we have not booked that, or it took something back and we have not.
	OtherState
)

// String is the kind in words.
func (k DifferenceKind) String() string {
	return map[DifferenceKind]string{MissingHere: "missing here", MissingThere: "missing there", OtherAmount: "other amount", OtherState: "other state"}[k]
}

// Difference is one thing in which our list and a network's differ.
type Difference struct {
	Kind DifferenceKind
	// ID is that of our transfer, Reference the network's name; either may be empty.
	ID, Reference string
	// Here and There are the amounts, in minor units of Unit.
	Here, There int64
	Unit        string
	Note        string
}

// Report is one comparison.
type Report struct {
	// Number is the time of the comparison in microseconds since 1970 (UTC).
	Number       int64
	Rail         string
	Since, Until time.Time
	// Lines is how many the network's list had, Differences how many were found; at most 10,000 are kept.
	Lines, Differences int
	// Night says that nobody asked for it: it is one of those that leave no day out.
	Night bool
}

const (
	maxLines       = 500_000 // of a network's list in one comparison
	maxDifferences = 10_000
	margin         = 12 * time.Hour // by which the clocks of both sides may differ about the day of a movement
	nightlyHour    = 3              // UTC
	// What one night compares at once, and how far back it goes, after nights on which this server was not there.
	nightlyDays, missedDays = 7 * 24 * time.Hour, 31 * 24 * time.Hour
)

// comparison is what is known in the middle of one.
type comparison struct {
	report   Report
	seen     map[string]bool
	returned map[string]int64 // of our transfers, what the network has taken back
	found    []Difference
	hints    map[string]bool
}

func (c *comparison) differ(d Difference, hint bool) {
	c.report.Differences++
	if len(c.found) < maxDifferences {
		c.found = append(c.found, d)
	}
	if hint && d.ID != "" && len(c.hints) < maxDifferences {
		c.hints[d.ID] = true
	}
}

// Reconcile compares our list with the network's for what was settled from since to until, keeps a report, and has the network asked about what differs.
func (e *Engine) Reconcile(ctx context.Context, rail string, since, until time.Time) (Report, error) {
	return e.reconcile(ctx, Report{Rail: rail, Since: since.UTC(), Until: until.UTC()})
}

func (e *Engine) reconcile(ctx context.Context, report Report) (Report, error) {
	rail, since, until := report.Rail, report.Since, report.Until
	network, ok := e.networks[rail].(Reconciler)
	if !ok {
		return Report{}, ErrNoRail
	}
	c := &comparison{report: report, seen: map[string]bool{}, returned: map[string]int64{}, hints: map[string]bool{}}
	err := network.Statement(ctx, since.Add(-margin), until.Add(margin), func(line Line) error {
		inside := !line.At.Before(since) && line.At.Before(until)
		if inside {
			c.report.Lines++
		}
		if len(c.seen) >= maxLines {
			return fmt.Errorf("the network's list has more than %d lines; compare shorter times", maxLines)
		}
		return e.compare(ctx, c, line, inside)
	})
	if err != nil {
		return Report{}, fmt.Errorf("reconcile %s: %w", rail, err)
	}
	if err := errors.Join(e.takenBack(ctx, c), e.missingThere(ctx, c)); err != nil {
		return Report{}, fmt.Errorf("reconcile %s: %w", rail, err)
	}
	err = e.keepReport(ctx, c)
	return c.report, err
}

// compare looks for a line of the network among ours.
func (e *Engine) compare(ctx context.Context, c *comparison, line Line, inside bool) error {
	if line.Decimal != "" {
		unit, _ := e.ledger.Unit(line.Unit)
		amount, err := ParseDecimal(line.Decimal, unit.Exponent)
		if err != nil {
			return err
		}
		line.Amount = amount
	}
	t, err := e.find(ctx, c.report.Rail, line)
	missing := errors.Is(err, ErrNotFound)
	if err != nil && !missing {
		return err
	}
	if !missing && !line.Return {
		c.seen[t.ID] = true
	}
	d := Difference{ID: t.ID, Reference: line.Reference, Here: t.Moved, There: line.Amount, Unit: line.Unit, Note: t.State.String()}
	switch {
	case !inside:
		return nil
	case missing:
		d.Kind, d.Here, d.Note = MissingHere, 0, ""
	case line.Return:
		c.returned[t.ID] += line.Amount
		return nil
	case t.State != Settled && t.State != Reversed:
		d.Kind = OtherState
	case t.Moved != line.Amount || t.Unit != line.Unit:
		d.Kind = OtherAmount
	default:
		return nil
	}
	c.differ(d, true)
	return nil
}

// takenBack looks for what the network has taken back in the time, and we have not booked. Where its list does not reach back to the beginning of a transfer, it is
// asked about it in any case: it may have undone what it had taken back.
func (e *Engine) takenBack(ctx context.Context, c *comparison) error {
	for _, id := range slices.Sorted(maps.Keys(c.returned)) {
		t, err := e.Get(ctx, id)
		if err != nil {
			return err
		}
		there := c.returned[id]
		if !c.seen[id] {
			c.hints[id] = true
		}
		if t.Returned < there || c.seen[id] && t.Returned != there {
			c.differ(Difference{Kind: OtherState, ID: id, Reference: t.Reference, Here: t.Returned, There: there, Unit: t.Unit, Note: "taken back by the network"}, true)
		}
	}
	return nil
}

func (e *Engine) find(ctx context.Context, rail string, line Line) (Transfer, error) {
	for _, by := range []struct{ column, value string }{{"t.id", line.ID}, {"t.reference", line.Reference}} {
		if by.value == "" {
			continue
		}
		all, err := e.query(ctx, "where t.rail = $1 and "+by.column+" = $2 order by t.number limit 1", rail, by.value)
		if err != nil || len(all) > 0 {
			return first(all), err
		}
	}
	return Transfer{}, ErrNotFound
}

func first(all []Transfer) Transfer {
	if len(all) == 0 {
		return Transfer{}
	}
	return all[0]
}

// missingThere looks for what we have booked in the time and the network's list did not name.
func (e *Engine) missingThere(ctx context.Context, c *comparison) error {
	const page = 1000
	for after := int64(0); ; {
		all, err := e.query(ctx, `where t.rail = $1 and t.settled_at > 0 and t.settled_at >= $2 and t.settled_at < $3 and t.number > $4 and t.state in (6, 7) order by t.number limit $5`,
			c.report.Rail, c.report.Since.UnixMicro(), c.report.Until.UnixMicro(), after, page)
		if err != nil {
			return err
		}
		for _, t := range all {
			after = t.Number
			if !c.seen[t.ID] {
				c.differ(Difference{Kind: MissingThere, ID: t.ID, Reference: t.Reference, Here: t.Moved, Unit: t.Unit, Note: t.State.String()}, true)
			}
		}
		if len(all) < page {
			return nil
		}
	}
}

func (e *Engine) keepReport(ctx context.Context, c *comparison) error {
	return e.db.Tx(ctx, func(ctx context.Context) error {
		c.report.Number = e.db.Next()
		r := c.report
		night := 0
		if r.Night {
			night = 1
		}
		_, err := e.db.Exec(ctx, "insert into rail_report (id, rail, since, until, lines, differences, night) values ($1, $2, $3, $4, $5, $6, $7)",
			r.Number, r.Rail, r.Since.UnixMicro(), r.Until.UnixMicro(), r.Lines, r.Differences, night)
		if err != nil {
			return fmt.Errorf("keep report: %w", err)
		}
		for _, d := range c.found {
			_, err := e.db.Exec(ctx, "insert into rail_difference (id, report, kind, transfer, reference, here, there, unit, note) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
				e.db.Next(), r.Number, d.Kind, d.ID, d.Reference, d.Here, d.There, d.Unit, d.Note)
			if err != nil {
				return fmt.Errorf("keep difference: %w", err)
			}
		}
		for id := range c.hints {
			if err := e.hint(ctx, r.Rail, id); err != nil {
				return err
			}
		}
		return nil
	})
}

// nightly compares the days that no night has compared yet, and yesterday an hour later once more if something differed: what the network was asked about meanwhile
// agrees by then. What is compared by hand changes nothing of that.
func (e *Engine) nightly(ctx context.Context, job jobs.Job) error {
	now := e.now().UTC()
	today := now.Truncate(24 * time.Hour)
	var last Report
	reports, err := e.reports(ctx, "rail = $1 and night = 1 order by id desc limit 1", job.Name)
	if err != nil {
		return err
	}
	if len(reports) > 0 {
		last = reports[0]
	}
	due := today.Add(nightlyHour * time.Hour)
	again := last.Until.Equal(today) && last.Differences > 0 && last.At().Before(due.Add(time.Hour))
	switch {
	case now.Before(due):
		return jobs.Again(due.Sub(now))
	case again && now.Before(due.Add(time.Hour)):
		return jobs.Again(due.Add(time.Hour).Sub(now))
	case !again && last.Until.Equal(today):
		return jobs.Again(due.Add(24 * time.Hour).Sub(now))
	}
	since := today.Add(-24 * time.Hour)
	if !again && last.Until.Before(since) && !last.Until.IsZero() {
		since = later(last.Until, today.Add(-missedDays))
	}
	report, err := e.reconcile(ctx, Report{Rail: job.Name, Since: since, Until: earlier(since.Add(nightlyDays), today), Night: true})
	if err != nil {
		e.log.Error("our list could not be compared with the network's; it is tried again", "rail", job.Name, "err", err)
		return err
	}
	if report.Differences > 0 {
		e.log.Warn("our list and the network's differ", "rail", job.Name, "differences", report.Differences)
	}
	if err := e.forgetEvents(ctx, job.Name); err != nil {
		return err
	}
	return jobs.Again(time.Minute)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// At is when it was compared.
func (r Report) At() time.Time { return time.UnixMicro(r.Number).UTC() }

// Reports reads the reports of a rail, the newest first: those before a number (0 for the newest), at most 100.
func (e *Engine) Reports(ctx context.Context, rail string, before int64, limit int) (all []Report, err error) {
	if before <= 0 {
		before = 1<<63 - 1
	}
	return e.reports(ctx, "rail = $1 and id < $2 order by id desc limit $3", rail, before, min(max(limit, 1), 100))
}

func (e *Engine) reports(ctx context.Context, where string, args ...any) (all []Report, err error) {
	rows, err := e.db.Query(ctx, "select id, rail, since, until, lines, differences, night from rail_report where "+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read reports: %w", err)
	}
	for rows.Next() {
		var r Report
		var since, until, night int64
		if err := rows.Scan(&r.Number, &r.Rail, &since, &until, &r.Lines, &r.Differences, &night); err != nil {
			return nil, fmt.Errorf("read reports: %w", err)
		}
		r.Since, r.Until, r.Night = fromMicro(since), fromMicro(until), night == 1
		all = append(all, r)
	}
	return all, nil
}

// Differences reads what a report has found, at most 10,000.
func (e *Engine) Differences(ctx context.Context, report int64) (all []Difference, err error) {
	rows, err := e.db.Query(ctx, "select kind, transfer, reference, here, there, unit, note from rail_difference where report = $1 order by id limit $2", report, maxDifferences)
	if err != nil {
		return nil, fmt.Errorf("read differences: %w", err)
	}
	return scanDifferences(rows)
}

func scanDifferences(rows *store.Rows) (all []Difference, err error) {
	for rows.Next() {
		var d Difference
		if err := rows.Scan(&d.Kind, &d.ID, &d.Reference, &d.Here, &d.There, &d.Unit, &d.Note); err != nil {
			return nil, fmt.Errorf("read differences: %w", err)
		}
		all = append(all, d)
	}
	return all, nil
}
