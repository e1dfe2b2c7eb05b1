package pay

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"palabre.dev/palabre/payments/intent"
	"palabre.dev/palabre/payments/ledger"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

// States of a payment. A receipt knows the first three alone.
const (
	Done    = string(intent.Done)
	Held    = string(intent.Held)
	Ended   = string(intent.Ended)
	Waiting = "waiting" // with a network outside: not known yet
	Refused = "refused"
)

// Cashin is the kind of a payment that a rail brings in. Nobody signs one, as nothing is debited; its text is what was asked for.
const Cashin intent.Kind = "cashin"

// payment is one payment, while it is decided about and as it is kept.
type payment struct {
	*intent.Intent
	payer, payee xmpp.JID // payee is zero for what leaves by a rail, payer for what comes in
	text         string
	hash         [sha256.Size]byte
	signature    signature
	public       []byte

	state    string
	at       time.Time
	number   int64 // of the ledger's record, 0 for none
	paid     int64 // what the account that was paid has after that record
	refunded int64
	chat     string // the conversation in which it is shown, if it is not the other's address
	receipt  signedReceipt
	why      string
	refusal  string // the error that was answered

	from       xmpp.JID           // who has handed it in
	key        *key               // which has signed it
	operations []ledger.Operation // what is asked of the ledger; the first is the one that the receipt names
	also       []step             // what is done besides in its transaction
	wanted     bool               // the payee has asked for it: it is for a request, a share, a debt
	wantedFor  *string            // in these words; nil where there are none
	limited    bool               // it counts for the limits of its payer, though its kind does not always
}

// signature is what came with a text.
type signature struct {
	key                          string
	value, authenticator, client []byte
}

// signedReceipt is a receipt with the service's signature.
type signedReceipt struct {
	text      string
	signature []byte
}

// signer is the account whose key has signed it.
func (p *payment) signer() xmpp.JID {
	if p.Kind.Signer(p.Intent) == p.Intent.Payee {
		return p.payee
	}
	return p.payer
}

// has says whether an account takes part in it. What was refused is whose key has signed it alone: nobody else had to do with it. Of a cash-in that is its owner, though nobody has signed it.
func (p *payment) has(account xmpp.JID) bool {
	if p.state == Refused && p.Kind != Cashin {
		return p.signer() == account
	}
	return p.payer == account || p.payee == account
}

// data is what the ledger keeps beside the transfer: the intent as it was signed, and what proves it.
func (p *payment) data() []byte {
	return intent.Evidence{Text: p.text, Public: p.public, Signature: p.signature.value, Authenticator: p.signature.authenticator, Client: p.signature.client}.Bytes()
}

// element is the payment as clients see it.
func (p *payment) element() *xmpp.Element {
	e := element("payment", "id", p.ID, "kind", string(p.Kind), "state", p.state, "payer", p.Payer, "payee", p.Payee, "unit", p.Unit, "of", p.Of, "for", p.For,
		"time", intent.FormatTime(p.at.Truncate(time.Second)), "until", intent.FormatTime(p.Until), "period", p.Period, "why", p.why, "chat", p.chat)
	e.Set("amount", digits(p.Amount)).Set("fee", digits(p.Fee))
	if p.Total > 0 {
		e.Set("total", digits(p.Total))
	}
	if p.number > 0 {
		e.Set("number", digits(p.number))
	}
	if p.refunded > 0 {
		e.Set("refunded", digits(p.refunded))
	}
	if p.receipt.text != "" {
		e.Add(p.receipt.element())
	}
	return e
}

func (r signedReceipt) element() *xmpp.Element {
	return element("receipt").Add(xmpp.NewText(NS, "text", r.text), xmpp.NewText(NS, "signature", base64.RawURLEncoding.EncodeToString(r.signature)))
}

const paymentColumns = `p.id, p.kind, p.payer, p.payee, p.amount, p.unit, p.state, p.time, p.number, p.refunded, p.chat, p.intent, p.key, p.public, p.signature, p.authenticator, p.client, p.receipt, p.receipt_signature, p.why, p.error,
	p.target, p.about from pay_payment p`

func scanPayment(rows *store.Rows) (*payment, error) {
	p := &payment{Intent: &intent.Intent{}}
	var at int64
	err := rows.Scan(&p.ID, &p.Kind, &p.Payer, &p.Payee, &p.Amount, &p.Unit, &p.state, &at, &p.number, &p.refunded, &p.chat, &p.text, &p.signature.key, &p.public, &p.signature.value, &p.signature.authenticator, &p.signature.client,
		&p.receipt.text, &p.receipt.signature, &p.why, &p.refusal, &p.Of, &p.For)
	if err != nil {
		return nil, err
	}
	p.hash, p.at = sha256.Sum256([]byte(p.text)), time.UnixMicro(at).UTC()
	switch p.Kind {
	case Cashin:
		p.payee, err = bare(p.Payee)
		return p, err
	case CashRefund:
		p.payer, err = bare(p.Payer)
		return p, err
	}
	if p.Intent, err = intent.Parse(p.text); err != nil {
		return nil, err
	}
	return p, p.parties()
}

// parties reads the addresses of an intent. They must be written as they are prepared (RFC 7622), so that one account has one name.
func (p *payment) parties() (err error) {
	if p.payer, err = bare(p.Payer); err != nil {
		return err
	}
	if p.Kind != intent.Cashout {
		p.payee, err = bare(p.Payee)
	}
	return err
}

func bare(text string) (xmpp.JID, error) {
	j, err := xmpp.ParseJID(text)
	if err != nil || j.String() != text || !j.IsBare() || j.Local() == "" {
		return xmpp.JID{}, badText("%.64q is no bare address as it is prepared", text)
	}
	return j, nil
}

// payments reads some payments; where follows the columns.
func (s *Service) payments(ctx context.Context, where string, args ...any) ([]*payment, error) {
	return read(ctx, s.db, "payments", scanPayment, "select "+paymentColumns+" "+where, args...)
}

// payment reads a payment by its id, nil if there is none.
func (s *Service) payment(ctx context.Context, id string) (*payment, error) {
	all, err := s.payments(ctx, "where p.id = $1", id)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return all[0], nil
}

// errTaken means that something was kept under the id meanwhile.
var errTaken = errors.New("something was kept under this id")

// insert writes a payment in the transaction of ctx, and into the histories of these accounts. It returns errTaken if there is one of its id.
func (s *Service) insert(ctx context.Context, p *payment, accounts ...xmpp.JID) error {
	n, err := s.db.Exec(ctx, `insert into pay_payment (id, kind, state, payer, payee, amount, unit, fee, target, about, until, total, period, time, number, refunded, chat, hash, intent, key, public,
		signature, authenticator, client, receipt, receipt_signature, why, error)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28) on conflict (id) do nothing`,
		p.ID, string(p.Kind), p.state, p.Payer, p.Payee, p.Amount, p.Unit, p.Fee, p.Of, p.For, micro(p.Until), p.Total, p.Period, micro(p.at), p.number, p.refunded, p.chat, p.hash[:], p.text,
		p.signature.key, bytesOrNone(p.public), bytesOrNone(p.signature.value), bytesOrNone(p.signature.authenticator), bytesOrNone(p.signature.client), p.receipt.text,
		bytesOrNone(p.receipt.signature), p.why, p.refusal)
	if err != nil {
		return fmt.Errorf("keep payment: %w", err)
	}
	if n == 0 {
		return errTaken
	}
	for i, account := range accounts {
		if account.IsZero() || i > 0 && account == accounts[0] {
			continue
		}
		if err := s.db.Append(ctx, insertLine, account.String(), micro(p.at), p.ID, p.Unit, p.words()); err != nil {
			return fmt.Errorf("keep line: %w", err)
		}
	}
	return nil
}

var insertLine = store.NewInsert("pay_line", "account", "time", "id", "unit", "words")

// words are those by which a payment is found.
func (p *payment) words() string {
	return strings.ToLower(strings.Join([]string{p.Payer, p.Payee, p.For, p.ID}, "\n"))
}

func digits(n int64) string { return strconv.FormatInt(n, 10) }

func micro(at time.Time) int64 {
	if at.IsZero() {
		return 0
	}
	return at.UnixMicro()
}

func atMicro(at int64) time.Time { return time.UnixMicro(at).UTC() }

// bytesOrNone is b, never null.
func bytesOrNone(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
