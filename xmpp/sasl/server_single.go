package sasl

import (
	"bytes"
	"crypto/subtle"
)

// plainServer is RFC 4616 against a salted credential. It costs one key derivation, for accounts that exist and for those
// that do not; an account without a SHA-256 credential can be told apart by the time that its own hash takes.
type plainServer struct {
	config *ServerConfig
	who    identity
}

func (s *plainServer) claimed() identity { return s.who }

func (s *plainServer) step(message []byte) (challenge []byte, done bool, err error) {
	parts := bytes.Split(message, []byte{0})
	if len(parts) != 3 || !plainName(parts[0], 0) || !plainName(parts[1], 1) || !plainName(parts[2], 1) {
		return nil, false, fail(MalformedRequest, "not a PLAIN message")
	}
	name, known := s.config.prepare(string(parts[1]))
	s.who = identity{username: name, authzid: string(parts[0])}
	credential, real, err := s.config.credential(name, known, SHA256, true)
	if err != nil {
		return nil, false, err
	}
	if !credential.Matches(string(parts[2])) || !real {
		return nil, false, fail(NotAuthorized, "wrong password or no such account")
	}
	return nil, true, nil
}

func plainName(name []byte, least int) bool {
	return len(name) >= least && len(name) <= maxName && isText(name)
}

// tokenServer is draft-schmaus-kitten-sasl-ht-09 §3.
type tokenServer struct {
	config    *ServerConfig
	mechanism mechanism
	name      string
	who       identity
}

func (s *tokenServer) claimed() identity { return s.who }

func (s *tokenServer) step(message []byte) (challenge []byte, done bool, err error) {
	username, proof, found := bytes.Cut(message, []byte{0})
	hash := s.mechanism.hash
	if !found || !plainName(username, 1) || len(proof) != hash.size() {
		return nil, false, fail(MalformedRequest, "not a hashed token message")
	}
	name, known := s.config.prepare(string(username))
	s.who = identity{username: name}
	var tokens [][]byte
	if known {
		if tokens, err = s.config.Tokens(name, s.name); err != nil {
			return nil, false, failWith(err, "look up tokens of "+name)
		}
	}
	data := s.config.Bindings.Data(s.mechanism.binding)
	for i, secret := range tokens[:min(len(tokens), maxTokens)] {
		if len(secret) > 0 && subtle.ConstantTimeCompare(proof, initiatorToken(hash, secret, data)) == 1 {
			s.who.token = i
			return responderToken(hash, secret, data), true, nil
		}
	}
	return nil, false, fail(NotAuthorized, "no such token")
}

func initiatorToken(hash Hash, secret, data []byte) []byte {
	return hash.hmac(secret, "Initiator", string(data))
}

func responderToken(hash Hash, secret, data []byte) []byte {
	return hash.hmac(secret, "Responder", string(data))
}
