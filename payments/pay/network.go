package pay

import (
	"context"
	"time"

	"palabre.dev/palabre/payments/ledger"
	"palabre.dev/palabre/xmpp"
)

// NS is the namespace of the protocol (docs/protocol/payments.md).
const NS = "urn:palabre:pay:0"

// Network is how the service reaches people: in the process of a server, or as a component of any (XEP-0114).
type Network interface {
	// Domain is that of the service.
	Domain() string
	// Send hands a stanza over and returns when the other side has it. An error of type cancel, modify or auth (*xmpp.Error) means that it never will; after any other
	// it is sent again, with the same id.
	Send(ctx context.Context, s *xmpp.Stanza) error
}

// Directory knows people. Where there is none, anybody of the domain can be paid, nobody has a name, and nobody blocks anybody.
type Directory interface {
	// Person says whether there is such an account, and what it calls itself; the name may be empty.
	Person(ctx context.Context, account xmpp.JID) (name string, exists bool, err error)
	// Contacts are those whom an account has in its roster, at most 1,000.
	Contacts(ctx context.Context, account xmpp.JID) ([]Contact, error)
	// Blocked says whether an account shuts somebody out (XEP-0191).
	Blocked(ctx context.Context, account, somebody xmpp.JID) (bool, error)
}

// Contact is somebody whom an account knows.
type Contact struct {
	Account xmpp.JID
	Name    string
}

// Rails are the networks outside. They keep what they do in the ledger's database, hold and move the money themselves, and tell each change by Railed.
type Rails interface {
	// Offers are what can be done, in the order in which it is shown.
	Offers() []Offer
	// CashOut begins to send money out of a wallet: it is held in the ledger under the id, and also writes in the same transaction. Errors are those of
	// ledger.Post, and *xmpp.Error for what cannot be done.
	CashOut(ctx context.Context, t RailTransfer, also func(ctx context.Context, records []ledger.Record) error) error
	// CashIn begins to bring money into a wallet, and says what its owner has to do next. Asked again with the same id it answers how it stands.
	CashIn(ctx context.Context, t RailTransfer, also func(ctx context.Context, records []ledger.Record) error) (Step, error)
	// Standing is how a transfer stands; the zero value if there is none of that id.
	Standing(ctx context.Context, id string) (Standing, error)
	// Refund begins to give back what a cash-in (Of) has brought: it is held in the ledger under the id, and also writes in the same transaction. Errors are those of CashOut.
	Refund(ctx context.Context, t RailTransfer, also func(ctx context.Context, records []ledger.Record) error) error
}

// Offer is a rail and a unit that it moves.
type Offer struct {
	Name, Unit string
	// Kind is which network it is (momo, stripe, pix, sandbox): so a client knows what to ask for. Title is what people call it, or empty.
	Kind, Title string
	In, Out     bool
	// Refunds says that what came in can go back.
	Refunds bool
}

// Standing is how a transfer of a rail stands. Way is created, submitted, accepted or unknown while it has no end; Since is since when nobody has known (zero: it is
// known), Next what its owner has to do.
type Standing struct {
	Way   string
	Since time.Time
	Next  Step
}

// RailTransfer is what a rail is asked to do.
type RailTransfer struct {
	ID, Rail string
	// Wallet is the account of the ledger; Address the one outside, in the network's own form, at most 256 bytes.
	Wallet, Address string
	// Amount and Fee are in minor units of Unit; the fee goes to the account FeeTo when it is done.
	Amount, Fee int64
	Unit, FeeTo string
	// Of is the cash-in that a refund gives back; rail, wallet and address are those of it.
	Of string
	// About and Data belong to the ledger's record.
	About string
	Data  []byte
}

// Step is what somebody has to do so that a cash-in goes on: go (Value is an address to open), show (Value is a code to pay), or wait.
type Step struct{ Kind, Value string }

// RailChange is what has become of a transfer.
type RailChange struct {
	// ID is that of the intent, or of the cash-in.
	ID string
	// State is Done, Waiting or Refused; Why says why in words for the operator.
	State, Why string
	// Moved is what was moved, in minor units; Returned what of that the network has taken back since.
	Moved, Returned int64
}
