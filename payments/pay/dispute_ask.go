package pay

import (
	"context"
	"encoding/hex"
	"net/url"
	"time"

	"palabre.dev/palabre/payments/intent"
	"palabre.dev/palabre/xmpp"
)

// askDispute is <dispute/>: a payer says that a payment was not right.
func (s *Service) askDispute(ctx context.Context, account xmpp.JID, e *xmpp.Element) (*xmpp.Element, error) {
	a := &asked{e: e}
	d := &dispute{id: a.id("id"), of: a.id("of"), payer: account.String(), amount: a.amount("amount"), why: a.oneOf("why", disputeReasons...), text: a.inLines("text", e.Text(), maxText, true)}
	if a.err != nil {
		return nil, a.err
	}
	content := contentOf(d.payer, e)
	err := s.db.Tx(ctx, func(ctx context.Context) error {
		if done, err := s.askedBefore(ctx, "pay_dispute", d.id, content); done || err != nil {
			return err
		}
		if err := s.mayDispute(ctx, account, d); err != nil {
			return err
		}
		if err := s.addDispute(ctx, d, content); err != nil {
			return err
		}
		return s.tellDispute(ctx, d, say("disputes", called(d.payer), called(d.payee), money{d.amount, d.unit, ""}))
	})
	if err != nil {
		return nil, err
	}
	return s.answerDispute(ctx, d.id)
}

// mayDispute refuses a dispute that cannot be, and notes what it is about.
func (s *Service) mayDispute(ctx context.Context, account xmpp.JID, d *dispute) error {
	p, err := s.payment(ctx, d.of)
	if err != nil {
		return err
	}
	if p == nil || p.payer != account || !moves(p.Kind) {
		return xmpp.ItemNotFound // whose payment it is not learns nothing of it
	}
	if p.state != Done || s.now().Sub(p.at) > disputeWithin {
		return isOver("only what was paid in the last 120 days is disputed")
	}
	if left := p.Amount - p.refunded; d.amount > left {
		return exceeds(left)
	}
	if other, err := s.disputeOf(ctx, d.of); err != nil || other != nil {
		if err != nil {
			return err
		}
		return xmpp.Conflict.Because("there is an open dispute about this payment: %s", other.id)
	}
	var open int64
	if err := s.db.QueryRow(ctx, "select count(*) from pay_dispute where payer = $1 and state = 'open'", d.payer).Scan(&open); err != nil {
		return err
	}
	if open >= maxDisputes {
		return xmpp.ResourceConstraint.Because("%d disputes of yours are open", open)
	}
	d.payee, d.unit = p.Payee, p.Unit
	return nil
}

// moves says whether a payment of a kind has moved money between two people, which may be given back.
func moves(kind intent.Kind) bool {
	return kind == intent.Send || kind == intent.Tip || kind == intent.Capture || kind == intent.Offline
}

// askEvidence is <evidence/>: a side of a dispute shows something.
func (s *Service) askEvidence(ctx context.Context, account xmpp.JID, e *xmpp.Element) (*xmpp.Element, error) {
	a := &asked{e: e}
	one := evidence{author: account.String(), hash: e.Attr("hash"), address: a.words("address", maxLink), name: a.words("name", maxFileName), size: a.number("size", 0, 1<<53, 0),
		text: a.inLines("text", e.Text(), maxText, true)}
	if one.hash != "" && (len(one.hash) != 64 || hex.EncodeToString(unhex(one.hash)) != one.hash) {
		a.refuse("hash", "the SHA-256 of the file, hexadecimal")
	}
	if u, err := url.Parse(one.address); err != nil || one.address != "" && (u.Scheme != "https" && u.Scheme != "aesgcm" || u.Host == "") {
		a.refuse("address", "where the file is (https or aesgcm)")
	}
	if one.text == "" && one.address == "" {
		a.refuse("evidence", "words or a file")
	}
	if one.address != "" && one.hash == "" {
		a.refuse("hash", "of the file, so that whoever opens it sees that it is the one that was shown")
	}
	if a.err != nil {
		return nil, a.err
	}
	err := s.changeDispute(ctx, e.Attr("dispute"), func(ctx context.Context, d *dispute) (said, error) {
		if !d.concerns(one.author) {
			return said{}, xmpp.ItemNotFound
		}
		same, pieces, err := s.gave(ctx, d.id, one)
		if err != nil {
			return said{}, err
		}
		if same {
			return said{}, errSame
		}
		if err := d.submit(pieces); err != nil {
			return said{}, err
		}
		return say("evidence", called(one.author), money{d.amount, d.unit, ""}),
			s.db.Append(ctx, insertEvidence, s.db.Next(), d.id, one.author, one.hash, one.address, one.text, one.name, one.size)
	})
	if err != nil {
		return nil, err
	}
	return s.answerDispute(ctx, e.Attr("dispute"))
}

func unhex(text string) []byte {
	b, err := hex.DecodeString(text)
	if err != nil {
		return nil
	}
	return b
}

// settle is <settle dispute= by=/>. The payer withdraws; the payee gives back by a refund, which is signed like all that is debited; the operator alone rejects.
func (s *Service) settle(ctx context.Context, account xmpp.JID, e *xmpp.Element) (*xmpp.Element, error) {
	a := &asked{e: e}
	by, who := a.oneOf("by", "", "refund", "reject", "withdraw"), account.String()
	if a.err != nil {
		return nil, a.err
	}
	err := s.changeDispute(ctx, e.Attr("dispute"), func(_ context.Context, d *dispute) (said, error) {
		switch {
		case !d.concerns(who):
			return said{}, xmpp.ItemNotFound
		case by == "withdraw":
			return say("undisputes", called(who), money{d.amount, d.unit, ""}), d.withdraw(who, s.now().UnixMicro())
		case by == "refund" && who == d.payee && (d.state == disputeOpen || d.state == disputeUpheld):
			return said{}, xmpp.NotAllowed.Because("give it back with a refund that a payment key has signed, of %s", d.of)
		}
		return said{}, xmpp.Forbidden.Because("the operator decides, the payee gives back, or who opened it withdraws")
	})
	if err != nil {
		return nil, err
	}
	return s.answerDispute(ctx, e.Attr("dispute"))
}

// changeDispute changes a dispute in a transaction, and tells both sides in the words that the change gives.
func (s *Service) changeDispute(ctx context.Context, id string, change func(ctx context.Context, d *dispute) (said, error)) error {
	return s.db.Tx(ctx, func(ctx context.Context) error {
		d, err := s.dispute(ctx, id)
		if err != nil {
			return err
		}
		words, err := change(ctx, d)
		if err == errSame {
			return nil
		}
		if err != nil {
			return err
		}
		if err := s.keepDispute(ctx, d); err != nil {
			return err
		}
		return s.tellDispute(ctx, d, words)
	})
}

// tellDispute tells both sides of a dispute how it stands, in the transaction of ctx.
func (s *Service) tellDispute(ctx context.Context, d *dispute, words said) error {
	pieces, err := s.evidenceOf(ctx, d.id)
	if err != nil {
		return err
	}
	return s.tellPeople(ctx, []string{d.payer, d.payee}, "", words.at(linkPayment, d.of), d.element(pieces))
}

// element is the dispute as it is told, with what both sides have shown.
func (d *dispute) element(pieces []evidence) *xmpp.Element {
	e := element("dispute", "id", d.id, "of", d.of, "by", d.payer, "payer", d.payer, "payee", d.payee, "amount", digits(d.amount), "refunded", digits(d.refunded), "unit", d.unit, "why", d.why,
		"state", d.state, "time", momentOf(d.made), "ended", momentOf(d.ended), "decided", d.decidedWhy)
	e.AddText(d.text)
	for _, one := range pieces {
		piece := element("evidence", "by", one.author, "hash", one.hash, "address", one.address, "name", one.name, "time", intent.FormatTime(one.given.Truncate(time.Second)))
		if one.size > 0 {
			piece.Set("size", digits(one.size))
		}
		e.Add(piece.AddText(one.text))
	}
	return e
}

// momentOf writes a time in microseconds, to the second; 0 is empty.
func momentOf(at int64) string {
	if at == 0 {
		return ""
	}
	return intent.FormatTime(time.UnixMicro(at).UTC().Truncate(time.Second))
}

func (s *Service) answerDispute(ctx context.Context, id string) (*xmpp.Element, error) {
	d, err := s.dispute(ctx, id)
	if err != nil {
		return nil, err
	}
	pieces, err := s.evidenceOf(ctx, id)
	if err != nil {
		return nil, err
	}
	return d.element(pieces), nil
}

// getDispute is <dispute id=/>: both sides alone may read it.
func (s *Service) getDispute(ctx context.Context, account xmpp.JID, e *xmpp.Element) (*xmpp.Element, error) {
	d, err := s.dispute(ctx, e.Attr("id"))
	if err != nil {
		return nil, err
	}
	if !d.concerns(account.String()) {
		return nil, xmpp.ItemNotFound
	}
	return s.answerDispute(ctx, d.id)
}

// getDisputes is <disputes before= max=/>: those in which somebody is a side, the newest first, without evidence.
func (s *Service) getDisputes(ctx context.Context, account xmpp.JID, e *xmpp.Element) (*xmpp.Element, error) {
	a := &asked{e: e}
	size := a.number("max", 1, maxPageSize, pageSize)
	if a.err != nil {
		return nil, a.err
	}
	before, err := s.place(ctx, "pay_dispute", e.Attr("before"))
	if err != nil {
		return nil, err
	}
	found, err := s.disputes(ctx, "(payer = $1 or payee = $1) and made < $2 order by made desc limit $3", account.String(), before, size+1)
	if err != nil {
		return nil, err
	}
	return paged(element("disputes"), found, size, func(d *dispute) string { return d.id }, func(d *dispute) *xmpp.Element { return d.element(nil) }), nil
}
