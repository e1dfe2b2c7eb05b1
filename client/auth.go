package client

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"palabre.dev/palabre/xmpp"
	"palabre.dev/palabre/xmpp/sasl"
)

// Namespaces of the login.
const (
	nsSASL2   = "urn:xmpp:sasl:2"    // XEP-0388
	nsBind2   = "urn:xmpp:bind:0"    // XEP-0386
	nsFast    = "urn:xmpp:fast:0"    // XEP-0484
	nsBinding = "urn:xmpp:sasl-cb:0" // XEP-0440
)

// AuthError is the server's refusal of a login (RFC 6120 §6.5). errors.Is finds its sasl.Condition.
type AuthError struct {
	Condition sasl.Condition
	Text      string
}

// Error says what the server said.
func (e *AuthError) Error() string {
	if e.Text == "" {
		return "server refuses: " + string(e.Condition)
	}
	return "server refuses: " + string(e.Condition) + ": " + e.Text
}

// Unwrap gives the condition.
func (e *AuthError) Unwrap() error { return e.Condition }

func authErrorOf(failure *xmpp.Element, space string) *AuthError {
	out := &AuthError{Condition: sasl.TemporaryAuthFailure, Text: failure.ChildText(space, "text")}
	for child := range failure.Children() {
		if child.Space == xmpp.NSSASL && child.Local != "text" {
			out.Condition = sasl.Condition(child.Local)
		}
	}
	return out
}

// offerOf reads what the server advertises; list holds its mechanisms.
func (l *login) offerOf(list *xmpp.Element, space string) sasl.Offer {
	offer := sasl.Offer{SASL2: space == nsSASL2, Mechanisms: texts(list, space, "mechanism")}
	for child := range l.features.Child(nsBinding, "sasl-channel-binding").Children() {
		if child.Is(nsBinding, "channel-binding") {
			offer.BindingTypes = append(offer.BindingTypes, child.Attr("type"))
		}
	}
	if offer.SASL2 {
		offer.Fast = texts(list.Child(nsSASL2, "inline").Child(nsFast, "fast"), nsFast, "mechanism")
	}
	return offer
}

// texts are the texts of the children with a name.
func texts(parent *xmpp.Element, space, local string) []string {
	var all []string
	for child := range parent.Children() {
		if child.Is(space, local) {
			all = append(all, child.Text())
		}
	}
	return all
}

// begin chooses a mechanism: the token if there is one, else the best with a password or its keys.
func (l *login) begin(offer sasl.Offer) (name string, exchange *sasl.Client, err error) {
	c := l.c
	c.mu.Lock()
	keys, token := c.keys, c.token
	c.mu.Unlock()
	config := sasl.ClientConfig{Username: c.cfg.JID.Local(), Password: c.cfg.Password, Keys: keys, Offer: offer, Bindings: l.s.Bindings()}
	if token.usable(offer) {
		config.Token = []byte(token.Secret)
		exchange, err = sasl.NewClient(token.Mechanism, config)
		return token.Mechanism, exchange, err
	}
	choice := offer
	if c.cfg.Password == "" { // only what the keys are for
		prefix := "SCRAM-" + string(keys.Hash)
		choice.Mechanisms = slices.DeleteFunc(slices.Clone(offer.Mechanisms), func(name string) bool {
			return len(keys.ClientKey) == 0 || strings.TrimSuffix(name, "-PLUS") != prefix
		})
	}
	name, err = sasl.Best(choice, config.Bindings, c.cfg.AllowPassword && l.s.Encrypted())
	if err != nil {
		return "", nil, err
	}
	exchange, err = sasl.NewClient(name, config)
	return name, exchange, err
}

func (t Token) usable(offer sasl.Offer) bool {
	return t.Secret != "" && slices.Contains(offer.Fast, t.Mechanism) && (t.Expires.IsZero() || time.Now().Before(t.Expires))
}

// sasl1 is RFC 6120 §6.4.
func (l *login) sasl1() error {
	list := l.features.Child(xmpp.NSSASL, "mechanisms")
	if list == nil {
		return fmt.Errorf("no login offered: %w", ErrUnexpected)
	}
	name, exchange, err := l.begin(l.offerOf(list, xmpp.NSSASL))
	if err != nil {
		return err
	}
	response, _, err := exchange.Step(nil)
	if err != nil {
		return err
	}
	if err := l.write(xmpp.NewText(xmpp.NSSASL, "auth", encode(response)).Set("mechanism", name)); err != nil {
		return err
	}
	success, err := l.converse(exchange, xmpp.NSSASL)
	if err != nil {
		return err
	}
	data, err := decode(success.Text())
	if err != nil {
		return err
	}
	return l.proven(exchange, data)
}

// converse answers challenges until the server says success.
func (l *login) converse(exchange *sasl.Client, space string) (*xmpp.Element, error) {
	for range 8 {
		e, err := l.element()
		if err != nil {
			return nil, err
		}
		switch {
		case e.Is(space, "success"):
			return e, nil
		case e.Is(space, "failure"):
			return nil, authErrorOf(e, space)
		case !e.Is(space, "challenge"):
			return nil, l.unexpected(e)
		}
		challenge, err := decode(e.Text())
		if err != nil {
			return nil, err
		}
		response, _, err := exchange.Step(challenge)
		if err != nil {
			return nil, errors.Join(err, l.write(xmpp.NewElement(space, "abort")))
		}
		if err := l.write(xmpp.NewText(space, "response", base64.StdEncoding.EncodeToString(response))); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("login without end: %w", ErrUnexpected)
}

// proven checks that the server knows the account too, and keeps the keys.
func (l *login) proven(exchange *sasl.Client, data []byte) error {
	if err := exchange.Finish(data); err != nil {
		return err
	}
	keys, ok := exchange.Keys()
	if !ok {
		return nil
	}
	l.c.mu.Lock()
	known := slices.Equal(keys.ClientKey, l.c.keys.ClientKey)
	l.c.keys = keys
	l.c.mu.Unlock()
	if !known && l.c.cfg.OnKeys != nil {
		l.c.cfg.OnKeys(keys)
	}
	return nil
}

// encode writes an initial response; an empty one is "=" (RFC 6120 §6.4.2).
func encode(response []byte) string {
	if len(response) == 0 {
		return "="
	}
	return base64.StdEncoding.EncodeToString(response)
}

// decode reads a challenge or the data of a success; nil if there is none.
func decode(text string) ([]byte, error) {
	switch text {
	case "":
		return nil, nil
	case "=":
		return []byte{}, nil
	}
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("login: %w: %w", ErrUnexpected, err)
	}
	return data, nil
}

func formatCount(h uint32) string { return strconv.FormatUint(uint64(h), 10) }

func parseCount(text string) (uint32, error) {
	h, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("count %.20q: %w", text, ErrUnexpected)
	}
	return uint32(h), nil
}
