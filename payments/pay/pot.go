package pay

import (
	"context"
	"fmt"
	"slices"
	"time"

	"palabre.dev/palabre/payments/ledger"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

const (
	pairsAtOnce = 1000    // pairs of people that are read at once
	maxPot      = 1 << 62 // minor units of all claims in a pot
	maxInPot    = 300     // shares that wait in a pot: all are ended at once, in the transaction of a payment
)

// errTooMuch refuses what would take so long that others wait for it. Each share can be paid by itself all the same.
var errTooMuch = xmpp.ResourceConstraint.Because("too much is set against each other in this group: pay some shares by themselves")

// Groups knows who is in a group.
type Groups interface {
	// Members are the bare addresses of those who are in a group, at most 10,000; known is false where that is not known, as of a group of another server.
	Members(ctx context.Context, group xmpp.JID) (all []xmpp.JID, known bool, err error)
}

// circle is who is in a group together; nobody where that is not known.
type circle map[string]bool

func (s *Service) circleOf(ctx context.Context, group string) (circle, error) {
	at, err := xmpp.ParseJID(group)
	if err != nil || s.groups == nil {
		return circle{}, nil
	}
	all, _, err := s.groups.Members(ctx, at)
	if err != nil {
		return nil, fmt.Errorf("read who is in %s: %w", group, err)
	}
	in := circle{}
	for _, who := range all {
		in[who.String()] = true
	}
	return in, nil
}

// claim is what one owes another in a pot: by shares that wait, or because they were paid what the pot owed.
type claim struct {
	Debt
	settled bool  // by payments that settled something
	bound   bool  // by shares that stay in the pot, whoever leaves the group
	shares  int64 // how many there are
}

// apart says whether it is set against nothing but what the same two owe each other: not both of them are in the group, nor were when something was paid against it.
func (c claim) apart(in circle) bool { return !c.settled && !c.bound && (!in[c.From] || !in[c.To]) }

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

// owed is what one is to pay another by a pot.
func (p pot) owed(from, to string) (n int64) {
	for _, d := range p.debts() {
		if d.From == from && d.To == to {
			n += d.Amount
		}
	}
	return n
}

// tooLarge says whether no number holds all claims of a pot.
func (p pot) tooLarge() bool {
	sum := int64(0)
	for _, c := range p {
		if sum > maxPot-c.Amount {
			return true
		}
		sum += c.Amount
	}
	return false
}

// shares is how many wait in a pot.
func (p pot) shares() (n int64) {
	for _, c := range p {
		n += c.shares
	}
	return n
}

// between is how many of them one owes another.
func (p pot) between(from, to string) (n int64) {
	for _, c := range p {
		if c.From == from && c.To == to {
			n += c.shares
		}
	}
	return n
}

func (p pot) has(who string) bool {
	return slices.ContainsFunc(p, func(c claim) bool { return c.From == who || c.To == who })
}

// pots divides claims into those that hang together. Those apart hang together with no other than those of the same two.
func pots(claims []claim, in circle) []pot {
	parent := map[string]string{}
	find := func(who string) string {
		for parent[who] != "" && parent[who] != who {
			who = parent[who]
		}
		return who
	}
	for _, c := range claims {
		if a, b := find(c.From), find(c.To); a != b && !c.apart(in) {
			parent[a] = b
		}
	}
	place := map[[2]string]int{}
	var all []pot
	for _, c := range claims {
		root := [2]string{find(c.From)}
		if c.apart(in) {
			root = [2]string{min(c.From, c.To), max(c.From, c.To)}
		}
		n, known := place[root]
		if !known {
			n = len(all)
			place[root], all = n, append(all, nil)
		}
		all[n] = append(all[n], c)
	}
	return all
}

// sharesOf picks the shares of a group ($1) in a unit ($2) that wait at a time ($3).
const sharesOf = "split <> '' and split in (select id from pay_split where within = $1 and within <> '') and unit = $2 and due > $3"

// What one owes another in a pot, by shares that others may leave, by those that are bound, and by payments; after those of two addresses. Sums are cut where they stop being exact.
const (
	agreedPairs  = sumOfShares + " and agreed and not bound" + nextPairs
	boundPairs   = sumOfShares + " and agreed and bound" + nextPairs
	sumOfShares  = "select payer, payee, sum(cast(amount - paid as double precision)), count(*) from pay_request where " + sharesOf
	nextPairs    = " and (payer > $4 or payer = $4 and payee > $5) group by payer, payee order by payer, payee limit $6"
	settledPairs = `select payee, payer, sum(cast(amount as double precision)), cast(0 as bigint) from pay_settled where within = $1 and unit = $2 and cast($3 as bigint) > 0 and not closed
		and (payee > $4 or payee = $4 and payer > $5) group by payee, payer order by payee, payer limit $6` // who was paid owes it to the pot
)

// potsOf reads the pots of a group in a unit that somebody is in. It refuses those of a group in which more than maxPairs pairs of people owe one another something, and
// those that no number holds.
func (s *Service) potsOf(ctx context.Context, who, group, unit string, now time.Time) (all []pot, err error) {
	in, err := s.circleOf(ctx, group)
	if err != nil {
		return nil, err
	}
	var claims []claim
	for _, sql := range []string{settledPairs, boundPairs, agreedPairs} {
		found, err := s.pairs(ctx, sql, group, unit, now)
		if err != nil {
			return nil, err
		}
		for _, c := range found {
			c.settled, c.bound = sql == settledPairs, sql == boundPairs
			if !c.apart(in) || c.From == who || c.To == who {
				claims = append(claims, c)
			}
		}
	}
	all = slices.DeleteFunc(pots(claims, in), func(p pot) bool { return !p.has(who) })
	if slices.ContainsFunc(all, pot.tooLarge) {
		return nil, errTooMuch
	}
	return all, nil
}

// pairs reads what each owes each other in the pots of a group, by agreedPairs, boundPairs or settledPairs.
func (s *Service) pairs(ctx context.Context, sql, group, unit string, now time.Time) (all []claim, err error) {
	var from, to string
	for more := true; more; {
		found, err := read(ctx, s.db, "what is owed in a group", readClaim, sql, group, unit, now.UnixMicro(), from, to, int64(pairsAtOnce))
		if err != nil {
			return nil, err
		}
		if all = append(all, found...); len(all) > maxPairs {
			return nil, errTooMuch
		}
		if more = len(found) == pairsAtOnce; more {
			from, to = found[len(found)-1].From, found[len(found)-1].To
		}
	}
	return all, nil
}

// readClaim reads what one owes another, at most as much as an amount may be, and in how many shares.
func readClaim(rows *store.Rows) (c claim, err error) {
	var sum float64
	err = rows.Scan(&c.From, &c.To, &sum, &c.shares)
	c.Amount = int64(min(sum, float64(ledger.MaxAmount)))
	return c, err
}
