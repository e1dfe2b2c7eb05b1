// Package qr reads and writes what stands in the QR codes that people pay with: EMVCo's merchant-presented mode (EMV QRCPS MPM v1.1), and on top of it
// Pix (BR Code of the Banco Central do Brasil) and our own wallets; UPI links (NPCI linking specification 1.6); SEPA credit transfers (EPC069-12);
// what a customer shows (EMV QRCPS CPM 1.1, of it our own application alone); and the promise of a payment without network (docs/protocol/payments.md). It is a library for
// programs of merchants and customers, and the twin of the web client's reader: both are tested with the same vectors.
// What is read and written again is the same text. A reader refuses what the specification does not allow: a code on a counter can be anybody's sticker.
// Left out: drawing the squares, looking up what a code points to (Pix dynamic codes, signed UPI links), and the meaning of an intent.
package qr

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// MaxSize is how many bytes a code may have: what the largest QR code holds (version 40, level L).
const MaxSize = 2953

// Format names what a code is.
type Format string

// The formats.
const (
	EMVCo        Format = "emvco"    // merchant-presented mode of a network that is not one of the next two
	Pix          Format = "pix"      // BR Code
	Wallet       Format = "palabre"  // merchant-presented mode that names one of our wallets
	UPILink      Format = "upi"      // upi://pay
	SEPA         Format = "epc"      // EPC069-12
	PromiseCode  Format = "promise"  // PALABREPAY0:
	CustomerCode Format = "customer" // customer-presented mode that names one of our accounts
)

// Code is one code that was read: an *EMV, *UPI, *EPC, *Promise or *Customer.
type Code interface {
	// Format says which it is.
	Format() Format
	// Text is the code as text, to be drawn or sent; Parse of it gives the same again.
	Text() string
	// Order says what the code asks for, as far as it says so itself. Of a promise it is empty: that is in its intent. So is that of a customer's code, which asks for nothing.
	Order() Order
}

// Order is what a code asks for.
type Order struct {
	// Address is where the money goes: a bare address, a Pix key or the address of a Pix charge, a virtual payment address, an IBAN. It is empty for
	// networks that are not known here.
	Address string
	// Name is what the payee is called by whoever made the code; nobody has checked it.
	Name, City string
	// Amount is a decimal number as it stands in the code ("98.73"), empty if the payer says how much. Minor turns it into minor units.
	Amount string
	// Unit is the ISO 4217 code ("MAD") or a unit of an operator; empty if the currency's number is not known here.
	Unit string
	// Reference is for machines (a request's id, a txid), About for people.
	Reference, About string
	// Once says that the code is for one payment (dynamic).
	Once bool
	// Tip says what the payer is asked for besides.
	Tip Tip
}

// Tip is what comes on top of the amount (EMV QRCPS MPM §4.7, objects 55 to 57). The zero Tip is none.
type Tip struct {
	// Ask says that the payer is asked for a tip.
	Ask bool
	// Fixed is a fee in the code's unit as a decimal number, Percent one as a percentage; at most one of them is there.
	Fixed, Percent string
}

// Reason says why a code was refused, in one word that all readers share (testdata/vectors.json).
type Reason string

// The reasons.
const (
	Unknown  Reason = "unknown"  // it is none of the formats
	TooLong  Reason = "too-long" // it, or a part of it, is longer than may be
	Broken   Reason = "broken"   // it does not have the form of its format
	Checksum Reason = "checksum" // its check digits are wrong
	Missing  Reason = "missing"  // something is not there that must be
	Twice    Reason = "twice"    // something is there twice
	Value    Reason = "value"    // a value is not one that may stand there
)

// Fault is why a code is refused.
type Fault struct {
	Reason Reason
	// Where is the object, parameter or line.
	Where string
}

// Error tells it in words.
func (f *Fault) Error() string { return fmt.Sprintf("QR code: %s: %s", f.Where, f.Reason) }

func fault(reason Reason, where string) error { return &Fault{Reason: reason, Where: where} }

// ReasonOf is the reason in an error of this package, "" for another error.
func ReasonOf(err error) Reason {
	if f, ok := errors.AsType[*Fault](err); ok {
		return f.Reason
	}
	return ""
}

// Parse reads the text of a code, as a scanner gives it. It returns a *Fault for what is none, or not a correct one.
func Parse(text string) (Code, error) {
	switch {
	case len(text) > MaxSize:
		return nil, fault(TooLong, "code")
	case !utf8.ValidString(text):
		return nil, fault(Broken, "code")
	case strings.HasPrefix(text, "000201"):
		return parseEMV(text)
	case len(text) >= len(upiHead) && strings.EqualFold(text[:len(upiHead)], upiHead):
		return parseUPI(text)
	case strings.HasPrefix(text, "BCD\n"), strings.HasPrefix(text, "BCD\r\n"):
		return parseEPC(text)
	case strings.HasPrefix(text, promiseHead):
		return parsePromise(text)
	case strings.HasPrefix(text, customerHead):
		return parseCustomer(text)
	}
	return nil, fault(Unknown, "code")
}

// ParseBytes reads the bytes of a code. It is Parse, but for SEPA codes in another character set than UTF-8, which say in the third line which.
func ParseBytes(data []byte) (Code, error) {
	if len(data) > MaxSize {
		return nil, fault(TooLong, "code")
	}
	text, err := decodeEPC(data)
	if err != nil {
		return nil, err
	}
	return Parse(text)
}

// Bytes is a code as it stands in the squares.
func Bytes(c Code) ([]byte, error) {
	if e, ok := c.(*EPC); ok {
		return e.encode()
	}
	return []byte(c.Text()), nil
}

// plain reports whether a text has no control characters.
func plain(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

func only(s, set string) bool { return s != "" && strings.Trim(s, set) == "" }

const (
	digits  = "0123456789"
	letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
)
