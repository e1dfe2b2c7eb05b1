// Package component connects XMPP servers and what lives at domains beside theirs, for bridges, bots and services such as payments (XEP-0114,
// jabber:component:accept). It has three parts:
//
//   - Component is a component of any server: it connects, comes back when the connection breaks, and hands each stanza to a Handler.
//   - Inside puts the same Handler at a domain of our own server, in its process.
//   - Door accepts components of others at our server.
//
// XEP-0114 knows no acknowledgements. A Component therefore sends a ping to itself behind each batch (XEP-0199): a server handles what comes over
// one stream in order, so when the ping has come back it has read all that went before.
//
// Left out: jabber:component:connect, where the server connects, and XEP-0225.
package component

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"palabre.dev/palabre/transport"
	"palabre.dev/palabre/xmpp"
)

// Handler is who lives at a domain.
type Handler interface {
	// Handle takes a stanza for the domain, or for an address under it. Of a request (an iq of type get or set) it returns the payload of the result, nil for
	// an empty one. An *xmpp.Error is told to the sender as it is; any other error is logged, and told as internal-server-error. Stanzas of one sender are
	// handled one after the other, in order; those of several beside each other. A *Later says that a request is answered later.
	Handle(ctx context.Context, st *xmpp.Stanza) (*xmpp.Element, error)
}

// Errors of Send and Ask, for errors.Is. After both it is right to try again with the same ids.
var (
	// ErrAway means that there is no connection to the server: nothing was sent.
	ErrAway = errors.New("no connection to the server")
	// ErrUnsure means that the connection broke before the server had shown that it has read the stanzas: they may have arrived or not.
	ErrUnsure = errors.New("connection lost before the server had read everything")
	// ErrBusy means that too many wait for the server already: nothing was sent.
	ErrBusy = errors.New("too much waits for the server")
)

// Refusal is one stanza that the server, or its receiver, has answered with an error.
type Refusal struct {
	ID  string // of the stanza
	To  xmpp.JID
	Err *xmpp.Error
}

func (r *Refusal) Error() string { return fmt.Sprintf("stanza %s to %s: %v", r.ID, r.To, r.Err) }

// Unwrap is what was answered.
func (r *Refusal) Unwrap() error { return r.Err }

// Config is how a component reaches its server.
type Config struct {
	// Address is where the server waits for components, as host:port.
	Address string `toml:"address"`
	// Domain is the name of the component, as the server knows it.
	Domain string `toml:"domain"`
	// Secret is what the component and the server share. It does not travel.
	Secret string `toml:"secret"`
	// TLS encrypts the connection from its first byte, where the server offers that. What is said is in plain text otherwise: then let no network lie between them
	// that others can read.
	TLS bool `toml:"tls"`
	// TLSName is the name in the server's certificate; empty for that in the address.
	TLSName string `toml:"tls_name"`
	// MaxStanza is the size in bytes of the largest stanza that is read (10000 to 16777216).
	MaxStanza int `toml:"max_stanza"`
	// MaxWaiting is how many stanzas of one share of the senders may wait to be handled; there are 64 shares. More are refused.
	MaxWaiting int `toml:"max_waiting"`
	// Timeout is how long the server may take to answer, when connecting and for a ping.
	Timeout time.Duration `toml:"timeout"`
	// Idle is after how long a silence the component looks whether the server is still there.
	Idle time.Duration `toml:"idle"`
	// MaxPause is the longest pause between two attempts to connect; the first is a hundredth of it.
	MaxPause time.Duration `toml:"max_pause"`
}

// DefaultConfig suits a server on the same machine.
func DefaultConfig() Config {
	return Config{Address: "127.0.0.1:5347", MaxStanza: 1 << 20, MaxWaiting: 256, Timeout: 30 * time.Second, Idle: time.Minute, MaxPause: 30 * time.Second}
}

// Validate reports the first setting that cannot work.
func (c Config) Validate() error {
	if _, _, err := net.SplitHostPort(c.Address); err != nil {
		return fmt.Errorf("address: %w", err)
	}
	if _, err := xmpp.NewJID("", c.Domain, ""); err != nil {
		return fmt.Errorf("domain: %w", err)
	}
	switch {
	case c.Secret == "":
		return errors.New("secret: must not be empty")
	case c.MaxStanza < 10_000 || c.MaxStanza > 16<<20:
		return fmt.Errorf("max_stanza: %d is not within 10000–%d", c.MaxStanza, 16<<20)
	case c.MaxWaiting < 1 || c.MaxWaiting > 1<<16:
		return fmt.Errorf("max_waiting: %d is not within 1–%d", c.MaxWaiting, 1<<16)
	case c.Timeout <= 0 || c.Idle <= 0 || c.MaxPause <= 0:
		return errors.New("timeout, idle and max_pause: must be more than 0")
	}
	return nil
}

// Component is a component of a server. Its methods may be called from any goroutine.
type Component struct {
	cfg     Config
	log     *slog.Logger
	jid     xmpp.JID
	handler Handler
	lanes   *lanes
	asks    asks
	prefix  string // of ids, random: another process of the same domain may be answered meanwhile
	last    atomic.Uint64
	why     string // there was no connection, the last time; Run's alone

	mu     sync.Mutex // guards what follows; not held across I/O
	stream *transport.Stream
	broken chan struct{} // closed when stream is no more; nil without one
	change chan struct{} // closed when a stream comes; replaced when it goes
}

// New makes a component that is not connected yet; Run connects it.
func New(cfg Config, handler Handler, log *slog.Logger) (*Component, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	jid, err := xmpp.NewJID("", cfg.Domain, "")
	if err != nil {
		return nil, err
	}
	c := &Component{cfg: cfg, jid: jid, handler: handler, change: make(chan struct{}), prefix: "c" + strconv.FormatUint(rand.Uint64(), 36) + "-",
		log: log.With("part", "component", "domain", cfg.Domain)}
	c.lanes = newLanes(cfg.MaxWaiting, c.handle)
	return c, nil
}

// JID is the component's own address.
func (c *Component) JID() xmpp.JID { return c.jid }

// Run keeps the component connected until ctx ends. Then nothing is read any more, what was read is handled and answered, and the stream ends in order.
func (c *Component) Run(ctx context.Context) error {
	c.lanes.start(context.WithoutCancel(ctx))
	defer c.lanes.stop()
	first := c.cfg.MaxPause / 100
	for pause := first; ; pause = min(2*pause, c.cfg.MaxPause) {
		begun := time.Now()
		err := c.connection(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if time.Since(begun) > c.cfg.MaxPause {
			pause = first
		}
		if conflicts(err) { // another process has the domain: to take it back at once would be taken back at once
			pause = c.cfg.MaxPause
		}
		wait := pause/2 + rand.N(pause/2+1)
		level := slog.LevelDebug
		if c.lost(err) {
			level = slog.LevelWarn
		}
		c.log.Log(ctx, level, "no connection to the server", "err", err, "pause", wait.Round(time.Millisecond))
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
	}
}

// lost reports whether the reason for which there is no connection is another one than the last time: then it is worth a line.
func (c *Component) lost(err error) bool {
	text := fmt.Sprint(err)
	if text == c.why {
		return false
	}
	c.why = text
	return true
}

// Connected waits until there is a connection, or ctx ends.
func (c *Component) Connected(ctx context.Context) error {
	for {
		c.mu.Lock()
		up, change := c.stream != nil, c.change
		c.mu.Unlock()
		if up {
			return nil
		}
		select {
		case <-change:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Online reports whether there is a connection now.
func (c *Component) Online() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stream != nil
}

func (c *Component) dial(ctx context.Context) (*transport.Stream, error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", c.cfg.Address)
	if err != nil {
		return nil, fmt.Errorf("connect to the server: %w", err)
	}
	s := transport.NewClient(conn, transport.Config{Space: xmpp.NSComponent, MaxSize: c.cfg.MaxStanza, WriteTimeout: c.cfg.Timeout})
	if !c.cfg.TLS {
		return s, nil
	}
	name := c.cfg.TLSName
	if name == "" {
		name, _, _ = net.SplitHostPort(c.cfg.Address)
	}
	if err := s.Secure(&tls.Config{ServerName: name, MinVersion: tls.VersionTLS12}, c.cfg.Timeout); err != nil {
		return nil, errors.Join(err, s.Abort())
	}
	return s, nil
}
