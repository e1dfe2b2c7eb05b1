package sasl

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"slices"
	"strconv"
)

// nonceSize is the entropy of our nonces in bytes; 24 characters in base64.
const nonceSize = 18

// scramServer is RFC 5802 §5 at the server: two messages in, two out, HMACs only.
type scramServer struct {
	config    *ServerConfig
	mechanism mechanism

	challenged bool
	who        identity
	credential Credential
	real       bool   // the account exists
	binding    []byte // what "c=" must be
	nonce      []byte // our part of it, then the whole
	signed     []byte // the AuthMessage so far
}

func (s *scramServer) claimed() identity { return s.who }

func (s *scramServer) step(message []byte) (challenge []byte, done bool, err error) {
	if !s.challenged {
		s.challenged = true
		challenge, err = s.challenge(message)
		return challenge, false, err
	}
	challenge, err = s.verify(message)
	return challenge, err == nil, err
}

func (s *scramServer) challenge(message []byte) ([]byte, error) {
	first, ok := readClientFirst(message)
	if !ok {
		return nil, fail(MalformedRequest, "not a SCRAM client-first-message")
	}
	data, err := s.checkBinding(&first)
	if err != nil {
		return nil, err
	}
	name, known := s.config.prepare(first.username)
	s.who = identity{username: name, authzid: first.authzid}
	s.credential, s.real, err = s.config.credential(name, known, s.mechanism.hash, false)
	if err != nil {
		return nil, err
	}
	s.binding = encodeBinding(first.header, data)
	s.nonce = slices.Concat(first.nonce, s.nonce)

	s.signed = append(make([]byte, 0, 512), first.bare...)
	s.signed = append(s.signed, ',')
	start := len(s.signed)
	s.appendChallenge()
	return s.signed[start:len(s.signed):len(s.signed)], nil
}

func (s *scramServer) appendChallenge() {
	b := append(append(s.signed, "r="...), s.nonce...)
	b = base64.StdEncoding.AppendEncode(append(b, ",s="...), s.credential.Salt)
	b = strconv.AppendInt(append(b, ",i="...), int64(s.credential.Iterations), 10)
	if len(s.config.Offer.Mechanisms) > 0 {
		b = append(append(b, ",h="...), s.config.Offer.digest(s.mechanism.hash)...)
	}
	s.signed = b
}

// checkBinding is RFC 5802 §6: the flag must fit the mechanism and what was offered.
func (s *scramServer) checkBinding(first *clientFirst) (data []byte, err error) {
	switch {
	case s.mechanism.plus != (first.flag == 'p'):
		return nil, fail(MalformedRequest, "channel-binding flag does not fit the mechanism")
	case first.flag == 'y' && s.config.Offer.hasPlus():
		return nil, fail(NotAuthorized, "channel binding was offered but the client did not see it")
	case first.flag != 'p':
		return nil, nil
	}
	data = s.config.Bindings.Data(first.binding)
	if data == nil {
		return nil, fail(NotAuthorized, "channel-binding type not offered: "+first.binding)
	}
	return data, nil
}

func (s *scramServer) verify(message []byte) (success []byte, err error) {
	final, ok := readClientFinal(message)
	hash := s.mechanism.hash
	switch {
	case !ok || len(final.proof) != hash.size():
		return nil, fail(MalformedRequest, "not a SCRAM client-final-message")
	case subtle.ConstantTimeCompare(final.nonce, s.nonce) != 1:
		return nil, fail(NotAuthorized, "other nonce")
	case subtle.ConstantTimeCompare(final.binding, s.binding) != 1:
		return nil, fail(NotAuthorized, "other channel binding")
	}
	s.signed = append(append(s.signed, ','), final.withoutProof...)
	key := hash.sign(s.credential.StoredKey, s.signed)
	subtle.XORBytes(key, key, final.proof)
	if subtle.ConstantTimeCompare(hash.sum(key), s.credential.StoredKey) != 1 || !s.real {
		return nil, fail(NotAuthorized, "wrong proof or no such account")
	}
	signature := hash.sign(s.credential.ServerKey, s.signed)
	return base64.StdEncoding.AppendEncode([]byte("v="), signature), nil
}

func encodeBinding(header, data []byte) []byte {
	return base64.StdEncoding.AppendEncode(nil, slices.Concat(header, data))
}

func appendNonce(b []byte) []byte {
	var random [nonceSize]byte
	rand.Read(random[:])
	return base64.RawURLEncoding.AppendEncode(b, random[:])
}
