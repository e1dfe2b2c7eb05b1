package c2s

import (
	"encoding/base64"
	"errors"
	"strings"
	"time"

	"palabre.dev/palabre/xmpp"
	"palabre.dev/palabre/xmpp/sasl"
)

// exchange is one attempt to log in, by RFC 6120 §6 or by XEP-0388.
type exchange struct {
	server    *sasl.Server
	mechanism string
	request   *xmpp.Element     // the <authenticate/> of SASL2, nil for RFC 6120
	disabled  bool              // the account is closed
	kept      []sasl.Credential // what was kept of the password then
	tokens    []token           // what Tokens returned
	began     time.Time
}

func (x *exchange) space() string {
	if x.request != nil {
		return nsSASL2
	}
	return xmpp.NSSASL
}

// expects reports whether an element may come in the middle of the exchange (XEP-0388 §2.4).
func (x *exchange) expects(e *xmpp.Element) bool {
	return e.Is(x.space(), "response") || e.Is(x.space(), "abort")
}

// authElement takes an element of a login.
func (c *connection) authElement(e *xmpp.Element) error {
	switch {
	case c.account != nil:
		return fatal("policy-violation", "logged in already")
	case c.exchange != nil && e.Local == "abort":
		return c.refuseLogin(sasl.Aborted, "")
	case c.exchange != nil:
		return c.step(decode(e.Text()))
	case e.Is(xmpp.NSSASL, "auth"):
		return c.beginLogin(&exchange{}, e.Attr("mechanism"), &c.offer, e.Text(), e.Text() != "")
	case e.Is(nsSASL2, "authenticate"):
		initial := e.Child(nsSASL2, "initial-response")
		return c.beginLogin(&exchange{request: e}, e.Attr("mechanism"), &c.offer2, initial.Text(), initial != nil)
	}
	c.exchange = &exchange{began: time.Now()}
	if e.Space == nsSASL2 {
		c.exchange.request = e
	}
	return c.refuseLogin(sasl.MalformedRequest, "")
}

// beginLogin starts an exchange with the client's initial response, if it has one.
func (c *connection) beginLogin(x *exchange, mechanism string, offer *sasl.Offer, initial string, present bool) error {
	x.mechanism, x.began = mechanism, time.Now()
	c.exchange = x
	if c.door.limits.blocked(c.address) {
		return c.refuseLogin(sasl.TemporaryAuthFailure, "too many failed logins from your address; try again later")
	}
	if x.request != nil {
		c.client = clientOf(x.request)
	}
	server, err := sasl.NewServer(mechanism, c.saslConfig(x, offer))
	if err != nil {
		return c.failLogin(err)
	}
	x.server = server
	if !present {
		return c.step(nil, nil)
	}
	return c.step(decode(initial))
}

// maxName bounds what a client tells of itself.
const maxName = 128

func clientOf(request *xmpp.Element) client {
	agent := request.Child(nsSASL2, "user-agent")
	cut := func(s string) string {
		if len(s) > maxName {
			s = strings.ToValidUTF8(s[:maxName], "")
		}
		return s
	}
	return client{id: cut(agent.Attr("id")), software: cut(agent.ChildText(nsSASL2, "software")), device: cut(agent.ChildText(nsSASL2, "device"))}
}

// saslConfig is what the mechanisms need to know.
func (c *connection) saslConfig(x *exchange, offer *sasl.Offer) *sasl.ServerConfig {
	d := c.door
	return &sasl.ServerConfig{
		Offer: *offer, Bindings: c.stream.Bindings(), Encrypted: c.guest.Encrypted, Secret: d.secret, Iterations: d.credentials.Iterations(),
		Prepare: func(username string) (string, error) {
			jid, err := xmpp.NewJID(username, d.server.Domain().Domain(), "")
			return jid.Local(), err
		},
		Lookup: func(username string) (credentials []sasl.Credential, err error) {
			x.kept, x.disabled, err = d.credentials.Credentials(d.life, username)
			return x.kept, err
		},
		Tokens: func(username, mechanism string) ([][]byte, error) { return c.tokenSecrets(x, username, mechanism) },
		Authorize: func(username, authzid string) error {
			if err := c.checkIdentity(username, authzid); err != nil {
				return err
			}
			if x.disabled {
				return sasl.AccountDisabled
			}
			return nil
		},
	}
}

// checkIdentity lets everybody act as themselves only.
func (c *connection) checkIdentity(username, authzid string) error {
	own, err := xmpp.NewJID(username, c.door.server.Domain().Domain(), "")
	if err != nil {
		return sasl.NotAuthorized
	}
	if authzid != "" {
		if as, err := xmpp.ParseJID(authzid); err != nil || as != own {
			return sasl.InvalidAuthzid
		}
	}
	if from, err := xmpp.ParseJID(c.login.header.From); err == nil && from.Local() != "" && from.Bare() != own {
		return sasl.InvalidAuthzid // XEP-0388 §2.3
	}
	return nil
}

// decode reads the base64 of a SASL message (RFC 6120 §6.4.2); "=" is an empty one.
func decode(text string) ([]byte, error) {
	text = strings.TrimSpace(text)
	if text == "=" || text == "" {
		return []byte{}, nil
	}
	if len(text) > 2*sasl.MaxMessage {
		return nil, sasl.MalformedRequest
	}
	b, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil {
		return nil, sasl.IncorrectEncoding
	}
	return b, nil
}

// step hands a message of the client to the mechanism.
func (c *connection) step(message []byte, err error) error {
	if err != nil {
		return c.failLogin(err)
	}
	challenge, done, err := c.exchange.server.Step(message)
	if err != nil {
		return c.failLogin(err)
	}
	if !done {
		return c.writeElement(xmpp.NewText(c.exchange.space(), "challenge", encode(challenge)))
	}
	return c.succeed(challenge)
}

func encode(message []byte) string { return base64.StdEncoding.EncodeToString(message) }

// failLogin refuses the login for what the mechanism found.
func (c *connection) failLogin(err error) error {
	condition := sasl.ConditionOf(err)
	if condition == sasl.TemporaryAuthFailure {
		c.door.log.Error("login", "err", err)
	}
	return c.refuseLogin(condition, "")
}

// refuseLogin ends the exchange. The client may try again, but not for ever.
func (c *connection) refuseLogin(condition sasl.Condition, text string) error {
	x := c.exchange
	c.exchange = nil
	c.counted(x, string(condition))
	if condition == sasl.NotAuthorized || condition == sasl.InvalidAuthzid || condition == sasl.CredentialsExpired {
		c.door.log.Info("login refused", "mechanism", x.mechanism, "condition", string(condition), "address", c.address.String())
		c.door.limits.failed(c.address)
		c.pause(c.door.cfg.FailureDelay)
	}
	failure := xmpp.NewElement(x.space(), "failure", xmpp.NewElement(xmpp.NSSASL, string(condition)))
	if text != "" {
		failure.Add(xmpp.NewText(x.space(), "text", text).SetAttr(xmpp.NSXML, "lang", "en"))
	}
	if err := c.writeElement(failure); err != nil {
		return err
	}
	c.client = client{}
	if c.attempts++; c.attempts >= c.door.cfg.MaxAttempts {
		return fatal("policy-violation", "too many failed logins")
	}
	return nil
}

// pause waits, but not beyond the end of the connection or the door.
func (c *connection) pause(d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-c.halt:
	case <-c.door.life.Done():
	}
}

// succeed ends a login well: the account is known from here on.
func (c *connection) succeed(data []byte) error {
	x := c.exchange
	jid, err := xmpp.NewJID(x.server.Username(), c.door.server.Domain().Domain(), "")
	if err != nil {
		return c.failLogin(err)
	}
	account, err := c.door.server.Account(c.door.life, jid)
	if err != nil {
		return c.failLogin(errors.Join(sasl.TemporaryAuthFailure, err))
	}
	c.kept, c.proved = x.kept, x.began
	c.client.password = len(x.tokens) == 0
	if x.request != nil {
		return c.succeed2(account, data)
	}
	c.account, c.exchange = account, nil
	c.counted(x, "ok")
	c.opened = false
	c.stream.Restart()
	success := xmpp.NewElement(xmpp.NSSASL, "success")
	if len(data) > 0 {
		success.AddText(encode(data))
	}
	return c.writeElement(success)
}

// counted notes how a login went.
func (c *connection) counted(x *exchange, outcome string) {
	mechanism := x.mechanism
	if x.server == nil {
		mechanism = "unknown"
	}
	version := "sasl"
	if x.request != nil {
		version = "sasl2"
	}
	logins.WithLabelValues(version, mechanism, outcome).Inc()
	loginSeconds.Observe(time.Since(x.began).Seconds())
}
