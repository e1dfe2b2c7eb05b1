package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"palabre.dev/palabre/payments/pay"
	"palabre.dev/palabre/xmpp"
)

// What the desk of administrators (paydesk.go) does in a server, the command line does by these operations, also where payments run alone.

// OfficePage is how many lines one answer about disputes or the audit log has at most.
const OfficePage = pay.MaxOffice

// PurseArgs ask about a wallet, or change it.
type PurseArgs struct {
	Account string `json:"account"`
	// Do is level, stop, go-on or open (a wallet that is frozen and has no key left); empty for nothing.
	Do    string `json:"do,omitempty"`
	Level string `json:"level,omitempty"`
	Why   string `json:"why,omitempty"`
	// As is the name of the person at the command line, where payments run alone.
	As string `json:"as,omitempty"`
}

// Purse is a wallet as the operator sees it.
type Purse struct {
	Account string `json:"account"`
	// Level is that of identification, Levels are all that there are, the lowest first.
	Level  string   `json:"level"`
	Levels []string `json:"levels"`
	// Frozen is when its owner, or wrong PINs, have frozen it; Shut says that no key of theirs opens it now, Keys how many may pay from it, now or after a while, and Stopped that the
	// operator has stopped it.
	Frozen  time.Time    `json:"frozen,omitzero"`
	Shut    bool         `json:"shut,omitempty"`
	Keys    int          `json:"keys"`
	Stopped bool         `json:"stopped,omitempty"`
	Money   []PurseMoney `json:"money"`
}

// PurseMoney is one unit of a wallet: what there is, and what it may spend. A limit of 0 is none; without one for the day, Left says nothing.
type PurseMoney struct {
	Unit        string `json:"unit"`
	Balance     Money  `json:"balance"`
	Held        Money  `json:"held"`
	Pocket      Money  `json:"pocket"`
	Transaction Money  `json:"transaction"`
	Day         Money  `json:"day"`
	Left        Money  `json:"left"`
	StepUp      Money  `json:"step_up"`
	// Nothing says that this level pays nothing in this unit.
	Nothing bool `json:"nothing,omitempty"`
}

// DisputeArgs ask about disputes, or decide on one.
type DisputeArgs struct {
	ID string `json:"id,omitempty"`
	// Decided asks for those that have ended; Before is a place in the list, 0 for the newest.
	Decided bool   `json:"decided,omitempty"`
	Before  int64  `json:"before,omitempty"`
	Why     string `json:"why,omitempty"`
	// As is the name of the person at the command line, where payments run alone.
	As string `json:"as,omitempty"`
}

// Dispute is one, with its amounts as people write them.
type Dispute struct {
	pay.Case
	Sum      string `json:"sum"`
	GivenSum string `json:"given_sum"`
}

// AuditArgs ask for a page of the audit log.
type AuditArgs struct {
	// Before is the id of a deed, 0 for the newest.
	Before int64 `json:"before,omitempty"`
}

// UnitSums are what there is of a unit, and where.
type UnitSums struct {
	Unit   string `json:"unit"`
	Closed bool   `json:"closed"`
	// Issued is what was issued by hand less what was withdrawn, Fees what the operator has taken, Wallets and Pockets what people have, and Held what of that is set aside.
	Issued         Money `json:"issued"`
	Fees           Money `json:"fees"`
	Wallets        Money `json:"wallets"`
	WalletAccounts int64 `json:"wallet_accounts"`
	Held           Money `json:"held"`
	Pockets        Money `json:"pockets"`
	PocketAccounts int64 `json:"pocket_accounts"`
}

func init() {
	operations["pay/wallet"] = onPay(shellPurse)
	operations["pay/keys"] = onPay(func(ctx context.Context, a *App, args PurseArgs) ([]pay.WalletKey, error) {
		account, err := purseOwner(args.Account)
		if err != nil {
			return nil, err
		}
		return a.pay.Keys(ctx, account)
	})
	operations["pay/circulation"] = onPay(shellCirculation)
	operations["pay/disputes"] = onPay(func(ctx context.Context, a *App, args DisputeArgs) ([]Dispute, error) {
		found, err := a.pay.Cases(ctx, !args.Decided, args.Before, OfficePage)
		all := make([]Dispute, len(found))
		for i, c := range found {
			all[i] = a.dispute(c)
		}
		return all, err
	})
	operations["pay/dispute"] = onDispute(func(context.Context, *App, DisputeArgs) error { return nil })
	operations["pay/uphold"] = onDispute(func(ctx context.Context, a *App, args DisputeArgs) error {
		return a.pay.Uphold(ctx, a.atShell(args.As), args.ID, strings.TrimSpace(args.Why))
	})
	operations["pay/dismiss"] = onDispute(func(ctx context.Context, a *App, args DisputeArgs) error {
		return a.pay.Dismiss(ctx, a.atShell(args.As), args.ID, strings.TrimSpace(args.Why))
	})
	operations["pay/suspicions"] = onPay(func(ctx context.Context, a *App, _ struct{}) ([]pay.Suspicion, error) { return a.pay.Watch(ctx) })
	operations["pay/audit"] = onPay(func(ctx context.Context, a *App, args AuditArgs) ([]pay.Deed, error) {
		return a.pay.Audit(ctx, args.Before, OfficePage)
	})
}

// onDispute makes an operation of what is done with one dispute, whose answer is how it stands then.
func onDispute(do func(ctx context.Context, a *App, args DisputeArgs) error) operation {
	return onPay(func(ctx context.Context, a *App, args DisputeArgs) (Dispute, error) {
		err := do(ctx, a, args)
		if err != nil {
			return Dispute{}, noDispute(err)
		}
		c, err := a.pay.Case(ctx, args.ID)
		return a.dispute(c), noDispute(err)
	})
}

func noDispute(err error) error {
	if errors.Is(err, xmpp.ItemNotFound) {
		return errors.New("there is no such dispute; pay disputes lists them")
	}
	return err
}

func (a *App) dispute(c pay.Case) Dispute {
	return Dispute{c, a.pay.Amount(c.Amount, c.Unit), a.pay.Amount(c.Refunded, c.Unit)}
}

// shellPurse changes a wallet, if that is asked for, and reads it.
func shellPurse(ctx context.Context, a *App, args PurseArgs) (Purse, error) {
	account, err := purseOwner(args.Account)
	if err != nil {
		return Purse{}, err
	}
	do := args.Do
	if do == "open" {
		if err := a.onlyShut(ctx, account); err != nil {
			return Purse{}, err
		}
		do = toGoOn
	}
	if do != "" {
		if err := a.changePurse(ctx, a.atShell(args.As), account, do, args.Level, args.Why); err != nil {
			return Purse{}, err
		}
	}
	p, err := a.pay.Purse(ctx, account)
	if err != nil {
		return Purse{}, err
	}
	told := Purse{Account: p.Account, Level: p.Level, Levels: a.pay.Levels(), Frozen: p.Frozen, Shut: p.Shut, Keys: p.Keys, Stopped: p.Stopped}
	for _, m := range p.Money {
		in := func(amount int64) Money { return a.sum(amount, m.Unit) }
		told.Money = append(told.Money, PurseMoney{Unit: m.Unit, Balance: in(m.Balance), Held: in(m.Held), Pocket: in(m.Pocket), Transaction: in(m.Transaction), Day: in(m.Day), Left: in(m.Left),
			StepUp: in(m.StepUp), Nothing: m.Nothing})
	}
	return told, nil
}

// onlyShut refuses a wallet that is not the operator's to open: one that goes on, one whose owner has a key that opens it, or other keys
// of which two people say which stay, and one that the operator has stopped.
func (a *App) onlyShut(ctx context.Context, account xmpp.JID) error {
	p, err := a.pay.Purse(ctx, account)
	switch {
	case err != nil:
		return err
	case p.Frozen.IsZero():
		return errors.New("it is not frozen")
	case !p.Shut:
		return errors.New("a key of its owner opens it: that is for them to do")
	case p.Keys > 0:
		return fmt.Errorf("no key of its owner opens it, and there are %d: pay keep proposes which of them stay, and another pair of eyes approves", p.Keys)
	case p.Stopped:
		return errors.New("it is also stopped by the operator: pay go-on ends both")
	}
	return nil
}

// noteExport writes into the audit log that the book leaves the house, as the desk does.
func (a *App) noteExport(ctx context.Context, encoded []byte) error {
	if a.pay == nil {
		return nil
	}
	var args LedgerArgs
	if err := json.Unmarshal(encoded, &args); err != nil {
		return fmt.Errorf("read arguments: %w", err)
	}
	return a.pay.Note(ctx, a.atShell(args.As), "export", "", deskTime(args.Since)+"/"+deskTime(args.Until))
}

func (a *App) sum(amount int64, unit string) Money {
	return Money{amount, a.pay.Amount(amount, unit)}
}

func shellCirculation(ctx context.Context, a *App, _ struct{}) ([]UnitSums, error) {
	found, err := a.circulations(ctx)
	all := make([]UnitSums, len(found))
	for i, c := range found {
		in := func(amount int64) Money { return a.sum(amount, c.Unit) }
		all[i] = UnitSums{Unit: c.Unit, Closed: c.Closed, Issued: in(c.Issued), Fees: in(c.Fees), Wallets: in(c.wallets), WalletAccounts: c.walletAccounts, Held: in(c.held), Pockets: in(c.pockets),
			PocketAccounts: c.pocketAccounts}
	}
	return all, err
}
