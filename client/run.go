package client

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"palabre.dev/palabre/transport"
	"palabre.dev/palabre/xmpp"
	"palabre.dev/palabre/xmpp/sasl"
)

// attempt is what a successful login gave.
type attempt struct {
	stream  *transport.Stream
	jid     xmpp.JID
	resumed bool
	counted bool   // the server said how many stanzas of the session before it had handled
	h       uint32 // that many
	managed bool
	id      string // for resumption
	carbons bool   // they were turned on together with the binding
}

// run keeps the session alive.
func (c *Client) run(ctx context.Context, a *attempt) {
	var wait time.Duration // before the next attempt
	for {
		begun := time.Now()
		connected, leave := context.WithCancel(ctx)
		err := c.attach(connected, a)
		if err == nil {
			err = c.read(ctx, a.stream)
		}
		c.detach(a.stream, err)
		leave()
		c.begun.Wait()
		if why := c.over(ctx, err); why != nil {
			c.finish(why)
			return
		}
		c.tell(State{Err: err})
		if time.Since(begun) > 10*c.cfg.MinBackoff {
			wait = 0
		}
		if a, wait, err = c.reconnect(ctx, wait); err != nil {
			c.finish(err)
			return
		}
	}
}

// over is why the client must not reconnect, nil if it should.
func (c *Client) over(ctx context.Context, err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing || ctx.Err() != nil {
		return ErrClosed
	}
	if stream := (*StreamError)(nil); errors.As(err, &stream) {
		switch stream.Condition {
		case "conflict", "policy-violation", "not-authorized", "unsupported-version":
			return err
		}
	}
	return nil
}

func (c *Client) tell(state State) {
	c.log.Info("connection changed", "online", state.Online, "resumed", state.Resumed, "err", state.Err)
	if c.cfg.OnState != nil {
		c.cfg.OnState(state)
	}
}

// detach notes that the connection is gone.
func (c *Client) detach(s *transport.Stream, err error) {
	c.mu.Lock()
	c.stream, c.ready, c.out = nil, false, nil
	c.session.asking = false
	c.rewind()
	closing := c.closing
	c.mu.Unlock()
	if !closing || !errors.Is(err, errStreamEnd) {
		c.abort(s)
		return
	}
	if err := s.Close(); err != nil {
		c.log.Debug("close connection", "err", err)
	}
}

// reconnect tries until it succeeds, ctx ends or the server refuses for good. It first waits for wait, and returns how long to wait
// the next time, if the connection should be lost again at once.
func (c *Client) reconnect(ctx context.Context, wait time.Duration) (*attempt, time.Duration, error) {
	for {
		if err := c.pause(ctx, wait); err != nil {
			return nil, 0, err
		}
		wait = min(max(2*wait, c.cfg.MinBackoff), c.cfg.MaxBackoff)
		a, err := c.establish(ctx)
		switch {
		case err == nil:
			return a, wait, nil
		case ctx.Err() != nil:
			return nil, 0, ErrClosed
		case refused(err):
			return nil, 0, err
		}
		c.log.Info("connection attempt ended", "err", err)
	}
}

// pause waits between half of wait and one and a half: spread, so that the many clients of a server that restarts do not come at once.
func (c *Client) pause(ctx context.Context, wait time.Duration) error {
	if wait > 0 {
		timer := time.NewTimer(wait/2 + rand.N(wait))
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if ctx.Err() != nil || c.closing {
		return ErrClosed
	}
	return nil
}

// refused reports whether another attempt would end the same way.
func refused(err error) bool {
	for _, condition := range []sasl.Condition{sasl.NotAuthorized, sasl.AccountDisabled, sasl.CredentialsExpired, sasl.InvalidAuthzid} {
		if errors.Is(err, condition) {
			return true
		}
	}
	return errors.Is(err, sasl.ErrDowngrade) || errors.Is(err, sasl.ErrServerUnproven)
}

// attach begins or resumes the session on a new connection.
func (c *Client) attach(ctx context.Context, a *attempt) error {
	if err := a.stream.SetReadDeadline(time.Now().Add(c.cfg.KeepAlive)); err != nil {
		return err
	}
	if a.resumed {
		return c.resume(a)
	}
	c.mu.Lock()
	if c.closing {
		c.mu.Unlock()
		return ErrClosed
	}
	old := c.session
	var done []*outgoing
	if a.counted && old.managed {
		var err error
		if done, err = old.cover(a.h); err != nil {
			c.log.Warn("count of the session before is of no use", "err", err)
		}
	}
	lost := append(old.doubtful, old.unacked...)
	c.session = session{id: a.id, managed: a.managed, held: old.held, doubtful: lost}
	c.jid, c.stream = a.jid, a.stream
	c.rewind()
	orphans := c.orphans()
	c.mu.Unlock()
	settle(done, nil)
	for _, o := range orphans {
		o.answer <- answer{err: ErrUnsure}
	}
	c.begin(ctx, a, lost)
	return nil
}

// resume sends again what the server has not handled (XEP-0198 §5), and then what was held.
func (c *Client) resume(a *attempt) error {
	c.mu.Lock()
	if c.closing {
		c.mu.Unlock()
		return ErrClosed
	}
	done, err := c.session.cover(a.h)
	if err != nil {
		c.mu.Unlock()
		return err
	}
	c.stream = a.stream
	for _, o := range c.session.unacked {
		c.out = append(c.out, o.bytes)
	}
	c.askForAck()
	unmanaged := c.release()
	c.mu.Unlock()
	settle(done, nil)
	settle(unmanaged, ErrUnmanaged)
	c.tell(State{Online: true, Resumed: true})
	return nil
}

// release writes what was held and lets everything through. It returns those that the server will never acknowledge. mu is held.
func (c *Client) release() (unmanaged []*outgoing) {
	held := c.session.held
	c.session.held = nil
	c.ready = true
	for _, o := range held {
		if c.put(o) {
			unmanaged = append(unmanaged, o)
		}
	}
	c.wake()
	c.flush()
	return unmanaged
}
