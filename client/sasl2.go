package client

import (
	"errors"
	"fmt"
	"time"

	"palabre.dev/palabre/xmpp"
	"palabre.dev/palabre/xmpp/sasl"
)

const nsCarbons = "urn:xmpp:carbons:2" // XEP-0280

// sasl2 is XEP-0388: authentication, and in the same round trip resumption (XEP-0198 §9) or binding (XEP-0386).
func (l *login) sasl2(auth *xmpp.Element) error {
	offer := l.offerOf(auth, nsSASL2)
	name, exchange, err := l.begin(offer)
	if err != nil {
		return err
	}
	response, _, err := exchange.Step(nil)
	if err != nil {
		return err
	}
	inline := auth.Child(nsSASL2, "inline")
	request := xmpp.NewElement(nsSASL2, "authenticate", xmpp.NewText(nsSASL2, "initial-response", encode(response))).Set("mechanism", name)
	request.Add(l.userAgent(), l.tokenRequest(offer, name))
	switch {
	case l.old.id == "":
		request.Add(l.bindInline(inline.Child(nsBind2, "bind")))
	case inline.Child(nsManagement, "sm") != nil:
		request.Add(l.resume(), l.bindInline(inline.Child(nsBind2, "bind")))
	default: // binding would give the old session up: it is resumed after the login
	}
	if err := l.write(request); err != nil {
		return err
	}
	success, err := l.converse(exchange, nsSASL2)
	if err != nil {
		return l.withoutToken(name, err)
	}
	data, err := decode(success.ChildText(nsSASL2, "additional-data"))
	if err != nil {
		return err
	}
	if err := l.proven(exchange, data); err != nil {
		return err
	}
	l.keepToken(offer, success.Child(nsFast, "token"))
	return l.afterSASL2(success)
}

// withoutToken forgets a token that was refused, so that the next attempt uses the password.
func (l *login) withoutToken(name string, err error) error {
	c := l.c
	c.mu.Lock()
	used := c.token.Secret != "" && c.token.Mechanism == name && errors.As(err, new(*AuthError))
	fallback := c.cfg.Password != "" || len(c.keys.ClientKey) > 0
	if used {
		c.token = Token{}
	}
	c.mu.Unlock()
	if !used {
		return err
	}
	if c.cfg.OnToken != nil {
		c.cfg.OnToken(Token{})
	}
	if fallback {
		return errTokenRefused
	}
	return err
}

// errTokenRefused makes establish try once more, with the password.
var errTokenRefused = errors.New("token refused")

func (l *login) userAgent() *xmpp.Element {
	cfg := &l.c.cfg
	if cfg.AgentID == "" {
		return nil
	}
	agent := xmpp.NewElement(nsSASL2, "user-agent").Set("id", cfg.AgentID)
	if cfg.Software != "" {
		agent.Add(xmpp.NewText(nsSASL2, "software", cfg.Software))
	}
	if cfg.Device != "" {
		agent.Add(xmpp.NewText(nsSASL2, "device", cfg.Device))
	}
	return agent
}

// tokenRequest says that a token is used, or asks for one (XEP-0484 §3.3, §3.4).
func (l *login) tokenRequest(offer sasl.Offer, name string) *xmpp.Element {
	c := l.c
	c.mu.Lock()
	used := c.token.Secret != "" && c.token.Mechanism == name
	c.mu.Unlock()
	if used {
		return xmpp.NewElement(nsFast, "fast")
	}
	mechanism, err := sasl.BestToken(offer, l.s.Bindings())
	if err != nil || c.cfg.AgentID == "" || c.cfg.OnToken == nil {
		return nil
	}
	return xmpp.NewElement(nsFast, "request-token").Set("mechanism", mechanism)
}

// keepToken takes a new token, which takes the place of the one before.
func (l *login) keepToken(offer sasl.Offer, e *xmpp.Element) {
	if e == nil || e.Attr("token") == "" {
		return
	}
	c := l.c
	c.mu.Lock()
	token := Token{Mechanism: c.token.Mechanism, Secret: e.Attr("token")}
	if token.Mechanism == "" {
		token.Mechanism, _ = sasl.BestToken(offer, l.s.Bindings()) // it was asked for by this rule
	}
	if expires, err := time.Parse(time.RFC3339, e.Attr("expiry")); err == nil {
		token.Expires = expires
	}
	c.token = token
	c.mu.Unlock()
	if c.cfg.OnToken != nil {
		c.cfg.OnToken(token)
	}
}

// bindInline asks for a resource, stream management and carbons at once; nil if the server cannot.
func (l *login) bindInline(offered *xmpp.Element) *xmpp.Element {
	if offered == nil {
		return nil
	}
	bind := xmpp.NewElement(nsBind2, "bind", xmpp.NewText(nsBind2, "tag", l.c.cfg.Name))
	for feature := range offered.Child(nsBind2, "inline").Children() {
		switch feature.Attr("var") {
		case nsManagement:
			bind.Add(l.enable())
		case nsCarbons:
			if l.c.cfg.Carbons {
				l.out.carbons = true
				bind.Add(xmpp.NewElement(nsCarbons, "enable"))
			}
		}
	}
	return bind
}

// afterSASL2 reads what the success brought: a resumed session, a bound one, or neither.
func (l *login) afterSASL2(success *xmpp.Element) error {
	for _, local := range []string{"resumed", "failed"} {
		if answer := success.Child(nsManagement, local); answer != nil {
			if err := l.resumed(answer); err != nil || l.out.resumed {
				return err
			}
		}
	}
	if bound := success.Child(nsBind2, "bound"); bound != nil {
		if err := l.bound(success.ChildText(nsSASL2, "authorization-identifier")); err != nil {
			return err
		}
		if enabled := bound.Child(nsManagement, "enabled"); enabled != nil {
			return l.enabled(enabled)
		}
		return l.enableLater()
	}
	l.out.carbons = false
	if err := l.awaitFeatures(); err != nil {
		return err
	}
	return l.bindLater()
}

// enableLater turns stream management on where binding inline did not.
func (l *login) enableLater() error {
	if err := l.awaitFeatures(); err != nil {
		return err
	}
	if l.features.Child(nsManagement, "sm") == nil {
		return nil
	}
	if err := l.write(l.enable()); err != nil {
		return err
	}
	answer, err := l.element()
	if err != nil {
		return fmt.Errorf("enable stream management: %w", err)
	}
	return l.enabled(answer)
}
