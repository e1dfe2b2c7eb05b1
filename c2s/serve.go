package c2s

import (
	"errors"
	"strings"
	"time"

	"palabre.dev/palabre/transport"
	"palabre.dev/palabre/xmpp"
)

// serve reads what the client of a session sends, until the stream ends.
func (c *connection) serve() error {
	s := c.session
	done := s.countHandled
	asked := false
	for {
		wait := c.door.cfg.IdleTimeout
		if asked {
			wait = c.door.cfg.AnswerTimeout
		}
		now := time.Now()
		event, err := c.next(now, wait)
		var timeout interface{ Timeout() bool }
		switch {
		case err == nil:
			asked = false
		case errors.As(err, &timeout) && timeout.Timeout() && !asked:
			asked = c.probe()
			continue
		default:
			return err
		}
		switch event.Kind {
		case transport.Element:
			err = c.take(event.Element, done)
		case transport.Close:
			err = errClosed
		case transport.Open:
			err = fatal("invalid-xml", "the stream is open already")
		}
		if err != nil {
			return err
		}
		if wait := c.pace.add(now, event.Size, &c.door.cfg); wait > 0 {
			stalls.Inc()
			c.pause(wait)
		}
	}
}

// probe looks whether a silent client is still there, and reports whether it owes an answer.
func (c *connection) probe() bool {
	s := c.session
	s.mu.Lock()
	managed := s.managed.on
	s.managed.asked = managed
	s.mu.Unlock()
	switch {
	case managed:
		s.sendOwn(askBytes)
		return true
	case c.web:
		return c.stream.Ping() == nil
	}
	s.sendOwn([]byte(" "))
	return false
}

// take handles one element of a client with a session.
func (c *connection) take(e *xmpp.Element, done func()) error {
	s := c.session
	switch {
	case e.Space == xmpp.NSClient:
		return c.stanza(e, done)
	case e.Is(nsSM, "r"):
		s.answerAck()
	case e.Is(nsSM, "a"):
		return s.acknowledge(e.Attr("h"))
	case e.Is(nsSM, "enable"):
		s.enableNow(e)
	case e.Is(nsSM, "resume"):
		s.sendOwn(smFailed("unexpected-request").Append(nil, xmpp.NSClient))
	case e.Is(nsCSI, "active"), e.Is(nsCSI, "inactive"):
		s.setInactive(e.Local == "inactive")
	default:
		return fatal("unsupported-stanza-type", "") // RFC 6120 §4.9.3.24
	}
	return nil
}

// stanza hands a stanza to the core, if it is one that a client may send.
func (c *connection) stanza(e *xmpp.Element, done func()) error {
	s := c.session
	st, err := xmpp.NewStanza(e, xmpp.NSClient)
	if errors.Is(err, xmpp.ErrNotStanza) {
		return fatal("unsupported-stanza-type", e.Local)
	}
	if from := e.Attr("from"); from != "" && (st.From.IsZero() || st.From != s.core.JID && st.From != s.core.Account.JID) {
		return fatal("invalid-from", "you are "+s.core.JID.String()) // RFC 6120 §8.1.2.1
	}
	if err != nil {
		c.refuse(st, xmpp.JIDMalformed, done)
		return nil
	}
	if refusal := check(st); refusal != nil {
		c.refuse(st, refusal, done)
		return nil
	}
	if st.Lang == "" {
		st.Lang = c.lang // RFC 6120 §8.1.5
	}
	s.core.Accept(c.door.life, st, done)
	return nil
}

// check finds what RFC 6120 §8.2.3 and RFC 6121 §4.7.1 do not allow.
func check(st *xmpp.Stanza) *xmpp.Error {
	switch st.Kind {
	case xmpp.IQ:
		return checkIQ(st)
	case xmpp.Presence:
		if st.Type != "" && !strings.Contains(presenceTypes, " "+st.Type+" ") {
			return xmpp.BadRequest.Because("unknown type of presence")
		}
	}
	return nil
}

const presenceTypes = " error probe subscribe subscribed unavailable unsubscribe unsubscribed "

func checkIQ(st *xmpp.Stanza) *xmpp.Error {
	children := 0
	for i := range st.Nodes {
		if st.Nodes[i].Element != nil {
			children++
		}
	}
	switch {
	case st.ID == "":
		return xmpp.BadRequest.Because("an iq needs an id")
	case st.IsRequest() && children != 1:
		return xmpp.BadRequest.Because("a request has exactly one child")
	case st.Type == "result" && children > 1:
		return xmpp.BadRequest.Because("a result has at most one child")
	case !st.IsRequest() && st.Type != "result" && st.Type != "error":
		return xmpp.BadRequest.Because("unknown type of iq")
	}
	return nil
}

// refuse answers a stanza that goes no further, in its turn. Answers are not answered.
func (c *connection) refuse(st *xmpp.Stanza, why *xmpp.Error, done func()) {
	s := c.session
	s.core.After(func() {
		if st.Type != "error" && st.Type != "result" {
			reply := st.ErrorReply(why)
			reply.To = s.core.JID
			if reply.From.IsZero() {
				reply.From = s.core.Account.JID
			}
			s.core.Send(reply)
		}
		done()
	})
}
