package component

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"palabre.dev/palabre/transport"
	"palabre.dev/palabre/xmpp"
)

// guest is one connection of a component, from its first byte to its last. What it sends is carried in order, one stanza after the other. What it is sent waits in a bounded queue, and is
// remembered until a ping behind it was answered: if the connection breaks before, its senders are told.
type guest struct {
	door    *Door
	log     *slog.Logger
	stream  *transport.Stream
	address netip.Addr
	outlet  *outlet // nil before the proof
	opened  bool
	halt    chan struct{} // closed with why
	wake    chan struct{} // there is something to write

	mu     sync.Mutex // guards what follows; not held across I/O
	why    *StreamError
	gone   bool
	queue  []*xmpp.Stanza // not written yet
	unread []*xmpp.Stanza // written, and not shown to be read
	ping   string         // the id of the ping that is on its way, "" if there is none
	covers int            // how many of unread its answer shows to be read
	pinged time.Time
	pings  uint64
}

// run is the life of a connection.
func (g *guest) run(ctx context.Context) {
	err := g.login()
	if err == nil {
		var writer sync.WaitGroup
		writer.Go(g.write)
		err = g.read(ctx)
		g.end(reasonOf(err))
		writer.Wait()
	} else {
		g.end(reasonOf(err))
	}
	g.leave(ctx)
	g.log.Info("a component has gone", "address", g.address, "err", err)
	g.farewell()
}

// login takes the component's header and its proof (XEP-0114 §3).
func (g *guest) login() error {
	if err := g.stream.SetReadDeadline(time.Now().Add(g.door.cfg.LoginTimeout)); err != nil {
		return err
	}
	event, err := g.next()
	if err != nil {
		return err
	}
	if event.Kind != transport.Open {
		return &StreamError{Condition: "bad-format"}
	}
	id, one := newID(), g.door.outlets[event.Header.To]
	g.opened = true
	if err := g.stream.Write(g.stream.Header(xmpp.Header{From: event.Header.To, ID: id})); err != nil {
		return err
	}
	switch {
	case event.Header.Space != xmpp.NSStream || event.Header.Local != "stream":
		return &StreamError{Condition: "invalid-namespace"}
	case event.Header.Scope.Default != xmpp.NSComponent:
		return &StreamError{Condition: "invalid-namespace", Text: "this is the door for components"}
	case one == nil:
		return &StreamError{Condition: "host-unknown"}
	case !g.door.failures.Allow(g.address):
		return &StreamError{Condition: "policy-violation", Text: "too many failures"}
	}
	if event, err = g.next(); err != nil {
		return err
	}
	if event.Kind != transport.Element || event.Element.Local != "handshake" || !proves(event.Element.Text(), id, one.secret) {
		return &StreamError{Condition: "not-authorized"}
	}
	g.door.failures.GiveBack(g.address)
	g.stream.SetMaxSize(g.door.cfg.MaxStanza)
	g.outlet, g.log = one, g.log.With("domain", one.jid.Domain())
	g.log.Info("a component has come", "address", g.address)
	one.take(g) // before it is told so: whoever is told later has the domain later; what comes for it meanwhile waits for the writer
	return g.stream.Write([]byte("<handshake/>"))
}

func newID() string {
	var draw [12]byte
	rand.Read(draw[:])
	return base64.RawURLEncoding.EncodeToString(draw[:])
}

// next waits for what the component sends, and for the end that the server sets.
func (g *guest) next() (transport.Event, error) {
	for {
		if why := g.halted(); why != nil { // before the deadline was moved
			return transport.Event{}, why
		}
		event, err := g.stream.Next()
		if why := g.halted(); why != nil {
			return event, why
		}
		if err == nil && event.Kind == transport.Close {
			return event, io.EOF
		}
		if err != nil || event.Kind != transport.Blank {
			return event, err
		}
	}
}

// halted is why the server wants the connection to end, nil as long as it does not.
func (g *guest) halted() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.why == nil {
		return nil
	}
	return g.why
}

// read carries what the component sends. After a silence, and while a ping is not answered, it looks whether the component is there.
func (g *guest) read(ctx context.Context) error {
	for {
		if err := g.stream.SetReadDeadline(g.patience()); err != nil {
			return err
		}
		event, err := g.next()
		var late net.Error
		if errors.As(err, &late) && late.Timeout() {
			if g.overdue() {
				return &StreamError{Condition: "connection-timeout", Text: "a ping was not answered"}
			}
			g.rouse()
			continue
		}
		if err != nil {
			return err
		}
		if event.Kind == transport.Open {
			return &StreamError{Condition: "invalid-xml"}
		}
		if err := g.take(ctx, event.Element); err != nil {
			return err
		}
	}
}

// patience is until when the component may be silent.
func (g *guest) patience() time.Time {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.ping != "" {
		return g.pinged.Add(g.door.cfg.AnswerTimeout)
	}
	return time.Now().Add(g.door.cfg.IdleTimeout)
}

func (g *guest) overdue() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.ping != "" && time.Since(g.pinged) >= g.door.cfg.AnswerTimeout
}

// rouse makes the writer send a ping though there is nothing else to send.
func (g *guest) rouse() {
	g.mu.Lock()
	idle := g.ping == ""
	if idle {
		g.queue = append(g.queue, nil)
	}
	g.mu.Unlock()
	if idle {
		g.stir()
	}
}

func (g *guest) stir() {
	select {
	case g.wake <- struct{}{}:
	default:
	}
}

// take carries one stanza of the component. Whoever speaks in another's name is cut off (XEP-0114 §3, RFC 6120 §4.9.3.9).
func (g *guest) take(ctx context.Context, e *xmpp.Element) error {
	st, err := xmpp.NewStanza(asClient(e), xmpp.NSClient)
	switch {
	case errors.Is(err, xmpp.ErrNotStanza):
		return &StreamError{Condition: "unsupported-stanza-type"}
	case st.From.Domain() != g.outlet.jid.Domain():
		return &StreamError{Condition: "invalid-from", Text: "stanzas of a component come from its domain"}
	case err != nil && st.IsRequest():
		return g.put(st.ErrorReply(xmpp.JIDMalformed))
	case err != nil:
		return nil
	case st.To.IsZero():
		return &StreamError{Condition: "improper-addressing"}
	}
	stanzas.WithLabelValues("door", "out").Inc()
	if g.answered(st) {
		return nil
	}
	if err := g.door.server.Route(ctx, st); err != nil {
		g.refuse(st, told(err, g.log))
	}
	return nil
}

// answered takes the answer to a ping.
func (g *guest) answered(st *xmpp.Stanza) bool {
	g.mu.Lock()
	if g.ping == "" || st.Kind != xmpp.IQ || st.IsRequest() || st.ID != g.ping || st.To != g.door.server.Domain() {
		g.mu.Unlock()
		return false
	}
	g.unread = append([]*xmpp.Stanza(nil), g.unread[g.covers:]...)
	g.ping, g.covers = "", 0
	more := len(g.unread) > 0
	g.mu.Unlock()
	if more {
		g.rouse()
	}
	return true
}

// refuse tells the component what became of its stanza (RFC 6120 §8.3.1).
func (g *guest) refuse(st *xmpp.Stanza, why *xmpp.Error) {
	if st.IsError() || st.Type == "result" {
		return
	}
	if err := g.put(st.ErrorReply(why)); err != nil {
		g.log.Debug("a component was not told of an error", "err", err)
	}
}

// put queues a stanza for the component. It does not wait.
func (g *guest) put(st *xmpp.Stanza) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.gone || g.why != nil:
		return away
	case len(g.queue)+len(g.unread) >= g.door.cfg.MaxQueue:
		refused.WithLabelValues("door").Inc()
		return xmpp.ResourceConstraint.Because("too much waits for the service; try again later")
	}
	g.queue = append(g.queue, st)
	g.stir()
	return nil
}

// write writes what is queued, with a ping behind it, until the connection ends.
func (g *guest) write() {
	for {
		select {
		case <-g.halt:
			return
		case <-g.wake:
		}
		if items := g.batch(); len(items) > 0 {
			if err := g.stream.Write(items...); err != nil {
				g.log.Debug("write to a component", "err", err)
				g.abort()
				return
			}
		}
	}
}

// maxWrite bounds what is written in one go.
const maxWrite = 256

// batch takes what is queued, and a ping if there is none on its way.
func (g *guest) batch() (items [][]byte) {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := min(len(g.queue), maxWrite)
	for _, st := range g.queue[:n] {
		if st != nil {
			items = append(items, st.Append(nil))
			g.unread = append(g.unread, st)
		}
	}
	g.queue = append([]*xmpp.Stanza(nil), g.queue[n:]...)
	if len(g.queue) > 0 {
		g.stir()
	}
	stanzas.WithLabelValues("door", "in").Add(float64(len(items)))
	if g.ping == "" && g.why == nil {
		g.pings++
		g.ping, g.covers, g.pinged = "ping-"+strconv.FormatUint(g.pings, 36), len(g.unread), time.Now()
		ask := (&xmpp.Stanza{Kind: xmpp.IQ, Type: "get", ID: g.ping, From: g.door.server.Domain(), To: g.outlet.jid}).Add(xmpp.NewElement(nsPing, "ping"))
		items = append(items, ask.Append(nil))
		if err := g.stream.SetReadDeadline(g.pinged.Add(g.door.cfg.AnswerTimeout)); err != nil {
			g.log.Debug("deadline of a component", "err", err)
		}
	}
	return items
}

// end ends the connection with a stream error, or in order with nil; the first reason counts.
func (g *guest) end(why *StreamError) {
	g.mu.Lock()
	first := g.why == nil
	if first {
		if g.why = why; why == nil {
			g.why = &StreamError{}
		}
		close(g.halt)
	}
	g.mu.Unlock()
	if err := g.stream.SetReadDeadline(time.Unix(1, 0)); err != nil {
		g.log.Debug("deadline of a component", "err", err)
	}
}

// leave gives the domain up, and tells the senders of what the component has not shown to have read.
func (g *guest) leave(ctx context.Context) {
	if g.outlet != nil {
		g.outlet.giveUp(g)
	}
	g.mu.Lock()
	lost := append(g.unread, g.queue...)
	g.gone, g.unread, g.queue = true, nil, nil
	g.mu.Unlock()
	for _, st := range lost {
		if st == nil || !st.IsRequest() && (st.Kind != xmpp.Message || st.IsError() || st.Type == "headline") || st.From.Domain() == st.To.Domain() {
			continue
		}
		if err := g.door.server.Route(ctx, st.ErrorReply(xmpp.RecipientUnavailable.Because("the service went away; it may have got this or not"))); err != nil {
			g.log.Debug("could not tell of a lost stanza", "to", st.From, "err", err)
		}
	}
}

// farewell says why, and closes the connection.
func (g *guest) farewell() {
	g.mu.Lock()
	why := g.why
	g.mu.Unlock()
	var items [][]byte
	if !g.opened { // RFC 6120 §4.9.1.2: a header comes first
		items = append(items, g.stream.Header(xmpp.Header{ID: newID()}))
	}
	if why.Condition != "" {
		e := xmpp.NewElement(xmpp.NSStream, "error", xmpp.NewElement(xmpp.NSStreams, why.Condition))
		if why.Text != "" {
			e.Add(xmpp.NewText(xmpp.NSStreams, "text", why.Text))
		}
		items = append(items, g.stream.Element(e))
	}
	if err := g.stream.Write(append(items, g.stream.End())...); err != nil {
		g.abort()
		return
	}
	if err := g.stream.Close(); err != nil {
		g.log.Debug("close connection", "err", err)
	}
}

func (g *guest) abort() {
	if err := g.stream.Abort(); err != nil {
		g.log.Debug("abort connection", "err", err)
	}
}

// reasonOf is how a stream ends after an error of reading: in order, with what the server wants, or with what was wrong in it (RFC 6120 §4.9.3).
func reasonOf(err error) *StreamError {
	var why *StreamError
	var late net.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &why):
		return why
	case errors.As(err, &late) && late.Timeout():
		return &StreamError{Condition: "connection-timeout"}
	case errors.Is(err, xmpp.ErrNotWellFormed):
		return &StreamError{Condition: "not-well-formed"}
	case errors.Is(err, xmpp.ErrNamespace):
		return &StreamError{Condition: "bad-namespace-prefix"}
	case errors.Is(err, xmpp.ErrRestricted):
		return &StreamError{Condition: "restricted-xml"}
	case errors.Is(err, xmpp.ErrTooLarge):
		return &StreamError{Condition: "policy-violation", Text: "a stanza is too large"}
	case errors.Is(err, transport.ErrEncoding):
		return &StreamError{Condition: "unsupported-encoding"}
	}
	return nil
}
