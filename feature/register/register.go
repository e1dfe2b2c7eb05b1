// Package register lets people in: invitations (XEP-0401), accounts made with them from an app (XEP-0077 behind XEP-0445) or on a web page,
// contacts that need no second click (XEP-0379), and what people do with their own account: a new password, or its removal (XEP-0077
// §3.2, §3.3). Open registration is there for operators who turn it on. Left out: CAPTCHAs, e-mail, and registration with services other
// than the server itself.
package register

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/core/rate"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Namespaces.
const (
	nsRegister        = "jabber:iq:register"
	nsRegisterFeature = "http://jabber.org/features/iq-register"
	nsToken           = "urn:xmpp:ibr-token:0" // XEP-0445
	nsPreauth         = "urn:xmpp:pars:0"      // XEP-0379
	nsInvite          = "urn:xmpp:invite"      // XEP-0401
)

// Config is what an operator can set.
type Config struct {
	// Open lets anybody make an account without an invitation, which brings spam: think twice.
	Open bool `toml:"open"`
	// OpenPerDay is how many accounts one address (IPv6: one /64) may make in a day when registration is open (1–10000).
	OpenPerDay int `toml:"open_per_day"`
	// MembersInvite lets every member invite others, not only administrators.
	MembersInvite bool `toml:"members_invite"`
	// InvitesPerDay is how many invitations one member may make in a day (1–10000). Administrators may make any number.
	InvitesPerDay int `toml:"invites_per_day"`
	// InviteLife is how long an invitation is good for (1m–3650d).
	InviteLife time.Duration `toml:"invite_life"`
	// AttemptsPerHour is how many invitations and registrations one address (IPv6: one /64) may try in an hour (1–100000).
	AttemptsPerHour int `toml:"attempts_per_hour"`
}

// DefaultConfig lets people in who were invited.
func DefaultConfig() Config {
	return Config{OpenPerDay: 3, MembersInvite: true, InvitesPerDay: 20, InviteLife: 7 * 24 * time.Hour, AttemptsPerHour: 60}
}

// Validate reports the first setting that cannot work.
func (c Config) Validate() error {
	for _, n := range []struct {
		name      string
		v, lo, hi int
	}{{"open_per_day", c.OpenPerDay, 1, 10000}, {"invites_per_day", c.InvitesPerDay, 1, 10000}, {"attempts_per_hour", c.AttemptsPerHour, 1, 100000}} {
		if n.v < n.lo || n.v > n.hi {
			return fmt.Errorf("%s: %d is not within %d–%d", n.name, n.v, n.lo, n.hi)
		}
	}
	if c.InviteLife < time.Minute || c.InviteLife > 3650*24*time.Hour {
		return errors.New("invite_life: is not within 1m–3650d")
	}
	return nil
}

// Accounts makes accounts. An error that holds an *xmpp.Error is for whoever asked.
type Accounts interface {
	// Free says whether anybody may take a name now.
	Free(ctx context.Context, name string) error
	// Create makes an account; with runs in the same transaction.
	Create(ctx context.Context, name, password string, admin bool, with func(ctx context.Context, account *core.Account) error) (*core.Account, error)
}

// Standing says what an account may do.
type Standing interface {
	// IsAdmin reports whether an account may administer the service.
	IsAdmin(ctx context.Context, account *core.Account) (bool, error)
	// IsOpen reports whether there is an account with this number and it may log in, as the transaction of ctx sees it.
	IsOpen(ctx context.Context, id int64) (bool, error)
}

// Owners change what is theirs.
type Owners interface {
	// SetPassword gives an account a new password and ends its sessions but one, which may be nil; with may be nil and runs in the same transaction, before the links of the
	// account are void.
	SetPassword(ctx context.Context, account *core.Account, password string, keep *core.Session, with func(ctx context.Context, account *core.Account) error) error
	// Remove deletes an account; tell is called when that is certain and its sessions are still there.
	Remove(ctx context.Context, account *core.Account, tell func()) error
}

// Contacts lets accounts see each other's presence; both work for contacts anywhere.
type Contacts interface {
	// Approve lets the contact see the account, now or when it asks.
	Approve(ctx context.Context, account *core.Account, contact xmpp.JID) error
	// Subscribe asks the contact to let the account see it.
	Subscribe(ctx context.Context, account *core.Account, contact xmpp.JID) error
}

// Commands are where forms are offered (XEP-0050).
type Commands interface {
	AddCommand(node, name string, permit func(ctx context.Context, account *core.Account) (bool, error),
		step func(ctx context.Context, r *core.Request, answers []*xmpp.Form) (form *xmpp.Form, note string, err error))
}

// Feature is registration.
type Feature struct {
	// Promoted is told of who becomes an administrator by an invitation that another made over the wire, in the transaction that makes the account; nil if nobody wants to know.
	Promoted func(ctx context.Context, account *core.Account) error
	// Linked is told which administrator makes a link for a new password of an account, and Taken that a password is set by it, each in the transaction that does it; nil if
	// nobody wants to know. by is the administrator's address, or zero for a link of before it was kept who made it.
	Linked, Taken func(ctx context.Context, by xmpp.JID, account *core.Account) error

	cfg       Config
	db        *store.DB
	accounts  Accounts
	standing  Standing
	owners    Owners
	contacts  Contacts
	web       string // public address of the pages, "" if there are none
	log       *slog.Logger
	server    *core.Server
	attempts  *rate.Limiter[netip.Prefix]
	opened    *rate.Limiter[netip.Prefix]
	browser   browser
	passwords *rate.Limiter[int64] // by account

	enrolments *prometheus.CounterVec
	approved   *core.Note[bool] // of a subscription request that was let in by a token
}

// New opens the invitations and makes their table if it is missing. web is the address at which browsers reach Routes.
func New(ctx context.Context, db *store.DB, cfg Config, accounts Accounts, standing Standing, owners Owners, contacts Contacts, web string, log *slog.Logger) (*Feature, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("register configuration: %w", err)
	}
	if err := db.Migrate(ctx, "register", migrations); err != nil {
		return nil, err
	}
	return &Feature{
		cfg: cfg, db: db, accounts: accounts, standing: standing, owners: owners, contacts: contacts, web: web, browser: newBrowser(), log: log.With("part", "register"),
		attempts: rate.New[netip.Prefix](cfg.AttemptsPerHour, time.Hour), opened: rate.New[netip.Prefix](cfg.OpenPerDay, 24*time.Hour),
		passwords: rate.New[int64](passwordsPerHour, time.Hour), approved: new(core.Note[bool]),
		enrolments: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "palabre_register_enrolments_total", Help: "Attempts to make an account, by way and outcome.",
		}, []string{"way", "outcome"}),
	}, nil
}

// Attach takes requests of those who have an account.
func (f *Feature) Attach(s *core.Server) {
	f.server = s
	s.HandleIQ(core.AtServer|core.AtAccount, nsRegister, "query", f.handleOwn)
	s.Change(core.Received, f.approveInvited)
	s.Tell(core.Received, f.returnSubscription)
	s.OnRemove(f.TakeBack)
	s.OnRemove(f.VoidLink)
}

// AddCommands offers the invitations of XEP-0401.
func (f *Feature) AddCommands(commands Commands) {
	commands.AddCommand(nsInvite+"#invite", "Invite a friend", f.mayInvite, f.inviteFriend)
	commands.AddCommand(nsInvite+"#create-account", "Invite to make an account", f.mayInvite, f.inviteAccount)
}

// Routes serves the invitation pages.
func (f *Feature) Routes(mux *http.ServeMux) {
	safe := http.NewCrossOriginProtection()
	mux.HandleFunc("GET /invite/{token}", f.showInvite)
	mux.Handle("POST /invite/{token}", safe.Handler(http.HandlerFunc(f.takeInvite)))
	f.routeBrowser(mux)
	mux.HandleFunc("GET /password/{token}", f.showPassword)
	mux.Handle("POST /password/{token}", safe.Handler(http.HandlerFunc(f.takePassword)))
	if !f.cfg.Open {
		mux.HandleFunc("GET /register", http.NotFound) // not a page of the web client, which has all other paths
		return
	}
	mux.HandleFunc("GET /register", f.showOpen)
	mux.Handle("POST /register", safe.Handler(http.HandlerFunc(f.takeOpen)))
}

// StreamFeatures are what a stream offers before login (XEP-0077 §8, XEP-0445 §3).
func (f *Feature) StreamFeatures() []*xmpp.Element {
	return []*xmpp.Element{xmpp.NewElement(nsRegisterFeature, "register"), xmpp.NewElement(nsToken, "register")}
}

var errTooMany = xmpp.ResourceConstraint.Because("too many attempts from this address; try again later")

func (f *Feature) attempt(address netip.Addr) error {
	if !f.attempts.Allow(place(address)) {
		return errTooMany
	}
	return nil
}

// enrol makes an account, and counts. With an invitation it uses that up; without one it is open registration.
func (f *Feature) enrol(ctx context.Context, way string, invite *Invite, address netip.Addr, name, password string) (*core.Account, error) {
	account, err := f.tryEnrol(ctx, invite, address, name, password)
	outcome := "made"
	if told := new(xmpp.Error); errors.As(err, &told) {
		outcome = "refused"
	} else if err != nil {
		outcome = "failed"
	}
	f.enrolments.WithLabelValues(way, outcome).Inc()
	return account, err
}

// Collectors are the feature's figures for Prometheus.
func (f *Feature) Collectors() []prometheus.Collector { return []prometheus.Collector{f.enrolments} }

func (f *Feature) tryEnrol(ctx context.Context, invite *Invite, address netip.Addr, name, password string) (*core.Account, error) {
	if invite == nil && !f.cfg.Open {
		return nil, errNeedsInvite
	}
	if err := f.mayTake(ctx, invite, name); err != nil {
		return nil, err
	}
	if invite == nil && !f.opened.Allow(place(address)) {
		return nil, errTooMany
	}
	var with func(context.Context, *core.Account) error
	if invite != nil {
		with = func(ctx context.Context, account *core.Account) error {
			if invite.Admin && invite.Desk && f.Promoted != nil {
				if err := f.Promoted(ctx, account); err != nil {
					return err
				}
			}
			return f.use(ctx, invite)
		}
	}
	account, err := f.accounts.Create(ctx, name, password, invite != nil && invite.Admin, with)
	if err != nil {
		if invite == nil {
			f.opened.GiveBack(place(address)) // a password that was too short is no account
		}
		return nil, err
	}
	f.introduce(ctx, invite, account)
	return account, nil
}

// mayTake says whether a name can be taken with an invitation (nil for none): names that the operator has given away are free for those
// they were given to alone.
func (f *Feature) mayTake(ctx context.Context, invite *Invite, name string) error {
	prepared, err := xmpp.NewJID(name, "localhost", "")
	if err != nil || prepared.Local() == "" {
		return xmpp.NotAcceptable.Because("this name cannot be used")
	}
	var id int64
	if invite != nil {
		id = invite.ID
		if invite.Name != "" && invite.Name != prepared.Local() {
			return xmpp.NotAcceptable.Because("this invitation is for the name %s", invite.Name)
		}
	}
	var held int
	if err := f.db.QueryRow(ctx, `select count(*) from register_invite where name = $1 and id <> $2 and uses > 0 and expires > $3`,
		prepared.Local(), id, time.Now().UnixMicro()).Scan(&held); err != nil {
		return fmt.Errorf("look up reserved names: %w", err)
	}
	if held > 0 {
		return xmpp.Conflict.Because("this name is reserved")
	}
	if invite != nil && (invite.Admin || invite.Name != "") {
		return nil // Create looks whether it is taken
	}
	return f.accounts.Free(ctx, name)
}
