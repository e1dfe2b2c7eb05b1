package blocking

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

// The reasons of XEP-0377 §3.
const (
	ReasonSpam  = "urn:xmpp:reporting:spam"
	ReasonAbuse = "urn:xmpp:reporting:abuse"
)

// Limits of one report.
const (
	maxWords     = 4000 // bytes
	maxStanzaIDs = 50
	maxReason    = 200 // bytes
)

var insertReport = store.NewInsert("blocking_report", "id", "account", "jid", "reason", "words", "stanza_ids")

// Report is what someone has told the operator about an address that they block (XEP-0377).
type Report struct {
	// ID names the report.
	ID int64
	// Handled is when an administrator has dealt with it, zero if none has.
	Handled time.Time
	// Account is the number of the account that reports.
	Account int64
	// JID is who is reported.
	JID xmpp.JID
	// Reason is ReasonSpam, ReasonAbuse or another URN, as it was given.
	Reason string
	// Words are the reporter's own; may be empty.
	Words string
	// Messages are the reported messages: who gave the id (XEP-0359), and the id.
	Messages [][2]string
	// At is when it was reported.
	At time.Time
}

// readReports reads the reports within the items of a <block/>.
func readReports(block *xmpp.Element) ([]Report, error) {
	var reports []Report
	for e := range block.Children() {
		report := e.Child(NSReport, "report")
		if report == nil {
			continue
		}
		jid, err := xmpp.ParseJID(e.Attr("jid"))
		if err != nil {
			return nil, xmpp.BadRequest.Because("an item has no valid jid")
		}
		read := Report{JID: jid, Reason: report.Attr("reason"), Words: report.ChildText(NSReport, "text")}
		for child := range report.Children() {
			if child.Is(xmpp.NSStanzaID, "stanza-id") {
				read.Messages = append(read.Messages, [2]string{child.Attr("by"), child.Attr("id")})
			}
		}
		if read.Reason == "" || len(read.Reason) > maxReason || len(read.Words) > maxWords || len(read.Messages) > maxStanzaIDs {
			return nil, xmpp.BadRequest.Because("a report needs a reason, has at most %d bytes of text and names at most %d messages",
				maxWords, maxStanzaIDs)
		}
		reports = append(reports, read)
	}
	return reports, nil
}

// keepReports writes the reports as far as the account has not made too many.
func (f *Feature) keepReports(ctx context.Context, account int64, reports []Report) error {
	if len(reports) == 0 {
		return nil
	}
	var n int
	if err := f.db.QueryRow(ctx, `select count(*) from blocking_report where account = $1`, account).Scan(&n); err != nil {
		return fmt.Errorf("count reports: %w", err)
	}
	for _, r := range reports[:min(len(reports), max(0, f.cfg.MaxReports-n))] {
		messages, err := json.Marshal(r.Messages)
		if err != nil {
			return fmt.Errorf("write a report: %w", err)
		}
		if err := f.db.Append(ctx, insertReport, f.db.Next(), account, r.JID.String(), r.Reason, r.Words, string(messages)); err != nil {
			return err
		}
	}
	return nil
}

func (f *Feature) count(reports []Report) {
	for _, r := range reports {
		reason := "other"
		switch r.Reason {
		case ReasonSpam:
			reason = "spam"
		case ReasonAbuse:
			reason = "abuse"
		}
		f.reports.WithLabelValues(reason).Inc()
	}
}

// Reports returns at most limit (1–1000) reports made after the given time, oldest first.
func (f *Feature) Reports(ctx context.Context, after time.Time, limit int) ([]Report, error) {
	return f.kept(ctx, `id > $1 order by id limit $2`, after, limit)
}

// Newest returns at most limit (1–1000) reports made after the given time, newest first.
func (f *Feature) Newest(ctx context.Context, after time.Time, limit int) ([]Report, error) {
	return f.kept(ctx, `id > $1 order by id desc limit $2`, after, limit)
}

func (f *Feature) kept(ctx context.Context, which string, after time.Time, limit int) ([]Report, error) {
	return f.read(ctx, which, after.UnixMicro(), max(1, min(limit, 1000)))
}

// Page returns at most limit (1–1000) reports with ids below before, newest first: those that were handled, or those that were not.
func (f *Feature) Page(ctx context.Context, handled bool, before int64, limit int) ([]Report, error) {
	return f.read(ctx, `id < $1 and (handled > 0) = $2 order by id desc limit $3`, before, handled, max(1, min(limit, 1000)))
}

// Open is how many reports nobody has dealt with.
func (f *Feature) Open(ctx context.Context) (n int, err error) {
	if err = f.db.QueryRow(ctx, `select count(*) from blocking_report where handled = 0`).Scan(&n); err != nil {
		return 0, fmt.Errorf("count reports: %w", err)
	}
	return n, nil
}

// Handle notes that an administrator has dealt with a report, or that none has after all; xmpp.ItemNotFound if it is not there.
func (f *Feature) Handle(ctx context.Context, id int64, handled bool) error {
	at := int64(0)
	if handled {
		at = f.db.Next()
	}
	n, err := f.db.Exec(ctx, `update blocking_report set handled = $1 where id = $2`, at, id)
	if err == nil && n == 0 {
		return xmpp.ItemNotFound
	}
	return err
}

// read reads the reports that a condition names.
func (f *Feature) read(ctx context.Context, which string, args ...any) ([]Report, error) {
	rows, err := f.db.Query(ctx, `select id, handled, account, jid, reason, words, stanza_ids from blocking_report where `+which, args...)
	if err != nil {
		return nil, fmt.Errorf("read reports: %w", err)
	}
	defer rows.Close()
	var reports []Report
	for rows.Next() {
		var r Report
		var handled int64
		var jid, messages string
		if err := rows.Scan(&r.ID, &handled, &r.Account, &jid, &r.Reason, &r.Words, &messages); err != nil {
			return nil, err
		}
		if r.JID, err = xmpp.ParseJID(jid); err != nil {
			return nil, fmt.Errorf("read a report: %w", err)
		}
		if err := json.Unmarshal([]byte(messages), &r.Messages); err != nil {
			return nil, fmt.Errorf("read a report: %w", err)
		}
		r.At = time.UnixMicro(r.ID).UTC()
		if handled > 0 {
			r.Handled = time.UnixMicro(handled).UTC()
		}
		reports = append(reports, r)
	}
	return reports, rows.Err()
}
