// Package admin lets administrators run the service from their app's menus (XEP-0133): accounts, sessions, counts and lists, announcements.
// Left out on purpose: reading people's rosters and IP addresses, which nobody needs to run a service; black and white lists, messages of
// the day and welcome messages; and stopping the server, which the machine's service manager does.
package admin

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// namespace is that of the forms, and the beginning of the commands' nodes.
const namespace = "http://jabber.org/protocol/admin"

// maxListed is the most accounts that one list shows.
const maxListed = 1000

// Accounts makes and removes accounts. An error that holds an *xmpp.Error is for the administrator.
type Accounts interface {
	// Create makes an account; with may be nil.
	Create(ctx context.Context, name, password string, admin bool, with func(ctx context.Context, account *core.Account) error) (*core.Account, error)
	// Remove deletes an account with all its data; tell may be nil.
	Remove(ctx context.Context, account *core.Account, tell func()) error
	// SetPassword gives an account a new password and ends its sessions but one, which may be nil; with may be nil and runs in the same transaction.
	SetPassword(ctx context.Context, account *core.Account, password string, keep *core.Session, with func(ctx context.Context, account *core.Account) error) error
}

// Gate opens and closes accounts for login.
type Gate interface {
	// IsAdmin reports whether an account may administer the service.
	IsAdmin(ctx context.Context, account *core.Account) (bool, error)
	// Disable ends an account's sessions and lets nobody log in to it.
	Disable(ctx context.Context, account *core.Account) error
	// Enable undoes Disable.
	Enable(ctx context.Context, account *core.Account) error
}

// Census counts and lists accounts.
type Census interface {
	// Count is how many accounts there are, and how many of them are disabled.
	Count(ctx context.Context) (all, disabled int, err error)
	// Names are the local parts of the accounts, or of the disabled ones, in order, at most max.
	Names(ctx context.Context, onlyDisabled bool, max int) ([]string, error)
	// Seen is the day on which an account was last used, zero if never.
	Seen(ctx context.Context, account *core.Account) (time.Time, error)
}

// Commands are where forms are offered (XEP-0050).
type Commands interface {
	AddCommand(node, name string, permit func(ctx context.Context, account *core.Account) (bool, error),
		step func(ctx context.Context, r *core.Request, answers []*xmpp.Form) (form *xmpp.Form, note string, err error))
}

// Feature is service administration.
type Feature struct {
	// Raised is told in whose name an account that was none becomes an administrator ("admin"), or an account gets a password ("password"), in the transaction that does it;
	// nil if nobody wants to know. Its error keeps that from being done.
	Raised func(ctx context.Context, by, account *core.Account, what string) error

	accounts Accounts
	gate     Gate
	census   Census
	log      *slog.Logger
	server   *core.Server
}

// New makes the feature.
func New(accounts Accounts, gate Gate, census Census, log *slog.Logger) *Feature {
	return &Feature{accounts: accounts, gate: gate, census: census, log: log.With("part", "admin")}
}

// raising tells of what is done in somebody's name, where it is done.
func (f *Feature) raising(by *core.Account, what string) func(ctx context.Context, account *core.Account) error {
	if f.Raised == nil {
		return nil
	}
	return func(ctx context.Context, account *core.Account) error { return f.Raised(ctx, by, account, what) }
}

// Attach notes the server whose sessions are administered.
func (f *Feature) Attach(s *core.Server) { f.server = s }

// field is a field to be filled in.
type field struct{ name, kind, label string }

var (
	oneAccount   = field{"accountjid", "jid-single", "Account"}
	someAccounts = field{"accountjids", "jid-multi", "Accounts"}
)

// AddCommands offers the commands of XEP-0133 §4, to administrators alone.
func (f *Feature) AddCommands(commands Commands) {
	addFor := func(node, title string, fields []field, run func(ctx context.Context, r *core.Request, answers *xmpp.Form) (*xmpp.Form, string, error)) {
		commands.AddCommand(namespace+"#"+node, title, f.gate.IsAdmin,
			func(ctx context.Context, r *core.Request, answers []*xmpp.Form) (*xmpp.Form, string, error) {
				switch {
				case len(answers) > 0:
					f.log.Info("command", "command", node, "account", r.Sender.JID.Local())
					return run(ctx, r, answers[0])
				case len(fields) > 0:
					return ask(title, fields), "", nil
				}
				return run(ctx, r, &xmpp.Form{})
			})
	}
	add := func(node, title string, fields []field, run func(ctx context.Context, answers *xmpp.Form) (*xmpp.Form, string, error)) {
		addFor(node, title, fields, func(ctx context.Context, _ *core.Request, answers *xmpp.Form) (*xmpp.Form, string, error) {
			return run(ctx, answers)
		})
	}
	password, again := field{"password", "text-private", "Password"}, field{"password-verify", "text-private", "Password again"}
	add("add-user", "Add an account", []field{oneAccount, password, again}, f.addUser)
	add("delete-user", "Delete accounts and all their data", []field{someAccounts}, f.each("deleted", f.remove))
	add("disable-user", "Disable accounts", []field{someAccounts}, f.each("disabled", f.gate.Disable))
	add("reenable-user", "Enable accounts again", []field{someAccounts}, f.each("enabled", f.gate.Enable))
	add("end-user-session", "End sessions", []field{someAccounts}, f.endSessions)
	addFor("change-user-password", "Change a password", []field{oneAccount, password}, f.changePassword)
	add("get-user-lastlogin", "Last day of use", []field{someAccounts}, f.lastLogin)
	add("user-stats", "Sessions of an account", []field{oneAccount}, f.userStats)
	add("get-registered-users-num", "Number of accounts", nil, f.countAll)
	add("get-disabled-users-num", "Number of disabled accounts", nil, f.countDisabled)
	add("get-online-users-num", "Number of accounts online", nil, f.countOnline)
	add("get-active-users-num", "Number of accounts that are available", nil, f.countActive)
	add("get-registered-users-list", "List of accounts", nil, f.listAll)
	add("get-disabled-users-list", "List of disabled accounts", nil, f.listDisabled)
	add("get-online-users-list", "List of accounts online", nil, f.listOnline)
	add("announce", "Announce to all who are online", []field{{"announcement", "text-multi", "Announcement"}}, f.announce)
}

func ask(title string, fields []field) *xmpp.Form {
	form := xmpp.NewForm("form", namespace)
	form.Title = title
	for _, one := range fields {
		form.Add(one.name, one.kind, one.label)
		form.Fields[len(form.Fields)-1].Required = true
	}
	return form
}

func answer(name, kind, label string, values ...string) *xmpp.Form {
	return xmpp.NewForm("result", namespace).Add(name, kind, label, values...)
}

// account is the local account that a field names.
func (f *Feature) account(ctx context.Context, text string) (*core.Account, error) {
	jid, err := f.address(text)
	if err != nil {
		return nil, err
	}
	return f.at(ctx, jid)
}

func (f *Feature) at(ctx context.Context, jid xmpp.JID) (*core.Account, error) {
	account, err := f.server.Account(ctx, jid)
	if errors.Is(err, core.ErrNoAccount) {
		return nil, xmpp.ItemNotFound.Because("there is no account %s", jid.Bare())
	}
	return account, err
}

func (f *Feature) address(text string) (xmpp.JID, error) {
	jid, err := xmpp.ParseJID(text)
	if err != nil || !f.server.Local(jid) || jid.Local() == "" {
		return xmpp.JID{}, xmpp.NotAcceptable.Because("%q is no address of this service", text)
	}
	return jid, nil
}
