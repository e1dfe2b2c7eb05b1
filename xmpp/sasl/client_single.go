package sasl

import (
	"crypto/subtle"
	"errors"
)

// singleClient is a mechanism with one message from the client and, perhaps, one answer with the success.
type singleClient struct {
	message []byte
	answer  []byte // what the server must send with its success; empty if nothing
	sent    bool
}

func newPlainClient(config *ClientConfig) (*singleClient, error) {
	password, err := PreparePassword(config.Password)
	if err != nil {
		return nil, err
	}
	return &singleClient{message: []byte(config.Authzid + "\x00" + config.Username + "\x00" + password)}, nil
}

func newTokenClient(m mechanism, config *ClientConfig) (*singleClient, error) {
	data := config.Bindings.Data(m.binding)
	switch {
	case m.binding != "" && data == nil:
		return nil, ErrNoMechanism
	case len(config.Token) == 0:
		return nil, errors.New("no token")
	case config.Authzid != "":
		return nil, errors.New("tokens cannot carry an authorization identity")
	}
	message := append([]byte(config.Username), 0)
	return &singleClient{
		message: append(message, initiatorToken(m.hash, config.Token, data)...),
		answer:  responderToken(m.hash, config.Token, data),
	}, nil
}

func (c *singleClient) step(challenge []byte) (response []byte, done bool, err error) {
	switch {
	case !c.sent && len(challenge) == 0:
		c.sent = true
		return c.message, false, nil
	case !c.sent:
		return nil, false, ErrMalformedChallenge
	case subtle.ConstantTimeCompare(challenge, c.answer) != 1:
		return nil, false, ErrServerUnproven
	}
	return []byte{}, true, nil
}
