// Package linkcard reads a web page for an account of this server and makes of it the card that a message may carry for a link (XEP-0511): title,
// description, name of the site, a small picture. A page in a browser cannot read other sites, so the web client asks for it
// (docs/protocol/link-card.md) if its user wants that, who knows that the server learns the address. The server writes nothing down of who
// asked for what: it remembers answers for some minutes, in memory, for the account that asked and no other. Left out: pages that show
// nothing without scripts or cookies, and everything that is not HTML.
package linkcard

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/core/rate"
	"palabre.dev/palabre/xmpp"
)

// Namespace is that of requests for cards, and what service discovery tells of (docs/protocol/link-card.md).
const Namespace = "urn:palabre:link-card:0"

// patience is how long reading a page and its picture may take together.
const patience = 8 * time.Second

// Config is what an operator can set.
type Config struct {
	// Enabled lets accounts have this server read the pages of links that they send, to show cards of them. People are asked before, and the server
	// learns the addresses.
	Enabled bool `toml:"enabled"`
	// PerMinute is how many pages one account may have read in a minute (1–600).
	PerMinute int `toml:"per_minute"`
	// AtOnce is how many pages are read at once for all accounts together (1–100), two of them for one account.
	AtOnce int `toml:"at_once"`
	// AllowPrivate lets pages be read at private and loopback addresses, and at ports other than 80 and 443; for tests and closed networks.
	AllowPrivate bool `toml:"allow_private"`
}

// DefaultConfig suits a machine with 1 GB of memory.
func DefaultConfig() Config { return Config{Enabled: true, PerMinute: 12, AtOnce: 8} }

// Validate reports the first setting that cannot work.
func (c Config) Validate() error {
	if c.PerMinute < 1 || c.PerMinute > 600 {
		return fmt.Errorf("per_minute: %d is not within 1–600", c.PerMinute)
	}
	if c.AtOnce < 1 || c.AtOnce > 100 {
		return fmt.Errorf("at_once: %d is not within 1–100", c.AtOnce)
	}
	return nil
}

// Feature is the reading of pages.
type Feature struct {
	cfg    Config
	server *core.Server
	log    *slog.Logger
	site   *site
	memory *memory
	counts counts
	work   sync.WaitGroup // one for each flight

	mu      sync.Mutex // guards what follows
	flights map[*flight]struct{}
	asked   *rate.Limiter[int64] // pages, by account
	ended   bool
}

// New makes the feature. Errors are those of the configuration.
func New(cfg Config, log *slog.Logger) (*Feature, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("link card configuration: %w", err)
	}
	return &Feature{cfg: cfg, log: log.With("part", "linkcard"), site: newSite(cfg.AllowPrivate), memory: newMemory(), counts: newCounts(),
		flights: map[*flight]struct{}{}, asked: rate.New[int64](cfg.PerMinute, time.Minute)}, nil
}

// Attach answers requests of accounts, if the operator lets it.
func (f *Feature) Attach(s *core.Server) {
	f.server = s
	if f.cfg.Enabled {
		s.HandleIQ(core.AtAccount, Namespace, "card", f.ask)
	}
}

// Run forgets answers when their time is over. At the end it breaks off what is being read, and waits for it.
func (f *Feature) Run(ctx context.Context) error {
	tick := time.NewTicker(sweepInterval)
	defer tick.Stop()
	for {
		select {
		case now := <-tick.C:
			f.memory.sweep(now)
		case <-ctx.Done():
			f.end()
			f.work.Wait()
			return nil
		}
	}
}

// ask answers a request for a card: at once if the answer is remembered or a limit is reached, else when the page was read. The session goes on
// meanwhile.
func (f *Feature) ask(ctx context.Context, r *core.Request) (*xmpp.Element, error) {
	if !r.Own() || r.Set {
		return nil, xmpp.NotAllowed
	}
	about := r.Payload.Attr("url")
	address, err := parseAddress(about, f.cfg.AllowPrivate)
	if err != nil {
		f.counts.outcome("refused")
		return nil, xmpp.BadRequest.Because("url: %v", err)
	}
	wanted := question{account: r.Account.ID, address: address.String()}
	if known, ok := f.memory.recall(wanted, time.Now()); ok {
		f.counts.outcome("remembered")
		return known.answer(about)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	one, err := f.begin(r.Account.ID, cancel)
	if err != nil {
		cancel()
		f.counts.outcome("limited")
		return nil, err
	}
	go func() {
		defer f.land(one)
		f.read(ctx, r, wanted, about)
	}()
	return nil, core.ErrAnswered
}

// read reads a page and answers.
func (f *Feature) read(ctx context.Context, r *core.Request, wanted question, about string) {
	began := time.Now()
	known := finding{failed: true}
	core.Guard(f.log, "a page was read", func() { known = f.site.find(ctx, wanted.address) })
	f.counts.read(time.Since(began), known.failed)
	f.memory.remember(wanted, known, time.Now())
	reply, err := known.answer(about)
	answer := r.Stanza.Reply(reply)
	if told := (*xmpp.Error)(nil); errors.As(err, &told) {
		answer = r.Stanza.ErrorReply(told)
	}
	if err := f.server.Answer(context.WithoutCancel(ctx), r.Transit, answer); err != nil {
		f.log.Warn("an answer could not be given", "err", err)
	}
}

// answer is what is told of a finding. Why there is no card is not told: it would let accounts find out what the server can reach.
func (k finding) answer(about string) (*xmpp.Element, error) {
	if k.failed {
		return nil, xmpp.ItemNotFound
	}
	return xmpp.NewElement(Namespace, "card", k.card.element(about)), nil
}
