// Package group is where many people talk: rooms at a domain of their own (XEP-0045) with a log that is the truth. Membership decides who
// receives: who is a member finds in the log what was said while nobody of their devices was there. Rules that must hold while it is written are
// asked within the transaction. Left out: rooms on other servers, and what was said before rooms had logs.
package group

import (
	"context"
	"embed"
	"errors"
	"log/slog"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/core/rate"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

// Namespaces.
const (
	NS      = "urn:palabre:group:0"
	nsMUC   = "http://jabber.org/protocol/muc"
	nsUser  = nsMUC + "#user"
	nsAdmin = nsMUC + "#admin"
	nsOwner = nsMUC + "#owner"
	nsWho   = "urn:xmpp:occupant-id:0"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Config is what an operator can set.
type Config struct {
	// Domain is the service's own address; empty means "groups." before the server's domain.
	Domain string `toml:"domain"`
	// MaxMembers is the most members that a group may have.
	MaxMembers int `toml:"max_members"`
	// PresenceLimit is up to how many members a group tells each who is there; above it nobody is told (XEP-0045 §17.3).
	PresenceLimit int `toml:"presence_limit"`
	// MaxGroupsPerDay is how many groups one account may make in a day.
	MaxGroupsPerDay int `toml:"max_groups_per_day"`
	// OpenByDefault makes a group open to all, and found by all, whose maker says nothing else; otherwise it is for members only.
	OpenByDefault bool `toml:"open_by_default"`
	// MaxPage is the most messages, or members, in one answer; apps ask again for more.
	MaxPage int `toml:"max_page"`
	// MaxCommunityMembers is the most members that a community may have.
	MaxCommunityMembers int `toml:"max_community_members"`
	// MaxCommunityGroups is the most groups that a community may have, beside its announcements.
	MaxCommunityGroups int `toml:"max_community_groups"`
	// MaxCached is how many groups that nobody attends are kept in memory.
	MaxCached int `toml:"max_cached"`
}

// DefaultConfig suits a machine with 1 GB of memory.
func DefaultConfig() Config {
	return Config{MaxMembers: 1024, PresenceLimit: 100, MaxGroupsPerDay: 50, MaxCommunityMembers: 5000, MaxCommunityGroups: 100, MaxPage: 100, MaxCached: 1000}
}

// Validate reports the first setting that cannot work.
func (c Config) Validate() error {
	if c.MaxMembers < 2 || c.PresenceLimit < 0 || c.MaxGroupsPerDay < 0 || c.MaxPage < 1 || c.MaxCached < 1 {
		return errors.New("max_members must be at least 2, presence_limit and max_groups_per_day at least 0, max_page and max_cached at least 1")
	}
	if c.MaxCommunityMembers < 2 || c.MaxCommunityGroups < 1 || c.MaxCommunityGroups > 1000 {
		return errors.New("max_community_members must be at least 2, max_community_groups from 1 to 1000")
	}
	_, err := xmpp.ParseJID(c.Domain)
	if c.Domain == "" {
		return nil
	}
	return err
}

// most is how many members a group with these settings may have.
func (c Config) most(s Settings) int {
	if s.Community {
		return c.MaxCommunityMembers
	}
	return c.MaxMembers
}

// Groups is the service of all groups.
type Groups struct {
	cfg    Config
	db     *store.DB
	log    *slog.Logger
	server *core.Server
	domain xmpp.JID
	rooms  rooms
	others Siblings
	wakes  wakes
	now    func() time.Time
	noted  chan struct{} // has an element when consequences may wait

	joins, tokens, letters limiter
	strangers              *rate.Limiter[xmpp.JID] // whom somebody invites who does not know them
}

// Siblings are what groups ask of other features. Without a Waker nobody is woken, without Markers everything since somebody became a member, or last read, is
// unread, and without Contacts all know each other.
type Siblings struct {
	Waker    Waker
	Markers  Markers
	Contacts Contacts
}

// New makes the feature and its tables.
func New(ctx context.Context, cfg Config, db *store.DB, others Siblings, log *slog.Logger) (*Groups, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if err := db.Migrate(ctx, "group", migrations); err != nil {
		return nil, err
	}
	g := &Groups{cfg: cfg, db: db, log: log.With("part", "group"), others: others, now: time.Now, noted: make(chan struct{}, 1), strangers: rate.New[xmpp.JID](maxStrangers, time.Hour), wakes: wakes{signal: make(chan struct{}, 1)}}
	g.rooms.init(g, cfg.MaxCached)
	return g, nil
}

// Attach hangs the feature on the journey of a stanza.
func (g *Groups) Attach(s *core.Server) {
	g.server = s
	domain := g.cfg.Domain
	if domain == "" {
		domain = "groups." + s.Domain().Domain()
	}
	g.domain = xmpp.MustJID(domain)
	s.AddService(domain, g)
	s.OnUnbind(g.gone)
	s.OnRemove(g.remove)
}

// Domain is the address of the service.
func (g *Groups) Domain() xmpp.JID { return g.domain }
