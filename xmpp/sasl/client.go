package sasl

import (
	"errors"
	"fmt"
	"slices"
)

// The reasons for which a client ends an exchange by itself (<abort/>, RFC 6120 §6.4.4), whatever the server says.
var (
	// ErrNoMechanism means that the offer holds nothing that the client may use.
	ErrNoMechanism = errors.New("sasl: no usable mechanism")
	// ErrDowngrade means that the offer was changed on its way, so somebody is in the middle (XEP-0440 §3, XEP-0474 §6.2).
	ErrDowngrade = errors.New("sasl: the offer was tampered with")
	// ErrServerUnproven means that the server did not prove that it knows the account: do not trust it.
	ErrServerUnproven = errors.New("sasl: the server did not prove itself")
	// ErrMalformedChallenge means that the server sent what the mechanism does not allow, or at the wrong time.
	ErrMalformedChallenge = errors.New("sasl: malformed challenge")
)

// ClientConfig is what the client's side of one exchange needs.
type ClientConfig struct {
	// Username is the localpart of the account's address, prepared as addresses are (RFC 7622 §3.3), for which SASLprep
	// changes nothing. At most 1023 bytes.
	Username string
	// Authzid is the identity to act as, empty for the account itself.
	Authzid string
	// Password is prepared by SCRAM as RFC 5802 §2.2 says; PLAIN sends it prepared, too. SCRAM needs it unless Keys fit.
	Password string
	// Keys are from an earlier exchange with this password (Client.Keys); they save the key derivation if hash, salt and
	// iterations are still the same.
	Keys Keys
	// Token is the FAST token, for token mechanisms (XEP-0484 §3.4).
	Token []byte
	// Offer is exactly what the server advertised.
	Offer Offer
	// Bindings are those of this connection; zero for a client without channel binding.
	Bindings Bindings
	// MinIterations is the least to accept from a server; 0 means the constant MinIterations. A lower count makes it cheaper
	// for one who poses as the server to guess the password.
	MinIterations int
}

// Client is the client's side of one exchange. It is for one goroutine.
type Client struct {
	exchange clientExchange
	ended    bool
	done     bool
}

// clientExchange is one mechanism. Its step is called until it is done or fails; the first time with nil.
type clientExchange interface {
	step(challenge []byte) (response []byte, done bool, err error)
}

// NewClient begins an exchange. It fails with ErrNoMechanism for a mechanism that is unknown or not in the offer, or that
// lacks its channel binding; with ErrDowngrade if the offer contradicts itself, or a mechanism without -PLUS is asked for
// although both sides can bind; with ErrPassword; and with an error of its own for an unusable user name or no token.
func NewClient(name string, config ClientConfig) (*Client, error) {
	m, known := mechanisms[name]
	if !known || !config.Offer.has(name) {
		return nil, fmt.Errorf("%w: %s is not offered", ErrNoMechanism, name)
	}
	if !plainName([]byte(config.Username), 1) || !plainName([]byte(config.Authzid), 0) {
		return nil, errors.New("sasl: unusable user name or authorization identity")
	}
	exchange, err := newClientExchange(m, &config)
	if err != nil {
		return nil, fmt.Errorf("begin %s: %w", name, err)
	}
	return &Client{exchange: exchange}, nil
}

func newClientExchange(m mechanism, config *ClientConfig) (clientExchange, error) {
	switch m.family {
	case scram:
		return newScramClient(m, config)
	case token:
		return newTokenClient(m, config)
	default:
		return newPlainClient(config)
	}
}

// Step takes a challenge, nil at first, and returns the response; the first is the initial response. The additional data of
// a success goes through Finish. Done means that both sides have proved themselves; a response that comes with it is
// empty, and is sent only if the data came as a challenge. The errors are ErrMalformedChallenge, ErrDowngrade,
// ErrServerUnproven, ErrIterations, ErrPassword and, for a refusal inside SCRAM, one with the Condition NotAuthorized.
func (c *Client) Step(challenge []byte) (response []byte, done bool, err error) {
	if c.ended || len(challenge) > MaxMessage {
		c.ended = true
		return nil, false, ErrMalformedChallenge
	}
	response, done, err = c.exchange.step(challenge)
	if err != nil {
		c.ended = true
		return nil, false, err
	}
	c.ended, c.done = done, done
	return response, done, nil
}

// Finish takes the additional data of the server's success, nil if it had none. It returns nil only if the server has
// proved itself, as far as the mechanism lets it; otherwise one of the errors of Step.
func (c *Client) Finish(success []byte) error {
	if c.done && len(success) == 0 {
		return nil
	}
	if success == nil {
		success = []byte{}
	}
	_, done, err := c.Step(success)
	if err == nil && !done {
		c.ended = true
		return ErrServerUnproven
	}
	return err
}

// Keys returns what a SCRAM exchange computed or was given, to keep for the next one; ok is false before it needed any, and
// for other mechanisms. Keep them only after Finish returned nil.
func (c *Client) Keys() (keys Keys, ok bool) {
	exchange, isScram := c.exchange.(*scramClient)
	if !isScram || exchange.keys.ClientKey == nil {
		return Keys{}, false
	}
	return exchange.keys, true
}

// fit reports whether the keys answer this challenge.
func (k *Keys) fit(hash Hash, first *serverFirst) bool {
	return len(k.ClientKey) > 0 && k.Hash == hash && k.Iterations == first.iterations && slices.Equal(k.Salt, first.salt)
}
