package pay

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"palabre.dev/palabre/payments/intent"
	"palabre.dev/palabre/payments/ledger"
	"palabre.dev/palabre/xmpp"
)

// What is owed in a group is settled in two ways. A share whose payer has not agreed to more is owed to its payee, and to nobody else. Those whose payers have agreed, among
// people who are in the group together, are one pot: who owes something to it pays whom the pot owes something, with the fewest transfers, and nobody loses anything before all
// is paid. Without that word somebody could set a claim that nobody has acknowledged against what others owe that person; and without being in the group, put themselves in the
// place of who owes something. Once somebody was paid by a pot for what others owe, its shares stay in it until they are over, whoever leaves: what was settled would be owed
// again otherwise. Where it is not known who is in a group, two people settle with each other alone.

// maxPairs is of how many pairs of people one may owe another something apart from the pots, in one answer: the oldest; and of how many in the pots, in all.
const maxPairs = 10_000

// owed is what one owes another in a group: what the pots say, and the shares that are owed apart from them.
type owed struct {
	Debt
	apart  int64
	shares int64 // of the one to the other, in the pots or not: at least as many as are paid with the whole
}

// owedIn are the debts of a group that somebody has to do with: what those pots say in which they are; then shares apart of theirs, then those of splits in which they have a
// part, the oldest first.
func (s *Service) owedIn(ctx context.Context, who, group, unit string, now time.Time) (all []owed, err error) {
	found := map[[2]string]int{}
	add := func(d Debt, apart, shares int64) {
		n, known := found[[2]string{d.From, d.To}]
		if !known {
			n = len(all)
			found[[2]string{d.From, d.To}], all = n, append(all, owed{Debt: Debt{d.From, d.To, 0}})
		}
		all[n].shares += shares
		all[n].Amount = min(all[n].Amount+d.Amount, ledger.MaxAmount)
		all[n].apart += apart
	}
	in, err := s.potsOf(ctx, who, group, unit, now)
	if err != nil {
		return nil, err
	}
	for _, p := range in {
		for _, d := range p.debts() {
			add(d, 0, p.between(d.From, d.To))
		}
	}
	slices.SortFunc(all, func(a, b owed) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To)) })
	for i, one := range all {
		found[[2]string{one.From, one.To}] = i
	}
	apart, err := read(ctx, s.db, "what is owed in a group", readClaim, "select payer, payee, sum(cast(amount - paid as double precision)), count(*) from pay_request where "+sharesOf+
		` and not agreed and (maker = $4 or payee = $4 or split in (select split from pay_share where account = $4))
		group by payer, payee order by case when payer = $4 or payee = $4 then 0 else 1 end, min(made), payer, payee limit $5`, group, unit, now.UnixMicro(), who, int64(maxPairs))
	if err != nil {
		return nil, err
	}
	for _, c := range apart {
		add(c.Debt, c.Amount, c.shares)
	}
	return all, nil
}

// debtID is the id by which a payment says that it settles what one owes another in a group.
func debtID(group, unit, from, to string) string { return derivedID("debt", group, unit, from, to) }

// getDebts is <debts group= unit= before= max=/>.
func (s *Service) getDebts(ctx context.Context, account xmpp.JID, e *xmpp.Element) (*xmpp.Element, error) {
	a := &asked{e: e}
	group, unit, size := a.person("group", ""), a.unit("unit"), a.number("max", 1, maxPageSize, maxPageSize)
	if a.err != nil {
		return nil, a.err
	}
	return s.debts(ctx, account.String(), group, unit, e.Attr("before"), size)
}

// debts is who owes whom in a group, as far as somebody has to do with it, from after the debt of an id; agree is how much of it they may agree to.
func (s *Service) debts(ctx context.Context, who, group, unit, before string, size int64) (*xmpp.Element, error) {
	all, err := s.owedIn(ctx, who, group, unit, s.now())
	if err != nil {
		return nil, err
	}
	idOf := func(one owed) string { return debtID(group, unit, one.From, one.To) }
	if before != "" {
		at := slices.IndexFunc(all, func(one owed) bool { return idOf(one) == before })
		if at < 0 {
			return nil, xmpp.ItemNotFound
		}
		all = all[at+1:]
	}
	answer := paged(element("debts", "group", group, "unit", unit), all, size, idOf, func(one owed) *xmpp.Element {
		e := element("debt", "id", idOf(one), "from", one.From, "to", one.To, "amount", digits(one.Amount))
		if one.From == who && one.apart > 0 {
			e.Set("agree", digits(one.apart))
		}
		return e
	})
	shown := slices.Collect(answer.Children())
	for i, e := range shown {
		if one := all[i]; one.From == who && one.shares > sharesAtOnce {
			once, err := s.atOnce(ctx, one, group, unit, s.now())
			if err != nil {
				return nil, err
			}
			e.Set("once", digits(once))
		}
	}
	return answer, nil
}

// agree sets, in the transaction of ctx, what is asked of somebody in a group against what others owe them there, the oldest sharesAtOnce of it: as they have seen and signed
// it, for it moves from whom they get money. What has come since refuses it.
func (s *Service) agree(ctx context.Context, o *signedOrder) error {
	a, err := o.Agreement()
	if err != nil {
		return badText("%v", err)
	}
	if group, err := xmpp.ParseJID(a.Group); err != nil || group.String() != a.Group || s.cfg.unit(a.Unit) == nil {
		return badText("there is no such group or unit")
	}
	who, now := o.account.String(), s.now()
	asked, err := read(ctx, s.db, "what is asked of somebody in a group", readClaim, "select payer, payee, sum(cast(amount - paid as double precision)), count(*) from pay_request where "+sharesOf+
		" and not agreed and payer = $4 group by payer, payee order by min(made), payee limit $5", a.Group, a.Unit, now.UnixMicro(), who, int64(maxPairs))
	if err != nil {
		return err
	}
	amounts := map[string]int64{}
	for _, c := range asked {
		amounts[debtID(a.Group, a.Unit, who, c.To)] = c.Amount
	}
	if sha256.Sum256([]byte(intent.OwedText(amounts))) != a.Owed {
		return debtsChanged()
	}
	_, err = s.db.Exec(ctx, `update pay_request set agreed = true where payer = $1 and unit = $2 and due > $3 and id in (select id from pay_request
		where payer = $1 and unit = $2 and due > $3 and split <> '' and not agreed and split in (select id from pay_split where within = $4 and within <> '')
		order by made limit $5)`, who, a.Unit, now.UnixMicro(), a.Group, int64(sharesAtOnce))
	if err != nil {
		return fmt.Errorf("agree: %w", err)
	}
	in, err := s.potsOf(ctx, who, a.Group, a.Unit, now)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(in, func(p pot) bool { return p.shares() > maxInPot }) {
		return errTooMuch
	}
	return s.closeEven(ctx, a.Group, a.Unit, now, who)
}

// owing picks the groups (after $4) in which a payer ($1) may owe a payee ($2) something in a unit ($3): what the payee asks for, and what the payer has agreed to or was paid
// for others. Nobody else can add to them.
const owing = `select distinct p.within as place from pay_request r join pay_split p on p.id = r.split
	where r.payer = $1 and (r.agreed or r.payee = $2 and r.due > 0) and r.unit = $3 and r.split <> '' and p.within > $4
	union select within as place from pay_settled where payee = $1 and unit = $3 and not closed and within > $4 order by place limit $5`

// aboutDebt is of a payment that settles what the payer owes the payee in a group.
func (s *Service) aboutDebt(ctx context.Context, p *payment) (known bool, err error) {
	for last, more := "", true; more; {
		groups, err := read(ctx, s.db, "groups of a debt", readText, owing, p.Payer, p.Payee, p.Unit, last, int64(pairsAtOnce))
		if err != nil {
			return false, err
		}
		for _, group := range groups {
			if debtID(group, p.Unit, p.Payer, p.Payee) == p.Of {
				return true, s.payDebt(ctx, p, group)
			}
			last = group
		}
		more = len(groups) == pairsAtOnce
	}
	return false, nil
}

// payDebt makes a payment one that settles what the payer owes the payee in a group.
func (s *Service) payDebt(ctx context.Context, p *payment, group string) error {
	if _, _, err := s.debtOf(ctx, p, group); err != nil {
		return err
	}
	p.chat = group
	p.also = append(p.also, func(ctx context.Context) error { return s.settleDebt(ctx, p, group) })
	return nil
}

// debtOf is what a payer owes a payee in a group, and by which pots. It refuses more than that, and more than one payment settles.
func (s *Service) debtOf(ctx context.Context, p *payment, group string) (one owed, in []pot, err error) {
	now := s.now()
	all, err := s.potsOf(ctx, p.Payer, group, p.Unit, now)
	if err != nil {
		return one, nil, err
	}
	one.From, one.To = p.Payer, p.Payee
	for _, each := range all {
		if !each.has(p.Payer) || !each.has(p.Payee) {
			continue
		}
		if each.shares() > maxInPot { // it has become so large because people came into the group
			return one, nil, errTooMuch
		}
		if amount := each.owed(p.Payer, p.Payee); amount > 0 {
			one.Amount += amount
			one.shares += each.between(p.Payer, p.Payee)
			in = append([]pot{each}, in...) // what is apart comes first, and is last among all
		}
	}
	apart, err := read(ctx, s.db, "what is owed in a group", readClaim, sumOfShares+" and not agreed and payer = $4 and payee = $5 group by payer, payee", group, p.Unit, now.UnixMicro(), p.Payer, p.Payee)
	if err != nil {
		return one, nil, err
	}
	for _, c := range apart {
		one.apart = c.Amount
		one.shares += c.shares
	}
	one.Amount = min(one.Amount+one.apart, ledger.MaxAmount)
	most, err := s.atOnce(ctx, one, group, p.Unit, now)
	switch {
	case err != nil:
		return one, nil, err
	case one.Amount == 0:
		return one, nil, isOver("nothing is owed to %s", p.Payee)
	case p.Amount > most:
		return one, nil, exceeds(most)
	}
	return one, in, nil
}

// sharesAtOnce is how many shares one payment settles, so that no other payment waits for long, and how many one agrees to at once.
const sharesAtOnce = 100

// atOnce is how much of what one owes another is settled by one payment: all, or their oldest shares, those apart before the others.
func (s *Service) atOnce(ctx context.Context, one owed, group, unit string, now time.Time) (int64, error) {
	if one.shares <= sharesAtOnce {
		return one.Amount, nil
	}
	shares, err := s.requests(ctx, sharesOf+" and payer = $4 and payee = $5 order by agreed, bound, made limit $6", group, unit, now.UnixMicro(), one.From, one.To, int64(sharesAtOnce))
	if err != nil {
		return 0, err
	}
	var apart, agreed int64
	for _, r := range shares {
		if r.agreed {
			agreed = min(agreed+r.left(), ledger.MaxAmount)
		} else {
			apart = min(apart+r.left(), ledger.MaxAmount)
		}
	}
	return min(apart+min(agreed, one.Amount-one.apart), one.Amount), nil
}

// settleDebt notes in the transaction of ctx that a payment settles what is owed in a group: first shares of the payer to the payee, those apart before the others; what is more
// counts in the pot.
func (s *Service) settleDebt(ctx context.Context, p *payment, group string) error {
	one, in, err := s.debtOf(ctx, p, group)
	if err != nil {
		return err
	}
	now := s.now()
	apart := min(p.Amount, one.apart)
	paid, _, err := s.payShares(ctx, group, Debt{p.Payer, p.Payee, apart}, p.Unit, false, false, now)
	if err != nil {
		return err
	}
	left := p.Amount - apart
	for _, each := range in {
		amount := min(left, each.owed(p.Payer, p.Payee))
		left -= amount
		some, err := s.payInto(ctx, each, p, amount, group, now)
		if err != nil {
			return err
		}
		paid = append(paid, some...)
	}
	if err := s.tellSettled(ctx, paid, now); err != nil {
		return err
	}
	return s.closeEven(ctx, group, p.Unit, now, p.Payer, p.Payee)
}
