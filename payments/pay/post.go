package pay

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"palabre.dev/palabre/payments/intent"
	"palabre.dev/palabre/payments/ledger"
	"palabre.dev/palabre/xmpp"
)

const (
	maxAhead        = 15 * time.Minute   // that an intent and an order may be signed before they expire
	maxAheadOffline = 7 * 24 * time.Hour // that a payment without network may be
	maxBytes        = 4 << 10            // characters of one part of a signature, of a key
)

// pay does what an intent says. It answers with a receipt when that is kept; the same intent again gets the same receipt, byte for byte, and that is not counted.
func (s *Service) pay(ctx context.Context, from xmpp.JID, payload *xmpp.Element) (*xmpp.Element, error) {
	return s.payCounted(ctx, from, payload, func(what string) error { return s.mayAskNow(from.String(), what) })
}

// payByLink is the same for who was counted already.
func (s *Service) payByLink(ctx context.Context, from xmpp.JID, payload *xmpp.Element) (*xmpp.Element, error) {
	return s.payCounted(ctx, from, payload, func(string) error { return nil })
}

// payCounted is pay, of which count says whether it may be asked now by the rate of this name.
func (s *Service) payCounted(ctx context.Context, from xmpp.JID, payload *xmpp.Element, count func(what string) error) (*xmpp.Element, error) {
	p, err := s.readIntent(from, payload)
	if err != nil {
		return nil, cmp.Or(count("pay"), err)
	}
	was, err := s.payment(ctx, p.ID)
	if err != nil || was != nil && was.hash == p.hash {
		return s.before(ctx, was, p, err)
	}
	what := "pay"
	if p.shown() {
		what = "promise"
	}
	if err := count(what); err != nil {
		return nil, err
	}
	if was != nil {
		return nil, s.crossed(ctx, p)
	}
	if err := s.prove(ctx, p); err != nil {
		return s.unproved(ctx, p, err)
	}
	if err := s.decide(ctx, p); err != nil {
		return s.refuse(ctx, p, err)
	}
	if err := s.post(ctx, p); err != nil {
		return s.refuse(ctx, p, err)
	}
	return s.answer(ctx, p)
}

// readIntent reads what somebody hands in, and that it is theirs to hand in.
func (s *Service) readIntent(from xmpp.JID, payload *xmpp.Element) (*payment, error) {
	p := &payment{from: from, state: Done, text: payload.ChildText(NS, "intent")}
	var err error
	if p.Intent, err = intent.Parse(p.text); err != nil {
		return nil, badText("%v", err)
	}
	if !writable(p.For) || !writable(p.Payee) {
		return nil, badText("for and payee: they hold what XML cannot")
	}
	p.hash = sha256.Sum256([]byte(p.text))
	if p.signature, err = readSignature(payload.Child(NS, "signature")); err != nil {
		return nil, err
	}
	if err := p.parties(); err != nil {
		return nil, err
	}
	switch {
	case p.Service != s.cfg.Service:
		return nil, badText("it is for another service")
	case p.signature.key != p.Key:
		return nil, badSignature()
	case !s.ours(p.signer()) || from != p.signer() && (p.Kind != intent.Offline || from != p.payee):
		return nil, xmpp.Forbidden.With(element("bad-signature")).Because("it is not yours")
	}
	return p, nil
}

// readSignature reads a <signature/>.
func readSignature(e *xmpp.Element) (sig signature, err error) {
	if e == nil {
		return sig, badSignature()
	}
	sig.key = e.Attr("key")
	for _, part := range []struct {
		text string
		to   *[]byte
	}{{e.Text(), &sig.value}, {e.Attr("authenticator"), &sig.authenticator}, {e.Attr("client"), &sig.client}} {
		if *part.to, err = readBytes(part.text); err != nil {
			return sig, badSignature()
		}
	}
	return sig, nil
}

func readBytes(text string) ([]byte, error) {
	if len(text) > maxBytes {
		return nil, badText("too many bytes")
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return nil, badText("bytes are base64url without padding")
	}
	return b, nil
}

// before answers what was asked for before.
func (s *Service) before(ctx context.Context, was, p *payment, err error) (*xmpp.Element, error) {
	if err != nil {
		return nil, err
	}
	if was.hash != p.hash {
		return nil, s.crossed(ctx, p)
	}
	if was.state == Refused {
		return nil, readRefusal(was.refusal)
	}
	return was.answer(), nil
}

// answer is the receipt, or the payment where a network outside has not answered yet.
func (p *payment) answer() *xmpp.Element {
	if p.receipt.text == "" {
		return p.element()
	}
	return p.receipt.element()
}

// prove finds the key that has signed an intent, and checks that it has. What fails here is kept nowhere: only who can sign uses up an id.
func (s *Service) prove(ctx context.Context, p *payment) (err error) {
	if p.key, err = s.keyOf(ctx, p.signer(), p.Key); err != nil {
		return err
	}
	p.public = p.key.public
	return s.verify(p.key, p.text, p.signature)
}

// decide looks at everything that can be looked at before the ledger is asked. An error is a refusal, or passes.
func (s *Service) decide(ctx context.Context, p *payment) error {
	r, known := rules(p.Kind)
	if !known {
		return xmpp.FeatureNotImplemented
	}
	now := s.now()
	most := maxAhead
	if r.ahead {
		most = maxAheadOffline
	}
	if !now.Before(p.Expires) {
		return expired()
	}
	if ahead := p.Expires.Sub(now); ahead > most {
		return tooFar(p, ahead, most)
	}
	if err := s.mayUse(ctx, p.key, p.Intent); err != nil {
		return err
	}
	if p.Unit != "" {
		unit := s.cfg.unit(p.Unit)
		if unit == nil {
			return badText("%s is not paid here", p.Unit)
		}
		if fee := s.feeOf(unit, r, p); fee != p.Fee {
			return feeChanged(fee)
		}
	}
	if err := s.mayPay(ctx, p, r); err != nil {
		return err
	}
	if err := r.prepare(s, ctx, p); err != nil || !p.limited {
		return err
	}
	r.limited = true
	return s.mayPay(ctx, p, r)
}

func (s *Service) feeOf(unit *Unit, r rule, p *payment) int64 {
	if !r.charged {
		return 0
	}
	return unit.fee(p.Kind, p.Amount)
}

// post asks the ledger, and keeps the payment in the same transaction.
func (s *Service) post(ctx context.Context, p *payment) error {
	also := func(ctx context.Context, records []ledger.Record) error { return s.keep(ctx, p, records) }
	switch {
	case p.Kind == intent.Cashout:
		return s.rails.CashOut(ctx, p.railTransfer(), also)
	case len(p.operations) == 0: // nothing is moved
		return s.db.Tx(ctx, func(ctx context.Context) error { return also(ctx, nil) })
	case p.Kind == intent.Offline:
		_, err := s.ledger.Try(ctx, also, p.operations...)
		return err
	}
	_, err := s.ledger.Post(ctx, also, p.operations...)
	return err
}

// keep writes a payment in the transaction that does it: what may have changed since it was decided is looked at again, as there only one is decided at a time.
func (s *Service) keep(ctx context.Context, p *payment, records []ledger.Record) error {
	r, _ := rules(p.Kind)
	var record *ledger.Record
	if len(records) > 0 {
		record = &records[0]
		p.number, p.at, p.paid = record.Number, record.Time(), record.Paid
	} else {
		p.number = s.db.Next()
		p.at = time.UnixMicro(p.number).UTC()
	}
	p.refusal, p.why, p.receipt = "", "", signedReceipt{}
	r.limited = r.limited || p.limited
	if err := s.spend(ctx, p, r); err != nil {
		return err
	}
	for _, step := range p.also {
		if err := step(ctx); err != nil {
			return err
		}
	}
	if p.state != Waiting {
		if err := s.sign(p, record); err != nil {
			return err
		}
	}
	if err := s.insert(ctx, p, p.payer, p.payee); err != nil {
		return err
	}
	if r.tell != nil {
		return r.tell(s, ctx, p)
	}
	return s.tellBoth(ctx, p)
}

// refuse keeps a refusal under the id, and answers with it; with what was kept meanwhile, if something was. What is to be tried again is answered alone.
func (s *Service) refuse(ctx context.Context, p *payment, err error) (*xmpp.Element, error) {
	if errors.Is(err, errTaken) || errors.Is(err, ledger.ErrIDTaken) {
		return s.taken(ctx, p)
	}
	wire, stays := lasting(err)
	if !stays {
		return nil, err
	}
	if p.passes(wire) {
		return s.notNow(ctx, p, wire)
	}
	if wire.Detail == nil { // every decision has a word by which clients know that it is one
		wire = refusal(wire, wire.Condition)
	}
	return s.keepRefusal(ctx, p, wire)
}

// keepRefusal keeps a refusal and answers with it. That of a promise which its payer hands in is not kept: whoever was promised it is to have an answer of their own.
func (s *Service) keepRefusal(ctx context.Context, p *payment, wire *xmpp.Error) (*xmpp.Element, error) {
	if p.own() {
		return nil, wire
	}
	p.state, p.number, p.receipt = Refused, 0, signedReceipt{}
	p.why, p.refusal = whyOf(wire), wire.Element().String()
	err := s.db.Tx(ctx, func(ctx context.Context) error {
		p.at = time.UnixMicro(s.db.Next()).UTC()
		if err := s.insert(ctx, p, p.signer()); err != nil { // a capture that was refused is nothing that its payer sees
			return err
		}
		return s.suspect(ctx, p, p.why)
	})
	if errors.Is(err, errTaken) {
		return s.taken(ctx, p)
	}
	if err != nil {
		return nil, fmt.Errorf("keep refusal: %w", err)
	}
	return nil, wire
}

// taken answers what was kept under the id while we decided. Where the ledger alone knows the id, it has refused it before, or it was used for something else.
func (s *Service) taken(ctx context.Context, p *payment) (*xmpp.Element, error) {
	was, err := s.payment(ctx, p.ID)
	if err != nil || was != nil {
		return s.before(ctx, was, p, err)
	}
	kept, ok, err := s.ledger.Look(ctx, p.ID)
	if err != nil {
		return nil, fmt.Errorf("look at %s: %w", p.ID, err)
	}
	var reason ledger.Reason
	if ok && errors.As(kept.Refused, &reason) && strings.HasPrefix(string(kept.Data), p.text+intent.EvidenceMark) {
		return s.keepRefusal(ctx, p, ofLedger(reason))
	}
	return nil, s.crossed(ctx, p)
}

// answer reads what was kept: the ledger may have done it for an earlier call with the same id.
func (s *Service) answer(ctx context.Context, p *payment) (*xmpp.Element, error) {
	was, err := s.payment(ctx, p.ID)
	if err != nil {
		return nil, err
	}
	if was == nil {
		return nil, fmt.Errorf("the ledger has %s and no payment is kept", p.ID)
	}
	return s.before(ctx, was, p, nil)
}
