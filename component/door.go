package component

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/core/rate"
	"palabre.dev/palabre/transport"
	"palabre.dev/palabre/xmpp"
)

// DoorConfig is what an operator can set about components of others at our server.
type DoorConfig struct {
	// Listen are the addresses at which components connect, in plain text: keep them on the loopback interface or a private network. Nothing listens while there are no domains.
	Listen []string `toml:"listen"`
	// Domains are the names of components, each with the secret that it shares with the server, as "irc.example.org=SECRET", or "irc.example.org=@FILE" with a file
	// that holds the secret.
	Domains []string `toml:"domains"`
	// MaxStanza is the size in bytes of the largest stanza of a component (10000 to 16777216).
	MaxStanza int `toml:"max_stanza"`
	// MaxQueue is how many stanzas may wait for a component, those included that it has not shown to have read. More are refused.
	MaxQueue int `toml:"max_queue"`
	// LoginTimeout is how long a component may take to prove its secret.
	LoginTimeout time.Duration `toml:"login_timeout"`
	// AnswerTimeout is how long a component may take to answer a ping, and to take what is written to it; then its connection is closed.
	AnswerTimeout time.Duration `toml:"answer_timeout"`
	// IdleTimeout is after how long a silence the server looks whether the component is still there.
	IdleTimeout time.Duration `toml:"idle_timeout"`
}

// DefaultDoorConfig has no components.
func DefaultDoorConfig() DoorConfig {
	return DoorConfig{Listen: []string{"127.0.0.1:5347"}, MaxStanza: 1 << 20, MaxQueue: 5000, LoginTimeout: 10 * time.Second, AnswerTimeout: 30 * time.Second, IdleTimeout: 5 * time.Minute}
}

// Validate reports the first setting that cannot work.
func (c DoorConfig) Validate() error {
	if _, err := c.secrets(); err != nil {
		return err
	}
	switch {
	case len(c.Domains) > 0 && len(c.Listen) == 0:
		return errors.New("listen: there are domains, and no address for them")
	case c.MaxStanza < 10_000 || c.MaxStanza > 16<<20:
		return fmt.Errorf("max_stanza: %d is not within 10000–%d", c.MaxStanza, 16<<20)
	case c.MaxQueue < 1 || c.MaxQueue > 1<<20:
		return fmt.Errorf("max_queue: %d is not within 1–%d", c.MaxQueue, 1<<20)
	case c.LoginTimeout <= 0 || c.AnswerTimeout <= 0 || c.IdleTimeout <= 0:
		return errors.New("login_timeout, answer_timeout and idle_timeout: must be more than 0")
	}
	return nil
}

// maxDomains bounds the components of one server.
const maxDomains = 256

// secrets are the components' secrets by their addresses.
func (c DoorConfig) secrets() (map[xmpp.JID]string, error) {
	if len(c.Domains) > maxDomains {
		return nil, fmt.Errorf("domains: at most %d", maxDomains)
	}
	all := map[xmpp.JID]string{}
	for _, one := range c.Domains {
		name, secret, _ := strings.Cut(one, "=")
		jid, err := xmpp.NewJID("", strings.TrimSpace(name), "")
		if err != nil {
			return nil, fmt.Errorf("domains: %w", err)
		}
		if path, inFile := strings.CutPrefix(secret, "@"); inFile {
			text, err := os.ReadFile(path)
			if err != nil {
				return nil, fmt.Errorf("domains: the secret of %s: %w", jid, err)
			}
			secret = strings.TrimSpace(string(text))
		}
		if all[jid] != "" || secret == "" {
			return nil, fmt.Errorf("domains: %s needs one secret", jid)
		}
		all[jid] = secret
	}
	return all, nil
}

// Door lets components of others in. A domain has one connection: whoever proves the secret last has it, and the one before is told so (conflict). A component that was cut off without
// noticing therefore is back at once, and does not wait for its own ghost.
type Door struct {
	cfg      DoorConfig
	log      *slog.Logger
	server   *core.Server
	outlets  map[string]*outlet
	failures *rate.Limiter[netip.Addr]
	work     sync.WaitGroup

	mu        sync.Mutex // guards what follows
	listeners []net.Listener
	guests    map[*guest]bool
	stopping  bool
}

// maxGuests bounds the connections at once, beside one for each domain.
const maxGuests = 64

// Failed proofs that one address may give in a period.
const (
	maxFailures   = 20
	failurePeriod = 10 * time.Minute
)

// NewDoor makes the door; Join puts its domains into a server.
func NewDoor(cfg DoorConfig, log *slog.Logger) (*Door, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	secrets, err := cfg.secrets()
	if err != nil {
		return nil, err
	}
	d := &Door{cfg: cfg, log: log.With("part", "component"), outlets: map[string]*outlet{}, guests: map[*guest]bool{}, failures: rate.New[netip.Addr](maxFailures, failurePeriod)}
	for jid, secret := range secrets {
		d.outlets[jid.Domain()] = &outlet{jid: jid, secret: secret, door: d}
	}
	return d, nil
}

// Join puts each domain into the server, when all its own services are there. It fails if one of them, or the server itself, has such a domain.
func (d *Door) Join(server *core.Server) error {
	d.server = server
	for domain, one := range d.outlets {
		if domain == server.Domain().Domain() || slices.Contains(server.Services(), domain) {
			return fmt.Errorf("components: %s is a domain of the server's own", domain)
		}
		server.AddService(domain, one)
	}
	return nil
}

// Listen opens the addresses, or none of them; nothing if there are no domains.
func (d *Door) Listen() error {
	if len(d.outlets) == 0 {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, address := range d.cfg.Listen {
		l, err := net.Listen("tcp", address)
		if err != nil {
			for _, open := range d.listeners {
				err = errors.Join(err, open.Close())
			}
			return fmt.Errorf("listen for components: %w", err)
		}
		d.listeners = append(d.listeners, l)
		if host := l.Addr().(*net.TCPAddr).IP; !host.IsLoopback() && !host.IsPrivate() {
			d.log.Warn("components are let in from everywhere, in plain text", "address", l.Addr().String())
		}
	}
	return nil
}

// Addrs are the addresses that Listen has opened.
func (d *Door) Addrs() (all []net.Addr) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, l := range d.listeners {
		all = append(all, l.Addr())
	}
	return all
}

// Run lets components in until ctx ends. Then they are told (system-shutdown), and it waits until all have gone.
func (d *Door) Run(ctx context.Context) error {
	d.mu.Lock()
	listeners := d.listeners
	d.mu.Unlock()
	for _, l := range listeners {
		d.work.Go(func() { d.accept(ctx, l) })
	}
	<-ctx.Done()
	d.Stop()
	d.work.Wait()
	return nil
}

// Stop closes the addresses and ends all connections.
func (d *Door) Stop() {
	d.mu.Lock()
	d.stopping = true
	guests := make([]*guest, 0, len(d.guests))
	for g := range d.guests {
		guests = append(guests, g)
	}
	listeners := d.listeners
	d.mu.Unlock()
	for _, l := range listeners {
		if err := l.Close(); err != nil {
			d.log.Debug("close listener", "err", err)
		}
	}
	for _, g := range guests {
		g.end(&StreamError{Condition: "system-shutdown"})
	}
}

func (d *Door) accept(ctx context.Context, l net.Listener) {
	for {
		conn, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // too many open files, most likely: others must close first
			d.log.Warn("accept", "err", err)
			time.Sleep(100 * time.Millisecond)
			continue
		}
		d.serve(ctx, conn)
	}
}

// serve lets one connection in.
func (d *Door) serve(ctx context.Context, conn net.Conn) {
	g := &guest{door: d, log: d.log, stream: transport.NewServer(conn, transport.Config{Space: xmpp.NSComponent, MaxSize: 10_000, WriteTimeout: d.cfg.AnswerTimeout}),
		halt: make(chan struct{}), wake: make(chan struct{}, 1)}
	if address, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		g.address = address.AddrPort().Addr().Unmap()
	}
	d.mu.Lock()
	full := d.stopping || len(d.guests) >= maxGuests+len(d.outlets)
	if !full {
		d.guests[g] = true
	}
	d.mu.Unlock()
	if full {
		g.abort()
		return
	}
	d.work.Go(func() {
		defer func() {
			d.mu.Lock()
			delete(d.guests, g)
			d.mu.Unlock()
		}()
		if !core.Guard(d.log, "a component is served", func() { g.run(context.WithoutCancel(ctx)) }) {
			g.leave(context.WithoutCancel(ctx))
			g.abort()
		}
	})
}

// outlet is the service at the domain of a component.
type outlet struct {
	jid    xmpp.JID
	secret string
	door   *Door

	mu  sync.Mutex // guards what follows
	now *guest     // that has the domain; nil while the component is away
}

// away is what senders are told while there is no component.
var away = &xmpp.Error{Type: "wait", Condition: "service-unavailable", Text: "the service is away; try again later"}

// Handle hands a stanza to the component (core.Service).
func (o *outlet) Handle(_ context.Context, t *core.Transit) error {
	o.mu.Lock()
	now := o.now
	o.mu.Unlock()
	if now == nil {
		return away
	}
	return now.put(t.Stanza)
}

// take gives the domain to a connection, and ends the one before.
func (o *outlet) take(g *guest) {
	o.mu.Lock()
	before := o.now
	o.now = g
	o.mu.Unlock()
	connected.WithLabelValues(o.jid.Domain()).Set(1)
	if before != nil {
		before.end(&StreamError{Condition: "conflict", Text: "another connection took this domain"})
	}
}

func (o *outlet) giveUp(g *guest) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.now == g {
		o.now = nil
		connected.WithLabelValues(o.jid.Domain()).Set(0)
	}
}
