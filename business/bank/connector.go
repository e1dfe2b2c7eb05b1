package bank

import (
	"context"
	"errors"
	"time"
)

// ErrNoCustomer means that an address is not that of a customer.
var ErrNoCustomer = errors.New("not a customer")

// Connector is the way to a bank's own books. Any of its methods may be called again with the same arguments, at the same time for different customers,
// and gets a deadline. An error means that it is not known what happened; what is certain is said in what is returned.
type Connector interface {
	Books
	Directory
	Mover
}

// Books tells how an account stands.
type Books interface {
	// Account is the account of a customer, who is named by bare address. It returns ErrNoCustomer.
	Account(ctx context.Context, customer string) (Account, error)
	// Lines are the newest entries of it, the newest first, at most limit (1–20). It returns ErrNoCustomer.
	Lines(ctx context.Context, customer string, limit int) ([]Line, error)
}

// Directory finds who is paid.
type Directory interface {
	// Payees are those whom a customer can mean by a text (a name, a number, an address), at most 5 of them.
	Payees(ctx context.Context, customer, text string) ([]Payee, error)
}

// Mover moves money.
type Mover interface {
	// Transfer does it once for an id, however often it is called: with an id that is known it says what became of that.
	Transfer(ctx context.Context, t Transfer) (Outcome, error)
	// Look says what became of an id: NotKnown if the bank has never heard of it, Pending if it does not know yet.
	Look(ctx context.Context, id string) (Outcome, error)
}

// Account is where a customer's account stands.
type Account struct {
	Name, Number string
	// Unit is the code, Exponent how many digits its minor unit has (0–9).
	Unit     string
	Exponent int
	// Balance is what is on it, Available what may be spent now, in minor units.
	Balance, Available int64
}

// Line is one entry of a statement.
type Line struct {
	Time time.Time
	// Change is negative for what was paid, Balance what there was afterwards, in minor units.
	Change, Balance int64
	// Other is who paid or was paid, About what for.
	Other, About string
}

// Payee is somebody who can be paid: by the number, under which the bank's books know them. The name is shown to the customer.
type Payee struct{ Number, Name string }

// Transfer is what is to be moved.
type Transfer struct {
	// ID is 16 to 64 letters, digits and hyphens; the same for the same order, always.
	ID string
	// Customer pays, by bare address; Payee is paid, by number.
	Customer, Payee string
	Amount          int64 // minor units
	Unit, About     string
	// Device is the key that has signed for the order by sending it, hexadecimal: for the bank's records.
	Device string
}

// State is what is known of a transfer.
type State int

// The states.
const (
	NotKnown State = iota // nobody has asked for it
	Pending               // it is asked for, and not certain yet
	Done
	Refused // nothing was moved, and nothing will be
)

// Reason says why a transfer was refused, for the words to the customer.
type Reason int

// The reasons.
const (
	Other Reason = iota
	Insufficient
	NoPayee
	Frozen
	OverLimit
)

// Outcome is what became of a transfer.
type Outcome struct {
	State  State
	Reason Reason // of what was Refused
	// Number is the bank's own, of what is Done, and Balance what the customer has afterwards.
	Number  string
	Balance int64
}

// Codes checks the codes by which a customer confirms what is above Config.StepUp.
type Codes interface {
	// Check says whether a code is right at a time, and which step it belongs to: a code of the same step or an earlier one is not taken again. Step 0 is for
	// codes that may be used again.
	Check(ctx context.Context, customer, code string, now time.Time) (step int64, ok bool, err error)
}
