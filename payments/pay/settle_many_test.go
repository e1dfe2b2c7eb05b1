package pay

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"palabre.dev/palabre/xmpp"
)

// cents has karim owe somebody as many shares of 1 each, each of a split of its own.
func (g *stage) cents(n int, payee string) {
	g.t.Helper()
	g.fill(n, func(_ int, p *split) {
		p.maker, p.payee, p.total, p.shares[0].amount = payee+"@example", payee+"@example", 1, 1
	})
}

// debt is the first one that somebody sees.
func (g *stage) debt(who string) *xmpp.Element {
	g.t.Helper()
	return g.people[who].get("<debts group='" + group + "' unit='MAD'/>").First()
}

// TestOnePaymentSettlesSomeShares has karim owe so many shares that a payment of all would have others wait for it.
func TestOnePaymentSettlesSomeShares(t *testing.T) {
	for _, agreed := range []bool{false, true} {
		t.Run(fmt.Sprint("agreed ", agreed), func(t *testing.T) {
			on(t, "nadia karim", func(t *testing.T, g *stage) {
				const shares = 2*sharesAtOnce + sharesAtOnce/2
				g.cents(shares, "nadia")
				if agreed {
					g.agree("karim", "karim") // a hundred more each time
				}
				g.notices("nadia")
				karim := g.people["karim"]
				g.attributes(g.debt("nadia"), "amount", digits(shares), "once", "") // it is not hers to pay
				for left := int64(shares); left > 0; {
					debt := g.debt("karim")
					g.attributes(debt, "amount", digits(left))
					once := min(left, int64(sharesAtOnce))
					if left > sharesAtOnce {
						g.attributes(debt, "once", digits(once))
						refused := karim.send("nadia", once+1, debt.Attr("id"))
						karim.fails("exceeds", refused)
						_, err := karim.hand(refused)
						var wire *xmpp.Error
						if !errors.As(err, &wire) || wire.Detail.Attr("left") != digits(once) {
							t.Errorf("what can be paid is told by %v", err)
						}
					}
					karim.done(karim.send("nadia", once, debt.Attr("id")))
					told := g.notices("nadia")
					splits := slices.DeleteFunc(told, func(one string) bool { return !strings.HasPrefix(one, "split") })
					if int64(len(splits)) != once {
						t.Errorf("%d notices for %d shares", len(splits), once)
					}
					left -= once
				}
				g.wantDebts("karim")
				g.has("karim", 100_000-shares, "nadia", 100_000+shares)
			})
		})
	}
}

// TestAPotHasALimit: all of it is ended at once when everybody has what is theirs.
func TestAPotHasALimit(t *testing.T) {
	on(t, "nadia karim sami", func(t *testing.T, g *stage) {
		g.cents(maxInPot+1, "nadia")
		for range maxInPot / sharesAtOnce {
			g.agree("karim")
		}
		karim := g.people["karim"]
		karim.refused("resource-constraint", true, karim.agreement(g.askedOf("karim")))
		g.owes("nadia", "sami", maxInPot)
		nadia := g.people["nadia"]
		nadia.refused("resource-constraint", true, nadia.agreement(g.askedOf("nadia")))
		debt := g.debt("karim")
		g.attributes(debt, "to", "nadia@example", "amount", digits(maxInPot+1), "agree", "1", "once", digits(sharesAtOnce))
		karim.done(karim.send("nadia", 2, debt.Attr("id"))) // the one apart, and one of the others
		g.agree("nadia")
		ids := g.wantDebts("karim", fmt.Sprintf("karim sami %d", maxInPot-1), "nadia sami 1")
		began := time.Now()
		nadia = g.people["nadia"]
		nadia.done(nadia.send("sami", 1, ids["nadia sami 1"]))
		karim.done(karim.send("sami", maxInPot-1, ids[fmt.Sprintf("karim sami %d", maxInPot-1)]))
		t.Logf("a payment that ends %d shares takes %v", maxInPot, time.Since(began))
		g.wantDebts("nadia")
		for name := range g.people {
			if e := g.people[name].get("<requests state='waiting'/>"); e.First() != nil {
				t.Errorf("%s still owes or is owed: %s", name, e)
			}
		}
		g.has("karim", 100_000-maxInPot-1, "nadia", 100_001, "sami", 100_000+maxInPot)
	})
}

// TestOneNoticeForEachSplit has several shares of a split end at once.
func TestOneNoticeForEachSplit(t *testing.T) {
	on(t, "nadia karim sami lea", func(t *testing.T, g *stage) {
		g.people["nadia"].set("<split id='" + g.id() + "' group='" + group + "' total='300' unit='MAD' for='Dinner'><share jid='karim@example' amount='100'/><share jid='sami@example' amount='200'/></split>")
		g.owes("nadia", "karim", 100)
		g.owes("nadia", "sami", 200)
		g.agree("karim", "sami")
		for _, name := range []string{"nadia", "karim", "sami"} {
			g.notices(name)
		}
		g.agree("nadia")
		g.wantDebts("nadia")
		for name, want := range map[string]int{"nadia": 3, "karim": 2, "sami": 2} {
			told := slices.DeleteFunc(g.notices(name, "id"), func(one string) bool { return strings.HasPrefix(one, "wallet") }) // that she has agreed
			if len(told) != want {
				t.Errorf("%s is told %q", name, told)
			}
		}
	})
}

// TestAGroupOfTooManyPairs: those that are in a pot can be paid by themselves, and end.
func TestAGroupOfTooManyPairs(t *testing.T) {
	on(t, "nadia karim", func(t *testing.T, g *stage) {
		paid, cancelled := g.owes("karim", "nadia", 200), g.owes("karim", "nadia", 300)
		g.agree("karim")
		debt := g.debt("karim").Attr("id")
		_, err := g.s.db.Exec(context.Background(), `with recursive n(i) as (select 1 union all select i + 1 from n where i < $1) insert into pay_settled (id, within, unit, payer, payee, amount, closed)
			select 'x' || i, $2, 'MAD', 'a' || i || '@example', 'b@example', 1, false from n`, int64(maxPairs+1), group)
		if err != nil {
			t.Fatal(err)
		}
		karim := g.people["karim"]
		karim.refused("resource-constraint", false, "<debts group='"+group+"' unit='MAD'/>")
		if _, err := karim.hand(karim.send("nadia", 100, debt)); !errors.Is(err, xmpp.ResourceConstraint) {
			t.Errorf("a debt is paid: %v", err)
		}
		karim.done(karim.send("nadia", 200, paid))
		g.people["nadia"].set("<cancel id='" + cancelled + "'/>")
		g.has("karim", 99_800, "nadia", 100_200)
	})
}
