// Package archive keeps each account's messages in one append-only log and gives them back: to any of its devices that asks
// (XEP-0313 urn:xmpp:mam:2 with #extended, XEP-0441 preferences), and, to devices that do not ask, when they come back (XEP-0160).
// It gives every kept message its stanza-id (XEP-0359), honours hints (XEP-0334) and turns retracted messages into tombstones
// (XEP-0424). Left out: full-text search (messages are encrypted), archives of rooms, which are the room's own.
package archive

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

// Namespaces.
const (
	NS          = "urn:xmpp:mam:2"
	nsExtended  = "urn:xmpp:mam:2#extended"
	nsRetract   = "urn:xmpp:message-retract:1"
	nsTombstone = "urn:xmpp:message-retract:1#tombstone"
	nsOffline   = "msgoffline" // XEP-0160 §4
)

// cleanInterval is how often old messages are deleted.
const cleanInterval = time.Hour

// cachedPrefs is how many accounts' preferences are kept in memory.
const cachedPrefs = 10_000

//go:embed migrations
var migrations embed.FS

// Config is what an operator can set.
type Config struct {
	// MaxPage is the most messages that one request is answered with; a device asks again for more.
	MaxPage int `toml:"max_page"`
	// Retention is how long messages are kept; 0 keeps them until their account is removed.
	Retention time.Duration `toml:"retention"`
	// MaxOffline is the most messages that a device which does not read the archive is sent when it comes back. The newest are
	// sent; all stay in the archive.
	MaxOffline int `toml:"max_offline"`
}

// DefaultConfig keeps everything.
func DefaultConfig() Config { return Config{MaxPage: 250, MaxOffline: 100_000} }

// Validate reports the first setting that cannot work.
func (c Config) Validate() error {
	switch {
	case c.MaxPage < 1 || c.MaxPage > 1000:
		return errors.New("max_page must be 1 to 1000")
	case c.Retention < 0:
		return errors.New("retention must not be negative")
	case c.MaxOffline < 0:
		return errors.New("max_offline must not be negative")
	}
	return nil
}

// Roster answers for the preference "roster" (XEP-0441 §2).
type Roster interface {
	// Has reports whether the contact is in the account's roster.
	Has(ctx context.Context, account *core.Account, contact xmpp.JID) (bool, error)
}

// Archive is the feature.
type Archive struct {
	cfg    Config
	db     *store.DB
	roster Roster
	log    *slog.Logger
	server *core.Server

	prefs *lru.Cache[int64, *preferences]

	written core.Note[*written]
	allowed allowance
	filing  filing

	working sync.WaitGroup // the goroutines that send missed messages

	mu     sync.Mutex       // guards what follows
	owners map[int64]*owner // of the accounts that have sessions
	hidden map[int64]bool   // accounts that may have entries kept only until they reach a device
	large  map[int64]int    // how many entries of an account make a page, where its messages are large
}

// New makes the archive and its tables.
func New(ctx context.Context, cfg Config, db *store.DB, roster Roster, log *slog.Logger) (*Archive, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if err := db.Migrate(ctx, "archive", migrations); err != nil {
		return nil, err
	}
	prefs, err := lru.New[int64, *preferences](cachedPrefs)
	if err != nil {
		return nil, err
	}
	a := &Archive{cfg: cfg, db: db, roster: roster, log: log.With("part", "archive"), prefs: prefs, owners: map[int64]*owner{}, hidden: map[int64]bool{},
		large: map[int64]int{}}
	a.filing.late = db.Engine() == "sqlite"
	return a, errors.Join(a.loadHiding(ctx), a.loadFiling(ctx))
}

// Attach hangs the archive on the journey of a stanza.
func (a *Archive) Attach(s *core.Server) {
	a.server = s
	s.Change(core.Sent, a.dropForgedID)
	s.Change(core.Received, a.dropForgedID)
	s.Keep(core.Sent, a.keepSent)
	s.Keep(core.Received, a.keepReceived)
	s.Kept(a.stamp)
	s.HandleIQ(core.AtAccount, NS, "query", a.query)
	s.HandleIQ(core.AtAccount, NS, "metadata", a.metadata)
	s.HandleIQ(core.AtAccount, NS, "prefs", a.handlePrefs)
	s.Announce(core.AtAccount, nsExtended, xmpp.NSStanzaID, nsRetract, nsTombstone)
	s.Announce(core.AtServer, NS, nsExtended, xmpp.NSStanzaID, xmpp.NSHints, nsRetract, nsTombstone, nsOffline)
	a.attachOffline(s)
	s.OnRemove(a.remove)
	s.OnExport(a.export)
	s.OnImport(a.adopt)
}

func (a *Archive) remove(ctx context.Context, account *core.Account) error {
	a.prefs.Remove(account.ID)
	a.mu.Lock()
	delete(a.owners, account.ID)
	delete(a.hidden, account.ID)
	a.mu.Unlock()
	for more := true; more; {
		var err error
		if more, err = a.deleteSome(ctx, account, math.MaxInt64); err != nil {
			return fmt.Errorf("remove messages: %w", err)
		}
	}
	for _, table := range []string{"archive_preference", "archive_cursor"} {
		if _, err := a.db.Exec(ctx, "delete from "+table+" where account = $1", account.ID); err != nil {
			return fmt.Errorf("remove %s: %w", table, err)
		}
	}
	return nil
}

// contactID is the number that stands for the bare address of the other end.
func contactID(jid xmpp.JID) int64 {
	sum := sha256.Sum256([]byte(jid.Bare().String()))
	return int64(binary.BigEndian.Uint64(sum[:8]))
}

// Run writes down how far messages have reached, files messages, and deletes what is older than the retention, until ctx ends.
func (a *Archive) Run(ctx context.Context) error {
	running, end := context.WithCancel(ctx)
	var filing sync.WaitGroup
	defer filing.Wait()
	defer end() // also in a panic, which would wait for the filer otherwise
	filing.Go(func() { a.runFiling(running) })
	save, clean := time.NewTicker(saveInterval), time.NewTicker(cleanInterval)
	defer save.Stop()
	defer clean.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return a.stop()
		case <-save.C:
			err = a.save(ctx)
		case <-clean.C:
			if a.cfg.Retention > 0 {
				err = a.expire(ctx, time.Now().Add(-a.cfg.Retention))
			}
		}
		if err != nil && ctx.Err() == nil {
			a.log.Error("could not tidy the archive", "err", err)
		}
	}
}

// stop waits for what is under way and writes the last cursors.
func (a *Archive) stop() error {
	a.working.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
	defer cancel()
	return a.save(ctx)
}

// expire deletes what was kept before a time, account by account, in small transactions.
func (a *Archive) expire(ctx context.Context, before time.Time) error {
	unfiled := a.filing.accounts()
	account, ok, err := a.nextFiled(ctx, 0)
	for ; ok && err == nil; account, ok, err = a.nextFiled(ctx, account) {
		if err := a.expireOf(ctx, account, before.UnixMicro()); err != nil {
			return fmt.Errorf("delete old messages: %w", err)
		}
	}
	for i := 0; i < len(unfiled) && err == nil; i++ {
		err = a.expireOf(ctx, unfiled[i], before.UnixMicro())
	}
	if err != nil {
		return fmt.Errorf("delete old messages: %w", err)
	}
	return nil
}

func (a *Archive) expireOf(ctx context.Context, id, before int64) error {
	account := &core.Account{ID: id}
	old, err := a.ids(ctx, account, &request{Until: before}, 1) // most have nothing to delete: not worth a transaction
	for more := len(old) > 0; more && err == nil; {
		more, err = a.deleteSome(ctx, account, before)
	}
	return err
}
