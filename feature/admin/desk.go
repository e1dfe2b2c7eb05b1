package admin

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// NSDesk is the namespace of what the administrators' page asks (docs/protocol/admin.md).
const NSDesk = "urn:palabre:admin:0"

// Limits of the desk.
const (
	maxPage     = 100
	maxSearch   = 64 // bytes
	maxInvites  = 200
	defaultPage = 50
)

// Person is one account in a list.
type Person struct {
	ID       int64
	Name     string
	Role     string // admin or member
	Created  time.Time
	Seen     time.Time // the day, zero if never
	Disabled bool
}

// People are the accounts.
type People interface {
	// Search is a page of accounts in the order of their names, after one of them, with a word in their names; and how many there are.
	Search(ctx context.Context, word, after string, max int) (page []Person, all int, err error)
	// Person is one account.
	Person(ctx context.Context, account *core.Account) (Person, error)
	// SetAdmin makes an account an administrator or a member; with may be nil and runs in the same transaction if the account was not that already.
	SetAdmin(ctx context.Context, account *core.Account, admin bool, with func(ctx context.Context, account *core.Account) error) error
}

// App is an app that has access to an account.
type App struct {
	Software, Name string
	Since, Used    time.Time
	Connected      bool
}

// Apps are what people use.
type Apps interface {
	Of(ctx context.Context, account *core.Account) ([]App, error)
	// SignOut takes the access of all apps of an account away, as far as they do not know the password.
	SignOut(ctx context.Context, account *core.Account) error
}

// Files are what people have uploaded.
type Files interface {
	Used(ctx context.Context, account *core.Account) (sizeBytes int64, err error)
	QuotaBytes() int64
}

// Invitation is one that can still be used, or has just been made: then it has links.
type Invitation struct {
	ID       int64
	By, Name string // who invites, "" for the operator; for whom, "" for anybody
	Admin    bool
	Uses     int
	Expires  time.Time
	URI, Web string
}

// Doorkeeper lets people in.
type Doorkeeper interface {
	// Invite makes an invitation in the operator's name.
	Invite(ctx context.Context, wanted Invitation) (Invitation, error)
	// Open are the invitations that can still be used, newest first.
	Open(ctx context.Context, max int) ([]Invitation, error)
	// Withdraw makes one void.
	Withdraw(ctx context.Context, id int64) error
	// PasswordLink makes a link, in the name of an administrator, with which somebody sets a new password for an account, once.
	PasswordLink(ctx context.Context, by, account *core.Account) (Invitation, error)
}

// Report is what somebody has told about an address that they block.
type Report struct {
	ID       int64
	At       time.Time
	JID, By  string
	Kind     string
	Words    string
	Messages int // how many are named
	Handled  bool
}

// Reports are those of abuse.
type Reports interface {
	// Page are reports, newest first, before an id; and how many nobody has dealt with.
	Page(ctx context.Context, handled bool, before int64, max int) (page []Report, open int, err error)
	// Handle notes that somebody has dealt with one, or not after all.
	Handle(ctx context.Context, id int64, handled bool) error
}

// Fact is a figure or a setting with its name.
type Fact struct{ Name, Value string }

// Machine is what the server stands on.
type Machine interface {
	// Limits are the settings that people run into, by the names of the configuration.
	Limits() []Fact
	// Storage is what is kept, and how much room there is.
	Storage(ctx context.Context) ([]Fact, error)
}

// Sources are where the desk has its answers from.
type Sources struct {
	People  People
	Apps    Apps
	Files   Files
	Door    Doorkeeper
	Reports Reports
	Machine Machine
}

// Desk answers the administrators' page. Nothing that it tells says who talks to whom.
type Desk struct {
	Sources
	admin  *Feature
	log    *slog.Logger
	server *core.Server
}

// NewDesk makes the desk of an administration.
func NewDesk(admin *Feature, from Sources, log *slog.Logger) *Desk {
	return &Desk{Sources: from, admin: admin, log: log.With("part", "admin")}
}

// Attach takes the requests.
func (d *Desk) Attach(s *core.Server) {
	d.server = s
	for name, handle := range map[string]func(ctx context.Context, r *core.Request) (*xmpp.Element, error){
		"accounts": d.get(d.accounts), "account": d.either(d.account, d.change), "invitations": d.get(d.invitations), "invite": d.set(d.invite),
		"withdraw": d.set(d.withdraw), "reports": d.get(d.reports), "handled": d.set(d.handled), "limits": d.get(d.limits), "storage": d.get(d.storage),
	} {
		s.HandleIQ(core.AtServer, NSDesk, name, d.Only(handle))
	}
}

type handler = func(ctx context.Context, r *core.Request) (*xmpp.Element, error)

// Only lets administrators alone ask; everybody else is told that it is forbidden.
func (d *Desk) Only(next func(ctx context.Context, r *core.Request) (*xmpp.Element, error)) core.IQHandler {
	return func(ctx context.Context, r *core.Request) (*xmpp.Element, error) {
		if r.Sender == nil {
			return nil, xmpp.Forbidden
		}
		if ok, err := d.admin.gate.IsAdmin(ctx, r.Sender); err != nil {
			return nil, err
		} else if !ok {
			return nil, xmpp.Forbidden
		}
		if r.Set {
			d.log.Info("request", "what", r.Payload.Local, "account", r.Sender.JID.Local())
		}
		return next(ctx, r)
	}
}

// either has one handler for each type of request.
func (d *Desk) either(get, set handler) handler {
	return func(ctx context.Context, r *core.Request) (*xmpp.Element, error) {
		if r.Set {
			return set(ctx, r)
		}
		return get(ctx, r)
	}
}

var badType = func(context.Context, *core.Request) (*xmpp.Element, error) { return nil, xmpp.BadRequest }

func (d *Desk) get(next handler) handler { return d.either(next, badType) }
func (d *Desk) set(next handler) handler { return d.either(badType, next) }

// number reads an attribute within limits, or gives what it is if there is none.
func number(e *xmpp.Element, name string, otherwise, lo, hi int64) (int64, error) {
	text := e.Attr(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < lo || n > hi {
		return 0, xmpp.BadRequest.Because("%s must be %d to %d", name, lo, hi)
	}
	return n, nil
}

// named is the account that a request is about.
func (d *Desk) named(ctx context.Context, r *core.Request) (*core.Account, error) {
	jid, err := xmpp.NewJID(r.Payload.Attr("name"), d.server.Domain().Domain(), "")
	if err != nil || jid.Local() == "" {
		return nil, xmpp.BadRequest.Because("name is no name of an account")
	}
	account, err := d.server.Account(ctx, jid)
	if errors.Is(err, core.ErrNoAccount) {
		return nil, xmpp.ItemNotFound.Because("there is no account %s", jid)
	}
	return account, err
}

// stamp is a time as XEP-0082 has it.
func stamp(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05Z") }

// flag sets an attribute if it holds.
func flag(e *xmpp.Element, name string, is bool) {
	if is {
		e.Set(name, "true")
	}
}
