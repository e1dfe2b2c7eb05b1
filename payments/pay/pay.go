// Package pay is the service of payments: wallets of a domain's accounts, who may spend from them, and what they ask of one another (docs/protocol/payments.md).
// Nothing is debited without an intent that a key of the payer's device has signed; intent and signature are kept in the ledger beside the transfer. What is answered
// was kept, once: the same id gets the same receipt, byte for byte. What was refused stays refused under its id. What others must know is written as a notice in the
// same transaction, and sent until the network has it. It reaches people through Network, which a server or a component (XEP-0114) fulfils, and networks outside
// through Rails. Left out: double entry, which is payments/ledger; what networks outside do, which is payments/rail; screens.
package pay

import (
	"context"
	"crypto/ed25519"
	"embed"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"palabre.dev/palabre/payments/ledger"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Service is the service of payments of one domain. Its methods are safe for concurrent use.
type Service struct {
	cfg       Config
	domain    xmpp.JID
	db        *store.DB
	ledger    *ledger.Ledger
	network   Network
	directory Directory
	groups    Groups
	rails     Rails
	log       *slog.Logger
	now       func() time.Time
	secret    ed25519.PrivateKey
	notices   chan struct{} // there may be one to send
	asking    *pace

	mu     sync.Mutex
	opened map[string]bool // accounts of the ledger that are there
	speak  map[xmpp.JID]string
}

// New makes the service and its tables. It fails where the configuration cannot work or the ledger does not know a unit.
func New(ctx context.Context, cfg Config, db *store.DB, book *ledger.Ledger, network Network, log *slog.Logger) (*Service, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("pay: %w", err)
	}
	domain, err := xmpp.ParseJID(cfg.Service)
	if err != nil {
		return nil, fmt.Errorf("pay: %w", err)
	}
	if err := db.Migrate(ctx, "pay", migrations); err != nil {
		return nil, fmt.Errorf("pay: %w", err)
	}
	s := &Service{cfg: cfg, domain: domain, db: db, ledger: book, network: network, log: log.With("part", "pay"), now: time.Now, notices: make(chan struct{}, 1), asking: newPace(), opened: map[string]bool{}, speak: map[xmpp.JID]string{}}
	for _, unit := range cfg.Units {
		if _, ok := book.Unit(unit.Code); !ok {
			return nil, fmt.Errorf("pay: the ledger has no unit %s", unit.Code)
		}
		if err := s.open(ctx, unit.Code, FeesAccount(unit.Code), IssueAccount(unit.Code)); err != nil {
			return nil, fmt.Errorf("pay: %w", err)
		}
	}
	if s.secret, err = s.receiptKey(ctx); err != nil {
		return nil, fmt.Errorf("pay: %w", err)
	}
	return s, nil
}

// Know sets who knows people. Call it before anything is asked.
func (s *Service) Know(d Directory) { s.directory = d }

// Meet sets who knows who is in a group. Call it before anything is asked.
func (s *Service) Meet(g Groups) { s.groups = g }

// Use sets the networks outside. Call it before anything is asked.
func (s *Service) Use(r Rails) { s.rails = r }

// Run sends notices, and makes what has come to its time, until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	var watching sync.WaitGroup
	defer watching.Wait()
	watching.Go(func() { s.watchTime(ctx) })
	watching.Go(func() { s.pruneDays(ctx) })
	return s.sendNotices(ctx)
}

// ours says whether an address is a bare one that has a wallet here.
func (s *Service) ours(account xmpp.JID) bool {
	return account.Domain() == s.cfg.Accounts && account.Local() != "" && account.IsBare()
}
