// Package xmpp holds the words of the wire, for every part that speaks it: addresses (RFC 7622), elements and their bytes
// (the restricted XML of RFC 6120 §11), stanzas and stanza errors (RFC 6120 §8), and the small formats that many extensions
// share. It is pure: it opens no connection and keeps no state. Full XML (DTD, comments, processing instructions, entities
// beyond the predefined five) is left out on purpose.
package xmpp

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/secure/precis"
)

// MaxPart is the most bytes that one part of a JID may have (RFC 7622 §3.1).
const MaxPart = 1023

// ErrJID is what every refused address wraps (RFC 7622).
var ErrJID = errors.New("malformed jid")

// JID is an address, prepared and enforced by RFC 7622. It is comparable and usable as a map key; the zero value is no address.
type JID struct {
	text   string // local@domain/resource
	local  int    // length of the local part
	domain int    // length of the domain part
}

// ParseJID reads an address of at most 3071 bytes. It returns an error that wraps ErrJID if a part is empty, too long or holds
// what RFC 7622 refuses.
func ParseJID(s string) (JID, error) {
	rest, resource, hasResource := strings.Cut(s, "/")
	local, domain, hasLocal := strings.Cut(rest, "@")
	if !hasLocal {
		local, domain = "", rest
	} else if local == "" {
		return JID{}, fmt.Errorf("%w: empty local part", ErrJID)
	}
	if hasResource && resource == "" {
		return JID{}, fmt.Errorf("%w: empty resource", ErrJID)
	}
	if jid, ok := asIs(s, local, domain, resource); ok {
		return jid, nil
	}
	return NewJID(local, domain, resource)
}

// asIs builds the JID without copying when all parts are plain lower-case ASCII, as nearly all are.
func asIs(s, local, domain, resource string) (JID, bool) {
	if !plain(local, false) || !plainDomain(domain) || !plain(resource, true) || len(resource) > MaxPart || len(local) > MaxPart {
		return JID{}, false
	}
	return JID{text: s, local: len(local), domain: len(domain)}, true
}

// NewJID joins parts into an address; local and resource may be empty. Errors wrap ErrJID.
func NewJID(local, domain, resource string) (JID, error) {
	if !utf8.ValidString(local) || !utf8.ValidString(domain) || !utf8.ValidString(resource) {
		return JID{}, fmt.Errorf("%w: not UTF-8", ErrJID)
	}
	local, err := prepareLocal(local)
	if err != nil {
		return JID{}, err
	}
	if domain, err = prepareDomain(domain); err != nil {
		return JID{}, err
	}
	if resource, err = prepareResource(resource); err != nil {
		return JID{}, err
	}
	return joinJID(local, domain, resource), nil
}

// MustJID is ParseJID for constants; it panics on a malformed address.
func MustJID(s string) JID {
	jid, err := ParseJID(s)
	if err != nil {
		panic(err)
	}
	return jid
}

func joinJID(local, domain, resource string) JID {
	text := domain
	if local != "" {
		text = local + "@" + text
	}
	if resource != "" {
		text += "/" + resource
	}
	return JID{text: text, local: len(local), domain: len(domain)}
}

// String is the address as it is written on the wire; "" for the zero JID.
func (j JID) String() string { return j.text }

// IsZero reports whether j is no address.
func (j JID) IsZero() bool { return j.text == "" }

// Local is the part before the @, "" if there is none.
func (j JID) Local() string { return j.text[:j.local] }

// Domain is the domain part.
func (j JID) Domain() string {
	start := j.domainStart()
	return j.text[start : start+j.domain]
}

// Resource is the part after the /, "" for a bare address.
func (j JID) Resource() string {
	if end := j.domainStart() + j.domain; end < len(j.text) {
		return j.text[end+1:]
	}
	return ""
}

func (j JID) domainStart() int {
	if j.local == 0 {
		return 0
	}
	return j.local + 1
}

// Bare is the address without its resource.
func (j JID) Bare() JID {
	return JID{text: j.text[:j.domainStart()+j.domain], local: j.local, domain: j.domain}
}

// IsBare reports whether j has no resource.
func (j JID) IsBare() bool { return j.domainStart()+j.domain == len(j.text) }

// Host is the address of the domain alone.
func (j JID) Host() JID { return JID{text: j.Domain(), domain: j.domain} }

// WithResource is the bare address with this resource, or an error that wraps ErrJID.
func (j JID) WithResource(resource string) (JID, error) {
	if !utf8.ValidString(resource) {
		return JID{}, fmt.Errorf("%w: not UTF-8", ErrJID)
	}
	resource, err := prepareResource(resource)
	if err != nil {
		return JID{}, err
	}
	return joinJID(j.Local(), j.Domain(), resource), nil
}

// MarshalText and UnmarshalText let configuration and JSON carry addresses.
func (j JID) MarshalText() ([]byte, error) { return []byte(j.text), nil }

// UnmarshalText reads an address as ParseJID does; empty text gives the zero JID.
func (j *JID) UnmarshalText(b []byte) (err error) {
	*j = JID{}
	if len(b) > 0 {
		*j, err = ParseJID(string(b))
	}
	return err
}

// plain reports whether s is ASCII that preparation would leave as it is.
func plain(s string, resource bool) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '.', c == '-', c == '_', c == '+':
		case resource && c > ' ' && c < 0x7f:
		default:
			return false
		}
	}
	return true
}

func plainDomain(s string) bool {
	if s == "" || len(s) > MaxPart || strings.Contains(s, "xn--") {
		return false
	}
	dot := true // a label must not be empty, nor begin or end with a hyphen
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
			dot = false
		case c == '-' && !dot && i+1 < len(s) && s[i+1] != '.':
		case c == '.' && !dot && i+1 < len(s):
			dot = true
		default:
			return false
		}
	}
	return true
}

func prepareLocal(s string) (string, error) {
	if s == "" {
		return "", nil
	}
	out, err := precis.UsernameCaseMapped.String(s)
	if err != nil {
		return "", fmt.Errorf("%w: local part: %w", ErrJID, err)
	}
	// RFC 7622 §3.3.1: these are refused beyond what PRECIS refuses.
	if strings.ContainsAny(out, "\"&'/:<>@") {
		return "", fmt.Errorf("%w: local part holds one of \"&'/:<>@", ErrJID)
	}
	return sized(out, "local part")
}

func prepareResource(s string) (string, error) {
	if s == "" {
		return "", nil
	}
	out, err := precis.OpaqueString.String(s)
	if err != nil {
		return "", fmt.Errorf("%w: resource: %w", ErrJID, err)
	}
	return sized(out, "resource")
}

var domainProfile = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.CheckHyphens(true), idna.CheckJoiners(true),
	idna.StrictDomainName(true), idna.Transitional(false), idna.VerifyDNSLength(true))

func prepareDomain(s string) (string, error) {
	s = strings.TrimSuffix(s, ".") // RFC 7622 §3.2
	if plainDomain(s) {
		return s, nil
	}
	if inner, ok := strings.CutPrefix(s, "["); ok { // an IPv6 literal
		if inner, ok = strings.CutSuffix(inner, "]"); !ok || strings.Trim(inner, "0123456789abcdefABCDEF:.") != "" || inner == "" {
			return "", fmt.Errorf("%w: domain part", ErrJID)
		}
		return sized(strings.ToLower(s), "domain part")
	}
	if _, err := domainProfile.ToASCII(s); err != nil {
		return "", fmt.Errorf("%w: domain part: %w", ErrJID, err)
	}
	out, err := domainProfile.ToUnicode(s)
	if err != nil {
		return "", fmt.Errorf("%w: domain part: %w", ErrJID, err)
	}
	if strings.ContainsAny(out, "@/") || strings.HasSuffix(out, ".") {
		return "", fmt.Errorf("%w: domain part", ErrJID)
	}
	return sized(out, "domain part")
}

func sized(s, part string) (string, error) {
	if s == "" || len(s) > MaxPart {
		return "", fmt.Errorf("%w: %s has %d bytes, allowed are 1 to %d", ErrJID, part, len(s), MaxPart)
	}
	return s, nil
}
