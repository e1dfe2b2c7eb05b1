// Package account keeps who has an account: names, roles and what is needed to prove who somebody is (RFC 5802 salted keys,
// never a password). It is the core.Directory of the server, the source of credentials for the doors, and what registration,
// administration and the command line create, change and remove accounts with. It also writes and reads accounts as files
// (XEP-0227). Left out: several domains in one server, and accounts that live in another directory (LDAP).
package account

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
	"palabre.dev/palabre/xmpp/sasl"
)

//go:embed migrations/*.sql
var migrations embed.FS

// What a caller can be told. Each wraps the *xmpp.Error that a peer is told.
var (
	// ErrTaken means that the name belongs to an account.
	ErrTaken = refuse(xmpp.Conflict, "this name is taken")
	// ErrResting means that the name belonged to an account that was removed not long ago (Config.NameRest).
	ErrResting = refuse(xmpp.Conflict, "this name belonged to a removed account and is not free yet")
	// ErrReserved means that only the operator may give the name away (Config.ReservedNames).
	ErrReserved = refuse(xmpp.Conflict, "this name is reserved")
	// ErrName means that the name cannot be used: empty, too long, or with characters that RFC 7622 §3.3 refuses.
	ErrName = refuse(xmpp.NotAcceptable, "this name cannot be used: it is empty, too long, or holds spaces or one of \"&'/:<>@")
	// ErrPassword means that the password cannot be used.
	ErrPassword = refuse(xmpp.NotAcceptable, "this password cannot be used")
)

// refusal is an error with what a peer is told of it.
type refusal struct {
	told *xmpp.Error
	kind error // what it is a case of, or nil
}

func refuse(condition *xmpp.Error, text string) error {
	return &refusal{told: condition.Because("%s", text)}
}

// unusable is ErrPassword with the reason.
func unusable(text string) error {
	return &refusal{xmpp.NotAcceptable.Because("%s", text), ErrPassword}
}

func (r *refusal) Error() string { return r.told.Text }

func (r *refusal) Unwrap() error { return r.told }

// Is makes a case of a refusal that refusal.
func (r *refusal) Is(target error) bool { return r.kind == target }

// Config is what an operator can set.
type Config struct {
	// MaxNameLength is the most characters that the name of an account may have (1–255).
	MaxNameLength int `toml:"max_name_length"`
	// MinPasswordLength is the fewest characters that a new password may have (1–128).
	MinPasswordLength int `toml:"min_password_length"`
	// Iterations is how often a new password is hashed (4096–1000000, RFC 7677 §4). The app pays it at login; the server pays it
	// only when a password is set or sent in the clear under TLS.
	Iterations int `toml:"iterations"`
	// ReservedNames can be given by the operator alone, not taken at registration.
	ReservedNames []string `toml:"reserved_names"`
	// NameRest is how long the name of a removed account stays unusable, so that nobody inherits the messages meant for its former
	// owner; 0 frees it at once.
	NameRest time.Duration `toml:"name_rest"`
	// CacheSize is how many accounts are remembered in memory to save look-ups (16–10000000; about 300 bytes each).
	CacheSize int `toml:"cache_size"`
}

// DefaultConfig suits a machine with 1 GB of memory.
func DefaultConfig() Config {
	return Config{
		MaxNameLength:     64,
		MinPasswordLength: 8,
		Iterations:        sasl.DefaultIterations,
		ReservedNames: []string{"abuse", "admin", "administrator", "help", "hostmaster", "info", "mailer-daemon", "noreply", "postmaster",
			"root", "security", "server", "service", "support", "system", "webmaster", "xmpp"},
		NameRest:  365 * 24 * time.Hour,
		CacheSize: 50_000,
	}
}

// Validate reports the first setting that cannot work.
func (c Config) Validate() error {
	switch {
	case c.MaxNameLength < 1 || c.MaxNameLength > 255:
		return fmt.Errorf("max_name_length: %d is not within 1–255", c.MaxNameLength)
	case c.MinPasswordLength < 1 || c.MinPasswordLength > 128:
		return fmt.Errorf("min_password_length: %d is not within 1–128", c.MinPasswordLength)
	case c.Iterations < sasl.MinIterations || c.Iterations > sasl.MaxIterations:
		return fmt.Errorf("iterations: %d is not within %d–%d", c.Iterations, sasl.MinIterations, sasl.MaxIterations)
	case c.NameRest < 0:
		return errors.New("name_rest: must not be negative")
	case c.CacheSize < 16 || c.CacheSize > 10_000_000:
		return fmt.Errorf("cache_size: %d is not within 16–10000000", c.CacheSize)
	}
	return nil
}

// Role is what an account may do beyond being itself.
type Role string

// The roles.
const (
	Member Role = "member"
	Admin  Role = "admin" // may administer the service (XEP-0133)
)

// hashes are those of the SCRAM mechanisms that the doors may offer.
var hashes = []sasl.Hash{sasl.SHA1, sasl.SHA256, sasl.SHA512}

// Accounts are the accounts of one domain. Its methods are safe for concurrent use.
type Accounts struct {
	db     *store.DB
	cfg    Config
	domain xmpp.JID
	log    *slog.Logger
	cache  *cache
	began  int64 // the id when this process began: what is half made from then on is still being made

	server      *core.Server // nil before Attach
	jobs        Jobs         // nil before UseJobs
	pieces      []func(ctx context.Context, account *core.Account) (more bool, err error)
	long        []longPart
	emptied     emptied
	retryPause  time.Duration // of Run, after an error
	newPassword []func(ctx context.Context, account *core.Account) error
	disabled    []func(ctx context.Context, account *core.Account) error
}

// New opens the accounts of a domain and makes their tables if they are missing.
func New(ctx context.Context, db *store.DB, cfg Config, domain string, log *slog.Logger) (*Accounts, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("account configuration: %w", err)
	}
	host, err := xmpp.NewJID("", domain, "")
	if err != nil {
		return nil, fmt.Errorf("account configuration: domain: %w", err)
	}
	if err := db.Migrate(ctx, "account", migrations); err != nil {
		return nil, err
	}
	return &Accounts{db: db, cfg: cfg, domain: host, log: log.With("part", "account"), cache: newCache(cfg.CacheSize), began: db.Next(),
		retryPause: retryPause}, nil
}

// Attach notes when accounts were last used.
func (a *Accounts) Attach(s *core.Server) {
	a.server = s
	s.OnBind(func(_ context.Context, session *core.Session) { a.noteSeen(session) })
	s.OnExport(a.exportCredentials)
}

// OnNewPassword adds what happens when the password of an account changes, in the transaction that changes it: tokens that stand in for
// the old one are to be deleted.
func (a *Accounts) OnNewPassword(fn func(ctx context.Context, account *core.Account) error) {
	a.newPassword = append(a.newPassword, fn)
}

// OnDisable adds what happens when an account is closed for login, in the transaction that closes it: what it has handed out, such as
// invitations, is to be taken back.
func (a *Accounts) OnDisable(fn func(ctx context.Context, account *core.Account) error) {
	a.disabled = append(a.disabled, fn)
}

// jid is the address of the account with a prepared name.
func (a *Accounts) jid(name string) (xmpp.JID, error) {
	return xmpp.NewJID(name, a.domain.Domain(), "")
}
