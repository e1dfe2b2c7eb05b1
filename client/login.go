package client

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"palabre.dev/palabre/transport"
	"palabre.dev/palabre/xmpp"
)

// login is one attempt to get from a connection to a session.
type login struct {
	c        *Client
	s        *transport.Stream
	features *xmpp.Element
	old      resumption
	out      attempt
}

// resumption is what of the old session is told to the server.
type resumption struct {
	id string // "" if there is nothing to resume
	h  uint32
}

// establish connects and logs in once; a second time, with the password, if the server refuses the token.
func (c *Client) establish(ctx context.Context) (*attempt, error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	a, err := c.logIn(ctx)
	if errors.Is(err, errTokenRefused) {
		a, err = c.logIn(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("log in as %s: %w", c.Account(), err)
	}
	return a, nil
}

func (c *Client) logIn(ctx context.Context) (*attempt, error) {
	s, method, err := c.openStream(ctx)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { c.abort(s) })
	defer stop()
	c.mu.Lock()
	l := &login{c: c, s: s, old: resumption{c.session.id, c.session.arrived}, out: attempt{stream: s}}
	c.mu.Unlock()
	if err := l.run(ctx, method); err != nil {
		c.abort(s)
		return nil, errors.Join(ctx.Err(), err)
	}
	if !stop() {
		return nil, ctx.Err()
	}
	out := l.out // without the rest of the login, which is not needed any more
	return &out, nil
}

func (l *login) run(ctx context.Context, method Method) error {
	if deadline, ok := ctx.Deadline(); ok {
		if err := l.s.SetReadDeadline(deadline); err != nil {
			return err
		}
	}
	if method == StartTLS {
		if err := l.startTLS(ctx); err != nil {
			return err
		}
	}
	if l.s.Encrypted() && l.hasToken() {
		return l.sasl2AtOnce()
	}
	if err := l.open(); err != nil {
		return err
	}
	if auth := l.features.Child(nsSASL2, "authentication"); auth != nil {
		return l.sasl2(auth)
	}
	if err := l.sasl1(); err != nil {
		return err
	}
	l.s.Restart()
	if err := l.open(); err != nil {
		return err
	}
	return l.bindLater()
}

// open sends our header and waits for the server's, and its features (RFC 6120 §4.3).
func (l *login) open() error {
	if err := l.s.Write(l.header()); err != nil {
		return err
	}
	return l.opened()
}

func (l *login) header() []byte {
	header := xmpp.Header{To: l.c.cfg.JID.Domain(), Version: "1.0", Lang: "en"}
	if l.s.Encrypted() {
		header.From = l.c.Account().String() // RFC 6120 §4.7.1: not where others can read it
	}
	return l.s.Header(header)
}

// opened waits for the server's header and features.
func (l *login) opened() error {
	event, err := l.next()
	if err != nil {
		return err
	}
	if event.Kind != transport.Open {
		return fmt.Errorf("instead of a stream header: %w", ErrUnexpected)
	}
	return l.awaitFeatures()
}

func (l *login) awaitFeatures() (err error) {
	l.features, err = l.element()
	if err == nil && !l.features.Is(xmpp.NSStream, "features") {
		return l.unexpected(l.features)
	}
	return err
}

// next is the next event that is no white space.
func (l *login) next() (transport.Event, error) {
	for range 1000 {
		event, err := l.s.Next()
		if err != nil || event.Kind != transport.Blank {
			return event, err
		}
	}
	return transport.Event{}, fmt.Errorf("nothing but white space: %w", ErrUnexpected)
}

// element is the next element; a stream error is returned as one.
func (l *login) element() (*xmpp.Element, error) {
	event, err := l.next()
	switch {
	case err != nil:
		return nil, err
	case event.Kind == transport.Close:
		return nil, errStreamEnd
	case event.Kind != transport.Element:
		return nil, fmt.Errorf("instead of an element: %w", ErrUnexpected)
	case event.Element.Is(xmpp.NSStream, "error"):
		return nil, streamErrorOf(event.Element)
	}
	return event.Element, nil
}

// unexpected names an element that has no place there.
func (l *login) unexpected(e *xmpp.Element) error {
	return fmt.Errorf("%w: <%s xmlns='%s'/>", ErrUnexpected, e.Local, e.Space)
}

func (l *login) write(e *xmpp.Element) error { return l.s.Write(l.s.Element(e)) }

// startTLS is RFC 6120 §5.4. A server that does not offer it is not believed (RFC 7590 §3.1).
func (l *login) startTLS(ctx context.Context) error {
	if err := l.open(); err != nil {
		return err
	}
	if l.features.Child(xmpp.NSTLS, "starttls") == nil {
		return ErrNoTLS
	}
	if err := l.write(xmpp.NewElement(xmpp.NSTLS, "starttls")); err != nil {
		return err
	}
	proceed, err := l.element()
	if err != nil {
		return err
	}
	if !proceed.Is(xmpp.NSTLS, "proceed") {
		return l.unexpected(proceed)
	}
	if err := l.c.secure(ctx, l.s); err != nil {
		return err
	}
	deadline, _ := ctx.Deadline()
	return l.s.SetReadDeadline(deadline) // the handshake had its own
}

// bindLater resumes or binds after plain SASL (XEP-0198 §5, RFC 6120 §7).
func (l *login) bindLater() error {
	managed := l.features.Child(nsManagement, "sm") != nil
	if managed && l.old.id != "" {
		if err := l.write(l.resume()); err != nil {
			return err
		}
		answer, err := l.element()
		if err != nil {
			return err
		}
		if err := l.resumed(answer); err != nil || l.out.resumed {
			return err
		}
	}
	return l.bind(managed)
}

func (l *login) resume() *xmpp.Element {
	return xmpp.NewElement(nsManagement, "resume").Set("previd", l.old.id).Set("h", formatCount(l.old.h))
}

// resumed takes <resumed/> or <failed/>.
func (l *login) resumed(answer *xmpp.Element) error {
	h, err := parseCount(answer.Attr("h"))
	switch {
	case answer.Is(nsManagement, "resumed"):
		if err != nil || answer.Attr("previd") != l.old.id {
			return l.unexpected(answer)
		}
		l.out.resumed, l.out.counted, l.out.h = true, true, h
	case answer.Is(nsManagement, "failed"):
		l.old.id = ""
		if answer.Attr("h") != "" && err == nil {
			l.out.counted, l.out.h = true, h
		}
	default:
		return l.unexpected(answer)
	}
	return nil
}

// bind is RFC 6120 §7, then XEP-0198 §3.
func (l *login) bind(managed bool) error {
	bind := xmpp.NewElement(xmpp.NSBind, "bind")
	if resource := l.c.JID().Resource(); resource != "" {
		bind.Add(xmpp.NewText(xmpp.NSBind, "resource", resource))
	}
	result, err := l.ask(bind)
	if err != nil {
		return fmt.Errorf("bind: %w", err)
	}
	if err := l.bound(result.Child(xmpp.NSBind, "bind").ChildText(xmpp.NSBind, "jid")); err != nil {
		return err
	}
	if session := l.features.Child(xmpp.NSSession, "session"); session != nil && session.Child(xmpp.NSSession, "optional") == nil {
		if _, err := l.ask(xmpp.NewElement(xmpp.NSSession, "session")); err != nil { // servers of RFC 3921
			return fmt.Errorf("begin session: %w", err)
		}
	}
	if !managed {
		return nil
	}
	if err := l.write(l.enable()); err != nil {
		return err
	}
	answer, err := l.element()
	if err != nil {
		return err
	}
	return l.enabled(answer)
}

func (l *login) bound(jid string) (err error) {
	// A copy of the text does not keep the answer that it came in.
	if l.out.jid, err = xmpp.ParseJID(strings.Clone(jid)); err != nil || l.out.jid.Bare() != l.c.Account() || l.out.jid.IsBare() {
		return fmt.Errorf("bound to %.100q: %w", jid, ErrUnexpected)
	}
	return nil
}

func (l *login) enable() *xmpp.Element {
	enable := xmpp.NewElement(nsManagement, "enable")
	if !l.c.cfg.NoResume {
		enable.Set("resume", "true")
	}
	return enable
}

// enabled takes the answer to <enable/>. A server may refuse; then nothing is acknowledged.
func (l *login) enabled(answer *xmpp.Element) error {
	switch {
	case answer.Is(nsManagement, "failed"):
		return nil
	case !answer.Is(nsManagement, "enabled"):
		return l.unexpected(answer)
	}
	l.out.managed = true
	if resume, _ := xmpp.Bool(answer.Attr("resume")); resume && !l.c.cfg.NoResume {
		l.out.id = strings.Clone(answer.Attr("id"))
	}
	return nil
}

// ask sends an iq before there is a session, and waits.
func (l *login) ask(payload *xmpp.Element) (*xmpp.Stanza, error) {
	iq := &xmpp.Stanza{Kind: xmpp.IQ, Type: "set", ID: l.c.NewID()}
	if err := l.s.Write(iq.Add(payload).Append(nil)); err != nil {
		return nil, err
	}
	e, err := l.element()
	if err != nil {
		return nil, err
	}
	st, err := xmpp.NewStanza(e, xmpp.NSClient)
	if err != nil || st.Kind != xmpp.IQ || st.ID != iq.ID {
		return nil, l.unexpected(e)
	}
	if st.IsError() {
		return nil, xmpp.ErrorOf(st)
	}
	return st, nil
}
