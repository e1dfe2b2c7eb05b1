// Package bank answers a bank's customers in the conversation, end-to-end encrypted (XEP-0384): how much there is, what came and went, and "send 50 to
// Nadia", which is confirmed first. It is a kit: a bank fulfils Connector with its own systems, and package example does so with a ledger. It speaks French,
// English and Portuguese.
//
// What is heard is kept before it is worked on, and what is to be said is kept together with what was done, so a bot that is killed at any moment and started
// again answers once. Money is moved under an id that follows from the customer's message: whatever is lost or comes twice, it is moved once.
//
// Left out: opening accounts, and whatever a law asks before money is moved; that is for the bank behind the Connector.
package bank

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"palabre.dev/palabre/client"
	"palabre.dev/palabre/client/e2e"
	"palabre.dev/palabre/omemo"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Config is what a bank can set. Amounts are in minor units of the customer's account.
type Config struct {
	// Name is what the bank calls itself in the conversation.
	Name string `toml:"name"`
	// Language is that of answers before a customer's own is known: fr, en or pt.
	Language Language `toml:"language"`
	// StepUp is the largest amount that is confirmed with a yes; above it a code is asked for.
	StepUp int64 `toml:"step_up"`
	// MaxTransfer is the largest amount of one order, MaxDay that of 24 hours.
	MaxTransfer int64 `toml:"max_transfer"`
	MaxDay      int64 `toml:"max_day"`
	// Patience is how long an order waits for its confirmation (10s–1h).
	Patience time.Duration `toml:"patience"`
	// NewDevice is how long a customer's further devices may not move money (0–30 days).
	NewDevice time.Duration `toml:"new_device"`
	// MaxMinute is how many messages of a customer are worked on in a minute (1–600).
	MaxMinute int `toml:"max_minute"`
	// Timeout bounds one call of the Connector (1s–1m).
	Timeout time.Duration `toml:"timeout"`
}

// DefaultConfig suits an account in a currency with two digits.
func DefaultConfig() Config {
	return Config{Name: "Banque Palabre", Language: English, StepUp: 10_000, MaxTransfer: 500_000, MaxDay: 1_000_000, Patience: 5 * time.Minute,
		NewDevice: 24 * time.Hour, MaxMinute: 30, Timeout: 10 * time.Second}
}

// Validate reports the first setting that cannot work.
func (c Config) Validate() error {
	switch {
	case c.Name == "" || len(c.Name) > 100:
		return errors.New("bank: name must have 1 to 100 bytes")
	case c.Language != French && c.Language != English && c.Language != Portuguese:
		return fmt.Errorf("bank: language %q is none of fr, en, pt", c.Language)
	case c.StepUp < 0 || c.MaxTransfer < 1 || c.MaxDay < c.MaxTransfer || c.MaxDay > maxAmount:
		return errors.New("bank: step_up, max_transfer and max_day must rise, and be below 2^53")
	case c.Patience < 10*time.Second || c.Patience > time.Hour:
		return errors.New("bank: patience must be from 10s to 1h")
	case c.NewDevice < 0 || c.NewDevice > 30*24*time.Hour:
		return errors.New("bank: new_device must be from 0 to 720h")
	case c.MaxMinute < 1 || c.MaxMinute > 600:
		return errors.New("bank: max_minute must be from 1 to 600")
	case c.Timeout < time.Second || c.Timeout > time.Minute:
		return errors.New("bank: timeout must be from 1s to 1m")
	}
	return nil
}

const (
	maxWrongOrder = 3                // wrong codes, then the order is dropped
	maxWrong      = 6                // wrong codes in a row, then no code is taken for a while
	lockFor       = 15 * time.Minute // how long the first time; after that a day
	keepHeard     = 90 * 24 * time.Hour
	workers       = 8 // customers who are answered at the same time
	firstPause    = time.Second
	lastPause     = 10 * time.Minute
	maxSay        = 7 * 24 * time.Hour // an answer that nobody can read is given up
	sayTimeout    = 20 * time.Second
)

// Bot is a bank in the conversation.
type Bot struct {
	cfg       Config
	db        *store.DB
	keys      omemo.Store
	connector Connector
	codes     Codes
	log       *slog.Logger
	now       func() time.Time
	// step is told where the bot is, for tests that kill it there.
	step func(string)

	c      *client.Client
	device *e2e.Endpoint
	ready  chan struct{} // closed when c and device are there
	caught chan struct{} // closed when what was missed is read
	once   sync.Once     // closes caught
	work   chan struct{} // holds one: something was heard
	drive  chan struct{} // holds one: an order was confirmed
	speak  chan struct{} // holds one: there is something to say

	// mu guards busy: the customers who are being answered.
	mu   sync.Mutex
	busy map[string]bool
}

// New makes a bot with its tables in db. keys are those of its one device; they must last as long as db.
func New(ctx context.Context, cfg Config, db *store.DB, keys omemo.Store, connector Connector, codes Codes, log *slog.Logger) (*Bot, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if err := db.Migrate(ctx, "bank", migrations); err != nil {
		return nil, fmt.Errorf("bank: make tables: %w", err)
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Bot{cfg: cfg, db: db, keys: keys, connector: connector, codes: codes, log: log.With("part", "bank"), now: time.Now, step: func(string) {},
		ready: make(chan struct{}), caught: make(chan struct{}), work: make(chan struct{}, 1), drive: make(chan struct{}, 1), speak: make(chan struct{}, 1),
		busy: map[string]bool{}}, nil
}

// Run logs in with account and answers until ctx ends, or until the server refuses the login. A bot runs once.
func (b *Bot) Run(ctx context.Context, account client.Config) error {
	mark, err := b.mark(ctx)
	if err != nil {
		return err
	}
	inbox := client.NewInbox(mark, mark.Time, b.take)
	account.Features, account.Name, account.Category = e2e.Features, b.cfg.Name, "client/bot"
	account.OnPresence = b.welcome
	if account.JID.Resource() == "" {
		// Where the server lets clients choose, each session takes the place of the one before, which a bot that was killed has left behind.
		if account.JID, err = account.JID.WithResource("bank"); err != nil {
			return fmt.Errorf("bank: name the session: %w", err)
		}
	}
	inbox.Join(&account)
	if err := b.connect(ctx, account); err != nil {
		return err
	}
	defer b.c.Close()
	if b.device, err = e2e.Open(ctx, b.c, b.keys, b.log); err != nil {
		return fmt.Errorf("bank: open keys: %w", err)
	}
	b.device.BeginCatchUp()
	close(b.ready)
	ctx, stop := context.WithCancel(ctx)
	var all sync.WaitGroup
	defer all.Wait()
	defer stop()
	for _, run := range []func(context.Context){b.answerAll, b.driveAll, b.speakAll, b.forgetOld} {
		all.Go(func() { run(ctx) })
	}
	return inbox.Run(ctx, b.c, b.caughtUp)
}

// connect tries until there is a session, or the login is refused.
func (b *Bot) connect(ctx context.Context, account client.Config) error {
	for pause := firstPause; ; pause = min(2*pause, time.Minute) {
		c, err := client.New(account)
		if err != nil {
			return fmt.Errorf("bank: %w", err)
		}
		if err = c.Connect(ctx); err == nil {
			b.c = c
			return nil
		}
		c.Close()
		if _, refused := errors.AsType[*client.AuthError](err); refused || ctx.Err() != nil {
			return fmt.Errorf("bank: log in: %w", err)
		}
		b.log.Warn("no connection", "err", err)
		if !wait(ctx, pause, nil) {
			return ctx.Err()
		}
	}
}

// caughtUp is called in each session when nothing is left to read.
func (b *Bot) caughtUp(ctx context.Context) error {
	if err := b.device.Start(ctx); err != nil {
		b.log.Warn("keys not published", "err", err)
	}
	if err := b.device.EndCatchUp(ctx); err != nil {
		b.log.Warn("sessions could not be served", "err", err)
	}
	if err := b.c.SetPresence(ctx, client.Presence{Status: b.cfg.Name}); err != nil {
		b.log.Warn("not available", "err", err)
	}
	b.once.Do(func() { close(b.caught) })
	signal(b.speak)
	return nil
}

// welcome lets whoever asks see that the bank is there.
func (b *Bot) welcome(ctx context.Context, presence *xmpp.Stanza) {
	if presence.Type != "subscribe" {
		return
	}
	if err := b.c.Approve(ctx, presence.From.Bare()); err != nil {
		b.log.Warn("contact not approved", "err", err)
	}
}

func signal(to chan struct{}) {
	select {
	case to <- struct{}{}:
	default:
	}
}

// wait returns after a pause or a signal; false when ctx has ended.
func wait(ctx context.Context, pause time.Duration, or <-chan struct{}) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
	case <-or:
	}
	return true
}

// bounded is a call of the Connector's deadline.
func (b *Bot) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, b.cfg.Timeout)
}
