// Package device shows people which apps have access to their account, with names and last use, and lets them take that access away
// (XEP-0494): tokens are deleted and sessions end. It keeps what apps tell of themselves at login (XEP-0388 §2.3); an app that tells no id
// is listed while it has a session. Left out: grants to third parties (OAuth), and restricted access.
package device

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"log/slog"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

// Namespaces.
const (
	// NS is that of XEP-0494.
	NS = "urn:xmpp:cam:0"
	// NSOwn is that of what is added to it (docs/protocol/devices.md).
	NSOwn = "urn:palabre:devices:0"
)

const (
	maxApps    = 100 // of one account that are kept
	noteEvery  = time.Hour
	maxRemind  = 20_000 // apps of which it is remembered when they were noted
	writeLimit = 30 * time.Second
)

//go:embed migrations/*.sql
var migrations embed.FS

// Config is what an operator can set.
type Config struct {
	// Life is how long the names of an app are kept after its last use, and its access is shown (1d–3650d).
	Life time.Duration `toml:"life"`
}

// DefaultConfig keeps names for a year.
func DefaultConfig() Config { return Config{Life: 365 * 24 * time.Hour} }

// Validate reports the first setting that cannot work.
func (c Config) Validate() error {
	if c.Life < 24*time.Hour || c.Life > 3650*24*time.Hour {
		return errors.New("life: is not within 1d–3650d")
	}
	return nil
}

// App is an installation of an app, as it tells of itself.
type App struct {
	ID       string // of its own choosing; "" if it told none
	Software string
	Name     string // of the device
	Since    time.Time
	Used     time.Time
}

// Door knows the apps behind sessions, and those that may return without a password.
type Door interface {
	// Of is the app that a session belongs to, and whether it logged in with the password. Since and Used are zero.
	Of(session *core.Session) (app App, password bool)
	// Returning are the apps that have tokens for an account (XEP-0484).
	Returning(ctx context.Context, account *core.Account) ([]App, error)
	// Forget takes the tokens of an app away; logins of it that are under way end badly.
	Forget(ctx context.Context, account *core.Account, id string) error
}

// Feature is what apps have access.
type Feature struct {
	cfg    Config
	db     *store.DB
	door   Door
	log    *slog.Logger
	server *core.Server
	noted  *lru.Cache[key, note] // what is written already
}

type key struct {
	account int64
	client  string
}

type note struct {
	software, name string
	password       bool
	at             time.Time
}

// New opens the table. Errors are those of the configuration and the database.
func New(ctx context.Context, cfg Config, db *store.DB, door Door, log *slog.Logger) (*Feature, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("device configuration: %w", err)
	}
	if err := db.Migrate(ctx, "device", migrations); err != nil {
		return nil, err
	}
	noted, err := lru.New[key, note](maxRemind)
	if err != nil {
		return nil, err
	}
	return &Feature{cfg: cfg, db: db, door: door, log: log.With("part", "device"), noted: noted}, nil
}

// Attach answers requests, and notes when apps were used: when a session begins (Begun), sleeps and ends.
func (f *Feature) Attach(s *core.Server) {
	f.server = s
	s.HandleIQ(core.AtAccount, NS, "list", f.list)
	s.HandleIQ(core.AtAccount, NS, "revoke", f.revoke)
	s.OnDormant(func(_ context.Context, session *core.Session) { f.Begun(session) })
	s.OnUnbind(func(_ context.Context, session *core.Session) { f.left(session) })
	s.OnRemove(f.remove)
}

// remove deletes what is kept of an account.
func (f *Feature) remove(ctx context.Context, account *core.Account) error {
	_, err := f.db.Exec(ctx, `delete from device_app where account = $1`, account.ID)
	return err
}

// NewPassword notes, in the transaction of ctx, that no app knows the password of an account any more.
func (f *Feature) NewPassword(ctx context.Context, account *core.Account) error {
	_, err := f.db.Exec(ctx, `update device_app set password = false where account = $1`, account.ID)
	f.noted.Purge()
	return err
}

// Begun notes the app of a session that has begun. It does not wait for the disk.
func (f *Feature) Begun(session *core.Session) {
	app, password := f.door.Of(session)
	if app.ID == "" {
		return
	}
	k, now := key{session.Account.ID, app.ID}, time.Now()
	fresh := note{app.Software, app.Name, password, now}
	if last, ok := f.noted.Get(k); ok && last.software == app.Software && last.name == app.Name && (last.password || !password) && now.Sub(last.at) < noteEvery {
		return
	}
	f.noted.Add(k, fresh)
	ctx, cancel := context.WithTimeout(context.Background(), writeLimit)
	f.db.Submit(ctx, func(ctx context.Context) error { return f.write(ctx, k, fresh) }, func(err error) {
		cancel()
		if err != nil {
			f.noted.Remove(k)
			f.log.Warn("could not note the use of an app", "account", session.Account.JID.Local(), "err", err)
		}
	})
}

// left notes the last use of an app whose session has ended, unless it was signed out: then it is not to be listed again.
func (f *Feature) left(session *core.Session) {
	app, _ := f.door.Of(session)
	if _, ok := f.noted.Get(key{session.Account.ID, app.ID}); ok {
		f.Begun(session)
	}
}

// write notes an app, and makes room for it. A time is written again only when an hour has passed.
func (f *Feature) write(ctx context.Context, k key, n note) error {
	_, err := f.db.Exec(ctx, `delete from device_app where account = $1 and (seen < $2 or seen <
		(select seen from device_app where account = $1 order by seen desc limit 1 offset $3))`, k.account, n.at.Add(-f.cfg.Life).UnixMicro(), maxApps-2)
	if err != nil {
		return fmt.Errorf("make room for an app: %w", err)
	}
	_, err = f.db.Exec(ctx, `insert into device_app (account, client, software, name, began, seen, password) values ($1, $2, $3, $4, $5, $5, $6)
		on conflict (account, client) do update set software = excluded.software, name = excluded.name, seen = excluded.seen,
		password = device_app.password or excluded.password
		where device_app.seen < excluded.seen - $7 or device_app.software <> excluded.software or device_app.name <> excluded.name
		or (excluded.password and not device_app.password)`,
		k.account, k.client, n.software, n.name, n.at.UnixMicro(), n.password, noteEvery.Microseconds())
	if err != nil {
		return fmt.Errorf("note an app: %w", err)
	}
	return nil
}

// badRevoke is what is said of an app that knows the password (XEP-0494 §3.2).
var badRevoke = xmpp.ServiceUnavailable.Because("this app knows the password: change it").With(xmpp.NewElement(NS, "password-reset-required"))
