package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"
)

// Kind says what an operation does; the numbers are stored.
type Kind int64

const (
	// Opening opens an account.
	Opening Kind = iota + 1
	// Setting changes what holds for an account: its floor and its state.
	Setting
	// Transfer moves an amount at once.
	Transfer
	// Hold sets an amount aside on the paying account, until it is captured, voided, or its time is over.
	Hold
	// Capture moves what was held, all or a part, and ends the hold.
	Capture
	// Void ends a hold; nothing is moved.
	Void
	// Expiry is a hold's end when its time is over. The ledger alone makes it.
	Expiry
	// Reversal moves back what a transfer or a capture has moved, all or a part.
	Reversal
)

var kinds = map[Kind]string{Opening: "opening", Setting: "setting", Transfer: "transfer", Hold: "hold", Capture: "capture", Void: "void", Expiry: "expiry", Reversal: "reversal"}

// String is the kind's word.
func (k Kind) String() string { return kinds[k] }

// State says what may be done with an account; the numbers are stored.
type State int64

const (
	// Open accounts pay and are paid.
	Open State = iota
	// Frozen accounts are paid, and do not pay.
	Frozen
	// Closed accounts do neither; an account is closed when nothing is on it.
	Closed
)

var states = map[State]string{Open: "open", Frozen: "frozen", Closed: "closed"}

// String is the state's word.
func (s State) String() string { return states[s] }

// Unbounded is the floor of an account that may owe any amount, as those of the world outside do.
const Unbounded = math.MinInt64

// Limits of an operation.
const (
	MaxID      = 64       // bytes of an id
	MaxName    = 256      // bytes of an account's name
	MaxAbout   = 512      // bytes
	MaxData    = 16 << 10 // bytes
	MaxAmount  = 1 << 53  // minor units; every JSON reader counts so far
	MaxLinked  = 64       // operations in one request
	MaxHolding = 62 * 24 * time.Hour
)

// ownPrefix begins the ids that the ledger gives itself.
const ownPrefix = "ledger:"

// Operation is one thing to do. Which fields it has depends on Kind; the others are empty.
type Operation struct {
	// ID is chosen by the caller: 1 to 64 visible ASCII characters, never used for anything else.
	ID   string
	Kind Kind
	// From is the account that pays (is debited): of a Transfer and a Hold. It is the account that an Opening or a Setting is about.
	From string
	// To is the account that is paid (is credited): of a Transfer and a Hold.
	To string
	// Amount is in minor units, 1 to MaxAmount: of a Transfer, Hold, Capture and Reversal.
	Amount int64
	// Unit is the code of what is moved: of an Opening, Transfer and Hold. Both accounts must be in it.
	Unit string
	// Of is the id of the Hold that a Capture or Void ends, or of the Transfer or Capture that a Reversal takes back.
	Of string
	// Expires is when a Hold ends by itself, at most 62 days ahead, to the microsecond.
	Expires time.Time
	// Floor and State are of an Opening and a Setting.
	Floor int64
	State State
	// About says what it is for, in at most 512 bytes of UTF-8 without NUL; Data is whatever belongs to it, a signed intent for one, in at most 16 KiB.
	About string
	Data  []byte
}

// ErrMalformed means that an operation cannot be one: nothing was looked up and nothing is kept.
var ErrMalformed = errors.New("malformed operation")

func malformed(o *Operation, what string) error {
	return fmt.Errorf("%w %.64q: %s", ErrMalformed, o.ID, what)
}

func visible(text string, most int) bool {
	if text == "" || len(text) > most {
		return false
	}
	for i := range len(text) {
		if text[i] < '!' || text[i] > '~' {
			return false
		}
	}
	return true
}

// check refuses what no operation can be. own says that the ledger asks for it itself.
func (o *Operation) check(own bool) error {
	switch {
	case !visible(o.ID, MaxID):
		return malformed(o, "an id is 1 to 64 visible characters of ASCII")
	case strings.HasPrefix(o.ID, ownPrefix) != own:
		return malformed(o, "ids that begin with "+ownPrefix+" are the ledger's own")
	case len(o.About) > MaxAbout || len(o.Data) > MaxData:
		return malformed(o, "about has at most 512 bytes, data 16 KiB")
	case !utf8.ValidString(o.About) || strings.ContainsRune(o.About, 0): // a database that does not keep it would fail with the whole batch
		return malformed(o, "about is UTF-8 without NUL")
	case (o.Kind == Expiry) != own || o.Kind < Opening || o.Kind > Reversal:
		return malformed(o, "no such kind")
	}
	is := func(kinds ...Kind) bool {
		for _, kind := range kinds {
			if o.Kind == kind {
				return true
			}
		}
		return false
	}
	switch {
	case is(Opening, Setting, Transfer, Hold) != (o.From != "") || o.From != "" && !visible(o.From, MaxName):
		return malformed(o, "from: the name of an account is 1 to 256 visible characters of ASCII")
	case is(Transfer, Hold) != (o.To != "") || o.To != "" && !visible(o.To, MaxName) || is(Transfer, Hold) && o.To == o.From:
		return malformed(o, "to: another account than from")
	case is(Transfer, Hold, Capture, Reversal) != (o.Amount != 0) || o.Amount < 0 || o.Amount > MaxAmount:
		return malformed(o, "amount: 1 to 2^53 minor units")
	case is(Opening, Transfer, Hold) != (o.Unit != ""):
		return malformed(o, "unit: of an opening, a transfer or a hold")
	case is(Capture, Void, Expiry, Reversal) != (o.Of != "") || o.Of != "" && !visible(o.Of, MaxID):
		return malformed(o, "of: the id of a hold, transfer or capture")
	case is(Hold) != !o.Expires.IsZero() || !o.Expires.IsZero() && o.Expires.UnixMicro() <= 0:
		return malformed(o, "expires: of a hold")
	case !is(Opening, Setting) && (o.Floor != 0 || o.State != Open) || o.State < Open || o.State > Closed || o.Floor > MaxAmount || o.Floor != Unbounded && o.Floor < -MaxAmount:
		return malformed(o, "floor and state: of an opening or a setting")
	}
	return nil
}

// kept is Data as it is written: never null.
func (o *Operation) kept() []byte {
	if o.Data == nil {
		return []byte{}
	}
	return o.Data
}

// content is the SHA-256 of what is asked for; two operations with the same are the same.
func (o *Operation) content() (sum [sha256.Size]byte) {
	b := make([]byte, 0, 256+len(o.About)+len(o.Data))
	b = append(b, byte(o.Kind), byte(o.State))
	for _, n := range [...]int64{o.Amount, o.Floor, expiresMicro(o.Expires)} {
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	for _, text := range [...]string{o.ID, o.From, o.To, o.Unit, o.Of, o.About} {
		b = append(binary.AppendUvarint(b, uint64(len(text))), text...)
	}
	b = append(binary.AppendUvarint(b, uint64(len(o.Data))), o.Data...)
	return sha256.Sum256(b)
}

func expiresMicro(at time.Time) int64 {
	if at.IsZero() {
		return 0
	}
	return at.UnixMicro()
}

// Reason says why something was refused. What was refused once stays so under its id; the numbers are stored.
type Reason int64

const (
	NoAccount    Reason = iota + 1 // there is no such account
	HasAccount                     // there is such an account already
	NoUnit                         // there is no such unit
	OtherUnit                      // an account is in another unit
	Insufficient                   // the balance would go below its floor
	IsFrozen                       // the account does not pay
	IsClosed                       // the account neither pays nor is paid
	NotEmpty                       // an account with something on it is not closed
	Overflow                       // the balance would be more than can be counted
	NoTarget                       // there is nothing of that id to end or reverse
	Ended                          // the hold was captured or voided
	Expired                        // the hold's time is over
	Exceeds                        // it is more than was held, or than is left to reverse
	TooFar                         // the time of a hold is over already, or too far ahead
	Linked                         // another operation of the same request was refused
)

var reasons = map[Reason]string{NoAccount: "no such account", HasAccount: "the account exists", NoUnit: "no such unit", OtherUnit: "the account is in another unit",
	Insufficient: "insufficient funds", IsFrozen: "the account is frozen", IsClosed: "the account is closed", NotEmpty: "the account is not empty",
	Overflow: "the amount is too large to be counted", NoTarget: "there is nothing of that id to end or reverse", Ended: "the hold has ended", Expired: "the hold has expired",
	Exceeds: "more than was held, or than is left to reverse", TooFar: "the hold's end is past or too far ahead", Linked: "another operation of the request was refused"}

// Error is what it means, in words for a log.
func (r Reason) Error() string { return reasons[r] }

// Refused is the answer to an operation that was understood and not done. errors.Is finds its Reason.
type Refused struct {
	// ID is that of the operation because of which the whole request was refused.
	ID     string
	Reason Reason
}

// Error tells what was refused, and why.
func (r *Refused) Error() string { return fmt.Sprintf("%.64q: %v", r.ID, r.Reason) }

// Unwrap is the reason.
func (r *Refused) Unwrap() error { return r.Reason }

// Errors of a request. Nothing is kept for it.
var (
	// ErrIDTaken means that something else was asked for under the same id.
	ErrIDTaken = errors.New("the id was used for something else")
	// ErrUnsound means that an account or a record that it is about is not what the ledger has written: somebody has changed the database, or the disk has. Verify says where.
	ErrUnsound = errors.New("the book is not what it was: palabre ledger verify says where")
	// ErrClosed means that the ledger takes no requests any more.
	ErrClosed = errors.New("ledger is closed")
)

// request is what one caller waits for.
type request struct {
	operations []Operation
	own        bool
	tried      bool // a refusal is not kept
	also       func(ctx context.Context, records []Record) error
	since      time.Time // it waits

	records []Record
	err     error
	done    chan struct{}
}
