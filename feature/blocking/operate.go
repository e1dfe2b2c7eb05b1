package blocking

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// NodeReports is that of the command with which administrators read what people report (XEP-0377).
const NodeReports = "urn:palabre:reports:0"

// What the command shows.
const (
	shownReports = 100
	shownSince   = 30 * 24 * time.Hour
)

// Commands takes commands (XEP-0050).
type Commands interface {
	AddCommand(node, name string, permit func(ctx context.Context, account *core.Account) (bool, error),
		step func(ctx context.Context, r *core.Request, answers []*xmpp.Form) (form *xmpp.Form, note string, err error))
}

// Names knows what accounts are called.
type Names interface {
	// NameOf is the local part of the account with this number.
	NameOf(ctx context.Context, account int64) (string, error)
	// IsAdmin reports whether an account may administer the service.
	IsAdmin(ctx context.Context, account *core.Account) (bool, error)
}

// AddCommands offers the reports of the last 30 days to administrators: the newest 100, newest first.
func (f *Feature) AddCommands(commands Commands, names Names) {
	commands.AddCommand(NodeReports, "What people report", names.IsAdmin, func(ctx context.Context, _ *core.Request, _ []*xmpp.Form) (*xmpp.Form, string, error) {
		reports, err := f.Newest(ctx, time.Now().Add(-shownSince), shownReports)
		if err != nil || len(reports) == 0 {
			return nil, "nobody has reported anybody in the last 30 days", err
		}
		lines := make([]string, len(reports))
		for i, r := range reports {
			by, err := names.NameOf(ctx, r.Account)
			if err != nil {
				return nil, "", err
			}
			lines[i] = r.line(by)
		}
		form := xmpp.NewForm("result", NodeReports)
		form.Title = "What people report"
		return form.Add("reports", "text-multi", "When, whom, why, by whom, in their words", lines...), "", nil
	})
}

// line is a report for a person to read. What others wrote is quoted, so that it cannot look like anything else.
func (r Report) line(by string) string {
	line := fmt.Sprintf("%s %s: %s, by %s", r.At.Format(time.DateTime), r.JID, r.Kind(), by)
	if r.Words != "" {
		line += ": " + strconv.Quote(r.Words)
	}
	return line
}

// Kind is a short word for the reason: spam, abuse, or the quoted URN.
func (r Report) Kind() string {
	switch r.Reason {
	case ReasonSpam:
		return "spam"
	case ReasonAbuse:
		return "abuse"
	}
	return strconv.Quote(r.Reason)
}
