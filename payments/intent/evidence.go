package intent

import (
	"encoding/base64"
	"strings"
)

// Evidence is a text with what proves who has signed it, as it is kept beside what was done: anybody can check it later, without the service and its keys.
type Evidence struct {
	Text string
	// Public is the point of the key that has signed, Signature what Verify or Passkey.Verify checks.
	Public, Signature []byte
	// Authenticator and Client are of a passkey, empty otherwise.
	Authenticator, Client []byte
}

// EvidenceMark begins what stands after the text.
const EvidenceMark = "signature="

// fields are the lines after the text, in their order.
func (e *Evidence) fields() []struct {
	name  string
	value *[]byte
} {
	return []struct {
		name  string
		value *[]byte
	}{{EvidenceMark, &e.Signature}, {"public=", &e.Public}, {"authenticator=", &e.Authenticator}, {"client=", &e.Client}}
}

// Bytes writes it: the text, then a line for each part that is there, in base64url.
func (e Evidence) Bytes() []byte {
	b := []byte(e.Text)
	for _, f := range e.fields() {
		if len(*f.value) > 0 {
			b = append(append(b, f.name...), base64.RawURLEncoding.EncodeToString(*f.value)...)
			b = append(b, '\n')
		}
	}
	return b
}

// ReadEvidence reads what Bytes wrote, and checks that the key which its intent names has signed it. For whom a passkey has signed, and with which verification of the
// user, is not looked at: that was done when it was accepted. Its errors wrap ErrText, ErrKey or ErrSignature.
func ReadEvidence(data []byte) (*Intent, error) {
	text, after, found := strings.Cut(string(data), "\n"+EvidenceMark)
	if !found {
		return nil, refuse("there is no signature")
	}
	e := Evidence{Text: text + "\n"}
	rest := EvidenceMark + after
	for _, f := range e.fields() {
		line, ok := strings.CutPrefix(rest, f.name)
		if !ok {
			continue
		}
		written, more, _ := strings.Cut(line, "\n")
		value, err := base64.RawURLEncoding.Strict().DecodeString(written)
		if err != nil {
			return nil, refuse("%s is not base64url", f.name)
		}
		*f.value, rest = value, more
	}
	i, err := Parse(e.Text)
	switch {
	case err != nil:
		return nil, err
	case rest != "":
		return nil, refuse("something stands after the last line")
	case KeyID(e.Public) != i.Key:
		return nil, ErrSignature
	case len(e.Client) > 0:
		_, err = verifyAssertion(e.Public, e.Text, e.Authenticator, e.Client, e.Signature)
	default:
		err = Verify(e.Public, e.Text, e.Signature)
	}
	return i, err
}
