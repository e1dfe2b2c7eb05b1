package pay

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"palabre.dev/palabre/payments/intent"
	"palabre.dev/palabre/payments/ledger"
	"palabre.dev/palabre/xmpp"
)

// The operator's part. Whatever moves money here, or takes a key from somebody, needs two administrators: one proposes, another one approves; both names are in the ledger's record, or in the audit log where it is about keys.

// Kinds of a proposal.
const (
	Issue    = "issue"    // closed money comes into being, in a wallet
	Withdraw = "withdraw" // what somebody has paid to the proposing administrator, by a signed payment, ceases to be
	Correct  = "correct"  // what was issued by mistake is taken back
	Refund   = "refund"   // what a rail has brought in goes back by it
)

// States of a proposal.
const (
	ProposalOpen     = "open"
	ProposalDone     = "done"
	ProposalDeclined = "declined"
	ProposalRefused  = "refused" // the ledger could not do it, or the account whose keys it is about was removed
)

// Limits of the office.
const (
	maxReason    = 400 // bytes
	maxOpen      = 200 // proposals that wait
	proposalLife = 7 * 24 * time.Hour
	// MaxOffice is how many lines one list of the office has.
	MaxOffice = 200
)

// Operator is the name of the rail by which money is issued by hand: issued payments come from rail:operator.
const Operator = "operator"

// Proposal is what one administrator proposes and another one approves.
type Proposal struct {
	// ID is when it was proposed, in UTC microseconds.
	ID      int64
	Kind    string
	Account string
	Unit    string
	// Amount is in minor units.
	Amount int64
	// Of is the payment that is withdrawn or taken back.
	Of, Why            string
	Proposer, Approver string
	State              string
	Decided            time.Time
	// Number is that of the ledger's record, 0 for none.
	Number int64
}

// At is when it was proposed.
func (p *Proposal) At() time.Time { return atMicro(p.ID) }

// payment is the id of what it does, in the ledger and in the history.
func (p *Proposal) payment() string { return "office-" + strconv.FormatInt(p.ID, 10) }

// text is what the ledger keeps beside the record: who has proposed and who approved.
func (p *Proposal) text() string {
	return strings.Join([]string{officeTitle, "kind=" + p.Kind, "account=" + p.Account, "amount=" + digits(p.Amount), "unit=" + p.Unit, "of=" + p.Of, "proposed-by=" + p.Proposer,
		"approved-by=" + p.Approver, "why=" + p.Why, ""}, "\n")
}

// Propose keeps a proposal of an administrator. Kind, Account, Unit, Amount, Of and Why are given; of a withdrawal and a correction, Of says the rest, and the amount of
// a correction may be less, and a unit that is named is that of the payment. Errors are *xmpp.Error where somebody can do something about them.
func (s *Service) Propose(ctx context.Context, by string, p Proposal) (Proposal, error) {
	p.Why = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.TrimSpace(p.Why))
	if p.Why == "" || len(p.Why) > maxReason || !utf8.ValidString(p.Why) {
		return p, xmpp.BadRequest.Because("say why, in at most %d bytes", maxReason)
	}
	p.Proposer, p.Approver, p.State, p.Number, p.Decided = by, "", ProposalOpen, 0, time.Time{}
	if err := s.completeProposal(ctx, &p); err != nil {
		return p, err
	}
	if err := s.apart(by, p.Account, p.Kind); err != nil {
		return p, err
	}
	err := s.db.Tx(ctx, func(ctx context.Context) error {
		var open int
		if err := s.db.QueryRow(ctx, "select count(*) from pay_proposal where state = 'open'").Scan(&open); err != nil {
			return fmt.Errorf("count proposals: %w", err)
		}
		if open >= maxOpen {
			return xmpp.PolicyViolation.Because("%d proposals wait: decide on some first", open)
		}
		if p.Kind == Refund {
			if err := s.stillLeft(ctx, &p); err != nil {
				return err
			}
		}
		p.ID = s.db.Next()
		_, err := s.db.Exec(ctx, `insert into pay_proposal (id, kind, account, unit, amount, target, why, proposer, approver, state, decided, number) values ($1, $2, $3, $4, $5, $6, $7, $8, '', 'open', 0, 0)`,
			p.ID, p.Kind, p.Account, p.Unit, p.Amount, p.Of, p.Why, by)
		if err != nil {
			return fmt.Errorf("keep proposal: %w", err)
		}
		return s.audit(ctx, by, "propose-"+p.Kind, p.Account, s.proposed(&p))
	})
	return p, err
}

// completeProposal refuses what cannot be, and fills in what follows from the payment that it is about.
func (s *Service) completeProposal(ctx context.Context, p *Proposal) error {
	if p.Kind == KeepKeys {
		return s.completeKeys(ctx, p)
	}
	if p.Kind == Issue {
		account, err := xmpp.ParseJID(p.Account)
		unit := s.cfg.unit(p.Unit)
		switch {
		case err != nil || account.Resource() != "" || !s.ours(account):
			return xmpp.ItemNotFound.Because("there is no such account")
		case unit == nil || !unit.Closed:
			return xmpp.NotAllowed.Because("money of a closed unit alone is issued by hand; other money comes in by a rail")
		case p.Amount < 1 || p.Amount > ledger.MaxAmount || p.Of != "":
			return xmpp.BadRequest.Because("say how much")
		}
		p.Account = account.String() // as it is written everywhere else, however it was typed
		return s.exists(ctx, account)
	}
	of, err := s.payment(ctx, p.Of)
	if err != nil {
		return err
	}
	if of == nil || of.state != Done {
		return xmpp.ItemNotFound.Because("there is no such payment that is done")
	}
	if p.Kind == Refund {
		return s.completeRefund(ctx, p, of)
	}
	left := of.Amount - of.refunded
	if p.Kind == Withdraw {
		withdrawn, err := s.withdrawn(ctx, of.ID)
		if err != nil {
			return err
		}
		left -= withdrawn
	}
	switch {
	case p.Kind == Withdraw && (of.Kind != intent.Send || of.Payee != p.Proposer):
		return xmpp.NotAllowed.Because("what is withdrawn was paid before to whom proposes it, by a payment that its payer has signed")
	case p.Kind == Correct && (of.Kind != Cashin || of.Payer != "rail:"+Operator):
		return xmpp.NotAllowed.Because("only what was issued by hand is taken back so; payments are given back by who was paid")
	case p.Kind != Withdraw && p.Kind != Correct:
		return xmpp.BadRequest.Because("issue, withdraw, correct, refund or keys?")
	}
	if unit := s.cfg.unit(of.Unit); unit == nil || !unit.Closed {
		return xmpp.NotAllowed.Because("%s leaves by a rail", of.Unit)
	}
	if p.Unit != "" && p.Unit != of.Unit { // the amount was written with the digits of another unit
		return xmpp.BadRequest.Because("the payment is in %s", of.Unit)
	}
	if p.Kind == Withdraw || p.Amount == 0 {
		p.Amount = left
	}
	if p.Amount < 1 || p.Amount > left {
		return exceeds(left)
	}
	p.Account, p.Unit = of.Payee, of.Unit
	return nil
}

// exists refuses an account that nobody has.
func (s *Service) exists(ctx context.Context, account xmpp.JID) error {
	if left, err := s.gone(ctx, account); err != nil || left {
		if err == nil {
			err = noPayee()
		}
		return err
	}
	if s.directory == nil {
		return nil
	}
	_, there, err := s.directory.Person(ctx, account)
	if err == nil && !there {
		err = xmpp.ItemNotFound.Because("there is no account %s", account)
	}
	return err
}

// apart refuses an administrator who would give money to themselves, or say which of their own keys stay.
func (s *Service) apart(by, account, kind string) error {
	switch {
	case kind == Issue && by == account:
		return xmpp.NotAllowed.Because("nobody issues money to themselves")
	case kind == KeepKeys && by == account:
		return xmpp.NotAllowed.Because("nobody decides about their own keys")
	}
	return nil
}

// Decline ends a proposal without doing it; who has proposed it may, too.
func (s *Service) Decline(ctx context.Context, by string, id int64) (Proposal, error) {
	var p Proposal
	err := s.db.Tx(ctx, func(ctx context.Context) (err error) {
		if p, err = s.openProposal(ctx, id); err != nil {
			return err
		}
		p.State, p.Approver = ProposalDeclined, by
		if err := s.endProposal(ctx, &p); err != nil {
			return err
		}
		return s.audit(ctx, by, "decline-"+p.Kind, p.Account, s.proposed(&p))
	})
	return p, err
}

// Approve does what another administrator has proposed. The record of the ledger carries both names.
func (s *Service) Approve(ctx context.Context, by string, id int64) (Proposal, error) {
	p, err := s.openProposal(ctx, id)
	switch {
	case err != nil:
		return p, err
	case s.now().Sub(p.At()) > proposalLife:
		return p, xmpp.NotAllowed.Because("it is older than a week: propose it anew")
	}
	if err := s.TwoPairs(ctx, p.Proposer, by); err != nil {
		return p, err
	}
	if err := s.apart(by, p.Account, p.Kind); err != nil {
		return p, err
	}
	p.Approver = by
	account, err := xmpp.ParseJID(p.Account)
	if err != nil {
		return p, err
	}
	switch p.Kind {
	case KeepKeys:
		err = s.keepKeys(ctx, &p, account)
	case Refund:
		err = s.sendBack(ctx, &p, account)
	default:
		err = s.moveApproved(ctx, &p, account)
	}
	var reason ledger.Reason
	if errors.As(err, &reason) {
		return p, s.proposalRefused(ctx, &p, reason)
	}
	s.wake()
	return p, err
}

// moveApproved does in the ledger what was proposed.
func (s *Service) moveApproved(ctx context.Context, p *Proposal, account xmpp.JID) error {
	if err := s.open(ctx, p.Unit, WalletAccount(p.Unit, account)); err != nil {
		return err
	}
	_, err := s.ledger.Post(ctx, func(ctx context.Context, records []ledger.Record) error {
		return s.approved(ctx, p, account, records[0])
	}, p.operation(account))
	return err
}

// about is what the ledger's record says of it in words.
func (p *Proposal) about() string {
	about := fmt.Sprintf("%s, proposed by %s, approved by %s: %s", p.Kind, p.Proposer, p.Approver, p.Why)
	for len(about) > ledger.MaxAbout || !utf8.ValidString(about) {
		about = about[:min(len(about)-1, ledger.MaxAbout)]
	}
	return about
}

// operation is what the ledger is asked for.
func (p *Proposal) operation(account xmpp.JID) ledger.Operation {
	wallet := WalletAccount(p.Unit, account)
	o := ledger.Operation{ID: p.payment(), Kind: ledger.Transfer, From: IssueAccount(p.Unit), To: wallet, Amount: p.Amount, Unit: p.Unit, About: p.about(), Data: []byte(p.text())}
	switch p.Kind {
	case Withdraw:
		o.From, o.To = wallet, IssueAccount(p.Unit)
	case Correct:
		o.Kind, o.From, o.To, o.Unit, o.Of = ledger.Reversal, "", "", "", p.Of
	}
	return o
}

// approved keeps, in the transaction of the ledger, what follows from a proposal that is done.
func (s *Service) approved(ctx context.Context, p *Proposal, account xmpp.JID, record ledger.Record) error {
	if _, err := s.openProposal(ctx, p.ID); err != nil { // somebody else was faster
		return err
	}
	p.State, p.Number = ProposalDone, record.Number
	if err := s.endProposal(ctx, p); err != nil {
		return err
	}
	if err := s.audit(ctx, p.Approver, "approve-"+p.Kind, p.Account, s.proposed(p)); err != nil {
		return err
	}
	switch p.Kind {
	case Issue:
		return s.issued(ctx, p, account, record)
	case Correct:
		return s.takenBack(ctx, p, account)
	case Refund:
		return s.sentBack(ctx, p, account, record)
	}
	return s.tookOut(ctx, p, account)
}

// tookOut looks once more whether the payment is not withdrawn twice, and tells whose wallet it was in.
func (s *Service) tookOut(ctx context.Context, p *Proposal, account xmpp.JID) error {
	of, err := s.payment(ctx, p.Of)
	if err != nil {
		return err
	}
	withdrawn, err := s.withdrawn(ctx, p.Of)
	if err != nil {
		return err
	}
	if of == nil || withdrawn > of.Amount-of.refunded { // this one is among them already
		return exceeds(0)
	}
	return s.tellWallet(ctx, account, say("withdrawn", money{p.Amount, p.Unit, p.Why}))
}

// issued writes money that was issued into its owner's history, and tells them.
func (s *Service) issued(ctx context.Context, p *Proposal, account xmpp.JID, record ledger.Record) error {
	one := &payment{Intent: &intent.Intent{ID: p.payment(), Kind: Cashin, Payer: "rail:" + Operator, Payee: p.Account, Amount: p.Amount, Unit: p.Unit, For: p.Why},
		payee: account, state: Done, text: p.text(), number: record.Number, at: record.Time()}
	one.hash = sha256.Sum256([]byte(one.text))
	if err := s.insert(ctx, one, account); err != nil {
		return err
	}
	return s.notify(ctx, account, "", say("issued", money{p.Amount, p.Unit, p.Why}).at(linkPayment, one.ID), one.element())
}

// takenBack notes at a payment that it was taken back, and tells whose wallet it was in.
func (s *Service) takenBack(ctx context.Context, p *Proposal, account xmpp.JID) error {
	n, err := s.db.Exec(ctx, "update pay_payment set refunded = refunded + $1 where id = $2 and refunded + $1 <= amount", p.Amount, p.Of)
	if err != nil {
		return fmt.Errorf("note what was taken back: %w", err)
	}
	if n == 0 {
		return exceeds(0)
	}
	of, err := s.payment(ctx, p.Of)
	if err != nil || of == nil {
		return err
	}
	return s.notify(ctx, account, "", say("takenBack", money{p.Amount, p.Unit, p.Why}).at(linkPayment, of.ID), of.element())
}

// proposalRefused keeps that the ledger could not do it.
func (s *Service) proposalRefused(ctx context.Context, p *Proposal, reason ledger.Reason) error {
	err := s.db.Tx(ctx, func(ctx context.Context) error {
		if _, err := s.openProposal(ctx, p.ID); err != nil {
			return err
		}
		p.State = ProposalRefused
		if err := s.endProposal(ctx, p); err != nil {
			return err
		}
		return s.audit(ctx, p.Approver, "refused-"+p.Kind, p.Account, reason.Error())
	})
	if err != nil {
		return err
	}
	return ofLedger(reason)
}
