package pay

import (
	"context"
	"fmt"
	"strings"
	"time"

	"palabre.dev/palabre/payments/intent"
	"palabre.dev/palabre/payments/ledger"
	"palabre.dev/palabre/xmpp"
)

// Authority is who has authorised what was taken from wallets and pockets.
type Authority struct {
	// Signed is how many debits have an intent beside them that says just this, with the signature of the key that it names; or belong to one: its fee, what a hold has set
	// aside for a rail.
	Signed int64
	// Office is how many the operator has made: who proposed and who approved each is in the record, and in the audit log.
	Office int64
	// Unsigned are the first 100 of the others, Others how many there are: what networks outside have taken back. Anything else is theft.
	Unsigned []ledger.Entry
	Others   int64
}

const maxUnsigned = 100

// officeTitle begins what the ledger keeps beside what the operator has done.
const officeTitle = "palabre pay 0 office"

// CheckAuthority reads the whole journal, and checks for each debit of a wallet or a pocket the intent that is kept beside it. It needs nothing but the book.
func CheckAuthority(ctx context.Context, book *ledger.Ledger) (a Authority, err error) {
	for after := int64(0); ; {
		page, err := book.Journal(ctx, after, time.Time{}, ledger.MaxLines)
		if err != nil {
			return a, fmt.Errorf("check authority: %w", err)
		}
		for i := range page {
			after = page[i].Number
			if !debits(&page[i]) {
				continue
			}
			signed, err := authorised(ctx, book, &page[i])
			if err != nil {
				return a, fmt.Errorf("check authority: %w", err)
			}
			a.count(&page[i], signed)
		}
		if len(page) < ledger.MaxLines {
			return a, nil
		}
	}
}

func (a *Authority) count(e *ledger.Entry, signed bool) {
	switch {
	case signed:
		a.Signed++
	case strings.HasPrefix(string(e.Data), officeTitle):
		a.Office++
	default:
		if a.Others++; len(a.Unsigned) < maxUnsigned {
			a.Unsigned = append(a.Unsigned, *e)
		}
	}
}

// debits says whether a record takes something from a wallet or a pocket, or sets it aside there.
func debits(e *ledger.Entry) bool {
	class := ledger.Class(e.From)
	return e.Refused == nil && e.Amount > 0 && (class == "wallet" || class == "pocket")
}

// authorised says whether an intent beside a record, or beside the one that it belongs to, allows it.
func authorised(ctx context.Context, book *ledger.Ledger, e *ledger.Entry) (bool, error) {
	if i, err := intent.ReadEvidence(e.Data); err == nil {
		return allows(i, e, i.Amount) && i.ID == e.ID, nil
	}
	for _, id := range []string{strings.TrimSuffix(e.ID, feeSuffix), e.Of, strings.TrimSuffix(e.Of, feeSuffix)} {
		if id == "" || id == e.ID {
			continue
		}
		kept, ok, err := book.Look(ctx, id)
		if err != nil {
			return false, err
		}
		i, err := intent.ReadEvidence(kept.Data)
		if !ok || err != nil {
			continue
		}
		if strings.HasSuffix(e.ID, feeSuffix) || strings.HasSuffix(e.Of, feeSuffix) {
			return allows(i, e, i.Fee), nil
		}
		return i.Kind == intent.Cashout && allows(i, e, i.Amount), nil
	}
	return false, nil
}

// allows says whether an intent lets so much be taken from the account that paid.
func allows(i *intent.Intent, e *ledger.Entry, most int64) bool {
	payer, err := xmpp.ParseJID(i.Payer)
	return err == nil && i.Unit == e.Unit && e.Amount <= most && (e.From == WalletAccount(i.Unit, payer) || e.From == PocketAccount(i.Unit, payer))
}
