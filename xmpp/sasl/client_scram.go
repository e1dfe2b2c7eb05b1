package sasl

import (
	"bytes"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
)

// scramClient is RFC 5802 §5 at the client.
type scramClient struct {
	config  *ClientConfig
	hash    Hash
	channel channel
	header  []byte // gs2-header
	next    func(challenge []byte) (response []byte, done bool, err error)

	nonce     []byte
	signed    []byte // the AuthMessage so far
	keys      Keys
	signature []byte // what the server must answer
}

func newScramClient(m mechanism, config *ClientConfig) (*scramClient, error) {
	channel, err := chooseBinding(&config.Offer, config.Bindings)
	switch {
	case err != nil:
		return nil, err
	case m.plus && channel.kind == "":
		return nil, ErrNoMechanism
	case !m.plus && channel.kind != "":
		return nil, ErrDowngrade
	}
	if config.Password == "" && len(config.Keys.ClientKey) == 0 {
		return nil, ErrPassword
	}
	c := &scramClient{config: config, hash: m.hash, channel: channel, nonce: appendNonce(nil)}
	c.next = c.first
	return c, nil
}

func (c *scramClient) step(challenge []byte) (response []byte, done bool, err error) {
	return c.next(challenge)
}

// first answers the empty challenge, or begins.
func (c *scramClient) first(challenge []byte) (response []byte, done bool, err error) {
	if len(challenge) > 0 {
		return nil, false, ErrMalformedChallenge
	}
	if c.channel.kind != "" {
		c.header = append([]byte("p="), c.channel.kind...)
	} else {
		c.header = []byte{c.channel.flag}
	}
	c.header = append(c.header, ',')
	if c.config.Authzid != "" {
		c.header = append(append(c.header, "a="...), escapeName(c.config.Authzid)...)
	}
	c.header = append(c.header, ',')
	c.signed = append(make([]byte, 0, 512), "n="...)
	c.signed = append(c.signed, escapeName(c.config.Username)...)
	c.signed = append(append(c.signed, ",r="...), c.nonce...)
	c.next = c.prove
	return append(bytes.Clone(c.header), c.signed...), false, nil
}

func (c *scramClient) prove(challenge []byte) (response []byte, done bool, err error) {
	first, ok := readServerFirst(challenge)
	if !ok || len(first.nonce) <= len(c.nonce) || !bytes.HasPrefix(first.nonce, c.nonce) {
		return nil, false, ErrMalformedChallenge
	}
	if err := c.checkOffer(&first); err != nil {
		return nil, false, err
	}
	if err := c.findKeys(&first); err != nil {
		return nil, false, err
	}
	data := c.config.Bindings.Data(c.channel.kind)
	response = append([]byte("c="), encodeBinding(c.header, data)...)
	response = append(append(response, ",r="...), first.nonce...)
	c.signed = append(append(append(append(c.signed, ','), challenge...), ','), response...)

	proof := c.hash.sign(c.hash.sum(c.keys.ClientKey), c.signed)
	subtle.XORBytes(proof, proof, c.keys.ClientKey)
	c.signature = c.hash.sign(c.keys.ServerKey, c.signed)
	c.next = c.verify
	return base64.StdEncoding.AppendEncode(append(response, ",p="...), proof), false, nil
}

// checkOffer is XEP-0474 §6.2. A server without it is believed, except where only the hash could clear a suspicion.
func (c *scramClient) checkOffer(first *serverFirst) error {
	if first.digest == nil {
		if c.channel.mustProve {
			return ErrDowngrade
		}
		return nil
	}
	if string(first.digest) != c.config.Offer.digest(c.hash) {
		return ErrDowngrade
	}
	return nil
}

func (c *scramClient) findKeys(first *serverFirst) error {
	least := c.config.MinIterations
	if least == 0 {
		least = MinIterations
	}
	if first.iterations < least || first.iterations > MaxIterations {
		return fmt.Errorf("server asks for %d: %w", first.iterations, ErrIterations)
	}
	if c.config.Keys.fit(c.hash, first) {
		c.keys = c.config.Keys
		return nil
	}
	keys, err := DeriveKeys(c.hash, c.config.Password, first.salt, first.iterations)
	if err != nil {
		return err
	}
	c.keys = keys
	return nil
}

func (c *scramClient) verify(challenge []byte) (response []byte, done bool, err error) {
	signature, refusal, ok := readServerFinal(challenge)
	switch {
	case len(challenge) == 0:
		return nil, false, ErrServerUnproven
	case !ok:
		return nil, false, ErrMalformedChallenge
	case refusal != "":
		return nil, false, fail(NotAuthorized, "server says "+refusal)
	case subtle.ConstantTimeCompare(signature, c.signature) != 1:
		return nil, false, ErrServerUnproven
	}
	return []byte{}, true, nil
}
