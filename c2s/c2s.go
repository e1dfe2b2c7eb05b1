// Package c2s is the door for client sessions: RFC 6120 streams over TCP and RFC 7395 over WebSocket, login by SASL (RFC 6120 §6) and
// by SASL2 with everything that a return needs in one round trip (XEP-0388, XEP-0386, XEP-0484, XEP-0198), stream management
// (XEP-0198), client state (XEP-0352), and where to find it all (XEP-0156). What a stanza means is the core's and the features' to say;
// the door refuses only what no client may send.
//
// Left out: see-other-host, EXTERNAL, TLS 1.3 early data (XEP-0484 §3.4 makes it optional), and BOSH.
package c2s

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/transport"
	"palabre.dev/palabre/xmpp"
	"palabre.dev/palabre/xmpp/sasl"
)

// Credentials knows how accounts prove themselves; the part that keeps accounts fills it.
type Credentials interface {
	// Credentials returns what is kept of the password of the account with this (prepared) local part, one for each hash, and whether
	// the account is closed for login. It returns sasl.ErrUnknownUser for an account that does not exist.
	Credentials(ctx context.Context, local string) (credentials []sasl.Credential, disabled bool, err error)
	// Iterations is how often a new password is hashed: an account that does not exist must look like one that does.
	Iterations() int
}

// Guest is a client that has not logged in.
type Guest struct {
	// Address is where it connects from.
	Address netip.Addr
	// Encrypted says that the connection is under TLS.
	Encrypted bool

	values map[any]any
}

// Set keeps a value with the connection for later requests of the same guest, at most 8 of them.
func (g *Guest) Set(key, value any) {
	if g.values == nil {
		g.values = map[any]any{}
	}
	if len(g.values) < 8 {
		g.values[key] = value
	}
}

// Get is what was set, or nil.
func (g *Guest) Get(key any) any { return g.values[key] }

// GuestHandler answers an iq of a client that has not logged in, such as registration (XEP-0077). An *xmpp.Error is told as it is.
type GuestHandler func(ctx context.Context, guest *Guest, iq *xmpp.Stanza) (*xmpp.Element, error)

// Inline takes part in binding by Bind 2 (XEP-0386): request is the child of <bind/> in the feature's namespace, nil if the client sent
// none. What it returns, if anything, is told within <bound/>. It runs after the session has begun and before anything is sent to it.
type Inline func(ctx context.Context, session *core.Session, request *xmpp.Element) *xmpp.Element

type inline struct {
	feature string
	handle  Inline
}

type payloadName struct{ space, local string }

// Door is where client sessions come in.
type Door struct {
	cfg         Config
	server      *core.Server
	credentials Credentials
	tokens      *tokens
	secret      []byte
	tls         *tls.Config
	log         *slog.Logger

	features []func(authenticated bool) *xmpp.Element
	guests   map[payloadName]GuestHandler
	inlines  []inline
	begins   []func(*core.Session)
	revokes  []func(ctx context.Context, account *core.Account, owns func(resource string) bool) error
	revoked  revoked

	bound     core.Key[*session] // the door's side of a core session
	limits    *limits
	listeners []listener
	life      context.Context // of everything that goes on after a connection has ended
	end       context.CancelFunc
	work      sync.WaitGroup
	dormant   atomic.Int64 // bytes that wait for sessions without a connection
	queued    atomic.Int64 // bytes that wait for all sessions
	relieving atomic.Bool  // somebody makes room
	asking    asking
	serial    atomic.Uint64
	binding   [64]sync.Mutex // by account: see bindInOrder; taken before all others

	mu          sync.Mutex // guards what follows
	stopping    bool
	connections map[*connection]struct{}
	resumable   map[string]*session
	expired     expired
}

// New makes a door that is still closed. Its tables are made in db. The certificate comes from tlsConfig.
func New(ctx context.Context, cfg Config, server *core.Server, credentials Credentials, db *store.DB, tlsConfig *tls.Config,
	log *slog.Logger) (*Door, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("c2s: %w", err)
	}
	if tlsConfig == nil {
		return nil, errors.New("c2s: no certificate")
	}
	tokens, err := newTokens(ctx, db, cfg)
	if err != nil {
		return nil, fmt.Errorf("c2s: %w", err)
	}
	secret, err := loadSecret(ctx, db)
	if err != nil {
		return nil, fmt.Errorf("c2s: %w", err)
	}
	d := &Door{cfg: cfg, server: server, credentials: credentials, tokens: tokens, secret: secret, tls: transport.ServerTLS(tlsConfig),
		log: log.With("part", "c2s"), guests: map[payloadName]GuestHandler{}, limits: newLimits(cfg),
		connections: map[*connection]struct{}{}, resumable: map[string]*session{}}
	d.life, d.end = context.WithCancel(context.WithoutCancel(ctx))
	server.OnRemove(d.tokens.removeAccount)
	server.HandleIQ(core.AtServer|core.AtAccount, xmpp.NSSession, "session", beginNothing)
	return d, nil
}

// beginNothing answers what RFC 3921 §3 asked for, and RFC 6120 no longer needs.
func beginNothing(context.Context, *core.Request) (*xmpp.Element, error) { return nil, nil }

// StreamFeature adds an element to what is offered in <stream:features/>, before login (authenticated false) and after. It may return
// nil. Register everything before the door opens.
func (d *Door) StreamFeature(feature func(authenticated bool) *xmpp.Element) {
	d.features = append(d.features, feature)
}

// PreAuthIQ sets who answers iqs with this payload before login.
func (d *Door) PreAuthIQ(space, local string, handler GuestHandler) {
	d.guests[payloadName{space, local}] = handler
}

// BindInline takes part in Bind 2 under a feature name, which is announced and is the namespace of the request.
func (d *Door) BindInline(feature string, handle Inline) {
	d.inlines = append(d.inlines, inline{feature, handle})
}

// Serve takes over one connection of a client; direct says that it begins with TLS (XEP-0368). It returns at once.
func (d *Door) Serve(conn net.Conn, direct bool) {
	stream := transport.NewServer(conn, transport.Config{MaxSize: d.cfg.MaxGuestStanza, WriteTimeout: d.cfg.WriteTimeout})
	c := &connection{door: d, stream: stream, direct: direct, address: addressOf(conn.RemoteAddr())}
	d.begin(c)
}

// begin runs a connection unless a limit forbids it.
func (d *Door) begin(c *connection) {
	c.serial = d.serial.Add(1)
	c.read, c.halt = make(chan struct{}), make(chan struct{})
	d.mu.Lock()
	if d.stopping {
		d.mu.Unlock()
		c.abort()
		return
	}
	d.connections[c] = struct{}{}
	d.work.Add(1)
	d.mu.Unlock()
	if !d.limits.enter(c) {
		refused.WithLabelValues("address").Inc()
		c.abort()
		d.gone(c)
		return
	}
	go func() {
		defer d.gone(c)
		defer d.limits.leave(c)
		c.run()
	}()
}

func (d *Door) gone(c *connection) {
	d.mu.Lock()
	delete(d.connections, c)
	d.mu.Unlock()
	d.work.Done()
}

func addressOf(addr net.Addr) netip.Addr {
	if tcp, ok := addr.(*net.TCPAddr); ok {
		ip, _ := netip.AddrFromSlice(tcp.IP)
		return ip.Unmap()
	}
	return netip.Addr{}
}
