package pay

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

// What is owed in a group is settled in two ways. A share whose payer has not agreed to more is owed to its payee, and to nobody else. Those whose payers have agreed are one pot:
// who owes something to it pays whom the pot owes something, with the fewest transfers, and nobody loses anything before all is paid. Without that word somebody could set a
// claim that nobody has acknowledged against what others owe that person.

const (
	maxDebts  = 10_000 // shares that are looked at for the debts of a group
	maxGroups = 500    // groups of somebody that are looked at for a debt
)

// claim is something in a pot: a share that waits, or a payment that settled something.
type claim struct {
	Debt
	share   *request // nil for a payment
	payment string
}

// pot are claims that hang together: each person in it has to do with another one.
type pot []claim

// debts are those of a pot, with the fewest transfers. A payment counts against what its payer owes.
func (p pot) debts() []Debt {
	var all []Debt
	for _, c := range p {
		all = append(all, c.Debt)
	}
	return Settle(all)
}

func (p pot) has(who string) bool {
	return slices.ContainsFunc(p, func(c claim) bool { return c.From == who || c.To == who })
}

// pots divides claims into those that hang together.
func pots(claims []claim) []pot {
	parent := map[string]string{}
	find := func(who string) string {
		for parent[who] != "" && parent[who] != who {
			who = parent[who]
		}
		return who
	}
	for _, c := range claims {
		if a, b := find(c.From), find(c.To); a != b {
			parent[a] = b
		}
	}
	place := map[string]int{}
	var all []pot
	for _, c := range claims {
		root := find(c.From)
		n, known := place[root]
		if !known {
			n = len(all)
			place[root], all = n, append(all, nil)
		}
		all[n] = append(all[n], c)
	}
	return all
}

// potsOf reads the pots of a group in a unit.
func (s *Service) potsOf(ctx context.Context, group, unit string, now time.Time) ([]pot, error) {
	shares, err := s.sharesIn(ctx, group, unit, "agreed", now)
	if err != nil {
		return nil, err
	}
	var claims []claim
	for _, r := range shares {
		claims = append(claims, claim{Debt{r.payer, r.payee, r.left()}, r, ""})
	}
	rows, err := s.db.Query(ctx, "select id, payer, payee, amount from pay_settled where within = $1 and unit = $2 and not closed order by id limit $3", group, unit, int64(maxDebts))
	if err != nil {
		return nil, fmt.Errorf("read what was settled: %w", err)
	}
	for rows.Next() {
		var c claim
		if err := rows.Scan(&c.payment, &c.To, &c.From, &c.Amount); err != nil { // who was paid owes it to the pot
			return nil, fmt.Errorf("read what was settled: %w", err)
		}
		claims = append(claims, c)
	}
	return pots(claims), nil
}

// sharesIn reads the shares of a group that wait, the oldest first: those that a condition picks.
func (s *Service) sharesIn(ctx context.Context, group, unit, which string, now time.Time, args ...any) ([]*request, error) {
	shares, err := s.requests(ctx, "split in (select id from pay_split where within = $1 and within <> '') and split <> '' and unit = $2 and due > $3 and "+which+
		" order by made limit 10001", append([]any{group, unit, now.UnixMicro()}, args...)...)
	if err == nil && len(shares) > maxDebts {
		err = xmpp.ResourceConstraint.Because("more than %d shares of this group wait to be paid", maxDebts)
	}
	return shares, err
}

// owed is what one owes another in a group, with what the pots say and the shares that are owed apart from them.
type owed struct {
	Debt
	apart []*request
}

func (o *owed) apartAmount() (sum int64) {
	for _, r := range o.apart {
		sum += r.left()
	}
	return sum
}

// owedIn are the debts of a group that somebody has to do with: what those pots say in which they are, and shares apart of splits in which they have a part.
func (s *Service) owedIn(ctx context.Context, who, group, unit string, now time.Time) (all []owed, err error) {
	found := map[[2]string]int{}
	add := func(d Debt, apart ...*request) {
		n, known := found[[2]string{d.From, d.To}]
		if !known {
			n = len(all)
			found[[2]string{d.From, d.To}], all = n, append(all, owed{Debt: Debt{d.From, d.To, 0}})
		}
		all[n].Amount += d.Amount
		all[n].apart = append(all[n].apart, apart...)
	}
	in, err := s.potsOf(ctx, group, unit, now)
	if err != nil {
		return nil, err
	}
	for _, p := range in {
		if !p.has(who) {
			continue
		}
		for _, d := range p.debts() {
			add(d)
		}
	}
	apart, err := s.sharesIn(ctx, group, unit, `not agreed and (maker = $4 or payee = $4 or split in (select split from pay_share where account = $4))`, now, who)
	if err != nil {
		return nil, err
	}
	for _, r := range apart {
		add(Debt{r.payer, r.payee, r.left()}, r)
	}
	slices.SortFunc(all, func(a, b owed) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To)) })
	return all, nil
}

// debtID is the id by which a payment says that it settles what one owes another in a group.
func debtID(group, unit, from, to string) string { return derivedID("debt", group, unit, from, to) }

// getDebts is <debts group= unit=/>.
func (s *Service) getDebts(ctx context.Context, account xmpp.JID, e *xmpp.Element) (*xmpp.Element, error) {
	a := &asked{e: e}
	group, unit := a.person("group", ""), a.unit("unit")
	if a.err != nil {
		return nil, a.err
	}
	return s.debts(ctx, account.String(), group, unit)
}

// debts is who owes whom in a group, as far as somebody has to do with it; agree says that there is something that they may agree to.
func (s *Service) debts(ctx context.Context, who, group, unit string) (*xmpp.Element, error) {
	now := s.now()
	all, err := s.owedIn(ctx, who, group, unit, now)
	if err != nil {
		return nil, err
	}
	list := element("debts", "group", group, "unit", unit)
	for _, one := range all {
		e := element("debt", "id", debtID(group, unit, one.From, one.To), "from", one.From, "to", one.To, "amount", digits(one.Amount))
		if one.From == who && len(one.apart) > 0 {
			e.Set("agree", "true")
		}
		list.Add(e)
	}
	return list, nil
}

// agree is <agree group= unit=/>: whatever is asked of somebody in a group now is set against what others owe them there.
func (s *Service) agree(ctx context.Context, account xmpp.JID, e *xmpp.Element) (*xmpp.Element, error) {
	a := &asked{e: e}
	group, unit, who := a.person("group", ""), a.unit("unit"), account.String()
	if a.err != nil {
		return nil, a.err
	}
	now := s.now()
	err := s.db.Tx(ctx, func(ctx context.Context) error {
		_, err := s.db.Exec(ctx, `update pay_request set agreed = true where payer = $1 and unit = $2 and due > $3 and split <> '' and not agreed
			and split in (select id from pay_split where within = $4 and within <> '')`, who, unit, now.UnixMicro(), group)
		if err != nil {
			return fmt.Errorf("agree: %w", err)
		}
		return s.closeEven(ctx, group, unit, now)
	})
	if err != nil {
		return nil, err
	}
	return s.debts(ctx, who, group, unit)
}

// aboutDebt is of a payment that settles what the payer owes the payee in a group.
func (s *Service) aboutDebt(ctx context.Context, p *payment) (known bool, err error) {
	rows, err := s.db.Query(ctx, "select distinct within from pay_split where "+mySplits+" and within <> '' limit $3", p.Payer, "", int64(maxGroups))
	if err != nil {
		return false, fmt.Errorf("look for a debt: %w", err)
	}
	for rows.Next() {
		var group string
		if err := rows.Scan(&group); err != nil {
			return false, fmt.Errorf("look for a debt: %w", err)
		}
		if debtID(group, p.Unit, p.Payer, p.Payee) != p.Of {
			continue
		}
		if _, err := s.debtOf(ctx, p, group); err != nil {
			return true, err
		}
		p.chat = group
		p.also = append(p.also, func(ctx context.Context) error { return s.settleDebt(ctx, p, group) })
		return true, nil
	}
	return false, nil
}

// debtOf is what a payer owes a payee in a group. It refuses more than that.
func (s *Service) debtOf(ctx context.Context, p *payment, group string) (owed, error) {
	all, err := s.owedIn(ctx, p.Payer, group, p.Unit, s.now())
	if err != nil {
		return owed{}, err
	}
	for _, one := range all {
		if one.From == p.Payer && one.To == p.Payee {
			if p.Amount > one.Amount {
				return one, exceeds(one.Amount)
			}
			return one, nil
		}
	}
	return owed{}, isOver("nothing is owed to %s", p.Payee)
}

var insertSettled = store.NewInsert("pay_settled", "id", "within", "unit", "payer", "payee", "amount", "closed")

// settleDebt notes in the transaction of ctx that a payment settles what is owed in a group: first shares of the payer to the payee, those apart before the others; what is more
// counts in the pot.
func (s *Service) settleDebt(ctx context.Context, p *payment, group string) error {
	one, err := s.debtOf(ctx, p, group)
	if err != nil {
		return err
	}
	now := s.now()
	left := p.Amount
	apart := min(left, one.apartAmount())
	if err := s.payShares(ctx, one.apart, apart); err != nil {
		return err
	}
	left -= apart
	if left > 0 {
		direct, err := s.sharesIn(ctx, group, p.Unit, "agreed and payer = $4 and payee = $5", now, p.Payer, p.Payee)
		if err != nil {
			return err
		}
		part := int64(0)
		for _, r := range direct {
			part += r.left()
		}
		part = min(part, left)
		if err := s.payShares(ctx, direct, part); err != nil {
			return err
		}
		left -= part
	}
	if left > 0 {
		if err := s.db.Append(ctx, insertSettled, p.ID, group, p.Unit, p.Payer, p.Payee, left, false); err != nil {
			return err
		}
	}
	return s.closeEven(ctx, group, p.Unit, now)
}

// payShares pays shares with an amount, the oldest first, in the transaction of ctx, and tells how they stand.
func (s *Service) payShares(ctx context.Context, shares []*request, amount int64) error {
	for _, r := range shares {
		part := min(amount, r.left())
		if part == 0 {
			return nil
		}
		amount -= part
		if err := s.settleShare(ctx, r, part); err != nil {
			return err
		}
	}
	return nil
}

// settleShare notes that a part of a share is settled.
func (s *Service) settleShare(ctx context.Context, r *request, part int64) error {
	r.paid += part
	r.state = requestPart
	if r.left() == 0 {
		r.state = requestPaid
	}
	if err := s.keepRequest(ctx, r); err != nil {
		return err
	}
	return s.tellRequest(ctx, r, s.now(), called(r.payer)+" has settled "+s.sum(part, r.unit, r.about)+" with "+called(r.payee))
}

// closeEven ends in the transaction of ctx what waits in those pots in which nobody owes anybody anything any more: everybody has what is theirs.
func (s *Service) closeEven(ctx context.Context, group, unit string, now time.Time) error {
	all, err := s.potsOf(ctx, group, unit, now)
	if err != nil {
		return err
	}
	for _, p := range all {
		if len(p.debts()) > 0 {
			continue
		}
		for _, c := range p {
			if c.share != nil {
				if err := s.settleShare(ctx, c.share, c.share.left()); err != nil {
					return err
				}
				continue
			}
			if _, err := s.db.Exec(ctx, "update pay_settled set closed = true where id = $1", c.payment); err != nil {
				return fmt.Errorf("close what was settled: %w", err)
			}
		}
	}
	return nil
}
