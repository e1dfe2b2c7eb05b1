package intent

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"time"
)

// State is what has become of a payment, in the words of a receipt.
type State string

// The states of a receipt.
const (
	// Done means that the money has moved.
	Done State = "done"
	// Held means that it is set aside, or that a mandate holds.
	Held State = "held"
	// Ended means that a hold or a mandate is over and nothing was moved.
	Ended State = "ended"
)

// Receipt is what was done.
type Receipt struct {
	// Service is the domain of the service that signs it, ID is that of the intent.
	Service, ID  string
	Kind         Kind
	State        State
	Payer, Payee string
	// Amount and Fee are in minor units of Unit; 0 and empty where the intent has none.
	Amount int64
	Unit   string
	Fee    int64
	Of     string
	For    string
	// Number, Time and Hash are those of the ledger's record, Time to the second.
	Number int64
	Time   time.Time
	Hash   [sha256.Size]byte
	// Intent is the SHA-256 of the intent's text.
	Intent [sha256.Size]byte
}

const receiptTitle = "palabre pay 0 receipt"

// Text writes the receipt. It returns an error that wraps ErrText for what cannot be one.
func (r *Receipt) Text() (string, error) {
	if err := r.check(); err != nil {
		return "", err
	}
	return write(receiptTitle, []field{{"service", r.Service}, {"id", r.ID}, {"kind", string(r.Kind)}, {"state", string(r.State)}, {"payer", r.Payer}, {"payee", r.Payee},
		{"amount", strconv.FormatInt(r.Amount, 10)}, {"unit", r.Unit}, {"fee", strconv.FormatInt(r.Fee, 10)}, {"of", r.Of}, {"for", r.For},
		{"number", strconv.FormatInt(r.Number, 10)}, {"time", FormatTime(r.Time)}, {"hash", hex.EncodeToString(r.Hash[:])}, {"intent", hex.EncodeToString(r.Intent[:])}})
}

// ParseReceipt reads a receipt. Its errors wrap ErrText.
func ParseReceipt(text string) (*Receipt, error) {
	v, err := read(text, receiptTitle, "service", "id", "kind", "state", "payer", "payee", "amount", "unit", "fee", "of", "for", "number", "time", "hash", "intent")
	if err != nil {
		return nil, err
	}
	r := &Receipt{Service: v[0], ID: v[1], Kind: Kind(v[2]), State: State(v[3]), Payer: v[4], Payee: v[5], Unit: v[7], Of: v[9], For: v[10]}
	if r.Amount, err = number("amount", v[6], MaxAmount, false); err != nil {
		return nil, err
	}
	if r.Fee, err = number("fee", v[8], MaxAmount, false); err != nil {
		return nil, err
	}
	if r.Number, err = number("number", v[11], 1<<62, false); err != nil {
		return nil, err
	}
	if r.Time, err = moment("time", v[12]); err != nil {
		return nil, err
	}
	if err := digest(&r.Hash, "hash", v[13]); err != nil {
		return nil, err
	}
	if err := digest(&r.Intent, "intent", v[14]); err != nil {
		return nil, err
	}
	return r, r.check()
}

func digest(to *[sha256.Size]byte, name, text string) error {
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != sha256.Size || hex.EncodeToString(b) != text {
		return refuse("%s is not a hash", name)
	}
	copy(to[:], b)
	return nil
}

func (r *Receipt) check() error {
	for _, f := range []field{{"service", r.Service}, {"payer", r.Payer}, {"payee", r.Payee}} {
		if err := address(f.name, f.value); err != nil {
			return err
		}
	}
	s, known := shapes[r.Kind]
	switch {
	case !known, r.State != Done && r.State != Held && r.State != Ended:
		return refuse("kind or state of a receipt")
	case !ValidID(r.ID), r.Of != "" && !ValidID(r.Of):
		return refuse("an id of a receipt")
	case r.Amount < 0 || r.Amount > MaxAmount || r.Fee < 0 || r.Fee > MaxAmount, (s.amount == must) != (r.Amount > 0), (s.amount == must) != ValidUnit(r.Unit), s.amount == no && (r.Unit != "" || r.Fee != 0):
		return refuse("amount, unit or fee of a receipt")
	case len(r.For) > MaxFor:
		return refuse("for has %d bytes", len(r.For))
	case r.Number < 1 || r.Number > 1<<62 || r.Time.IsZero() || !wholeSecond(r.Time):
		return refuse("number or time of a receipt")
	}
	return nil
}

// SignReceipt signs the text of a receipt with the service's key.
func SignReceipt(key ed25519.PrivateKey, text string) []byte { return ed25519.Sign(key, []byte(text)) }

// VerifyReceipt reads a receipt that key has signed. Its errors wrap ErrText or ErrSignature.
func VerifyReceipt(key ed25519.PublicKey, text string, signature []byte) (*Receipt, error) {
	if len(key) != ed25519.PublicKeySize || !ed25519.Verify(key, []byte(text), signature) {
		return nil, ErrSignature
	}
	return ParseReceipt(text)
}
