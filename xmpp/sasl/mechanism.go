package sasl

import "slices"

// The names of the mechanisms, as they are offered and chosen on the wire.
const (
	Plain           = "PLAIN"
	ScramSHA1       = "SCRAM-SHA-1"
	ScramSHA1Plus   = "SCRAM-SHA-1-PLUS"
	ScramSHA256     = "SCRAM-SHA-256"
	ScramSHA256Plus = "SCRAM-SHA-256-PLUS"
	ScramSHA512     = "SCRAM-SHA-512"
	ScramSHA512Plus = "SCRAM-SHA-512-PLUS"
	TokenNone       = "HT-SHA-256-NONE"
	TokenEndPoint   = "HT-SHA-256-ENDP"
	TokenExporter   = "HT-SHA-256-EXPR"
)

type family int

const (
	plain family = iota
	scram
	token
)

// mechanism is what a name means.
type mechanism struct {
	family  family
	hash    Hash
	plus    bool   // SCRAM with channel binding
	binding string // the channel-binding type of a token mechanism, empty for NONE
}

var mechanisms = map[string]mechanism{
	Plain:           {family: plain},
	ScramSHA1:       {family: scram, hash: SHA1},
	ScramSHA1Plus:   {family: scram, hash: SHA1, plus: true},
	ScramSHA256:     {family: scram, hash: SHA256},
	ScramSHA256Plus: {family: scram, hash: SHA256, plus: true},
	ScramSHA512:     {family: scram, hash: SHA512},
	ScramSHA512Plus: {family: scram, hash: SHA512, plus: true},
	TokenNone:       {family: token, hash: SHA256},
	TokenEndPoint:   {family: token, hash: SHA256, binding: BindEndPoint},
	TokenExporter:   {family: token, hash: SHA256, binding: BindExporter},
}

// preference orders the mechanisms with a password, best first: a bound channel before a stronger hash.
var preference = []string{
	ScramSHA512Plus, ScramSHA256Plus, ScramSHA1Plus, ScramSHA512, ScramSHA256, ScramSHA1, Plain,
}

// Offer is what a server advertises on one connection, and what a client has seen advertised. Both sides hash it
// (XEP-0474), so a server gives exactly what it sent and a client exactly what it received.
type Offer struct {
	// Mechanisms are those of <mechanisms/> (RFC 6120 §6.4.1) or of <authentication/> (XEP-0388), whichever the client
	// answers. If it is empty at a server, SCRAM sends no downgrade protection.
	Mechanisms []string
	// Fast are the token mechanisms of <fast/> (XEP-0484 §3.1); they are not part of the hash.
	Fast []string
	// BindingTypes are those of <sasl-channel-binding/> (XEP-0440); empty if that was not sent.
	BindingTypes []string
	// SASL2 says that Mechanisms are those of XEP-0388, where XEP-0440 is stricter.
	SASL2 bool
}

// NewOffer returns what a server can offer on a connection: those of the enabled mechanisms, in their order, that the
// encryption and channel bindings of the connection allow. PLAIN and tokens need encryption, -PLUS needs a binding.
// Unknown names are left out. The caller sets SASL2.
func NewOffer(enabled []string, bindings Bindings, encrypted bool) Offer {
	var offer Offer
	types := bindings.Types()
	for _, name := range enabled {
		m, known := mechanisms[name]
		switch {
		case !known:
		case m.family == scram:
			if !m.plus || len(types) > 0 {
				offer.Mechanisms = append(offer.Mechanisms, name)
			}
		case !encrypted:
		case m.family == plain:
			offer.Mechanisms = append(offer.Mechanisms, name)
		case m.binding == "" || bindings.Data(m.binding) != nil:
			offer.Fast = append(offer.Fast, name)
		}
	}
	if offer.hasPlus() {
		offer.BindingTypes = types
	}
	return offer
}

func (o *Offer) has(name string) bool {
	return slices.Contains(o.Mechanisms, name) || slices.Contains(o.Fast, name)
}

func (o *Offer) hasPlus() bool {
	return slices.ContainsFunc(o.Mechanisms, func(name string) bool { return mechanisms[name].plus })
}

// Best returns the mechanism a client with a password should use: the strongest offered one, with channel binding if
// both sides can. PLAIN is chosen only if allowPlain, which a client that once used SCRAM with this account leaves false
// (XEP-0474 §7). It returns ErrDowngrade if the offer contradicts itself as only a tampered one does (XEP-0440 §3), and
// ErrNoMechanism if nothing fits.
func Best(offer Offer, bindings Bindings, allowPlain bool) (string, error) {
	channel, err := chooseBinding(&offer, bindings)
	if err != nil {
		return "", err
	}
	for _, name := range preference {
		usable := (!mechanisms[name].plus || channel.kind != "") && (name != Plain || allowPlain)
		if usable && slices.Contains(offer.Mechanisms, name) {
			return name, nil
		}
	}
	return "", ErrNoMechanism
}

// BestToken returns the token mechanism a client should ask a token for (XEP-0484 §3.2): one bound to this connection
// before one bound to the server's certificate before an unbound one. It returns ErrNoMechanism if nothing fits.
func BestToken(offer Offer, bindings Bindings) (string, error) {
	for _, name := range []string{TokenExporter, TokenEndPoint, TokenNone} {
		binding := mechanisms[name].binding
		if slices.Contains(offer.Fast, name) && (binding == "" || bindings.Data(binding) != nil) {
			return name, nil
		}
	}
	return "", ErrNoMechanism
}
