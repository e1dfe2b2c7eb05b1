package c2s

import (
	"errors"
	"time"

	"palabre.dev/palabre/transport"
	"palabre.dev/palabre/xmpp"
)

// maxGuestEvents bounds what a client may send before its session begins.
const maxGuestEvents = 200

// negotiate leads from the first byte to the beginning of a session.
func (c *connection) negotiate() error {
	deadline := time.Now().Add(c.door.cfg.LoginTimeout)
	c.login = &login{guest: Guest{Address: c.address, Encrypted: c.secureWeb}}
	if c.direct {
		if err := c.secure(deadline); err != nil {
			return err
		}
	}
	for c.session == nil {
		now := time.Now()
		event, err := c.next(now, deadline.Sub(now))
		if err != nil {
			return c.guestError(err)
		}
		if c.login.events++; c.login.events > maxGuestEvents {
			return fatal("policy-violation", "too much before the session")
		}
		switch event.Kind {
		case transport.Open:
			err = c.open(event.Header)
		case transport.Element:
			err = c.guestElement(event.Element)
		case transport.Close:
			err = errClosed
		}
		if err != nil {
			return err
		}
	}
	c.login = nil
	return nil
}

// guestError tells a client that took too long so.
func (c *connection) guestError(err error) error {
	var timeout interface{ Timeout() bool }
	if errors.As(err, &timeout) && timeout.Timeout() {
		return fatal("connection-timeout", "log in faster")
	}
	return err
}

// secure does the handshake; only the login's own time bounds it.
func (c *connection) secure(deadline time.Time) error {
	if err := c.stream.Secure(c.door.tls, time.Until(deadline)); err != nil {
		handshakes.WithLabelValues("failed").Inc()
		return err
	}
	handshakes.WithLabelValues("ok").Inc()
	c.guest.Encrypted = true
	c.opened, c.until = false, time.Time{}
	return nil
}

// guestElement takes one element of a client whose session has not begun.
func (c *connection) guestElement(e *xmpp.Element) error {
	if !c.opened {
		return fatal("invalid-xml", "expected the start of the stream")
	}
	switch {
	case c.exchange != nil && !c.exchange.expects(e):
		return fatal("not-authorized", "in the middle of a login")
	case e.Is(xmpp.NSTLS, "starttls"):
		return c.startTLS()
	case !c.guest.Encrypted:
		return fatal("not-authorized", "begin with STARTTLS")
	case e.Space == xmpp.NSSASL || e.Space == nsSASL2:
		return c.authElement(e)
	case c.account == nil:
		return c.guestStanza(e)
	case e.Is(nsSM, "resume"):
		return c.resume(e)
	case e.Is(nsSM, "enable"):
		return c.writeElement(smFailed("unexpected-request")) // XEP-0198 §3: after binding
	}
	return c.bindStanza(e)
}

// startTLS is RFC 6120 §5.4.
func (c *connection) startTLS() error {
	if c.guest.Encrypted || c.web {
		if err := c.writeElement(xmpp.NewElement(xmpp.NSTLS, "failure")); err != nil {
			return err
		}
		return errClosed // RFC 6120 §5.4.2.2
	}
	if err := c.writeElement(xmpp.NewElement(xmpp.NSTLS, "proceed")); err != nil {
		return err
	}
	return c.secure(time.Now().Add(c.door.cfg.LoginTimeout))
}

// guestStanza answers the few requests that need no login.
func (c *connection) guestStanza(e *xmpp.Element) error {
	iq, err := xmpp.NewStanza(e, xmpp.NSClient)
	if err != nil || !iq.IsRequest() || iq.First() == nil {
		return fatal("not-authorized", "log in first") // RFC 6120 §4.9.3.12
	}
	payload := iq.First()
	handler := c.door.guests[payloadName{payload.Space, payload.Local}]
	if handler == nil {
		return fatal("not-authorized", "log in first")
	}
	answer, err := handler(c.door.life, &c.guest, iq)
	reply := iq.Reply(answer)
	if err != nil {
		told, ok := errors.AsType[*xmpp.Error](err)
		if !ok {
			c.door.log.Error("request before login", "err", err)
			told = xmpp.InternalServerError
		}
		reply = iq.ErrorReply(told)
	}
	reply.From, reply.To = c.door.server.Domain(), xmpp.JID{}
	return c.write(reply.Append(nil))
}

// bindStanza takes the iq that binds a resource (RFC 6120 §7).
func (c *connection) bindStanza(e *xmpp.Element) error {
	iq, err := xmpp.NewStanza(e, xmpp.NSClient)
	if err != nil || iq.Kind != xmpp.IQ {
		return fatal("not-authorized", "bind a resource first") // RFC 6120 §7.1
	}
	request := iq.First()
	switch {
	case iq.ID == "" || request == nil:
		return c.write(iq.ErrorReply(xmpp.BadRequest).Append(nil))
	case iq.Type == "set" && request.Is(xmpp.NSSession, "session"):
		return c.write((&xmpp.Stanza{Kind: xmpp.IQ, Type: "result", ID: iq.ID}).Append(nil))
	case iq.Type != "set" || !request.Is(xmpp.NSBind, "bind"):
		return fatal("not-authorized", "bind a resource first")
	}
	return c.bindLegacy(iq, request.ChildText(xmpp.NSBind, "resource"))
}
