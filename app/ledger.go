package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"palabre.dev/palabre/payments/ledger"
	"palabre.dev/palabre/payments/pay"
	"palabre.dev/palabre/store"
)

// book is the ledger of this database, to be read. It is there also where payments are off by now.
func (a *App) book(ctx context.Context) (*ledger.Ledger, error) {
	return ledger.Reading(ctx, a.db, a.log)
}

// reading is an operation that needs the ledger alone.
type reading = func(ctx context.Context, book *ledger.Ledger, args []byte, out io.Writer) error

// readings are what can be read of a ledger, by the name of the operation.
var readings = map[string]reading{
	"ledger/verify":    ofBook(verifyLedger),
	"ledger/accounts":  ofBook(listLedger),
	"ledger/statement": ofBook(stateLedger),
	"ledger/totals":    ofBook(totalLedger),
	"ledger/export":    ofBook(exportLedger),
}

func init() {
	for name, read := range readings {
		operations[name] = func(ctx context.Context, a *App, args []byte, _ io.Reader, out io.Writer) error {
			book, err := a.book(ctx)
			if err != nil {
				return err
			}
			if name == "ledger/export" {
				if err := a.noteExport(ctx, args); err != nil {
					return err
				}
			}
			return read(ctx, book, args, out)
		}
	}
}

func ofBook[A any](run func(ctx context.Context, book *ledger.Ledger, args A, out io.Writer) error) reading {
	return func(ctx context.Context, book *ledger.Ledger, encoded []byte, out io.Writer) error {
		var args A
		if err := json.Unmarshal(encoded, &args); err != nil {
			return fmt.Errorf("read arguments: %w", err)
		}
		return run(ctx, book, args, out)
	}
}

// ReadLedger reads the ledger of a database that is not the server's, a restored copy for one. Nobody else may have it open.
func ReadLedger(ctx context.Context, cfg store.Config, name string, args any, out io.Writer) error {
	encoded, err := json.Marshal(args)
	if err != nil {
		return fmt.Errorf("encode arguments: %w", err)
	}
	read, ok := readings[name]
	if !ok {
		return fmt.Errorf("there is no operation %s", name)
	}
	log := slog.New(slog.DiscardHandler)
	db, err := store.Open(ctx, cfg, log)
	if err != nil {
		return err
	}
	book, err := ledger.Reading(ctx, db, log)
	if err == nil {
		err = read(ctx, book, encoded, out)
	}
	return errors.Join(err, db.Close())
}

// VerifyArgs ask for the ledger to be verified.
type VerifyArgs struct {
	// Noted is the hash of a record that somebody has kept elsewhere, hexadecimal; empty for none.
	Noted string `json:"noted,omitempty"`
}

// VerifyStep is one line of what verifying tells: how far it is, and at the end what it has found.
type VerifyStep struct {
	Records int64 `json:"records"`
	// Done is of the last line alone.
	Done     bool             `json:"done,omitempty"`
	Accounts int64            `json:"accounts,omitempty"`
	Newest   int64            `json:"newest,omitempty"`
	Hash     string           `json:"hash,omitempty"`
	Passed   bool             `json:"passed,omitempty"`
	Totals   map[string]Money `json:"totals,omitempty"`
	// Signed is how many debits of wallets have an intent that a key of their owner has signed, Office how many the operator has made, Unsigned how many have neither.
	Signed   int64 `json:"signed,omitempty"`
	Mandated int64 `json:"mandated,omitempty"` // by a mandate: only whom the money went to has signed
	Office   int64 `json:"office,omitempty"`
	Unsigned int64 `json:"unsigned,omitempty"`
	// Strange are the numbers of the first of the unsigned, at most 100.
	Strange []int64 `json:"strange,omitempty"`
	// OldRefusals and LooseUnits are what could have been changed without being seen: refusals of before their ids were in the hash, and units of the operator's whose digits are not.
	OldRefusals int64    `json:"old_refusals,omitempty"`
	LooseUnits  []string `json:"loose_units,omitempty"`
	// Fault is the number of the first record that is not what it was, What is why.
	Fault int64  `json:"fault,omitempty"`
	What  string `json:"what,omitempty"`
}

// Money is an amount in minor units, and as people write it.
type Money struct {
	Amount int64  `json:"amount"`
	Text   string `json:"text"`
}

// progressEvery is after how many records verifying tells how far it is.
const progressEvery = 20_000

// verifyLedger reads the whole journal, and tells how far it is meanwhile, a line each.
func verifyLedger(ctx context.Context, book *ledger.Ledger, args VerifyArgs, out io.Writer) error {
	var noted [sha256.Size]byte
	if args.Noted != "" {
		b, err := hex.DecodeString(args.Noted)
		if err != nil || len(b) != len(noted) {
			return errors.New("a noted hash has 64 hexadecimal digits")
		}
		copy(noted[:], b)
	}
	lines := json.NewEncoder(out)
	told, broken := int64(0), error(nil)
	found, err := book.Verify(ctx, noted, func(records int64) {
		if records-told < progressEvery || broken != nil {
			return
		}
		told = records
		if broken = lines.Encode(VerifyStep{Records: records}); broken == nil {
			broken = flush(out)
		}
	})
	last := VerifyStep{Records: found.Records, Done: true, Accounts: found.Accounts, Newest: found.Newest, Hash: hex.EncodeToString(found.Hash[:]), Passed: found.Passed, Totals: map[string]Money{},
		OldRefusals: found.Old, LooseUnits: found.Loose}
	for code, amount := range found.Totals {
		unit, _ := book.Unit(code)
		last.Totals[code] = Money{amount, unit.Text(amount)}
	}
	var fault *ledger.Fault
	if errors.As(err, &fault) {
		last.Fault, last.What = fault.Number, fault.What
	} else if err != nil {
		return err
	} else if err := last.authority(ctx, book); err != nil {
		return err
	}
	return errors.Join(broken, lines.Encode(last))
}

// authority adds who has authorised what was taken from wallets.
func (v *VerifyStep) authority(ctx context.Context, book *ledger.Ledger) error {
	a, err := pay.CheckAuthority(ctx, book)
	v.Signed, v.Mandated, v.Office, v.Unsigned = a.Signed, a.Mandated, a.Office, a.Others
	for _, e := range a.Unsigned {
		v.Strange = append(v.Strange, e.Number)
	}
	return err
}

// flush sends what was written so far, if it goes to the command line.
func flush(out io.Writer) error {
	if w, ok := out.(http.ResponseWriter); ok {
		return http.NewResponseController(w).Flush()
	}
	return nil
}

// LedgerArgs say what of the ledger is asked for.
type LedgerArgs struct {
	// At is the time as of which accounts are told, zero for now.
	At time.Time `json:"at,omitzero"`
	// Account and Before are of a statement.
	Account string `json:"account,omitempty"`
	Before  int64  `json:"before,omitempty"`
	// After is the last account of the page before.
	After string `json:"after,omitempty"`
	// Since and Until bound an export.
	Since time.Time `json:"since,omitzero"`
	Until time.Time `json:"until,omitzero"`
	// As is the name of the person who exports, where payments run alone.
	As string `json:"as,omitempty"`
}

// at is the time that is asked for.
func (l LedgerArgs) at() time.Time {
	if l.At.IsZero() {
		return time.Now().Add(time.Hour) // numbers may be ahead of the clock
	}
	return l.At
}

// LedgerAccount is where an account of the ledger stands.
type LedgerAccount struct {
	Name    string    `json:"name"`
	Unit    string    `json:"unit"`
	State   string    `json:"state"`
	Balance Money     `json:"balance"`
	Held    Money     `json:"held"`
	Opened  time.Time `json:"opened"`
}

// LedgerPage is how many accounts or lines one answer has at most.
const LedgerPage = ledger.MaxLines

func listLedger(ctx context.Context, book *ledger.Ledger, args LedgerArgs, out io.Writer) error {
	found, err := book.Accounts(ctx, args.at(), args.After, LedgerPage)
	if err != nil {
		return err
	}
	page := make([]LedgerAccount, len(found))
	for i, one := range found {
		unit, _ := book.Unit(one.Unit)
		page[i] = LedgerAccount{one.Name, one.Unit, one.State.String(), Money{one.Balance, unit.Text(one.Balance)}, Money{one.Held, unit.Text(one.Held)}, one.Opened.UTC()}
	}
	return json.NewEncoder(out).Encode(page)
}

// LedgerLine is one line of an account's statement.
type LedgerLine struct {
	Number  int64     `json:"number"`
	Time    time.Time `json:"time"`
	Kind    string    `json:"kind"`
	ID      string    `json:"id"`
	Other   string    `json:"other,omitempty"`
	Change  Money     `json:"change"`
	Balance Money     `json:"balance"`
	Held    Money     `json:"held"`
	About   string    `json:"about,omitempty"`
}

func stateLedger(ctx context.Context, book *ledger.Ledger, args LedgerArgs, out io.Writer) error {
	account, err := book.Account(ctx, args.Account)
	if err != nil {
		return fmt.Errorf("account %s: %w", args.Account, err)
	}
	found, err := book.Statement(ctx, args.Account, args.Before, LedgerPage)
	if err != nil {
		return err
	}
	unit, _ := book.Unit(account.Unit)
	page := make([]LedgerLine, len(found))
	for i, one := range found {
		page[i] = LedgerLine{one.Number, one.Time().UTC(), one.Kind.String(), one.ID, one.Other,
			Money{one.Change, unit.Text(one.Change)}, Money{one.Balance, unit.Text(one.Balance)}, Money{one.Held, unit.Text(one.Held)}, one.About}
	}
	return json.NewEncoder(out).Encode(page)
}

// LedgerTotal is what all accounts of one class have in one unit.
type LedgerTotal struct {
	Unit     string `json:"unit"`
	Class    string `json:"class"`
	Accounts int64  `json:"accounts"`
	Balance  Money  `json:"balance"`
	Held     Money  `json:"held"`
}

func totalLedger(ctx context.Context, book *ledger.Ledger, args LedgerArgs, out io.Writer) error {
	found, err := book.Totals(ctx, args.at())
	if err != nil {
		return err
	}
	all := make([]LedgerTotal, len(found))
	for i, one := range found {
		unit, _ := book.Unit(one.Unit)
		all[i] = LedgerTotal{one.Unit, one.Class, one.Accounts, Money{one.Balance, unit.Text(one.Balance)}, Money{one.Held, unit.Text(one.Held)}}
	}
	return json.NewEncoder(out).Encode(all)
}

func exportLedger(ctx context.Context, book *ledger.Ledger, args LedgerArgs, out io.Writer) error {
	return book.Export(ctx, out, args.Since, args.Until)
}
