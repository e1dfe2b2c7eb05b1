package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/feature/account"
	"palabre.dev/palabre/feature/blocking"
	"palabre.dev/palabre/feature/channel"
	"palabre.dev/palabre/feature/register"
)

// operations is all that an operator can ask for, by name.
var operations = map[string]operation{
	"status":          plainly(func(ctx context.Context, a *App, _ struct{}) (Status, error) { return a.status(ctx) }),
	"account/add":     plainly(addAccount),
	"account/list":    plainly(listAccounts),
	"account/passwd":  plainly(setPassword),
	"account/disable": onAccount(func(ctx context.Context, a *App, one *core.Account) error { return a.accounts.Disable(ctx, one) }),
	"account/enable":  onAccount(func(ctx context.Context, a *App, one *core.Account) error { return a.accounts.Enable(ctx, one) }),
	"account/remove":  onAccount(removeAccount),
	"account/admin":   onAccount(makeAdmin),
	"account/member": onAccount(func(ctx context.Context, a *App, one *core.Account) error {
		return a.accounts.SetAdmin(ctx, one, false, nil)
	}),
	"invite":  plainly(invite),
	"reports": plainly(listReports),
	"channel/list": plainly(func(ctx context.Context, a *App, args ChannelsArgs) ([]Channel, error) {
		return a.channels.List(ctx, args.After, args.Max)
	}),
	"channel/mark": plainly(func(ctx context.Context, a *App, args MarkArgs) (struct{}, error) {
		return struct{}{}, a.channels.Mark(ctx, args.Name, args.Reason)
	}),
	"export": export,
	"import": importFile,
	"backup": backup,
}

// plainly makes an operation of a function from arguments to a result.
func plainly[A, R any](run func(ctx context.Context, a *App, args A) (R, error)) operation {
	return func(ctx context.Context, a *App, encoded []byte, _ io.Reader, out io.Writer) error {
		var args A
		if err := json.Unmarshal(encoded, &args); err != nil {
			return fmt.Errorf("read arguments: %w", err)
		}
		result, err := run(ctx, a, args)
		if err != nil {
			return err
		}
		return json.NewEncoder(out).Encode(result)
	}
}

// AccountArgs name an account, and give what an operation on it needs.
type AccountArgs struct {
	Name     string `json:"name"`
	Password string `json:"password,omitempty"`
	Admin    bool   `json:"admin,omitempty"`
}

// Channel is a channel as operators see it.
type Channel = channel.Listed

// ChannelsArgs bound a list of channels: those whose names come after one, at most Max.
type ChannelsArgs struct {
	After string `json:"after"`
	Max   int    `json:"max"`
}

// MarkArgs name a channel and why the operator vouches for it; without a reason the mark is taken back.
type MarkArgs struct {
	Name   string `json:"name"`
	Reason string `json:"reason,omitempty"`
}

// AccountResult is the address of the account that was met.
type AccountResult struct {
	JID string `json:"jid"`
}

func onAccount(run func(ctx context.Context, a *App, one *core.Account) error) operation {
	return plainly(func(ctx context.Context, a *App, args AccountArgs) (AccountResult, error) {
		one, err := a.lookup(ctx, args.Name)
		if err != nil {
			return AccountResult{}, err
		}
		return AccountResult{one.JID.String()}, run(ctx, a, one)
	})
}

func (a *App) lookup(ctx context.Context, name string) (*core.Account, error) {
	one, err := a.accounts.Lookup(ctx, name)
	if errors.Is(err, core.ErrNoAccount) {
		return nil, fmt.Errorf("there is no account %s on %s", name, a.cfg.Domain)
	}
	return one, err
}

func addAccount(ctx context.Context, a *App, args AccountArgs) (AccountResult, error) {
	name, err := a.accounts.Prepare(args.Name)
	if err != nil {
		return AccountResult{}, account.ErrName
	}
	one, err := a.accounts.Create(ctx, name, args.Password, args.Admin, nil)
	if err != nil {
		return AccountResult{}, err
	}
	return AccountResult{one.JID.String()}, nil
}

func setPassword(ctx context.Context, a *App, args AccountArgs) (AccountResult, error) {
	one, err := a.lookup(ctx, args.Name)
	if err != nil {
		return AccountResult{}, err
	}
	return AccountResult{one.JID.String()}, a.accounts.SetPassword(ctx, one, args.Password, nil, nil)
}

// makeAdmin makes an account an administrator, who is another pair of eyes at once, whatever other administrators have done with the account.
func makeAdmin(ctx context.Context, a *App, one *core.Account) error {
	if err := a.accounts.SetAdmin(ctx, one, true, nil); err != nil || a.pay == nil {
		return err
	}
	return a.pay.Vouch(ctx, shell, one.JID)
}

// removeAccount returns when all data is gone. Should it be broken off, the server goes on.
func removeAccount(ctx context.Context, a *App, one *core.Account) error {
	if err := a.accounts.Remove(ctx, one, nil); err != nil {
		return err
	}
	return a.accounts.FinishRemoval(ctx, one)
}

// ListArgs ask for a page of accounts.
type ListArgs struct {
	After string `json:"after"`
	Max   int    `json:"max"`
}

func listAccounts(ctx context.Context, a *App, args ListArgs) ([]account.Entry, error) {
	return a.accounts.List(ctx, args.After, args.Max)
}

// InviteArgs describe an invitation.
type InviteArgs struct {
	Name  string        `json:"name"`
	Admin bool          `json:"admin"`
	Uses  int           `json:"uses"`
	Life  time.Duration `json:"life"`
}

func invite(ctx context.Context, a *App, args InviteArgs) (register.Link, error) {
	wanted := register.Invite{Account: true, Name: args.Name, Admin: args.Admin, Uses: args.Uses}
	if args.Life > 0 {
		wanted.Expires = time.Now().Add(args.Life)
	}
	return a.invites.Invite(ctx, nil, wanted)
}

// ReportsArgs ask for a page of abuse reports: at most Max (1–1000) that were made after a time.
type ReportsArgs struct {
	After time.Time `json:"after"`
	Max   int       `json:"max"`
}

// Report is what somebody has told the operator about an address that they block (XEP-0377).
type Report struct {
	At time.Time `json:"at"`
	// JID is who is reported, By the local part of the account that reports.
	JID string `json:"jid"`
	By  string `json:"by"`
	// Kind is spam, abuse, or another reason in quotes.
	Kind  string `json:"kind"`
	Words string `json:"words,omitempty"`
	// Messages are pairs of who gave a message its stanza-id, and the id (XEP-0359).
	Messages [][2]string `json:"messages,omitempty"`
}

// reporter is the local part of the account that has made a report, "" if it is gone meanwhile.
func reporter(ctx context.Context, names *account.Accounts, r blocking.Report) (string, error) {
	name, err := names.NameOf(ctx, r.Account)
	if errors.Is(err, core.ErrNoAccount) {
		return "", nil
	}
	return name, err
}

// listReports gives reports, oldest first.
func listReports(ctx context.Context, a *App, args ReportsArgs) ([]Report, error) {
	found, err := a.reports.Reports(ctx, args.After, args.Max)
	if err != nil {
		return nil, err
	}
	page := make([]Report, len(found))
	for i, r := range found {
		by, err := reporter(ctx, a.accounts, r)
		if err != nil {
			return nil, err
		}
		page[i] = Report{r.At, r.JID.String(), by, r.Kind(), r.Words, r.Messages}
	}
	return page, nil
}

// FirstInvite is a link for the first administrator; needed is false once there is an account.
func (a *App) FirstInvite(ctx context.Context) (link register.Link, needed bool, err error) {
	all, _, err := a.accounts.Count(ctx)
	if err != nil {
		return link, false, err
	}
	return a.invites.FirstInvite(ctx, all)
}

// Status is how the server is.
type Status struct {
	Version  string `json:"version"`
	Domain   string `json:"domain"`
	Database string `json:"database"`
	Accounts int    `json:"accounts"`
	Disabled int    `json:"disabled"`
	Sessions int    `json:"sessions"`
}

func (a *App) status(ctx context.Context) (Status, error) {
	all, disabled, err := a.accounts.Count(ctx)
	return Status{Version(), a.cfg.Domain, a.db.Engine(), all, disabled, a.server.CountSessions()}, err
}
