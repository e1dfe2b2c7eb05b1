package qr

import (
	"encoding/base64"
	"strings"
)

const (
	promiseHead = "PALABREPAY0:"
	maxIntent   = 2 << 10
)

// Promise is a payment that a device has signed without network, as another device reads it. Whether the intent is one, and the signature right, is for
// payments/intent to say.
type Promise struct {
	// Intent is the text that was signed, at most 2 KiB.
	Intent string
	// Signature is ES256: r and s, 64 bytes.
	Signature []byte
	// Key is the public point of the key that signed (65 bytes, uncompressed), nil if the code does not have it.
	Key []byte
}

// base64url is the one way to write bytes: no padding, no bits left over.
var base64url = base64.RawURLEncoding.Strict()

// NewPromise makes the code of a promise. It returns a *Fault for what cannot stand in one.
func NewPromise(intent string, signature, key []byte) (*Promise, error) {
	return parsePromise((&Promise{Intent: intent, Signature: signature, Key: key}).Text())
}

func parsePromise(text string) (*Promise, error) {
	parts := strings.Split(strings.TrimPrefix(text, promiseHead), ".")
	if len(parts) < 2 || len(parts) > 3 {
		return nil, fault(Broken, "promise")
	}
	var decoded [3][]byte
	for i, part := range parts {
		data, err := base64url.DecodeString(part)
		if err != nil || strings.ContainsAny(part, "\r\n") {
			return nil, fault(Broken, "promise")
		}
		decoded[i] = data
	}
	p := &Promise{Intent: string(decoded[0]), Signature: decoded[1], Key: decoded[2]}
	switch {
	case p.Intent == "":
		return nil, fault(Missing, "intent")
	case len(p.Intent) > maxIntent:
		return nil, fault(TooLong, "intent")
	case len(p.Signature) != 64:
		return nil, fault(Value, "signature")
	case len(parts) == 3 && (len(p.Key) != 65 || p.Key[0] != 4):
		return nil, fault(Value, "key")
	}
	return p, nil
}

// Format is PromiseCode.
func (p *Promise) Format() Format { return PromiseCode }

// Text is the code.
func (p *Promise) Text() string {
	text := promiseHead + base64url.EncodeToString([]byte(p.Intent)) + "." + base64url.EncodeToString(p.Signature)
	if p.Key != nil {
		text += "." + base64url.EncodeToString(p.Key)
	}
	return text
}

// Order is empty.
func (p *Promise) Order() Order { return Order{} }
