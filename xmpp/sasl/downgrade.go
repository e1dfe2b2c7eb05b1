package sasl

import (
	"encoding/base64"
	"slices"
)

// Delimiters of XEP-0474 §6.1: no XML can carry them in a name.
const (
	nameDelimiter = 0x1E
	listDelimiter = 0x1F
)

// digest returns the base64 of the hash of the offer, which the server signs and the client compares
// (XEP-0474 §6.1).
func (o *Offer) digest(hash Hash) string {
	text := appendSorted(make([]byte, 0, 256), o.Mechanisms)
	if len(o.BindingTypes) > 0 {
		text = appendSorted(append(text, listDelimiter), o.BindingTypes)
	}
	return base64.StdEncoding.EncodeToString(hash.sum(text))
}

func appendSorted(text []byte, names []string) []byte {
	for i, name := range slices.Sorted(slices.Values(names)) {
		if i > 0 {
			text = append(text, nameDelimiter)
		}
		text = append(text, name...)
	}
	return text
}
