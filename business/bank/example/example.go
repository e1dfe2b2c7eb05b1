// Package example is a small bank behind the bot of package bank: a ledger of its own, customers in a table, codes of an authenticator app. Who connects a
// real bank begins with a copy of this file and puts the bank's own calls in the place of the ledger's (README.md says how). Left out is all that makes a
// bank one: who the customers are, interest, cards, other banks.
package example

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"palabre.dev/palabre/business/bank"
	"palabre.dev/palabre/payments/ledger"
	"palabre.dev/palabre/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

// capital is the account that all money comes from.
const capital = "bank:capital"

// Customer is one of the bank's.
type Customer struct {
	// Address is bare; Number is what other customers can pay to, 4 to 34 letters and digits; Name is shown to them.
	Address, Number, Name string
	// Begin is what is on the account at first, in minor units.
	Begin int64
	// Secret is that of the authenticator app (RFC 6238), at least 16 bytes, or empty: then nothing above Config.StepUp can be sent.
	Secret []byte
}

// Bank fulfils bank.Connector and has the secrets of bank.TOTP.
type Bank struct {
	db     *store.DB
	ledger *ledger.Ledger
	unit   ledger.Unit
}

var _ bank.Connector = (*Bank)(nil)

// New makes the bank in the unit with a code, with its tables in db.
func New(ctx context.Context, db *store.DB, book *ledger.Ledger, unit string) (*Bank, error) {
	b := &Bank{db: db, ledger: book}
	var ok bool
	if b.unit, ok = book.Unit(unit); !ok {
		return nil, fmt.Errorf("bank: there is no unit %q", unit)
	}
	if err := db.Migrate(ctx, "example", migrations); err != nil {
		return nil, fmt.Errorf("bank: make tables: %w", err)
	}
	_, err := book.Post(ctx, nil, ledger.Operation{ID: "bank-capital-" + unit, Kind: ledger.Opening, From: capital, Unit: unit, Floor: ledger.Unbounded})
	return b, err
}

// Add makes a customer with an account, once: who is there already is left alone.
func (b *Bank) Add(ctx context.Context, c Customer) error {
	if len(c.Number) < 4 || len(c.Number) > 34 || c.Name == "" || len(c.Name) > 100 {
		return fmt.Errorf("bank: customer %s needs a number of 4 to 34 characters and a name of at most 100 bytes", c.Address)
	}
	if c.Secret == nil {
		c.Secret = []byte{}
	}
	_, err := b.ledger.Post(ctx, nil, ledger.Operation{ID: "bank-open-" + c.Number, Kind: ledger.Opening, From: account(c.Number), Unit: b.unit.Code})
	if err != nil {
		return fmt.Errorf("bank: open the account of %s: %w", c.Address, err)
	}
	_, err = b.db.Exec(ctx, "insert into example_customer (address, number, name, secret) values ($1, $2, $3, $4) on conflict (address) do nothing",
		c.Address, c.Number, c.Name, c.Secret)
	if err != nil || c.Begin == 0 {
		return err
	}
	return b.Pay(ctx, "bank-begin-"+c.Number, "", c.Number, c.Begin, "")
}

// Pay moves money between two numbers, by the bank's own order, once for an id; an empty number is the bank itself.
func (b *Bank) Pay(ctx context.Context, id, from, to string, amount int64, about string) error {
	op := ledger.Operation{ID: id, Kind: ledger.Transfer, From: account(from), To: account(to), Amount: amount, Unit: b.unit.Code, About: about}
	if _, err := b.ledger.Post(ctx, nil, op); err != nil {
		return fmt.Errorf("bank: pay %s: %w", id, err)
	}
	return nil
}

func account(number string) string {
	if number == "" {
		return capital
	}
	return "bank:" + number
}

func (b *Bank) customer(ctx context.Context, address string) (number, name string, err error) {
	err = b.db.QueryRow(ctx, "select number, name from example_customer where address = $1", address).Scan(&number, &name)
	if errors.Is(err, store.ErrNoRows) {
		err = bank.ErrNoCustomer
	}
	return number, name, err
}

// Account implements bank.Books.
func (b *Bank) Account(ctx context.Context, customer string) (bank.Account, error) {
	number, name, err := b.customer(ctx, customer)
	if err != nil {
		return bank.Account{}, err
	}
	a, err := b.ledger.Account(ctx, account(number))
	if err != nil {
		return bank.Account{}, err
	}
	return bank.Account{Name: name, Number: number, Unit: b.unit.Code, Exponent: b.unit.Exponent, Balance: a.Balance, Available: a.Available()}, nil
}

// Lines implements bank.Books.
func (b *Bank) Lines(ctx context.Context, customer string, limit int) ([]bank.Line, error) {
	number, _, err := b.customer(ctx, customer)
	if err != nil {
		return nil, err
	}
	statement, err := b.ledger.Statement(ctx, account(number), 0, limit+2) // the opening moves nothing
	if err != nil {
		return nil, err
	}
	var lines []bank.Line
	for _, l := range statement {
		if l.Change == 0 || len(lines) == limit {
			continue
		}
		other, err := b.name(ctx, l.Other)
		if err != nil {
			return nil, err
		}
		lines = append(lines, bank.Line{Time: l.Time(), Change: l.Change, Balance: l.Balance, Other: other, About: l.About})
	}
	return lines, nil
}

// name is what people call the owner of an account.
func (b *Bank) name(ctx context.Context, account string) (string, error) {
	number := strings.TrimPrefix(account, "bank:")
	var name string
	err := b.db.QueryRow(ctx, "select name from example_customer where number = $1", number).Scan(&name)
	if errors.Is(err, store.ErrNoRows) {
		return number, nil
	}
	return name, err
}

// maxPayees is how many are shown to a customer who has to choose.
const maxPayees = 5

// Payees implements bank.Directory: by number or address in full, or by a word of the name. A bank with more than a town's customers would look among
// the customer's own payees alone.
func (b *Bank) Payees(ctx context.Context, _, text string) ([]bank.Payee, error) {
	rows, err := b.db.Query(ctx, "select address, number, name from example_customer order by name, number")
	if err != nil {
		return nil, err
	}
	var found []bank.Payee
	wanted := words(text)
	for rows.Next() {
		var address string
		var p bank.Payee
		if err := rows.Scan(&address, &p.Number, &p.Name); err != nil {
			return nil, err
		}
		if strings.EqualFold(text, p.Number) || strings.EqualFold(text, address) || strings.HasSuffix(text, " "+p.Number) {
			return []bank.Payee{p}, nil
		}
		if contains(words(p.Name), wanted) && len(found) < maxPayees {
			found = append(found, p)
		}
	}
	return found, nil
}

func words(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

// contains reports whether all wanted words are among some.
func contains(all, wanted []string) bool {
	for _, word := range wanted {
		there := false
		for _, one := range all {
			there = there || one == word
		}
		if !there {
			return false
		}
	}
	return len(wanted) > 0
}

// Transfer implements bank.Mover.
func (b *Bank) Transfer(ctx context.Context, t bank.Transfer) (bank.Outcome, error) {
	number, _, err := b.customer(ctx, t.Customer)
	if err != nil {
		return bank.Outcome{}, err
	}
	op := ledger.Operation{ID: t.ID, Kind: ledger.Transfer, From: account(number), To: account(t.Payee), Amount: t.Amount, Unit: t.Unit, About: t.About,
		Data: []byte("device " + t.Device)}
	records, err := b.ledger.Post(ctx, nil, op)
	if refused, ok := errors.AsType[*ledger.Refused](err); ok {
		return bank.Outcome{State: bank.Refused, Reason: reason(refused.Reason)}, nil
	}
	if err != nil {
		return bank.Outcome{}, err
	}
	return b.done(ctx, account(number), records[0])
}

// Look implements bank.Mover.
func (b *Bank) Look(ctx context.Context, id string) (bank.Outcome, error) {
	kept, ok, err := b.ledger.Look(ctx, id)
	switch {
	case err != nil || !ok:
		return bank.Outcome{}, err
	case kept.Refused != nil:
		var why ledger.Reason
		errors.As(kept.Refused, &why)
		return bank.Outcome{State: bank.Refused, Reason: reason(why)}, nil
	}
	return b.done(ctx, kept.From, kept.Record)
}

func (b *Bank) done(ctx context.Context, from string, record ledger.Record) (bank.Outcome, error) {
	a, err := b.ledger.Account(ctx, from)
	if err != nil {
		return bank.Outcome{}, err
	}
	return bank.Outcome{State: bank.Done, Number: strings.ToUpper(strconv.FormatInt(record.Number, 36)), Balance: a.Balance}, nil
}

func reason(r ledger.Reason) bank.Reason {
	switch r {
	case ledger.Insufficient:
		return bank.Insufficient
	case ledger.NoAccount, ledger.IsClosed, ledger.OtherUnit:
		return bank.NoPayee
	case ledger.IsFrozen:
		return bank.Frozen
	}
	return bank.Other
}

// Secret is that of a customer's authenticator, for bank.TOTP.
func (b *Bank) Secret(ctx context.Context, customer string) ([]byte, error) {
	var secret []byte
	err := b.db.QueryRow(ctx, "select secret from example_customer where address = $1", customer).Scan(&secret)
	if errors.Is(err, store.ErrNoRows) {
		return nil, nil
	}
	return secret, err
}

// FixedCode is one code for everybody, which never changes: for demonstrations, where nobody has an authenticator.
type FixedCode string

// Check implements bank.Codes.
func (f FixedCode) Check(_ context.Context, _, code string, _ time.Time) (int64, bool, error) {
	return 0, code == string(f), nil
}
