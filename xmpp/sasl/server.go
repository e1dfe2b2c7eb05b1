package sasl

import (
	"errors"
	"fmt"
)

// maxTokens bounds the tokens of one client that are tried: the current one, its predecessor and some in between.
const maxTokens = 8

// ErrUnknownUser is what ServerConfig.Lookup returns for an account that does not exist. The exchange goes on with invented
// credentials and ends with NotAuthorized.
var ErrUnknownUser = errors.New("sasl: unknown user")

// ServerConfig is what the server's side of one exchange needs.
type ServerConfig struct {
	// Offer is exactly what was advertised on this connection; only mechanisms in it are accepted.
	Offer Offer
	// Bindings are those of this connection.
	Bindings Bindings
	// Encrypted says that the connection is under TLS; PLAIN and tokens are refused without.
	Encrypted bool
	// Secret makes invented credentials: at least 16 bytes, the same at every node and after every restart.
	Secret []byte
	// Iterations is the count that new credentials get, and so the one to invent; 0 means DefaultIterations.
	Iterations int
	// Prepare turns the name that a client gives into the account's canonical name, such as RFC 7622 §3.3 does for the
	// localpart of an address. A name that it refuses belongs to no account. If it is nil, names are taken as they come.
	Prepare func(username string) (string, error)
	// Lookup returns the credentials of an account, one for each hash, or ErrUnknownUser. Any other error ends the
	// exchange: with the Condition that it carries, else with TemporaryAuthFailure. SCRAM and PLAIN need it.
	Lookup func(username string) ([]Credential, error)
	// Tokens returns the tokens with which this client may use the mechanism (XEP-0484 §3.4), newest first, at most 8; none
	// if there are none or the account is unknown. Errors are as for Lookup. Token mechanisms need it.
	Tokens func(username, mechanism string) ([][]byte, error)
	// Authorize is asked once, after the client has proved to be username: may it act as authzid (empty: as itself), and
	// is the account open? It returns nil, InvalidAuthzid, AccountDisabled or another Condition. If it is nil, any authzid
	// is refused.
	Authorize func(username, authzid string) error
}

// Server is the server's side of one exchange. It is for one goroutine.
type Server struct {
	exchange serverExchange
	config   *ServerConfig
	begun    bool
	ended    bool
	proven   bool
	result   identity
}

// identity is what a client claims, and with which of its tokens it proved it.
type identity struct {
	username string
	authzid  string
	token    int
}

// serverExchange is one mechanism. Its step is called with a message within the size limit, until it is done or fails.
type serverExchange interface {
	step(message []byte) (challenge []byte, done bool, err error)
	claimed() identity
}

// NewServer begins an exchange with the mechanism that the client chose. It fails with InvalidMechanism for one that is not
// in the offer, with EncryptionRequired for PLAIN and tokens without TLS, and with an error without Condition if the
// configuration lacks what the mechanism needs. The configuration must not change before the exchange ends.
func NewServer(name string, config *ServerConfig) (*Server, error) {
	m, known := mechanisms[name]
	if !known || !config.Offer.has(name) {
		return nil, fail(InvalidMechanism, "not offered")
	}
	if m.family != scram && !config.Encrypted {
		return nil, fail(EncryptionRequired, name+" without TLS")
	}
	if err := config.check(m); err != nil {
		return nil, fmt.Errorf("sasl: begin %s: %w", name, err)
	}
	s := &Server{config: config}
	switch m.family {
	case scram:
		s.exchange = &scramServer{config: config, mechanism: m, nonce: appendNonce(nil)}
	case token:
		s.exchange = &tokenServer{config: config, mechanism: m, name: name}
	default:
		s.exchange = &plainServer{config: config}
	}
	return s, nil
}

func (c *ServerConfig) check(m mechanism) error {
	switch {
	case m.family == token && c.Tokens == nil:
		return errors.New("no token lookup")
	case m.family == token && m.binding != "" && c.Bindings.Data(m.binding) == nil:
		return errors.New("no channel binding")
	case m.family == token:
		return nil
	case c.Lookup == nil:
		return errors.New("no credential lookup")
	case len(c.Secret) < 16:
		return errors.New("secret shorter than 16 bytes")
	}
	return nil
}

// Step takes what the client sent and returns what to send: a challenge, or with done the additional data of the success
// (RFC 6120 §6.4.6), which may be empty. A nil response is a request without initial response (RFC 4422 §5), answered by
// an empty challenge; an empty one ("=" on the wire) is a message. After an error, a Condition for the wire, or done, every
// further step fails with MalformedRequest and changes nothing.
func (s *Server) Step(response []byte) (challenge []byte, done bool, err error) {
	switch {
	case s.ended:
		return nil, false, fail(MalformedRequest, "step after the end")
	case len(response) > MaxMessage:
		s.ended = true
		return nil, false, fail(MalformedRequest, "message too long")
	case response == nil && !s.begun:
		s.begun = true
		return []byte{}, false, nil
	}
	s.begun = true
	challenge, done, err = s.exchange.step(response)
	s.result = s.exchange.claimed()
	if done && err == nil {
		err = s.config.authorize(s.result)
	}
	if err != nil {
		s.ended = true
		return nil, false, err
	}
	s.ended, s.proven = done, done
	return challenge, done, nil
}

func (c *ServerConfig) authorize(who identity) error {
	if c.Authorize == nil {
		if who.authzid == "" {
			return nil
		}
		return fail(InvalidAuthzid, "acting as another is not supported")
	}
	if err := c.Authorize(who.username, who.authzid); err != nil {
		return failWith(err, "authorize "+who.username)
	}
	return nil
}

// Username returns the name of the account that the client has proved to own, as Prepare gave it; empty before Step has
// reported done.
func (s *Server) Username() string {
	if !s.proven {
		return ""
	}
	return s.result.username
}

// Authzid returns the identity that the client asked to act as, which Authorize accepted; empty if it asked for none, and
// before Step has reported done.
func (s *Server) Authzid() string {
	if !s.proven {
		return ""
	}
	return s.result.authzid
}

// Claimed returns the name that the client claims, proven or not, empty before it did: for limits on attempts.
func (s *Server) Claimed() string { return s.result.username }

// Token returns the index, in what ServerConfig.Tokens returned, of the token that the client used. It means something
// only after a token mechanism is done.
func (s *Server) Token() int { return s.result.token }

// prepare returns the canonical name, or the name itself with known = false.
func (c *ServerConfig) prepare(username string) (name string, known bool) {
	if c.Prepare == nil {
		return username, true
	}
	name, err := c.Prepare(username)
	if err != nil {
		return username, false
	}
	return name, true
}

// credential returns the account's credential for the hash or, if any will do and that one is missing, its first. For an
// account without, it invents one and says so.
func (c *ServerConfig) credential(username string, known bool, hash Hash, anyHash bool) (found Credential, real bool, err error) {
	var credentials []Credential
	if known {
		credentials, err = c.Lookup(username)
	}
	if err != nil && !errors.Is(err, ErrUnknownUser) {
		return Credential{}, false, failWith(err, "look up "+username)
	}
	for _, candidate := range credentials {
		if candidate.Hash == hash {
			return candidate, true, nil
		}
	}
	if anyHash && len(credentials) > 0 {
		return credentials[0], true, nil
	}
	iterations := c.Iterations
	if iterations == 0 {
		iterations = DefaultIterations
	}
	return inventCredential(hash, c.Secret, username, iterations), false, nil
}
