// Package caps knows what the apps of sessions and of contacts elsewhere can do, from the hashes in their presence (XEP-0115, XEP-0390): each
// new hash is asked for once, checked and kept. It is for whoever sends events that only some apps want ("+notify", XEP-0163 §4). Presence
// itself passes unchanged; taking hashes out of repeated presence (caps#optimize) is left out.
package caps

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Config is what an operator can set.
type Config struct {
	// MaxKnown is how many different descriptions are kept in memory, and ten times as many in the database.
	MaxKnown int `toml:"max_known"`
	// MaxRemote is for how many sessions of contacts elsewhere it is remembered what they can do.
	MaxRemote int `toml:"max_remote"`
	// MaxAsking is how many hashes are asked for at once; who comes then is not asked.
	MaxAsking int `toml:"max_asking"`
}

// DefaultConfig suits a machine with 1 GB of memory.
func DefaultConfig() Config { return Config{MaxKnown: 2000, MaxRemote: 50_000, MaxAsking: 500} }

// Validate reports the first setting that cannot work.
func (c Config) Validate() error {
	if c.MaxKnown < 1 || c.MaxRemote < 1 || c.MaxAsking < 1 {
		return errors.New("caps: every limit must be at least 1")
	}
	return nil
}

// askTimeout is how long an app may take to say what it can do.
const askTimeout = 30 * time.Second

// Want is the news that an app wants events of nodes that it did not want before.
type Want struct {
	// Session is the local session that wants them, nil when it is one elsewhere.
	Session *core.Session
	// Account is whose presence the app sees: the session's own account, or the local contact of one elsewhere.
	Account *core.Account
	// To is the app's full address.
	To xmpp.JID
	// Nodes are what it wants, without "+notify".
	Nodes []string
}

// Feature is what all apps can do.
type Feature struct {
	cfg      Config
	db       *store.DB
	server   *core.Server
	log      *slog.Logger
	sessions *core.Key[*app]
	tell     []func(context.Context, Want)
	work     func() (context.Context, context.CancelFunc) // for one question
	stop     context.CancelFunc
	asking   sync.WaitGroup
	asked    *prometheus.CounterVec

	mu      sync.Mutex // guards what follows
	known   map[string]*description
	waiting map[string][]*app // by hash: who said it while it was being asked for
	remote  map[int64]map[xmpp.JID]*app
	remotes int
	stopped bool
	serial  uint64
}

// New opens the table. Errors are those of the database or of the configuration.
func New(ctx context.Context, db *store.DB, cfg Config, log *slog.Logger) (*Feature, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if err := db.Migrate(ctx, "caps", migrations); err != nil {
		return nil, fmt.Errorf("caps: %w", err)
	}
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	f := &Feature{cfg: cfg, db: db, log: log.With("part", "caps"), sessions: new(core.Key[*app]), stop: stop,
		known: map[string]*description{}, waiting: map[string][]*app{}, remote: map[int64]map[xmpp.JID]*app{},
		asked: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "palabre_caps_questions_total", Help: "Apps asked what they can do, by what came of it.",
		}, []string{"outcome"})}
	f.work = func() (context.Context, context.CancelFunc) { return context.WithTimeout(life, askTimeout) }
	return f, nil
}

// Attach hangs the feature into the journey.
func (f *Feature) Attach(s *core.Server) {
	f.server = s
	s.Tell(core.Sent, f.sent)
	s.Tell(core.Received, f.received)
	s.OnBind(func(_ context.Context, session *core.Session) {
		f.sessions.Set(session, &app{session: session, account: session.Account, jid: session.JID})
	})
	s.OnRemove(func(_ context.Context, account *core.Account) error { f.forgetRemote(account); return nil })
}

// Run waits for the end of ctx and then for the questions that are out.
func (f *Feature) Run(ctx context.Context) error {
	<-ctx.Done()
	f.mu.Lock()
	f.stopped = true
	f.mu.Unlock()
	f.stop()
	f.asking.Wait()
	return nil
}

// Collectors are the feature's figures for Prometheus.
func (f *Feature) Collectors() []prometheus.Collector { return []prometheus.Collector{f.asked} }

// OnWants adds what happens when an app turns out to want events: after the presence that says so has been handled, or later when it
// had to be asked. Add it before the first session.
func (f *Feature) OnWants(fn func(ctx context.Context, want Want)) { f.tell = append(f.tell, fn) }

// Wants reports whether the session's app wants events of a node: it has the feature node+notify, as far as is known.
func (f *Feature) Wants(session *core.Session, node string) bool {
	return f.sessions.Get(session).description().wants(node)
}

// Features are the features of the session's app, sorted; nil while they are not known. The slice must not be changed.
func (f *Feature) Features(session *core.Session) []string {
	if d := f.sessions.Get(session).description(); d != nil {
		return d.features
	}
	return nil
}

// Elsewhere are the full addresses on other servers that have shown the account their presence and want events of a node.
func (f *Feature) Elsewhere(account *core.Account, node string) []xmpp.JID {
	f.mu.Lock()
	defer f.mu.Unlock()
	var found []xmpp.JID
	for jid, a := range f.remote[account.ID] {
		if a.description().wants(node) {
			found = append(found, jid)
		}
	}
	return found
}

// sent sees the undirected presence of sessions.
func (f *Feature) sent(_ context.Context, t *core.Transit) {
	st := t.Stanza
	if st.Kind != xmpp.Presence || t.Via == nil || !st.To.IsZero() {
		return
	}
	a := f.sessions.Get(t.Via)
	switch {
	case a == nil:
	case st.Type == "":
		f.note(t, a, st)
	case st.Type == "unavailable":
		a.become("", nil)
	}
}

// received sees the presence of contacts elsewhere.
func (f *Feature) received(_ context.Context, t *core.Transit) {
	st := t.Stanza
	if st.Kind != xmpp.Presence || st.From.IsZero() || st.From.IsBare() || f.server.Local(st.From) {
		return
	}
	switch st.Type {
	case "":
		if a := f.remoteApp(t.Receiver, st.From); a != nil {
			f.note(t, a, st)
		}
	case "unavailable":
		f.dropRemote(t.Receiver.ID, st.From)
	}
}

func (f *Feature) remoteApp(account *core.Account, jid xmpp.JID) *app {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := f.remote[account.ID]
	if a := all[jid]; a != nil {
		return a
	}
	if f.remotes >= f.cfg.MaxRemote {
		return nil
	}
	if all == nil {
		all = map[xmpp.JID]*app{}
		f.remote[account.ID] = all
	}
	a := &app{account: account, jid: jid}
	all[jid] = a
	f.remotes++
	return a
}

func (f *Feature) dropRemote(account int64, jid xmpp.JID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	a := f.remote[account][jid]
	if a == nil {
		return
	}
	a.become("", nil)
	f.remotes--
	if delete(f.remote[account], jid); len(f.remote[account]) == 0 {
		delete(f.remote, account)
	}
}

func (f *Feature) forgetRemote(account *core.Account) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.remotes -= len(f.remote[account.ID])
	delete(f.remote, account.ID)
}
