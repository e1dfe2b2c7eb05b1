// Package core carries stanzas: Route is the only way in. First all decide, then everything is kept at once, then others are told.
// Features hang their rules on the stages and phases of that journey; doors bind sessions to it. It implements the routing of
// RFC 6120 §10 and RFC 6121 §8, and leaves presence, rosters, archives and everything else that has a name of its own to
// features.
package core

import (
	"context"
	"errors"
	"log/slog"
	"sync"

	"palabre.dev/palabre/xmpp"
)

// Store is where the Keep phase writes. Submit runs fn in a transaction that may be shared with others and calls done once, in
// the order of submission for all callers, after it is on disk or has failed. fn may run more than once.
type Store interface {
	Submit(ctx context.Context, fn func(ctx context.Context) error, done func(error))
}

// Directory knows the local accounts. It returns ErrNoAccount for an address that has none.
type Directory interface {
	Account(ctx context.Context, bare xmpp.JID) (*Account, error)
}

// Account is a local account, known by a number that never changes and is never used again.
type Account struct {
	ID  int64
	JID xmpp.JID // bare
}

// ErrNoAccount is what a Directory returns for an address without an account.
var ErrNoAccount = errors.New("no such account")

// Config is what an operator can set.
type Config struct {
	// Domain is the name that accounts and the server itself live under.
	Domain string `toml:"domain"`
	// MaxSessions is the most sessions that one account may have at once.
	MaxSessions int `toml:"max_sessions"`
	// MaxPending is the most messages of one session that wait for the disk at once; then the session is read no further.
	MaxPending int `toml:"max_pending"`
}

// DefaultConfig suits a machine with 1 GB of memory.
func DefaultConfig() Config { return Config{Domain: "localhost", MaxSessions: 25, MaxPending: 256} }

// Validate reports the first setting that cannot work.
func (c Config) Validate() error {
	if c.MaxSessions < 1 || c.MaxPending < 1 {
		return errors.New("max_sessions and max_pending must be at least 1")
	}
	_, err := xmpp.NewJID("", c.Domain, "")
	return err
}

// Server is the one that carries. Register everything before the first session; after that it is safe for concurrent use.
type Server struct {
	cfg       Config
	domain    xmpp.JID
	store     Store
	directory Directory
	log       *slog.Logger

	hooks     hooks
	iqs       map[iqKey]IQHandler
	announced [2][]string
	services  map[string]Service
	presence  func(context.Context, *Transit) error
	// serverMessage takes messages to the bare domain
	serverMessage func(context.Context, *Transit) error
	account       accountHooks
	life          lifeHooks
	requests      requests
	turns         turns
	gone          gone

	mu       sync.RWMutex
	sessions map[xmpp.JID][]*Session // by bare address
	count    int
}

// New makes a server that has no features yet.
func New(cfg Config, store Store, directory Directory, log *slog.Logger) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	domain, err := xmpp.NewJID("", cfg.Domain, "")
	if err != nil {
		return nil, err
	}
	return &Server{cfg: cfg, domain: domain, store: store, directory: directory, log: log.With("part", "core"), iqs: map[iqKey]IQHandler{},
		services: map[string]Service{}, sessions: map[xmpp.JID][]*Session{}, requests: requests{waiting: map[string]waiting{}}, turns: turns{queues: map[int64][]*turn{}}}, nil
}

// Domain is the server's own address.
func (s *Server) Domain() xmpp.JID { return s.domain }

// Local reports whether jid lives under the server's own domain, as an account or the server itself.
func (s *Server) Local(jid xmpp.JID) bool { return jid.Domain() == s.domain.Domain() }

// Account is the account at a local address, with or without a resource; ErrNoAccount if there is none.
func (s *Server) Account(ctx context.Context, jid xmpp.JID) (*Account, error) {
	if !s.Local(jid) || jid.Local() == "" {
		return nil, ErrNoAccount
	}
	return s.directory.Account(ctx, jid.Bare())
}

// Service is what lives at a domain of its own within this server: rooms, uploads, an external component.
type Service interface {
	// Handle takes a stanza addressed to the domain or an address under it. An error is told to the sender.
	Handle(ctx context.Context, t *Transit) error
}

// Deciding is a service with logs of its own, such as rooms: it takes part in deciding and in keeping, and Handle tells what was kept.
type Deciding interface {
	Service
	// Decide is asked after the rules of the sender's end, before anything has happened: it may refuse, which is told to the sender, or drop. write is
	// what it has to keep in the one transaction, nil for nothing; it may run more than once. log is the number of the log that this belongs to, from the
	// same row of numbers as those of accounts: what was kept in one log is handled in the order in which it was kept. An error of write that is an
	// xmpp.Error is told to the sender.
	Decide(ctx context.Context, t *Transit) (log int64, write Write, err error)
}

// AddService puts a service at a domain.
func (s *Server) AddService(domain string, service Service) {
	if _, twice := s.services[domain]; twice || domain == s.domain.Domain() {
		panic("core: two services at " + domain)
	}
	s.services[domain] = service
}

// Services are the domains of the services that were added, in no order.
func (s *Server) Services() []string {
	var names []string
	for name := range s.services {
		names = append(names, name)
	}
	return names
}
