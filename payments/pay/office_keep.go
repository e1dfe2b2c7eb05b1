package pay

import (
	"context"
	"errors"
	"fmt"
	"time"

	"palabre.dev/palabre/payments/ledger"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

const proposalColumns = "select id, kind, account, unit, amount, target, why, proposer, approver, state, decided, number from pay_proposal where "

// Proposals reads proposals that are open, or those that are not, from before an id (0 for the newest), the newest first.
func (s *Service) Proposals(ctx context.Context, open bool, before int64, max int) ([]Proposal, error) {
	if before <= 0 {
		before = 1 << 62
	}
	is := "state <> 'open'"
	if open {
		is = "state = 'open'"
	}
	return s.proposals(ctx, is+" and id < $1 order by id desc limit $2", before, int64(min(MaxOffice, max)))
}

func (s *Service) proposals(ctx context.Context, where string, args ...any) ([]Proposal, error) {
	return read(ctx, s.db, "proposals", func(row *store.Rows) (p Proposal, err error) {
		var decided int64
		err = row.Scan(&p.ID, &p.Kind, &p.Account, &p.Unit, &p.Amount, &p.Of, &p.Why, &p.Proposer, &p.Approver, &p.State, &decided, &p.Number)
		if decided != 0 {
			p.Decided = atMicro(decided)
		}
		return p, err
	}, proposalColumns+where, args...)
}

// openProposal reads one that waits.
func (s *Service) openProposal(ctx context.Context, id int64) (Proposal, error) {
	found, err := s.proposals(ctx, "id = $1", id)
	switch {
	case err != nil:
		return Proposal{}, err
	case len(found) == 0:
		return Proposal{}, xmpp.ItemNotFound.Because("there is no such proposal")
	case found[0].State != ProposalOpen:
		return found[0], xmpp.NotAllowed.Because("it was decided on: %s", found[0].State)
	}
	return found[0], nil
}

func (s *Service) endProposal(ctx context.Context, p *Proposal) error {
	_, err := s.db.Exec(ctx, "update pay_proposal set state = $1, approver = $2, decided = $3, number = $4 where id = $5 and state = 'open'", p.State, p.Approver, s.db.Next(), p.Number, p.ID)
	if err != nil {
		return fmt.Errorf("keep proposal: %w", err)
	}
	return nil
}

// withdrawn is how much of a payment was taken out of circulation.
func (s *Service) withdrawn(ctx context.Context, id string) (sum int64, err error) {
	err = s.db.QueryRow(ctx, "select coalesce(sum(amount), 0) from pay_proposal where target = $1 and kind = 'withdraw' and state = 'done'", id).Scan(&sum)
	if err != nil {
		return 0, fmt.Errorf("read what was withdrawn: %w", err)
	}
	return sum, nil
}

// proposedBack is how much of a cash-in is proposed to go back and waits for a second administrator who still may approve it.
func (s *Service) proposedBack(ctx context.Context, cashin string) (sum int64, err error) {
	since := s.now().Add(-proposalLife).UnixMicro()
	err = s.db.QueryRow(ctx, "select cast(coalesce(sum(amount), 0) as bigint) from pay_proposal where target = $1 and kind = 'refund' and state = 'open' and id >= $2", cashin, since).Scan(&sum)
	if err != nil {
		return 0, fmt.Errorf("read what is proposed to go back: %w", err)
	}
	return sum, nil
}

// Deed is a line of the audit log.
type Deed struct {
	// ID is when, in UTC microseconds.
	ID                        int64
	Who, What, Account, About string
}

// At is when it was done.
func (d Deed) At() time.Time { return atMicro(d.ID) }

// audit writes what an administrator does, in the transaction of ctx.
func (s *Service) audit(ctx context.Context, who, what, account, about string) error {
	_, err := s.db.Exec(ctx, "insert into pay_audit (id, who, what, account, about) values ($1, $2, $3, $4, $5)", s.db.Next(), who, what, account, about)
	if err != nil {
		return fmt.Errorf("write audit log: %w", err)
	}
	return nil
}

// Note writes into the audit log what an administrator has looked at or taken out of the house: an export, for one.
func (s *Service) Note(ctx context.Context, who, what, account, about string) error {
	return s.db.Tx(ctx, func(ctx context.Context) error { return s.audit(ctx, who, what, account, about) })
}

// Audit reads the audit log from before an id (0 for the newest), the newest first.
func (s *Service) Audit(ctx context.Context, before int64, max int) ([]Deed, error) {
	if before <= 0 {
		before = 1 << 62
	}
	return read(ctx, s.db, "audit log", func(row *store.Rows) (d Deed, err error) {
		err = row.Scan(&d.ID, &d.Who, &d.What, &d.Account, &d.About)
		return d, err
	}, "select id, who, what, account, about from pay_audit where id < $1 order by id desc limit $2", before, int64(min(MaxOffice, max)))
}

// Circulation is what there is of a unit, in minor units.
type Circulation struct {
	Unit     string
	Exponent int
	Closed   bool
	// Issued is what was issued by hand less what was withdrawn, Fees what the operator has taken.
	Issued, Fees int64
}

// Circulations are those of all units that can be paid. What came in by rails is told by them.
func (s *Service) Circulations(ctx context.Context) ([]Circulation, error) {
	all := make([]Circulation, 0, len(s.cfg.Units))
	for _, unit := range s.cfg.Units {
		u, _ := s.ledger.Unit(unit.Code)
		one := Circulation{Unit: unit.Code, Exponent: u.Exponent, Closed: unit.Closed}
		issue, err := s.stands(ctx, IssueAccount(unit.Code))
		if err != nil {
			return nil, err
		}
		fees, err := s.stands(ctx, FeesAccount(unit.Code))
		if err != nil {
			return nil, err
		}
		one.Issued, one.Fees = -issue.Balance, fees.Balance
		all = append(all, one)
	}
	return all, nil
}

// Purse is a wallet as the operator sees it: what it may, and what is on it, never whom it pays.
type Purse struct {
	Account, Level string
	Frozen         time.Time // by its owner, or because of wrong PINs; zero if it is not
	Shut           bool      // it is frozen, and no key of its owner can open it now: that is the operator's to do
	Keys           int       // that may pay from it, now or after a while; where it is shut and there are some, two say which of them stay (KeepKeys)
	Stopped        bool      // by the operator
	Money          []PurseMoney
}

// PurseMoney is one unit of a wallet, in minor units; limits of 0 are none.
type PurseMoney struct {
	Unit                           string
	Balance, Held, Pocket          int64
	Transaction, Day, Left, StepUp int64
	Nothing                        bool // the level has no limits in this unit though others have: nothing is paid
}

// Purse reads a wallet. An account that has none yet has an empty one.
func (s *Service) Purse(ctx context.Context, account xmpp.JID) (Purse, error) {
	if !s.ours(account) {
		return Purse{}, xmpp.ItemNotFound.Because("there is no such account")
	}
	w, err := s.walletOf(ctx, account)
	if err != nil {
		return Purse{}, err
	}
	keys, err := s.payingKeys(ctx, account)
	if err != nil {
		return Purse{}, err
	}
	p := Purse{Account: account.String(), Level: w.level, Frozen: w.frozen, Keys: len(keys)}
	if !w.frozen.IsZero() {
		can, err := s.canOpen(ctx, account, w)
		if err != nil {
			return p, err
		}
		p.Shut = !can
	}
	for i := range s.cfg.Units {
		unit := &s.cfg.Units[i]
		wallet, err := s.stands(ctx, WalletAccount(unit.Code, account))
		if err != nil {
			return p, err
		}
		pocket, err := s.stands(ctx, PocketAccount(unit.Code, account))
		if err != nil {
			return p, err
		}
		may, err := s.allowanceOf(ctx, account, w.level, unit)
		if err != nil {
			return p, err
		}
		p.Stopped = p.Stopped || wallet.State == ledger.Frozen
		p.Money = append(p.Money, PurseMoney{unit.Code, wallet.Balance, wallet.Held, pocket.Balance, may.Transaction, may.Day, may.left, unit.StepUp, !may.any})
	}
	return p, nil
}

// Levels are the names of the levels of identification, the lowest first.
func (s *Service) Levels() []string { return s.cfg.Levels }

// Grade sets the level of an account in an administrator's name.
func (s *Service) Grade(ctx context.Context, by string, account xmpp.JID, level, why string) error {
	if !s.ours(account) || !s.hasLevel(level) {
		return xmpp.ItemNotFound.Because("there is no such account or level")
	}
	if err := s.Note(ctx, by, "level", account.String(), level+": "+why); err != nil {
		return err
	}
	return s.SetLevel(ctx, account, level)
}

// Stop keeps everything from being debited from an account, or ends that, in an administrator's name. It is the ledger's own state: no key and no order opens it.
// What ends it opens a wallet, too, that is frozen and has no key left. One that is not stopped, and frozen, with keys of which none opens it, is refused (xmpp.NotAllowed): then it is to
// be said which of them stay (KeepKeys).
func (s *Service) Stop(ctx context.Context, by string, account xmpp.JID, stop bool, why string) error {
	if !s.ours(account) {
		return xmpp.ItemNotFound.Because("there is no such account")
	}
	state, what := ledger.Open, "go-on"
	if stop {
		state, what = ledger.Frozen, "stop"
	} else if err := s.mayGoOn(ctx, account); err != nil {
		return err
	}
	if err := s.Note(ctx, by, what, account.String(), why); err != nil {
		return err
	}
	for _, unit := range s.cfg.Units {
		for _, name := range []string{WalletAccount(unit.Code, account), PocketAccount(unit.Code, account)} {
			if stop {
				if err := s.open(ctx, unit.Code, name); err != nil { // so that it is stopped also where it was never used
					return err
				}
			}
			is, err := s.ledger.Account(ctx, name)
			if errors.Is(err, ledger.NoAccount) || err == nil && (is.State == state || is.State == ledger.Closed) {
				continue
			}
			if err != nil {
				return err
			}
			_, err = s.ledger.Post(ctx, nil, ledger.Operation{ID: "office-" + digits(s.db.Next()), Kind: ledger.Setting, From: name, Floor: is.Floor, State: state})
			if err != nil {
				return fmt.Errorf("%s %s: %w", what, name, err)
			}
		}
	}
	if stop {
		return nil
	}
	return s.openForOwner(ctx, account)
}

// Shown is what a side of a dispute has shown: words, and perhaps a file that is at an address, with its SHA-256 in hexadecimal, its name and its size in bytes.
type Shown struct {
	By, Hash, Address, Name, Text string
	Size                          int64
	At                            time.Time
}

// Case is a dispute as the operator sees it.
type Case struct {
	ID, Of, Payer, Payee string
	// Amount and Refunded are in minor units.
	Amount, Refunded int64
	Unit, Why, Text  string
	State, Decided   string
	// Made is its place in the list: when it was opened, in UTC microseconds.
	Made     int64
	Evidence []Shown
}

// Cases reads disputes that have not ended, those that were upheld and wait for the payee among them, or those that have, from before a place (0 for the newest), the newest first.
func (s *Service) Cases(ctx context.Context, open bool, before int64, max int) ([]Case, error) {
	if before <= 0 {
		before = 1 << 62
	}
	is := "state not in ('open', 'upheld')"
	if open {
		is = "state in ('open', 'upheld')"
	}
	found, err := s.disputes(ctx, is+" and made < $1 order by made desc limit $2", before, int64(min(MaxOffice, max)))
	if err != nil {
		return nil, err
	}
	all := make([]Case, 0, len(found))
	for _, d := range found {
		one, err := s.caseOf(ctx, d)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

// Case reads one dispute. It returns xmpp.ItemNotFound if there is none of this id.
func (s *Service) Case(ctx context.Context, id string) (Case, error) {
	d, err := s.dispute(ctx, id)
	if err != nil {
		return Case{}, err
	}
	return s.caseOf(ctx, d)
}

func (s *Service) caseOf(ctx context.Context, d *dispute) (Case, error) {
	one := Case{ID: d.id, Of: d.of, Payer: d.payer, Payee: d.payee, Amount: d.amount, Refunded: d.refunded, Unit: d.unit, Why: d.why, Text: d.text, State: d.state, Decided: d.decidedWhy, Made: d.made}
	pieces, err := s.evidenceOf(ctx, d.id)
	if err != nil {
		return one, err
	}
	for _, e := range pieces {
		one.Evidence = append(one.Evidence, Shown{By: e.author, Hash: e.hash, Address: e.address, Name: e.name, Text: e.text, Size: e.size, At: e.given})
	}
	return one, nil
}

// Dismiss decides in an administrator's name that nothing is given back. The operator cannot give back what somebody else has: only who was paid signs a refund.
func (s *Service) Dismiss(ctx context.Context, by, id, why string) error {
	if why == "" || len(why) > maxReason {
		return xmpp.BadRequest.Because("say why, in at most %d bytes", maxReason)
	}
	err := s.changeDispute(ctx, id, func(ctx context.Context, d *dispute) (said, error) {
		if err := d.open(); err != nil {
			return said{}, err
		}
		d.end(disputeRejected, s.now().UnixMicro())
		d.decidedBy, d.decidedWhy = by, why
		return say("decided", money{d.amount, d.unit, ""}, why), s.audit(ctx, by, "dismiss", d.payer, d.id+": "+why)
	})
	s.wake()
	return err
}
