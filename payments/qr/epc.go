package qr

import (
	"bytes"
	"strconv"
	"strings"

	"golang.org/x/text/encoding/charmap"
)

// EPC is a code for a SEPA credit transfer (EPC069-12, versions 001 and 002).
type EPC struct {
	// Lines are those of the code, in UTF-8 whatever its character set: BCD, version, character set, SCT, BIC, name, IBAN, amount, purpose, reference,
	// text, note. What follows the seventh may be missing.
	Lines []string
	// Break is what ends a line: LF or CR LF.
	Break string
}

// Places of lines.
const (
	epcVersion = 1 + iota
	epcCharset
	epcKind
	epcBIC
	epcName
	epcIBAN
	epcAmount
	epcPurpose
	epcReference
	epcText
	epcNote
	epcLines
)

const maxEPC = 331 // bytes, EPC069-12 §2

// charsets are those of the third line, by its digit less 2; 1 is UTF-8.
var charsets = [...]*charmap.Charmap{charmap.ISO8859_1, charmap.ISO8859_2, charmap.ISO8859_4, charmap.ISO8859_5, charmap.ISO8859_7, charmap.ISO8859_10,
	charmap.ISO8859_15}

// Transfer is what a SEPA code says.
type Transfer struct {
	// BIC may be empty.
	BIC string
	// Name of the payee, at most 70 characters; IBAN without spaces.
	Name, IBAN string
	// Amount is a decimal number of EUR from 0.01 to 999999999.99, empty if the payer says how much.
	Amount string
	// Purpose is up to four letters; Reference (at most 35 characters) and About (at most 140) exclude each other; Note (at most 70) is for the payer.
	Purpose, Reference, About, Note string
}

// NewEPC makes a code of version 002 in UTF-8. It returns a *Fault for what cannot stand in one.
func NewEPC(t Transfer) (*EPC, error) {
	amount := t.Amount
	if amount != "" {
		amount = "EUR" + amount
	}
	e := &EPC{Break: "\n", Lines: []string{"BCD", "002", "1", "SCT", t.BIC, t.Name, t.IBAN, amount, t.Purpose, t.Reference, t.About, t.Note}}
	for len(e.Lines) > epcIBAN+1 && e.Lines[len(e.Lines)-1] == "" {
		e.Lines = e.Lines[:len(e.Lines)-1]
	}
	return parseEPC(e.Text())
}

// decodeEPC turns bytes into text: those of a SEPA code by the character set that it names, all others as UTF-8.
func decodeEPC(data []byte) (string, error) {
	set := charsetOf(data)
	if set == nil {
		return string(data), nil
	}
	if len(data) > maxEPC {
		return "", fault(TooLong, "code")
	}
	text, err := set.NewDecoder().Bytes(data)
	if err != nil || bytes.ContainsRune(text, '�') {
		return "", fault(Broken, "code")
	}
	return string(text), nil
}

// charsetOf is the character set of a SEPA code's bytes, nil for UTF-8 and what is none.
func charsetOf(data []byte) *charmap.Charmap {
	lines := bytes.SplitN(data, []byte("\n"), 4)
	if len(lines) < 4 || string(bytes.TrimSuffix(lines[0], []byte("\r"))) != "BCD" {
		return nil
	}
	digit := bytes.TrimSuffix(lines[2], []byte("\r"))
	if len(digit) != 1 || digit[0] < '2' || digit[0] > '8' {
		return nil
	}
	return charsets[digit[0]-'2']
}

func parseEPC(text string) (*EPC, error) {
	e := &EPC{Break: "\n"}
	if strings.HasPrefix(text, "BCD\r\n") {
		e.Break = "\r\n"
	}
	e.Lines = strings.Split(text, e.Break)
	if len(e.Lines) > epcLines+1 || len(e.Lines) == epcLines+1 && e.Lines[epcLines] != "" {
		return nil, fault(TooLong, "code")
	}
	if err := e.check(); err != nil {
		return nil, err
	}
	data, err := e.encode()
	if err != nil {
		return nil, err
	}
	if len(data) > maxEPC {
		return nil, fault(TooLong, "code")
	}
	return e, nil
}

func (e *EPC) line(at int) string {
	if at < len(e.Lines) {
		return e.Lines[at]
	}
	return ""
}

func (e *EPC) check() error {
	for i, line := range e.Lines {
		if !plain(line) {
			return fault(Broken, strconv.Itoa(i+1))
		}
	}
	version, charset, bic := e.line(epcVersion), e.line(epcCharset), e.line(epcBIC)
	switch {
	case version != "001" && version != "002":
		return fault(Value, "version")
	case len(charset) != 1 || charset < "1" || charset > "8":
		return fault(Value, "charset")
	case e.line(epcKind) != "SCT":
		return fault(Value, "kind")
	case bic == "" && version == "001":
		return fault(Missing, "bic")
	case bic != "" && !isBIC(bic):
		return fault(Value, "bic")
	case e.line(epcName) == "":
		return fault(Missing, "name")
	case e.line(epcIBAN) == "":
		return fault(Missing, "iban")
	case !isIBAN(e.line(epcIBAN)):
		return fault(Checksum, "iban")
	}
	return e.checkRest()
}

func (e *EPC) checkRest() error {
	reference, text := e.line(epcReference), e.line(epcText)
	limits := []struct{ at, most int }{{epcName, 70}, {epcPurpose, 4}, {epcReference, 35}, {epcText, 140}, {epcNote, 70}}
	for _, l := range limits {
		if length(e.line(l.at)) > l.most {
			return fault(TooLong, strconv.Itoa(l.at+1))
		}
	}
	switch {
	case e.line(epcAmount) != "" && !euros(e.line(epcAmount)):
		return fault(Value, "amount")
	case e.line(epcPurpose) != "" && !only(e.line(epcPurpose), letters+digits):
		return fault(Value, "purpose")
	case reference != "" && text != "":
		return fault(Twice, "reference")
	case strings.HasPrefix(reference, "RF") && !mod97(strings.ReplaceAll(reference, " ", "")):
		return fault(Checksum, "reference")
	}
	return nil
}

func isBIC(s string) bool {
	return (len(s) == 8 || len(s) == 11) && only(s, letters+digits) && only(s[4:6], letters)
}

func isIBAN(s string) bool {
	return len(s) >= 15 && len(s) <= 34 && only(s, letters+digits) && only(s[:2], letters) && only(s[2:4], digits) && mod97(s)
}

// mod97 checks the digits of an IBAN or a creditor reference (ISO 7064, ISO 11649): the first four characters go to the end, letters count from 10.
func mod97(s string) bool {
	if len(s) < 5 || !only(s, letters+digits) {
		return false
	}
	rest := 0
	for _, c := range []byte(s[4:] + s[:4]) {
		if c >= 'A' {
			rest = (rest*100 + int(c-'A') + 10) % 97
		} else {
			rest = (rest*10 + int(c-'0')) % 97
		}
	}
	return rest == 1
}

// euros reports whether an amount is from 0.01 to 999999999.99, with a point and at most two digits.
func euros(s string) bool {
	number, ok := strings.CutPrefix(s, "EUR")
	_, fraction, _ := strings.Cut(number, ".")
	if !ok || len(number) > 12 || len(fraction) > 2 {
		return false
	}
	cents, err := Minor(number, 2)
	return err == nil && cents >= 1 && cents <= 99999999999
}

func (e *EPC) encode() ([]byte, error) {
	text := []byte(e.Text())
	set := charsetOf(text)
	if set == nil {
		return text, nil
	}
	data, err := set.NewEncoder().Bytes(text)
	if err != nil {
		return nil, fault(Value, "charset")
	}
	return data, nil
}

// Format is SEPA.
func (e *EPC) Format() Format { return SEPA }

// Text is the code in UTF-8, whatever character set it names; Bytes is it in that one.
func (e *EPC) Text() string { return strings.Join(e.Lines, e.Break) }

// Order says what the code asks for.
func (e *EPC) Order() Order {
	reference, about := e.line(epcReference), e.line(epcText)
	if about == "" {
		about = e.line(epcNote)
	}
	return Order{Address: e.line(epcIBAN), Name: e.line(epcName), Amount: strings.TrimPrefix(e.line(epcAmount), "EUR"), Unit: "EUR", Reference: reference, About: about}
}
