package c2s

import (
	"crypto/rand"
	"encoding/base64"
	"strconv"
	"strings"

	"palabre.dev/palabre/xmpp"
	"palabre.dev/palabre/xmpp/sasl"
)

// Namespaces of what the door itself offers.
const (
	nsSASL2   = "urn:xmpp:sasl:2"
	nsBind2   = "urn:xmpp:bind:0"
	nsFast    = "urn:xmpp:fast:0"
	nsSM      = "urn:xmpp:sm:3"
	nsCSI     = "urn:xmpp:csi:0"
	nsChannel = "urn:xmpp:sasl-cb:0"
)

// serverLang is the language of what the server says for people.
const serverLang = "en"

// open takes the client's header (RFC 6120 §4.7) and answers with the server's own and the features.
func (c *connection) open(h *xmpp.Header) error {
	if c.opened {
		return fatal("invalid-xml", "the stream is open already")
	}
	c.login.header = *h
	if err := c.checkHeader(h); err != nil {
		return err
	}
	c.opened = true
	return c.write(c.header(), c.stream.Element(c.featuresElement()))
}

// header is the server's header (RFC 6120 §4.7).
func (c *connection) header() []byte {
	h := xmpp.Header{From: c.door.server.Domain().String(), ID: newID(), Lang: serverLang, Version: "1.0"}
	if c.login != nil {
		h.To = c.login.header.From
		if _, err := xmpp.ParseJID(h.To); err != nil {
			h.To = ""
		}
	}
	return c.stream.Header(h)
}

// newID is an id that nobody can guess (RFC 6120 §4.7.3: 96 bits of chance), short, since every login carries it.
func newID() string {
	var random [12]byte
	rand.Read(random[:])
	return base64.RawURLEncoding.EncodeToString(random[:])
}

func (c *connection) checkHeader(h *xmpp.Header) error {
	switch {
	case c.web && (h.Space != xmpp.NSFraming || h.Local != "open"):
		return fatal("invalid-namespace", "expected an <open/> of "+xmpp.NSFraming)
	case !c.web && (h.Space != xmpp.NSStream || h.Local != "stream"):
		return fatal("invalid-namespace", "expected a stream of "+xmpp.NSStream)
	case !c.web && h.Scope.Default != xmpp.NSClient:
		return fatal("invalid-namespace", "expected stanzas of "+xmpp.NSClient)
	case !isVersion1(h.Version):
		return fatal("unsupported-version", "expected version 1.0")
	}
	to, err := xmpp.ParseJID(h.To)
	if err != nil || to != c.door.server.Domain() {
		return fatal("host-unknown", "this is "+c.door.server.Domain().String())
	}
	if h.From == "" {
		return nil
	}
	from, err := xmpp.ParseJID(h.From)
	switch {
	case err != nil || from.Domain() != to.Domain():
		return fatal("invalid-from", "not an address at "+to.String())
	case c.account != nil && from.Bare() != c.account.JID:
		return fatal("invalid-from", "you are "+c.account.JID.String())
	}
	return nil
}

// isVersion1 reports whether a version is 1.0 or later (RFC 6120 §4.7.5).
func isVersion1(version string) bool {
	major, minor, ok := strings.Cut(version, ".")
	if !ok {
		return false
	}
	n, err := strconv.ParseUint(major, 10, 16)
	if err != nil || n < 1 {
		return false
	}
	_, err = strconv.ParseUint(minor, 10, 16)
	return err == nil
}

// featuresElement is what the client may do next (RFC 6120 §4.3.2).
func (c *connection) featuresElement() *xmpp.Element {
	out := xmpp.NewElement(xmpp.NSStream, "features")
	switch {
	case !c.guest.Encrypted:
		return out.Add(xmpp.NewElement(xmpp.NSTLS, "starttls", xmpp.NewElement(xmpp.NSTLS, "required")))
	case c.account == nil:
		c.offerLogin(out)
	case c.session == nil:
		out.Add(xmpp.NewElement(xmpp.NSBind, "bind"),
			xmpp.NewElement(xmpp.NSSession, "session", xmpp.NewElement(xmpp.NSSession, "optional")))
		fallthrough
	default:
		if c.session == nil || !c.session.isManaged() { // offered again, it would be asked for again
			out.Add(xmpp.NewElement(nsSM, "sm"))
		}
		out.Add(xmpp.NewElement(nsCSI, "csi"))
	}
	for _, feature := range c.door.features {
		out.Add(feature(c.account != nil))
	}
	return out
}

// resumedFeatures follow the answer to a login that has resumed a session: all that this session was told stays true, and only what the
// client may do now is said again.
func resumedFeatures() *xmpp.Element {
	return xmpp.NewElement(xmpp.NSStream, "features", xmpp.NewElement(nsCSI, "csi"))
}

func (c *connection) offerLogin(out *xmpp.Element) {
	offer := sasl.NewOffer(c.door.cfg.Mechanisms, c.stream.Bindings(), c.guest.Encrypted)
	c.offer, c.offer2 = offer, offer
	c.offer2.SASL2 = true
	mechanisms := xmpp.NewElement(xmpp.NSSASL, "mechanisms")
	authentication := xmpp.NewElement(nsSASL2, "authentication")
	for _, name := range offer.Mechanisms {
		mechanisms.Add(xmpp.NewText(xmpp.NSSASL, "mechanism", name))
		authentication.Add(xmpp.NewText(nsSASL2, "mechanism", name))
	}
	out.Add(mechanisms, authentication.Add(c.offerInline(offer.Fast)))
	if len(offer.BindingTypes) > 0 { // XEP-0440
		bindings := xmpp.NewElement(nsChannel, "sasl-channel-binding")
		for _, kind := range offer.BindingTypes {
			bindings.Add(xmpp.NewElement(nsChannel, "channel-binding").Set("type", kind))
		}
		out.Add(bindings)
	}
}

// offerInline is what can be done within SASL2 (XEP-0388 §2.1, XEP-0386 §3.1, XEP-0484 §3.2).
func (c *connection) offerInline(fast []string) *xmpp.Element {
	inline := xmpp.NewElement(nsBind2, "inline")
	feature := func(name string) { inline.Add(xmpp.NewElement(nsBind2, "feature").Set("var", name)) }
	feature(nsSM)
	feature(nsCSI)
	for _, one := range c.door.inlines {
		feature(one.feature)
	}
	out := xmpp.NewElement(nsSASL2, "inline", xmpp.NewElement(nsSM, "sm"), xmpp.NewElement(nsBind2, "bind", inline))
	if len(fast) == 0 {
		return out
	}
	tokens := xmpp.NewElement(nsFast, "fast")
	for _, name := range fast {
		tokens.Add(xmpp.NewText(nsFast, "mechanism", name))
	}
	return out.Add(tokens)
}
