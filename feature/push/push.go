// Package push wakes devices that are not connected: apps through their own app servers (XEP-0357), browsers by Web Push straight from
// here (RFC 8030, RFC 8291, RFC 8292). What is sent says only that there is something; who wrote what stays in the archive until the
// device has connected. A wake-up is a job enqueued with the message it is for, so that a crash does not lose it.
package push

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/jobs"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

// Namespaces.
const (
	NS    = "urn:xmpp:push:0"
	NSWeb = "urn:palabre:web-push:0" // docs/protocol/web-push.md
)

const (
	cachedAccounts = 10_000
	maxNode        = 1023
	maxOptions     = 4096
)

//go:embed migrations
var migrations embed.FS

// Config is what an operator can set.
type Config struct {
	// MaxDevices is the most devices that one account can have woken.
	MaxDevices int `toml:"max_devices"`
	// Contact is where the operators of browsers' push services can reach this server's operator, a mailto: or https: address (RFC 8292 §2.1).
	// Empty means the server's own address.
	Contact string `toml:"contact"`
	// AllowPrivate lets Web Push reach private and loopback addresses; for tests and closed networks.
	AllowPrivate bool `toml:"allow_private"`
}

// DefaultConfig wakes up to 20 devices of an account.
func DefaultConfig() Config { return Config{MaxDevices: 20} }

// Validate reports the first setting that cannot work.
func (c Config) Validate() error {
	if c.MaxDevices < 1 {
		return errors.New("max_devices must be at least 1")
	}
	if c.Contact != "" && !strings.HasPrefix(c.Contact, "mailto:") && !strings.HasPrefix(c.Contact, "https:") {
		return errors.New("contact must begin with mailto: or with https: as a URI")
	}
	return nil
}

// Push is the feature.
type Push struct {
	cfg    Config
	db     *store.DB
	jobs   *jobs.Jobs
	log    *slog.Logger
	server *core.Server
	http   *http.Client
	vapid  keys
	woken  core.Note[[]waking] // whom a message wakes
	counts *counts
	cache  *lru.Cache[int64, []device] // filled and dropped in transactions only, which come one after another
}

// device is one row.
type device struct {
	account       int64
	service, node string
	web           bool
	options       string
	resource      string
}

// New makes the feature, its tables, and, the first time, the server's key for browsers.
func New(ctx context.Context, cfg Config, db *store.DB, queue *jobs.Jobs, log *slog.Logger) (*Push, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if err := db.Migrate(ctx, "push", migrations); err != nil {
		return nil, err
	}
	cache, err := lru.New[int64, []device](cachedAccounts)
	if err != nil {
		return nil, err
	}
	p := &Push{cfg: cfg, db: db, jobs: queue, log: log.With("part", "push"), cache: cache, counts: newCounts(), http: webClient(cfg.AllowPrivate)}
	return p, p.loadKeys(ctx)
}

// Attach hangs the feature on the journey of a stanza, behind the archive, whose entries it wakes devices for.
func (p *Push) Attach(s *core.Server) {
	p.server = s
	s.HandleIQ(core.AtAccount, NS, "enable", p.enable)
	s.HandleIQ(core.AtAccount, NS, "disable", p.disable)
	s.HandleIQ(core.AtAccount, NSWeb, "key", p.webKey)
	s.HandleIQ(core.AtAccount, NSWeb, "subscribe", p.subscribe)
	s.HandleIQ(core.AtAccount, NSWeb, "unsubscribe", p.unsubscribe)
	s.HandleIQ(core.AtAccount, NSWeb, "test", p.test)
	s.Keep(core.Received, p.plan)
	s.Tell(core.Received, p.wakeMissed)
	s.OnBind(func(_ context.Context, session *core.Session) {
		p.counts.reset(session.Account.ID, session.JID.Resource())
	})
	s.OnDormant(p.wakeLater)
	s.OnLost(func(ctx context.Context, session *core.Session, lost []core.Delivery) {
		p.wakeSession(ctx, session, senders(lost))
	})
	s.OnRemove(p.remove)
	p.jobs.Register("push_app", jobs.Worker{Do: p.tellApp, Timeout: 30 * time.Second, MaxAttempts: 6, FirstPause: 15 * time.Second})
	p.jobs.Register("push_web", jobs.Worker{Do: p.tellBrowser, Timeout: 30 * time.Second, MaxAttempts: 8, FirstPause: 15 * time.Second})
	p.jobs.Register("push_test", jobs.Worker{Do: p.testBrowser, Timeout: 30 * time.Second, MaxAttempts: 1, FirstPause: 15 * time.Second})
}

// plan wakes the receiver's devices for a message that a person wants to know of.
func (p *Push) plan(t *core.Transit) core.Write {
	if t.Stanza.Kind != xmpp.Message || !important(t.Stanza) || t.Sender != nil && t.Sender.ID == t.Receiver.ID {
		return nil
	}
	return func(ctx context.Context) error {
		devices, err := p.devices(ctx, t.Receiver.ID)
		if err != nil {
			return err
		}
		var woken []waking
		from := t.Stanza.From.Bare().String()
		for _, d := range devices {
			if p.awake(t.Receiver, d) {
				continue
			}
			if !d.muted(from, time.Now()) {
				if err := p.enqueue(ctx, t.Receiver, d, from); err != nil {
					return err
				}
			}
			woken = append(woken, waking{d.resource, from})
		}
		if woken != nil {
			p.woken.Set(t, woken)
		}
		return nil
	}
}

// important reports whether a message is worth waking a person's device for: text, an encrypted payload, or a call.
func important(st *xmpp.Stanza) bool {
	if kind := st.MessageType(); kind != "chat" && kind != "normal" || st.Child(xmpp.NSHints, "no-store") != nil {
		return false
	}
	return speaks(st)
}

// nsQuiet marks a message for which its author wants nobody woken, such as a vote (docs/protocol/polls-and-events.md).
const nsQuiet = "urn:palabre:quiet:0"

// speaks reports whether a message has a text, an encrypted payload, or a call, and is not quiet.
func speaks(st *xmpp.Stanza) bool {
	if st.Child(nsQuiet, "quiet") != nil {
		return false
	}
	for i := range st.Nodes {
		e := st.Nodes[i].Element
		switch {
		case e == nil:
		case e.Is(xmpp.NSClient, "body"), e.Is("urn:xmpp:jingle-message:0", "propose"):
			return true
		case e.Local == "encrypted" && (e.Space == "eu.siacs.conversations.axolotl" || e.Space == "urn:xmpp:omemo:2"):
			return e.Child(e.Space, "payload") != nil
		}
	}
	return false
}

// awake reports whether the session that asked to be woken is connected.
func (p *Push) awake(account *core.Account, d device) bool {
	full, err := account.JID.WithResource(d.resource)
	if err != nil {
		return false
	}
	session := p.server.Session(full)
	return session != nil && !session.Dormant()
}

// enqueue makes the job that wakes a device for a chat; ctx carries a transaction. While one waits, another would say nothing new.
func (p *Push) enqueue(ctx context.Context, account *core.Account, d device, from string) error {
	name := account.JID.String() + "\n" + d.service + "\n" + d.node
	if !d.web {
		return p.jobs.Enqueue(ctx, "push_app", name, name)
	}
	name += "\n" + from
	return p.jobs.Enqueue(ctx, "push_web", name, name)
}

// find reads the device that a job is for; nil if it, or its account, is gone.
func (p *Push) find(ctx context.Context, name string) (*device, *core.Account, error) {
	parts := strings.SplitN(name, "\n", 4)
	if len(parts) < 3 {
		return nil, nil, jobs.ErrGiveUp
	}
	jid, err := xmpp.ParseJID(parts[0])
	if err != nil {
		return nil, nil, errors.Join(jobs.ErrGiveUp, err)
	}
	account, err := p.server.Account(ctx, jid)
	if errors.Is(err, core.ErrNoAccount) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	devices, err := p.read(ctx, account.ID)
	for _, d := range devices {
		if d.service == parts[1] && d.node == parts[2] {
			return &d, account, nil
		}
	}
	return nil, nil, err
}

// devices are an account's devices; ctx carries a transaction.
func (p *Push) devices(ctx context.Context, account int64) ([]device, error) {
	if devices, ok := p.cache.Get(account); ok {
		return devices, nil
	}
	devices, err := p.read(ctx, account)
	if err == nil {
		p.cache.Add(account, devices)
	}
	return devices, err
}

func (p *Push) read(ctx context.Context, account int64) ([]device, error) {
	rows, err := p.db.Query(ctx, "select service, node, web, options, resource from push_device where account = $1 order by created", account)
	if err != nil {
		return nil, fmt.Errorf("read devices to wake: %w", err)
	}
	devices := make([]device, 0, rows.Len())
	for rows.Next() {
		d := device{account: account}
		if err := rows.Scan(&d.service, &d.node, &d.web, &d.options, &d.resource); err != nil {
			return nil, err
		}
		devices = append(devices, d)
	}
	return devices, nil
}

// write changes an account's devices, and drops what is remembered of them.
func (p *Push) write(ctx context.Context, account int64, fn func(ctx context.Context) error) error {
	defer p.cache.Remove(account)
	return p.db.Tx(ctx, func(ctx context.Context) error {
		p.cache.Remove(account)
		return fn(ctx)
	})
}

// save adds a device or renews it.
func (p *Push) save(ctx context.Context, d device) error {
	return p.write(ctx, d.account, func(ctx context.Context) error {
		if d.web { // a browser has one endpoint at a time: a new one takes the place of the one before
			_, err := p.db.Exec(ctx, "delete from push_device where account = $1 and web and resource = $2 and service <> $3", d.account, d.resource, d.service)
			if err != nil {
				return err
			}
		}
		var others int
		err := p.db.QueryRow(ctx, "select count(*) from push_device where account = $1 and not (service = $2 and node = $3)", d.account, d.service, d.node).
			Scan(&others)
		if err != nil {
			return err
		}
		if others >= p.cfg.MaxDevices {
			return xmpp.ResourceConstraint.Because("at most %d devices can be woken", p.cfg.MaxDevices)
		}
		_, err = p.db.Exec(ctx, `insert into push_device (account, service, node, web, options, resource, created) values ($1, $2, $3, $4, $5, $6, $7)
			on conflict (account, service, node) do update set options = excluded.options, resource = excluded.resource, web = excluded.web`,
			d.account, d.service, d.node, d.web, d.options, d.resource, p.db.Next())
		return err
	})
}

// forget removes the devices of a service, all of them if node is empty.
func (p *Push) forget(ctx context.Context, account int64, service, node string) error {
	return p.write(ctx, account, func(ctx context.Context) error {
		_, err := p.db.Exec(ctx, "delete from push_device where account = $1 and service = $2 and (node = $3 or $3 = '')", account, service, node)
		return err
	})
}

// Leave forgets what sessions with these resources asked for: their app was signed out, and what wakes it would tell of what it may not read.
func (p *Push) Leave(ctx context.Context, account *core.Account, owns func(resource string) bool) error {
	return p.write(ctx, account.ID, func(ctx context.Context) error {
		devices, err := p.read(ctx, account.ID)
		if err != nil {
			return err
		}
		for _, d := range devices {
			if !owns(d.resource) {
				continue
			}
			if _, err := p.db.Exec(ctx, "delete from push_device where account = $1 and service = $2 and node = $3", account.ID, d.service, d.node); err != nil {
				return fmt.Errorf("forget a device to wake: %w", err)
			}
		}
		return nil
	})
}

func (p *Push) remove(ctx context.Context, account *core.Account) error {
	p.cache.Remove(account.ID)
	_, err := p.db.Exec(ctx, "delete from push_device where account = $1", account.ID)
	return err
}
