package pay

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"palabre.dev/palabre/payments/ledger"
	"palabre.dev/palabre/store"
)

// settledShare is a share of which a part was settled.
type settledShare struct {
	*request
	part int64
}

// payShares pays with an amount, in the transaction of ctx, the shares of one to another that their payer has agreed to, or those asked for alone, and of the former those that
// are bound or those that are not; the oldest first. What is more than those is left.
func (s *Service) payShares(ctx context.Context, group string, d Debt, unit string, agreed, bound bool, now time.Time) (paid []settledShare, left int64, err error) {
	if d.Amount == 0 {
		return nil, 0, nil
	}
	shares, err := s.requests(ctx, sharesOf+" and payer = $4 and payee = $5 and agreed = $6 and bound = $7 order by made limit $8", group, unit, now.UnixMicro(), d.From, d.To, agreed, bound,
		int64(maxInPot))
	if err != nil {
		return nil, 0, err
	}
	left = d.Amount
	for _, r := range shares {
		part := min(left, r.left())
		if part == 0 {
			break
		}
		left -= part
		r.paid += part
		if r.state = requestPart; r.left() == 0 {
			r.state = requestPaid
		}
		if err := s.keepRequest(ctx, r); err != nil {
			return nil, 0, err
		}
		paid = append(paid, settledShare{r, part})
	}
	return paid, left, nil
}

var insertSettled = store.NewInsert("pay_settled", "id", "within", "unit", "payer", "payee", "amount", "closed")

// payInto pays with an amount, in the transaction of ctx, what a payment's payer owes its payee by a pot: first shares of the one to the other in it. What is more is for what others
// owe: all that is in the pot stays in it then, for it is by that that the payer owes less and the payee gets less.
func (s *Service) payInto(ctx context.Context, in pot, p *payment, amount int64, group string, now time.Time) (paid []settledShare, err error) {
	for _, bound := range []bool{false, true} {
		if !slices.ContainsFunc(in, func(c claim) bool { return c.From == p.Payer && c.To == p.Payee && c.bound == bound && !c.settled }) {
			continue
		}
		var some []settledShare
		some, amount, err = s.payShares(ctx, group, Debt{p.Payer, p.Payee, amount}, p.Unit, true, bound, now)
		if err != nil {
			return nil, err
		}
		paid = append(paid, some...)
	}
	if amount == 0 {
		return paid, nil
	}
	if err := s.bind(ctx, in, group, p.Unit, now); err != nil {
		return nil, err
	}
	return paid, s.db.Append(ctx, insertSettled, p.ID, group, p.Unit, p.Payer, p.Payee, amount, false)
}

// bind keeps the shares of a pot in it until they are over, whoever leaves the group.
func (s *Service) bind(ctx context.Context, p pot, group, unit string, now time.Time) error {
	for _, c := range p {
		if c.settled || c.bound {
			continue
		}
		if _, err := s.db.Exec(ctx, "update pay_request set bound = true where "+sharesOf+" and agreed and not bound and payer = $4 and payee = $5", group, unit, now.UnixMicro(), c.From, c.To); err != nil {
			return fmt.Errorf("bind what was settled: %w", err)
		}
	}
	return nil
}

// notPaidInto refuses to pay by itself what the payer of a share has paid into the pot of it already, to somebody else.
func (s *Service) notPaidInto(ctx context.Context, r *request, amount int64, now time.Time) error {
	if r.split == "" || !r.agreed {
		return nil
	}
	var group string
	if err := s.db.QueryRow(ctx, "select within from pay_split where id = $1", r.split).Scan(&group); err != nil || group == "" {
		return err
	}
	var ahead float64
	err := s.db.QueryRow(ctx, `select coalesce(sum(cast(case when payer = $1 then amount else -amount end as double precision)), 0) from pay_settled
		where within = $2 and unit = $3 and not closed and (payer = $1 or payee = $1)`, r.payer, group, r.unit).Scan(&ahead)
	if err != nil {
		return fmt.Errorf("look what was paid into a pot: %w", err)
	}
	if ahead <= 0 {
		return nil
	}
	in, err := s.circleOf(ctx, group)
	if err != nil || (claim{Debt: Debt{From: r.payer, To: r.payee}, bound: r.bound}).apart(in) {
		return err
	}
	left := -int64(ahead)
	for _, which := range []string{" and bound", " and not bound"} {
		found, err := read(ctx, s.db, "what somebody owes in a group", readClaim, sumOfShares+" and agreed and payer = $4"+which+" group by payer, payee limit $5", group, r.unit, now.UnixMicro(), r.payer,
			int64(maxPairs))
		if err != nil {
			return err
		}
		for _, c := range found {
			if c.bound = which == " and bound"; !c.apart(in) {
				left = min(left+c.Amount, ledger.MaxAmount)
			}
		}
	}
	switch {
	case left <= 0:
		return isOver("it was settled with others of the group")
	case amount > left:
		return exceeds(left)
	}
	return nil
}

// closeEven ends in the transaction of ctx what waits in those pots of some people in which nobody owes anybody anything any more: everybody has what is theirs.
func (s *Service) closeEven(ctx context.Context, group, unit string, now time.Time, people ...string) error {
	for _, who := range people {
		all, err := s.potsOf(ctx, who, group, unit, now)
		if errors.Is(err, errTooMuch) { // what has happened to a share has happened
			continue
		}
		if err != nil {
			return err
		}
		for _, p := range all {
			if p.shares() > maxInPot || len(p.debts()) > 0 {
				continue
			}
			if err := s.closePot(ctx, p, group, unit, now); err != nil {
				return fmt.Errorf("close what was settled: %w", err)
			}
		}
	}
	return nil
}

// closePot ends all that waits in a pot.
func (s *Service) closePot(ctx context.Context, p pot, group, unit string, now time.Time) error {
	var all []settledShare
	for _, c := range p {
		var paid []settledShare
		var err error
		if c.settled {
			_, err = s.db.Exec(ctx, "update pay_settled set closed = true where within = $1 and unit = $2 and payee = $3 and payer = $4 and not closed", group, unit, c.From, c.To)
		} else {
			paid, _, err = s.payShares(ctx, group, c.Debt, unit, true, c.bound, now)
		}
		if err != nil {
			return err
		}
		all = append(all, paid...)
	}
	return s.tellSettled(ctx, all, now)
}

// evenWithout ends what waits in the pots of the two of a share, in the transaction of ctx, if they are even without that share: it was paid, or ended otherwise.
func (s *Service) evenWithout(ctx context.Context, r *request, now time.Time) error {
	if r.split == "" || !r.agreed {
		return nil
	}
	p, err := s.split(ctx, r.split)
	if err != nil || p.within == "" {
		return err
	}
	return s.closeEven(ctx, p.within, r.unit, now, r.payer, r.payee)
}

// tellSettled tells those whom shares of splits concern that these are settled, each once for each split, in the transaction of ctx.
func (s *Service) tellSettled(ctx context.Context, all []settledShare, now time.Time) error {
	var order []string
	bySplit := map[string][]settledShare{}
	for _, one := range all {
		if bySplit[one.split] == nil {
			order = append(order, one.split)
		}
		bySplit[one.split] = append(bySplit[one.split], one)
	}
	for _, id := range order {
		some, first := bySplit[id], bySplit[id][0]
		if len(some) == 1 {
			if err := s.tellRequest(ctx, first.request, now, settledBy(called(first.payer), some)); err != nil {
				return err
			}
			continue
		}
		p, err := s.split(ctx, id)
		if err != nil {
			return err
		}
		var people, names []string
		for _, one := range some {
			people, names = append(people, one.payer), append(names, called(one.payer))
		}
		if len(names) > maxNamed {
			names = append(names[:maxNamed], "…")
		}
		if err := s.tellPeople(ctx, append(people, p.payee, p.maker), p.within, settledBy(strings.Join(names, ", "), some).at(linkSplit, id), p.element(now)); err != nil {
			return err
		}
	}
	return nil
}

// maxNamed is how many people one notice names.
const maxNamed = 5

// settledBy says that some have settled their shares of a split.
func settledBy(names string, some []settledShare) said {
	sum := int64(0)
	for _, one := range some {
		sum += one.part // of one split, whose total is an amount
	}
	return say("settled", names, called(some[0].payee), money{sum, some[0].unit, some[0].about})
}
