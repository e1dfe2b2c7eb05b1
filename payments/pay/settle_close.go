package pay

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// settledShare is a share of which a part was settled.
type settledShare struct {
	*request
	part int64
}

// payShares pays with an amount, in the transaction of ctx, the shares of one to another that are in a pot, or those that are not, the oldest first. What is more than those is left.
func (s *Service) payShares(ctx context.Context, group string, d Debt, unit string, agreed bool, now time.Time) (paid []settledShare, left int64, err error) {
	if d.Amount == 0 {
		return nil, 0, nil
	}
	shares, err := s.requests(ctx, sharesOf+" and payer = $4 and payee = $5 and agreed = $6 order by made limit $7", group, unit, now.UnixMicro(), d.From, d.To, agreed, int64(maxInPot))
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
			paid, _, err = s.payShares(ctx, group, c.Debt, unit, true, now)
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
