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
	// Mandated is how many only whom the money went to has signed, by a mandate of the payer. That is kept by the service, and is not in the book.
	Mandated int64
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
	taken := sums{}
	for after := int64(0); ; {
		page, err := book.Journal(ctx, after, time.Time{}, ledger.MaxLines)
		if err != nil {
			return a, fmt.Errorf("check authority: %w", err)
		}
		for i := range page {
			after = page[i].Number
			if !debits(&page[i]) {
				taken.giveBack(&page[i])
				continue
			}
			w, signed, err := authorised(ctx, book, &page[i])
			office := false
			if err == nil && !signed {
				w, office, err = byOffice(ctx, book, &page[i])
			}
			if err != nil {
				return a, fmt.Errorf("check authority: %w", err)
			}
			within := (signed || office) && taken.allow(w, &page[i])
			a.count(&page[i], signed && within, office && within)
		}
		if len(page) < ledger.MaxLines {
			return a, nil
		}
	}
}

func (a *Authority) count(e *ledger.Entry, signed, office bool) {
	switch {
	case signed:
		a.Signed++
	case byMandate(e):
		a.Mandated++
	case office:
		a.Office++
	default:
		if a.Others++; len(a.Unsigned) < maxUnsigned {
			a.Unsigned = append(a.Unsigned, *e)
		}
	}
}

// byOffice says whether two administrators have done it: their names are beside the record, or beside the one that set aside, for the same account, what a rail has taken.
func byOffice(ctx context.Context, book *ledger.Ledger, e *ledger.Entry) (w warrant, office bool, err error) {
	if strings.HasPrefix(string(e.Data), officeTitle) {
		return w, true, nil
	}
	id := e.Of
	if id == "" {
		id = e.ID
	}
	first, _, _ := strings.Cut(id, ":")
	if first == e.ID || len(e.Data) > 0 {
		return w, false, nil
	}
	kept, ok, err := book.Look(ctx, first)
	office = ok && strings.HasPrefix(string(kept.Data), officeTitle) && kept.Kind == ledger.Hold && kept.From == e.From && kept.To == e.To && e.Amount <= kept.Amount
	return warrant{first, kept.Amount}, office, err
}

// debits says whether a record takes something from a wallet or a pocket, or sets it aside there.
func debits(e *ledger.Entry) bool {
	class := ledger.Class(e.From)
	return e.Refused == nil && e.Amount > 0 && (class == "wallet" || class == "pocket")
}

// authorised says whether an intent beside a record, or beside the one that it belongs to, allows it.
func authorised(ctx context.Context, book *ledger.Ledger, e *ledger.Entry) (w warrant, signed bool, err error) {
	if i, err := intent.ReadEvidence(e.Data); err == nil {
		if i.ID != e.ID || i.Kind == intent.Mandate || !allows(i, e, i.Amount) || !leads(i, e.To) {
			return w, false, nil
		}
		switch i.Kind {
		case intent.Capture:
			return held(ctx, book, i, e)
		case intent.Cashout:
			w = warrant{i.ID, i.Amount}
		}
		return w, true, nil
	}
	id, own := e.Of, false
	if id == "" {
		id, own = e.ID, true
	}
	first, rest, _ := strings.Cut(id, ":") // whatever belongs to a payment has its id before the first colon
	if own && rest == "" {
		return w, false, nil
	}
	kept, ok, err := book.Look(ctx, first)
	if err != nil {
		return w, false, err
	}
	i, err := intent.ReadEvidence(kept.Data)
	if !ok || err != nil || i.ID != first {
		return w, false, nil
	}
	w, signed = belongs(i, e, id, own)
	return w, signed, nil
}

// belongs says whether a record without an intent of its own is a part of the payment whose id begins its own: its fee, or what a rail has taken of a cash-out.
func belongs(i *intent.Intent, e *ledger.Entry, id string, own bool) (w warrant, signed bool) {
	switch {
	case strings.HasSuffix(id, feeSuffix) && i.Kind == intent.Cashout:
		return warrant{feeID(i.ID), i.Fee}, allows(i, e, i.Fee) && e.To == FeesAccount(i.Unit)
	case strings.HasSuffix(id, feeSuffix):
		return w, own && id == feeID(i.ID) && allows(i, e, i.Fee) && e.To == FeesAccount(i.Unit)
	}
	return warrant{i.ID, i.Amount}, i.Kind == intent.Cashout && allows(i, e, i.Amount) && leads(i, e.To)
}

// held says whether what a capture takes was set aside by an intent of the payer for who signed the capture. The book alone does not have what a mandate allows.
func held(ctx context.Context, book *ledger.Ledger, capture *intent.Intent, e *ledger.Entry) (w warrant, signed bool, err error) {
	if e.Of == "" {
		return w, false, nil
	}
	kept, ok, err := book.Look(ctx, e.Of)
	if err != nil {
		return w, false, err
	}
	hold, err := intent.ReadEvidence(kept.Data)
	if !ok || err != nil {
		return w, false, nil
	}
	signed = hold.Kind == intent.Hold && hold.ID == e.Of && capture.Of == e.Of && hold.Payee == capture.Payee && allows(hold, e, hold.Amount)
	return warrant{hold.ID, hold.Amount}, signed, nil
}

// allows says whether an intent lets so much be taken from the account that paid.
func allows(i *intent.Intent, e *ledger.Entry, most int64) bool {
	payer, err := xmpp.ParseJID(i.Payer)
	return err == nil && i.Unit == e.Unit && e.Amount <= most && (e.From == WalletAccount(i.Unit, payer) || e.From == PocketAccount(i.Unit, payer))
}

// leads says whether an intent names who gets what is taken. What is given back goes where it came from, which may be a pocket.
func leads(i *intent.Intent, to string) bool {
	if i.Kind == intent.Cashout {
		rail, _ := railOf(i.Payee)
		return to == "rail/"+rail+"/"+i.Unit
	}
	payee, err := xmpp.ParseJID(i.Payee)
	if err != nil {
		return false
	}
	wallet, pocket := WalletAccount(i.Unit, payee), PocketAccount(i.Unit, payee)
	switch i.Kind {
	case intent.Reserve:
		return to == pocket
	case intent.Refund:
		return to == wallet || to == pocket
	}
	return to == wallet
}

// byMandate says whether a record is a capture that whom the money went to has signed, and no hold: what its payer signed before is not in the book.
func byMandate(e *ledger.Entry) bool {
	i, err := intent.ReadEvidence(e.Data)
	return err == nil && i.Kind == intent.Capture && e.Of == "" && i.ID == e.ID && allows(i, e, i.Amount) && leads(i, e.To)
}
