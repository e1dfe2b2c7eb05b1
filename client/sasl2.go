package client

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"palabre.dev/palabre/xmpp"
	"palabre.dev/palabre/xmpp/sasl"
)

const nsCarbons = "urn:xmpp:carbons:2" // XEP-0280

// inline is what can be asked for together with the authentication.
type inline struct{ resume, bind, manage, carbons bool }

func inlineOf(auth *xmpp.Element) inline {
	offered := auth.Child(nsSASL2, "inline")
	bind := offered.Child(nsBind2, "bind")
	out := inline{resume: offered.Child(nsManagement, "sm") != nil, bind: bind != nil}
	for feature := range bind.Child(nsBind2, "inline").Children() {
		switch feature.Attr("var") {
		case nsManagement:
			out.manage = true
		case nsCarbons:
			out.carbons = true
		}
	}
	return out
}

// sasl2 is XEP-0388: authentication, and in the same round trip resumption (XEP-0198 §9) or binding (XEP-0386).
func (l *login) sasl2(auth *xmpp.Element) error {
	offer := l.offerOf(auth, nsSASL2)
	name, exchange, err := l.begin(offer)
	if err != nil {
		return l.withoutToken(name, err)
	}
	request, err := l.request(offer, name, exchange, inlineOf(auth))
	if err != nil {
		return err
	}
	if err := l.write(request); err != nil {
		return err
	}
	return l.finish(offer, name, exchange)
}

// sasl2AtOnce sends the token together with the stream's header, without waiting to be told that it can be used: it came from this
// server (XEP-0484 §3.4). A server that has changed since refuses, and the next attempt uses the password.
func (l *login) sasl2AtOnce() error {
	l.c.mu.Lock()
	offer := sasl.Offer{SASL2: true, Fast: []string{l.c.token.Mechanism}}
	l.c.mu.Unlock()
	name, exchange, err := l.begin(offer)
	if err != nil {
		return l.withoutToken(name, err)
	}
	request, err := l.request(offer, name, exchange, inline{resume: true, bind: true, manage: true, carbons: true})
	if err != nil {
		return err
	}
	if err := l.s.Write(l.header(), l.s.Element(request)); err != nil {
		return err
	}
	if err := l.opened(); err != nil {
		return err
	}
	auth := l.features.Child(nsSASL2, "authentication")
	l.out.carbons = l.out.carbons && inlineOf(auth).carbons
	offer = l.offerOf(orEmpty(auth), nsSASL2)
	if !slices.Contains(offer.Fast, name) {
		return l.withoutToken(name, sasl.ErrNoMechanism)
	}
	return l.finish(offer, name, exchange)
}

func (l *login) hasToken() bool {
	l.c.mu.Lock()
	defer l.c.mu.Unlock()
	token := l.c.token
	return token.usable(sasl.Offer{Fast: []string{token.Mechanism}})
}

// request is the <authenticate/>.
func (l *login) request(offer sasl.Offer, name string, exchange *sasl.Client, can inline) (*xmpp.Element, error) {
	response, _, err := exchange.Step(nil)
	if err != nil {
		return nil, err
	}
	request := xmpp.NewElement(nsSASL2, "authenticate", xmpp.NewText(nsSASL2, "initial-response", encode(response))).Set("mechanism", name)
	request.Add(l.userAgent(), l.tokenRequest(offer, name))
	switch {
	case l.old.id == "":
		request.Add(l.bindInline(can))
	case can.resume:
		request.Add(l.resume(), l.bindInline(can))
	default: // binding would give the old session up: it is resumed after the login
	}
	return request, nil
}

// finish takes the exchange to its end.
func (l *login) finish(offer sasl.Offer, name string, exchange *sasl.Client) error {
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
	ours := errors.As(err, new(*AuthError)) || errors.Is(err, sasl.ErrNoMechanism)
	used := ours && c.token.Secret != "" && c.token.Mechanism == name
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
	token := Token{Mechanism: c.token.Mechanism, Secret: strings.Clone(e.Attr("token"))}
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
func (l *login) bindInline(can inline) *xmpp.Element {
	if !can.bind {
		return nil
	}
	bind := xmpp.NewElement(nsBind2, "bind", xmpp.NewText(nsBind2, "tag", l.c.cfg.Name))
	if can.manage {
		bind.Add(l.enable())
	}
	if can.carbons && l.c.cfg.Carbons {
		l.out.carbons = true
		bind.Add(xmpp.NewElement(nsCarbons, "enable"))
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
