// Package sasl proves who a client is (RFC 4422), for the client door of the server and for the Go client.
//
// It knows SCRAM (RFC 5802, RFC 7677) with SHA-1, SHA-256 and SHA-512, each with and without channel binding
// (RFC 9266 tls-exporter, RFC 5929 tls-server-end-point, XEP-0440), PLAIN (RFC 4616), and the Hashed Token
// mechanisms HT-SHA-256-NONE, -ENDP and -EXPR (draft-schmaus-kitten-sasl-ht-09) that FAST (XEP-0484) uses.
// SCRAM exchanges carry the downgrade protection of XEP-0474.
//
// Callers frame the messages: this package takes and gives decoded payloads, never XML or its base64. It does no
// input or output of its own; stored credentials and tokens come from callbacks. Left out: ANONYMOUS, EXTERNAL,
// tls-unique (undefined in TLS 1.3), security layers, SCRAM extensions that must be understood ("m="), and the
// limits on attempts per account or address, which the door keeps.
package sasl

import (
	"errors"
	"fmt"
)

// MaxMessage is the size in bytes of the longest message that either side reads.
const MaxMessage = 4096

// maxName is the size in bytes of the longest user name, authorization identity or password: the limit of one part of
// an address (RFC 7622 §3.3).
const maxName = 1023

// Condition is the name of a SASL failure as the wire has it (RFC 6120 §6.5). It is an error, so that
// errors.Is(err, sasl.NotAuthorized) and a plain return from a callback both work.
type Condition string

// The conditions of RFC 6120 §6.5.
const (
	Aborted              Condition = "aborted"
	AccountDisabled      Condition = "account-disabled"
	CredentialsExpired   Condition = "credentials-expired"
	EncryptionRequired   Condition = "encryption-required"
	IncorrectEncoding    Condition = "incorrect-encoding"
	InvalidAuthzid       Condition = "invalid-authzid"
	InvalidMechanism     Condition = "invalid-mechanism"
	MalformedRequest     Condition = "malformed-request"
	MechanismTooWeak     Condition = "mechanism-too-weak"
	NotAuthorized        Condition = "not-authorized"
	TemporaryAuthFailure Condition = "temporary-auth-failure"
)

// Error returns the name of the condition.
func (c Condition) Error() string { return string(c) }

// Failure is a condition for the peer together with the reason for the operator, which stays inside.
type Failure struct {
	Condition Condition
	Reason    string
	Cause     error // Cause is what a callback returned, or nil.
}

// Error returns the condition and the reason, for the log.
func (f *Failure) Error() string {
	if f.Cause != nil {
		return fmt.Sprintf("sasl %s: %s: %v", f.Condition, f.Reason, f.Cause)
	}
	return fmt.Sprintf("sasl %s: %s", f.Condition, f.Reason)
}

// Unwrap gives errors.Is and errors.As the condition and the cause.
func (f *Failure) Unwrap() []error {
	if f.Cause != nil {
		return []error{f.Condition, f.Cause}
	}
	return []error{f.Condition}
}

// ConditionOf returns the condition to send to the peer for err: the one it carries, else TemporaryAuthFailure.
func ConditionOf(err error) Condition {
	if condition, ok := errors.AsType[Condition](err); ok {
		return condition
	}
	return TemporaryAuthFailure
}

func fail(condition Condition, reason string) error {
	return &Failure{Condition: condition, Reason: reason}
}

// failWith keeps the condition that a callback chose; any other error of a callback is a temporary failure.
func failWith(cause error, reason string) error {
	return &Failure{Condition: ConditionOf(cause), Reason: reason, Cause: cause}
}
