// Package client is the user's end of XMPP for Go programs: bots, businesses, the terminal client, the load tool and tests. It logs in
// (RFC 6120; SASL2 XEP-0388, Bind 2 XEP-0386, FAST XEP-0484 where the server has them), keeps one session alive across lost
// connections (XEP-0198), and offers what today's servers do: roster and presence (RFC 6121), archive (XEP-0313), carbons (XEP-0280),
// personal publishing (XEP-0163), uploads (XEP-0363), receipts and blocking. End-to-end encryption stands on it in package e2e.
//
// # What is sent
//
// Every stanza stays in the client's queue until the server's <a/> covers it. The rules, by what happened:
//
//   - The connection is lost and the session resumes: what the server had not handled is sent again, in order. Nothing is lost or doubled.
//   - The session is gone, and the server says how far it had got (h in <failed/>): the same.
//   - The session is gone and the server does not say: messages that an archive keeps are looked up there by their id, twice, a
//     moment apart. Those found count as acknowledged; the others are sent again with the same id and origin-id, and Config.OnResend is told. If the archive cannot be
//     asked, the client tries again rather than guess. Messages that no archive keeps (typing notifications, no-store), iqs and
//     presence are not sent again: their senders get ErrUnsure, and the last undirected presence is sent anew.
//   - The client is closed, or the server refuses the login for good: what is left gets ErrClosed or the reason.
//
// SendAcked and Submit say when a stanza is acknowledged; Send only that it is in the queue.
//
// # What is received
//
// A stanza is counted as handled when its handler has returned. After a resumption the server sends what was not counted; one that was
// in a handler when the connection was lost counts as handled. After a session that could not be resumed the server may send again what
// was not acknowledged; Inbox, which reads the archive, hands each message on exactly once even then.
//
// Left out: registration, in-band streams, calls, and the server side.
package client

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"time"

	"palabre.dev/palabre/transport"
	"palabre.dev/palabre/xmpp"
	"palabre.dev/palabre/xmpp/sasl"
)

// Errors that callers tell apart with errors.Is.
var (
	// ErrClosed means that the client was closed before the stanza was acknowledged or the answer came.
	ErrClosed = errors.New("client is closed")
	// ErrUnsure means that the session was lost while a stanza was on its way that nobody keeps: it may have arrived or not.
	ErrUnsure = errors.New("session lost before the server acknowledged")
	// ErrUnmanaged means that the server has no stream management, so that nothing is ever acknowledged.
	ErrUnmanaged = errors.New("server does not acknowledge")
	// ErrNoTLS means that the server offers no encryption where it is required; somebody may have taken the offer away.
	ErrNoTLS = errors.New("server offers no encryption")
	// ErrUnexpected means that the server sent what the protocol does not allow at that point.
	ErrUnexpected = errors.New("unexpected answer of the server")
)

// Client is one session of an account. Its methods may be called from any goroutine.
type Client struct {
	cfg     Config
	log     *slog.Logger
	prefix  string // of ids, random
	cancel  context.CancelFunc
	ended   chan struct{} // closed when the client is done for good
	workers sync.WaitGroup
	begun   sync.WaitGroup // what settles a new session beside the reader

	mu       sync.Mutex // guards what follows; never held across I/O or callbacks
	started  bool
	closing  bool
	stream   *transport.Stream // nil while there is no connection
	ready    bool              // held stanzas may be written
	changed  chan struct{}     // closed and replaced when room, readiness or the end may have changed; nil if nobody waits
	why      error             // why the client ended for good
	jid      xmpp.JID          // the full address, once bound
	session  session
	arrivals arrivals
	out      [][]byte // written next
	writing  bool
	asks     map[string]*ask
	pages    map[string]*collector
	handlers map[payload]IQHandler
	presence *xmpp.Stanza // the last undirected one
	timer    *time.Timer  // asks for an acknowledgement
	ids      uint64
	keys     sasl.Keys
	token    Token
}

// New makes a client that is not connected yet.
func New(cfg Config) (*Client, error) {
	cfg.fill()
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	var draw [10]byte
	rand.Read(draw[:])
	prefix := base32.HexEncoding.EncodeToString(draw[:])
	return &Client{cfg: cfg, log: cfg.Log.With("part", "client"), prefix: prefix, ended: make(chan struct{}), jid: cfg.JID,
		keys: cfg.Keys, token: cfg.Token}, nil
}

// Connect logs in and returns when stanzas can be sent. From then on the client reconnects by itself until Close, or until the
// server refuses the login for good. It may be called once.
func (c *Client) Connect(ctx context.Context) error {
	c.mu.Lock()
	if c.started || c.closing {
		c.mu.Unlock()
		return errors.New("connect: called twice")
	}
	c.started = true
	c.mu.Unlock()
	attempt, err := c.establish(ctx)
	if err != nil {
		c.finish(err)
		return err
	}
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	c.mu.Lock()
	if c.closing { // meanwhile
		c.mu.Unlock()
		cancel()
		c.abort(attempt.stream)
		return ErrClosed
	}
	c.cancel = cancel
	c.workers.Go(func() { c.run(running, attempt) })
	if !c.cfg.Lean {
		c.workers.Go(func() { c.work(running) })
	}
	c.mu.Unlock()
	return c.await(ctx, func() bool { return c.ready })
}

// await returns when ready, which is called with mu held, reports true; with the reason when the client ends before.
func (c *Client) await(ctx context.Context, ready func() bool) error {
	for {
		c.mu.Lock()
		if ready() {
			c.mu.Unlock()
			return nil
		}
		if c.why != nil {
			defer c.mu.Unlock()
			return c.why
		}
		changed := c.waiting()
		c.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// waiting is the channel to wait on for a change; mu is held.
func (c *Client) waiting() chan struct{} {
	if c.changed == nil {
		c.changed = make(chan struct{})
	}
	return c.changed
}

// wake tells those who wait that something has changed; mu is held.
func (c *Client) wake() {
	if c.changed != nil {
		close(c.changed)
		c.changed = nil
	}
}

// JID is the full address of the session; before the login, the one that was configured.
func (c *Client) JID() xmpp.JID {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.jid
}

// Account is the bare address.
func (c *Client) Account() xmpp.JID { return c.cfg.JID.Bare() }

// Done is closed when the client has ended for good; Err then says why.
func (c *Client) Done() <-chan struct{} { return c.ended }

// Err is why the client ended: ErrClosed after Close, otherwise what the server said. It is nil as long as the client runs.
func (c *Client) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.why
}

// NewID draws an id for a stanza, unique within the account.
func (c *Client) NewID() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ids++
	return c.prefix + "-" + strconv.FormatUint(c.ids, 36)
}

// Close ends the session in order: the server forgets it and what is not acknowledged is given up; call Flush before to avoid that.
// It returns when nothing of the client runs any more.
func (c *Client) Close() {
	c.leave(func(s *transport.Stream) {
		c.mu.Lock()
		c.acknowledge()
		c.out = append(c.out, s.End())
		c.flush()
		c.mu.Unlock()
		time.AfterFunc(c.cfg.Timeout/10, func() { c.abort(s) })
	})
}

// Kill ends the client without a word to the server, as a crash does; the session stays resumable there for a while.
func (c *Client) Kill() { c.leave(c.abort) }

// Drop cuts the connection, as a bad network does. The client reconnects.
func (c *Client) Drop() {
	c.mu.Lock()
	s := c.stream
	c.mu.Unlock()
	if s != nil {
		c.abort(s)
	}
}

func (c *Client) abort(s *transport.Stream) {
	if err := s.Abort(); err != nil {
		c.log.Debug("connection was closed before", "err", err)
	}
}

// leave stops reconnecting, lets end deal with the connection if there is one, and waits.
func (c *Client) leave(end func(*transport.Stream)) {
	c.mu.Lock()
	c.closing = true
	s, cancel := c.stream, c.cancel
	c.mu.Unlock()
	switch {
	case cancel == nil:
		c.finish(ErrClosed)
	case s == nil:
		cancel()
	default:
		end(s)
	}
	c.workers.Wait()
}

// Flush returns when everything sent so far is acknowledged.
func (c *Client) Flush(ctx context.Context) error {
	return c.await(ctx, func() bool { return c.session.waiting() == 0 })
}

// finish ends the client for good: who waits is told why.
func (c *Client) finish(why error) {
	c.mu.Lock()
	if c.why != nil {
		c.mu.Unlock()
		return
	}
	c.why, c.ready, c.stream = why, false, nil
	left := slices.Concat(c.session.doubtful, c.session.unacked, c.session.held)
	c.session = session{}
	asks := c.asks
	c.asks = nil
	if c.timer != nil {
		c.timer.Stop()
	}
	if c.cancel != nil {
		c.cancel()
	}
	c.wake()
	c.mu.Unlock()
	close(c.ended)
	settle(left, why)
	for _, a := range asks {
		a.answer <- answer{err: why}
	}
}
