// Package channel is where few publish and any number read: nodes of a publish-subscribe service at a domain of its own (XEP-0060) that hold posts
// (XEP-0472). Each channel has a log that the database numbers; a post is one row in it, however many follow. Who follows is shown to nobody.
// What is ours on the wire is in docs/protocol/channels.md. Left out: followers and channels on other servers, collections, and posts whose text the server
// cannot read.
package channel

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/core/rate"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/recent"
	"palabre.dev/palabre/xmpp"
)

// Namespaces.
const (
	NS       = "urn:palabre:channel:0"
	nsPubSub = "http://jabber.org/protocol/pubsub"
	nsOwner  = nsPubSub + "#owner"
	nsEvent  = nsPubSub + "#event"
	nsFeed   = "urn:xmpp:pubsub-social-feed:1"
	nsAtom   = "http://www.w3.org/2005/Atom"
	nsMAM    = xmpp.NSArchive
	nsPing   = "urn:xmpp:ping"
	nsInfo   = "http://jabber.org/protocol/disco#info"
	nsItems  = "http://jabber.org/protocol/disco#items"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Config is what an operator can set.
type Config struct {
	// Domain is the service's own address; empty means "channels." before the server's domain.
	Domain string `toml:"domain"`
	// MaxPostBytes is the most bytes that one post may have.
	MaxPostBytes int `toml:"max_post_bytes"`
	// MaxChannelsPerDay is how many channels one account may make in a day.
	MaxChannelsPerDay int `toml:"max_channels_per_day"`
	// MaxPostsPerHour is how many posts one channel may publish in an hour.
	MaxPostsPerHour int `toml:"max_posts_per_hour"`
	// MaxFollowed is how many channels one account may follow.
	MaxFollowed int `toml:"max_followed"`
	// MaxPeople is the most owners, publishers and others whom one channel may name.
	MaxPeople int `toml:"max_people"`
	// MaxPage is the most posts, or channels, in one answer; apps ask again for more.
	MaxPage int `toml:"max_page"`
	// MaxCached is how many channels whose followers are all away are kept in memory, and of how many accounts what they follow is.
	MaxCached int `toml:"max_cached"`
}

// DefaultConfig suits a machine with 1 GB of memory.
func DefaultConfig() Config {
	return Config{MaxPostBytes: 64 << 10, MaxChannelsPerDay: 10, MaxPostsPerHour: 60, MaxFollowed: 1000, MaxPeople: 1000, MaxPage: 100, MaxCached: 10_000}
}

// Validate reports the first setting that cannot work.
func (c Config) Validate() error {
	if c.MaxPostBytes < 1 || c.MaxFollowed < 1 || c.MaxPeople < 1 || c.MaxPage < 1 || c.MaxCached < 1 || c.MaxChannelsPerDay < 0 || c.MaxPostsPerHour < 0 {
		return errors.New("channel: every limit must be at least 1, max_channels_per_day and max_posts_per_hour at least 0")
	}
	if c.Domain == "" {
		return nil
	}
	_, err := xmpp.ParseJID(c.Domain)
	return err
}

// Channels is the service of all channels.
type Channels struct {
	cfg     Config
	db      *store.DB
	log     *slog.Logger
	server  *core.Server
	domain  xmpp.JID
	loaded  loaded
	follows *recent.Cache[*followed]
	waker   Waker
	wakes   wakes
	keys    Keys
	web     string        // where browsers reach the server, without a slash at the end
	making  chan struct{} // has an element for each page that is being made
	views   *views
	counts  counts
	reacts  *rate.Limiter[int64] // reactions, by account
	reports *rate.Limiter[int64] // reports of views, by account
	moves   *rate.Limiter[int64] // who follows, and follows no more, by account
	now     func() time.Time
}

// New makes the feature and its tables. waker and keys may be nil: then nobody is woken, and signatures are passed on unseen. web is
// where browsers reach the server, without a slash at the end.
func New(ctx context.Context, cfg Config, db *store.DB, waker Waker, keys Keys, web string, log *slog.Logger) (*Channels, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if err := db.Migrate(ctx, "channel", migrations); err != nil {
		return nil, fmt.Errorf("channel: %w", err)
	}
	cs := &Channels{cfg: cfg, db: db, waker: waker, keys: keys, web: web, making: make(chan struct{}, maxMaking), views: newViews(), counts: newCounts(),
		reacts: rate.New[int64](maxPerMinute, time.Minute), reports: rate.New[int64](maxPerMinute, time.Minute), moves: rate.New[int64](maxPerMinute, time.Minute), wakes: wakes{signal: make(chan struct{}, 1)}, log: log.With("part", "channel"), now: time.Now}
	cs.loaded.init(cs, cfg.MaxCached)
	cs.follows = recent.New(cfg.MaxCached, func(f *followed) int { return len(f.channels) }, cs.loadFollowed)
	return cs, nil
}

// Attach hangs the feature on the journey of a stanza.
func (cs *Channels) Attach(s *core.Server) {
	cs.server = s
	domain := cs.cfg.Domain
	if domain == "" {
		domain = "channels." + s.Domain().Domain()
	}
	cs.domain = xmpp.MustJID(domain)
	s.AddService(domain, cs)
	s.OnAvailable(cs.available)
	s.OnUnbind(cs.unbound)
	s.OnRemove(cs.remove)
}

// sweepPause is how often it is looked for what is left of deleted channels.
const sweepPause = time.Minute

// Run wakes followers, publishes what was scheduled, writes views, and clears away what is left of deleted channels, until ctx ends.
func (cs *Channels) Run(ctx context.Context) error {
	var others sync.WaitGroup
	defer others.Wait()
	works := map[string]func(context.Context){"views are written": cs.runViews, "scheduled posts are published": cs.runSchedule}
	if cs.waker != nil {
		works["followers are woken"] = cs.runWakes
	}
	for what, run := range works {
		others.Go(func() {
			for !core.Guard(cs.log, what, func() { run(ctx) }) {
				select {
				case <-ctx.Done():
				case <-time.After(sweepPause):
				}
			}
		})
	}
	sweep := time.NewTicker(sweepPause)
	defer sweep.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-sweep.C:
			cs.sweep(ctx)
		}
	}
}

// sweep clears away what is left of deleted channels.
func (cs *Channels) sweep(ctx context.Context) {
	for more := true; more && ctx.Err() == nil; {
		var err error
		if more, err = cs.clearAway(ctx, nil); err != nil {
			cs.log.Warn("a deleted channel could not be cleared away", "err", err)
		}
	}
}

// Domain is the address of the service.
func (cs *Channels) Domain() xmpp.JID { return cs.domain }
