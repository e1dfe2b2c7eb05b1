package pay

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"palabre.dev/palabre/payments/intent"
	"palabre.dev/palabre/payments/ledger"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/xmpp"
)

const group = "friends@groups.example"

// owes makes a split of a group by which one owes another an amount, and gives the share's request.
func (g *stage) owes(payer, payee string, amount int64) string {
	g.t.Helper()
	made := g.people[payee].set(fmt.Sprintf("<split id='%s' group='%s' total='%d' unit='MAD' for='x'><share jid='%s@example' amount='%d'/></split>", g.id(), group, amount, payer, amount))
	return shareOf(made, payer).Attr("request")
}

// debtsOf are the debts that somebody sees, as "karim nadia 500", and their ids.
func (g *stage) debtsOf(who string) (all []string, ids map[string]string) {
	g.t.Helper()
	ids = map[string]string{}
	for e := range g.people[who].get("<debts group='" + group + "' unit='MAD'/>").Children() {
		line := strings.ReplaceAll(e.Attr("from")+" "+e.Attr("to")+" "+e.Attr("amount"), "@example", "")
		all, ids[line] = append(all, line), e.Attr("id")
	}
	return all, ids
}

func (g *stage) agree(names ...string) {
	g.t.Helper()
	for _, name := range names {
		a := g.people[name]
		a.set(a.agreement(g.askedOf(name)))
	}
}

// askedOf is what is asked of somebody in the group, as they see it.
func (g *stage) askedOf(name string) map[string]int64 {
	g.t.Helper()
	amounts := map[string]int64{}
	for before, more := "", true; more; {
		page := g.people[name].get("<debts group='" + group + "' unit='MAD' before='" + before + "'/>")
		for e := range page.Children() {
			if agree := e.Attr("agree"); agree != "" {
				amount, err := strconv.ParseInt(agree, 10, 64)
				if err != nil {
					g.t.Fatal(err)
				}
				amounts[e.Attr("id")] = amount
			}
		}
		before = page.Attr("more")
		more = before != ""
	}
	return amounts
}

// agreement is an order by which somebody agrees to what they have seen.
func (a *actor) agreement(seen map[string]int64) string {
	a.stage.t.Helper()
	about := intent.Agreement{Group: group, Unit: "MAD", Owed: sha256.Sum256([]byte(intent.OwedText(seen)))}
	o := &intent.Order{Service: "pay.example", ID: a.stage.id(), Kind: intent.Agree, Account: a.jid.String(), About: about.String(), Expires: a.stage.now().Add(5 * time.Minute), Key: a.keyID}
	text, err := o.Text()
	if err != nil {
		a.stage.t.Fatal(err)
	}
	return element("order").Add(xmpp.NewText(NS, "text", text), a.signature(text)).String()
}

func (g *stage) wantDebts(who string, want ...string) map[string]string {
	g.t.Helper()
	got, ids := g.debtsOf(who)
	if !slices.Equal(got, want) {
		g.t.Fatalf("%s sees %q, want %q", who, got, want)
	}
	return ids
}

func TestSettleUp(t *testing.T) {
	on(t, "nadia karim sami lea", func(t *testing.T, g *stage) {
		karim, nadia := g.people["karim"], g.people["nadia"]
		ofKarim, ofNadia := g.owes("karim", "nadia", 500), g.owes("nadia", "sami", 500)
		ids := g.wantDebts("nadia", "karim nadia 500", "nadia sami 500") // nobody has agreed
		g.wantDebts("karim", "karim nadia 500")                          // he has to do with one bill alone
		g.wantDebts("lea")
		sami := g.people["sami"]
		sami.fails("item-not-found", sami.send("nadia", 100, ids["karim nadia 500"])) // a debt of somebody else
		g.agree("karim")
		g.wantDebts("nadia", "karim nadia 500", "nadia sami 500")
		for e := range nadia.get("<debts group='" + group + "' unit='MAD'/>").Children() {
			if got := e.Attr("agree"); (got == "500") != (e.Attr("from") == "nadia@example") {
				t.Errorf("nadia may agree to %s", e)
			}
		}
		g.agree("nadia")
		ids = g.wantDebts("karim", "karim sami 500") // one transfer for two
		karim.fails("exceeds", karim.send("sami", 501, ids["karim sami 500"]))
		g.people["lea"].fails("item-not-found", g.people["lea"].send("sami", 500, ids["karim sami 500"]))
		karim.done(karim.send("sami", 200, ids["karim sami 500"]))
		g.wantDebts("nadia", "karim sami 300")
		g.attributes(nadia.get("<request id='"+ofNadia+"'/>"), "state", "open") // nobody has lost anything before all is paid
		karim.done(karim.send("sami", 300, ids["karim sami 500"]))
		g.wantDebts("nadia")
		for _, id := range []string{ofKarim, ofNadia} {
			g.attributes(nadia.get("<request id='"+id+"'/>"), "state", "paid", "paid", "500")
		}
		karim.fails("over", karim.send("nadia", 500, ofKarim)) // not twice
		karim.fails("over", karim.send("sami", 1, ids["karim sami 500"]))
		g.has("karim", 99_500, "nadia", 100_000, "sami", 100_500)
	})
}

// TestClaimThatNobodyHasAcknowledged has somebody who says that nadia owes them something, so that karim would pay them and not her.
func TestClaimThatNobodyHasAcknowledged(t *testing.T) {
	on(t, "nadia karim mallory", func(t *testing.T, g *stage) {
		karim, nadia := g.people["karim"], g.people["nadia"]
		g.owes("karim", "nadia", 500)
		g.agree("karim", "nadia")
		bogus := g.owes("nadia", "mallory", 500)
		g.agree("mallory", "karim")
		g.wantDebts("mallory", "nadia mallory 500")
		ids := g.wantDebts("karim", "karim nadia 500")
		karim.done(karim.send("nadia", 500, ids["karim nadia 500"]))
		nadia.set("<decline id='" + bogus + "' why='There was no such dinner'/>")
		g.wantDebts("nadia")
		g.has("karim", 99_500, "nadia", 100_500, "mallory", 100_000)
	})
}

// TestAgreementIsSigned has a session of nadia's without her key, and a claim that comes between what she saw and what she signed: neither moves from whom she gets money.
func TestAgreementIsSigned(t *testing.T) {
	on(t, "nadia karim sami mallory", func(t *testing.T, g *stage) {
		nadia, mallory := g.people["nadia"], g.people["mallory"]
		g.owes("karim", "nadia", 500)
		g.owes("nadia", "sami", 100)
		g.agree("karim")
		nadia.refused("feature-not-implemented", true, "<agree group='"+group+"' unit='MAD'/>")
		seen := g.askedOf("nadia")
		late := g.owes("nadia", "mallory", 400)
		nadia.refused("debts-changed", true, nadia.agreement(seen))
		thief := &actor{g, "nadia", nadia.jid, mallory.key, mallory.keyID}
		thief.refused("no-key", true, thief.agreement(g.askedOf("nadia")))
		g.wantDebts("karim", "karim nadia 500")
		nadia.set("<decline id='" + late + "'/>")
		agreed := nadia.agreement(seen)
		nadia.set(agreed)
		g.wantDebts("karim", "karim nadia 400", "karim sami 100")
		g.owes("nadia", "mallory", 400)
		nadia.set(agreed) // the same again agrees to nothing more
		g.wantDebts("karim", "karim nadia 400", "karim sami 100")
	})
}

// TestDebtsThatGoRound are even without any transfer as soon as all agree.
func TestDebtsThatGoRound(t *testing.T) {
	on(t, "nadia karim sami", func(t *testing.T, g *stage) {
		of := []string{g.owes("karim", "nadia", 300), g.owes("nadia", "sami", 300), g.owes("sami", "karim", 300)}
		g.agree("karim", "nadia")
		g.wantDebts("karim", "karim sami 300", "sami karim 300")
		g.agree("sami")
		g.wantDebts("karim")
		g.attributes(g.people["karim"].get("<request id='"+of[0]+"'/>"), "state", "paid")
		g.has("karim", 100_000, "nadia", 100_000, "sami", 100_000)
	})
}

// TestDebtOfWhatWasTakenBack has a share that is cancelled when it was settled with somebody else: what was paid for it comes back.
func TestDebtOfWhatWasTakenBack(t *testing.T) {
	on(t, "nadia karim sami lea", func(t *testing.T, g *stage) {
		karim := g.people["karim"]
		ofKarim := g.owes("karim", "nadia", 500)
		g.owes("lea", "nadia", 500)
		g.owes("lea", "sami", 500)
		g.agree("karim", "lea")
		ids := g.wantDebts("karim", "karim sami 500", "lea nadia 1000")
		karim.done(karim.send("sami", 500, ids["karim sami 500"]))
		g.people["nadia"].set("<cancel id='" + ofKarim + "'/>")
		g.wantDebts("lea", "lea karim 500", "lea nadia 500")
		g.later(requestLife + time.Second) // and what lea owed is over: sami has got what he was not owed any more
		g.wantDebts("sami", "sami karim 500")
	})
}

// TestAnOutsiderJoinsNoPot has somebody who is not in the group take over what karim owes: they would never pay it, and nadia would be owed it by a stranger.
func TestAnOutsiderJoinsNoPot(t *testing.T) {
	for _, unknown := range []bool{false, true} {
		t.Run(fmt.Sprint("unknown ", unknown), func(t *testing.T) {
			on(t, "nadia karim mallory", func(t *testing.T, g *stage) {
				g.outside["mallory"], g.unknown = true, unknown
				ofKarim, ofMallory := g.owes("karim", "nadia", 500), g.owes("mallory", "karim", 500)
				g.agree("karim", "mallory", "nadia")
				g.wantDebts("nadia", "karim nadia 500")
				ids := g.wantDebts("karim", "karim nadia 500", "mallory karim 500")
				g.wantDebts("mallory", "mallory karim 500")
				karim, nadia, mallory := g.people["karim"], g.people["nadia"], g.people["mallory"]
				karim.done(karim.send("nadia", 500, ids["karim nadia 500"]))
				g.attributes(nadia.get("<request id='"+ofKarim+"'/>"), "state", "paid")
				g.attributes(karim.get("<request id='"+ofMallory+"'/>"), "state", "open")
				mallory.done(mallory.send("karim", 500, ids["mallory karim 500"])) // whom one owes something directly one can pay, group or not
				g.wantDebts("karim")
				g.has("karim", 100_000, "nadia", 100_500, "mallory", 99_500)
			})
		})
	}
}

// TestWhoLeavesStaysInThePot has karim pay sami what nadia owes him; then people leave the group, and karim owes her nothing all the same.
func TestWhoLeavesStaysInThePot(t *testing.T) {
	for how, leaving := range map[string][]string{"who is between": {"nadia"}, "who has paid": {"karim"}, "who was paid": {"sami"}, "all": {"karim", "nadia", "sami", "lea"}} {
		t.Run(how, func(t *testing.T) {
			on(t, "nadia karim sami lea", func(t *testing.T, g *stage) {
				karim, nadia := g.people["karim"], g.people["nadia"]
				ofKarim, ofNadia, ofLea := g.owes("karim", "nadia", 500), g.owes("nadia", "sami", 500), g.owes("lea", "nadia", 100)
				g.agree("karim", "nadia", "lea")
				ids := g.wantDebts("karim", "karim sami 500", "lea nadia 100")
				karim.done(karim.send("sami", 500, ids["karim sami 500"]))
				for _, who := range leaving {
					g.outside[who] = true
				}
				g.wantDebts("karim", "lea nadia 100") // as long as she owes it, nobody has what is theirs
				g.wantDebts("sami", "lea nadia 100")
				karim.fails("over", karim.send("nadia", 500, ofKarim))
				nadia.refused("over", true, "<remind id='"+ofKarim+"'/>")
				karim.refused("over", true, "<remind id='"+ofKarim+"'/>")
				again := g.owes("karim", "nadia", 50) // this is new, and set against what others owe only if both are there
				g.agree("karim")
				if slices.Contains(leaving, "karim") || slices.Contains(leaving, "nadia") {
					ids = g.wantDebts("karim", "karim nadia 50", "lea nadia 100")
					karim.done(karim.send("nadia", 50, ids["karim nadia 50"]))
				} else {
					g.wantDebts("karim", "karim nadia 50", "lea nadia 100")
					karim.done(karim.send("nadia", 50, again))
				}
				g.attributes(karim.get("<request id='"+again+"'/>"), "state", "paid")
				g.attributes(karim.get("<request id='"+ofKarim+"'/>"), "state", "open", "paid", "0")
				g.wantDebts("karim", "lea nadia 100")
				lea := g.people["lea"]
				lea.done(lea.send("nadia", 100, ofLea))
				for _, id := range []string{ofKarim, ofNadia} {
					g.attributes(nadia.get("<request id='"+id+"'/>"), "state", "paid")
				}
				g.has("karim", 99_450, "nadia", 100_150, "sami", 100_500, "lea", 99_900)
			})
		})
	}
}

// TestWhoLeavesAndDeclines: sami has got from karim what nadia does not owe him any more, so that it is hers; karim is asked for nothing.
func TestWhoLeavesAndDeclines(t *testing.T) {
	for how, end := range map[string]func(g *stage, ofKarim, ofNadia string) string{
		"declines": func(g *stage, _, ofNadia string) string {
			g.people["nadia"].set("<decline id='" + ofNadia + "'/>")
			return "sami nadia 500"
		},
		"cancels": func(g *stage, ofKarim, _ string) string {
			g.people["nadia"].set("<cancel id='" + ofKarim + "'/>")
			return "nadia karim 500"
		},
	} {
		t.Run(how, func(t *testing.T) {
			on(t, "nadia karim sami lea", func(t *testing.T, g *stage) {
				karim := g.people["karim"]
				ofKarim, ofNadia := g.owes("karim", "nadia", 500), g.owes("nadia", "sami", 500)
				ofLea := g.owes("lea", "nadia", 100)
				g.agree("karim", "nadia", "lea")
				ids := g.wantDebts("karim", "karim sami 500", "lea nadia 100")
				karim.done(karim.send("sami", 500, ids["karim sami 500"]))
				g.outside["nadia"] = true
				debt := end(g, ofKarim, ofNadia)
				g.people["lea"].set("<decline id='" + ofLea + "'/>")
				ids = g.wantDebts("karim", debt)
				var from, to string
				if _, err := fmt.Sscan(debt, &from, &to); err != nil {
					t.Fatal(err)
				}
				g.people[from].done(g.people[from].send(to, 500, ids[debt]))
				for _, name := range []string{"karim", "nadia", "sami", "lea"} {
					g.wantDebts(name)
					if e := g.people[name].get("<requests state='waiting'/>"); e.First() != nil {
						t.Errorf("%s still owes or is owed: %s", name, e)
					}
				}
			})
		})
	}
}

// TestWhatIsPaidIntoAPotIsNotPaidByItself has karim owe more than he has paid into the pot: that much he may pay by itself, and no more.
func TestWhatIsPaidIntoAPotIsNotPaidByItself(t *testing.T) {
	on(t, "nadia karim sami lea", func(t *testing.T, g *stage) {
		karim := g.people["karim"]
		ofKarim, other := g.owes("karim", "nadia", 500), g.owes("karim", "nadia", 200)
		g.owes("nadia", "sami", 500)
		g.owes("lea", "nadia", 100)
		g.agree("karim", "nadia", "lea")
		ids := g.wantDebts("karim", "karim nadia 200", "karim sami 500", "lea nadia 100")
		karim.done(karim.send("sami", 500, ids["karim sami 500"]))
		karim.fails("exceeds", karim.send("nadia", 500, ofKarim))
		karim.done(karim.send("nadia", 200, other))
		karim.fails("over", karim.send("nadia", 500, ofKarim))
		g.wantDebts("karim", "lea nadia 100")
		g.has("karim", 99_300, "nadia", 100_200, "sami", 100_500)
	})
}

// TestWhoIsRemovedStaysInThePot: what karim has paid to sami is for what nadia owes, also when her account is no more.
func TestWhoIsRemovedStaysInThePot(t *testing.T) {
	on(t, "nadia karim sami lea", func(t *testing.T, g *stage) {
		karim := g.people["karim"]
		g.owes("karim", "nadia", 500)
		g.owes("nadia", "sami", 500)
		g.owes("lea", "sami", 100)
		g.agree("karim", "nadia", "lea")
		ids := g.wantDebts("karim", "karim sami 500", "lea sami 100")
		karim.done(karim.send("sami", 500, ids["karim sami 500"]))
		g.leaves("nadia")
		g.later(0)
		g.wantDebts("karim", "lea sami 100")
		ids = g.wantDebts("sami", "lea sami 100")
		g.people["lea"].done(g.people["lea"].send("sami", 100, ids["lea sami 100"]))
		g.wantDebts("karim")
		g.wantDebts("sami")
		g.has("karim", 99_500, "sami", 100_600)
	})
}

// TestNoNumberHoldsAPot: where others owe so much that no number holds it, what somebody has settled is not asked of them apart again.
func TestNoNumberHoldsAPot(t *testing.T) {
	on(t, "nadia karim sami lea", func(t *testing.T, g *stage) {
		karim := g.people["karim"]
		ofKarim := g.owes("karim", "nadia", 500)
		g.owes("nadia", "sami", 500)
		g.owes("lea", "nadia", 100)
		g.agree("karim", "nadia", "lea")
		ids := g.wantDebts("karim", "karim sami 500", "lea nadia 100")
		karim.done(karim.send("sami", 500, ids["karim sami 500"]))
		g.fill(600, func(i int, p *split) {
			p.payee, p.shares[0].account = fmt.Sprintf("a%d@example", i), fmt.Sprintf("a%d@example", i+1)
			g.people[p.payee] = &actor{stage: g, jid: xmpp.MustJID(p.payee)}
		})
		if _, err := g.s.db.Exec(t.Context(), "update pay_request set agreed = true where payer > 'a' and payer < 'b'"); err != nil {
			t.Fatal(err)
		}
		g.wantDebts("karim", "lea nadia 100") // they have nothing to do with that
		g.fill(1, func(_ int, p *split) { p.payee, p.shares[0].account = "nadia@example", "a1@example" })
		if _, err := g.s.db.Exec(t.Context(), "update pay_request set agreed = true where payer = 'a1@example'"); err != nil {
			t.Fatal(err)
		}
		karim.refused("resource-constraint", false, "<debts group='"+group+"' unit='MAD'/>")
		karim.fails("over", karim.send("nadia", 500, ofKarim))
	})
}

// TestTwoSettleInAnyGroup has two who owe one another something in a group of which nobody knows who is in it.
func TestTwoSettleInAnyGroup(t *testing.T) {
	on(t, "nadia karim", func(t *testing.T, g *stage) {
		g.unknown = true
		g.owes("karim", "nadia", 500)
		ofNadia := g.owes("nadia", "karim", 200)
		g.agree("karim")
		g.wantDebts("karim", "karim nadia 500", "nadia karim 200")
		g.agree("nadia")
		ids := g.wantDebts("karim", "karim nadia 300")
		karim := g.people["karim"]
		karim.done(karim.send("nadia", 300, ids["karim nadia 300"]))
		g.wantDebts("nadia")
		g.attributes(karim.get("<request id='"+ofNadia+"'/>"), "state", "paid")
		g.has("karim", 99_700, "nadia", 100_300)
	})
}

// fill keeps many splits of mallory's, as if she had made them in a long time, in which karim has a share of all that there is.
func (g *stage) fill(n int, change func(i int, p *split)) {
	g.t.Helper()
	err := g.s.db.Tx(g.t.Context(), func(ctx context.Context) error {
		for i := range n {
			p := &split{id: g.id(), maker: "mallory@example", payee: "mallory@example", within: group, total: ledger.MaxAmount, unit: "MAD", expires: g.now().Add(time.Hour)}
			p.shares = []share{{account: "karim@example", amount: p.total, request: derivedID(p.id)}}
			change(i, p)
			if err := g.s.addSplit(ctx, p, []byte{}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		g.t.Fatal(err)
	}
}

// TestMadeUpGroupsHideNoDebt has somebody name a person in more groups than were looked at.
func TestMadeUpGroupsHideNoDebt(t *testing.T) {
	on(t, "nadia karim mallory", func(t *testing.T, g *stage) {
		g.fill(600, func(i int, p *split) { p.within = fmt.Sprintf("a-%d@groups.example", i) })
		g.owes("karim", "nadia", 500)
		ids := g.wantDebts("karim", "karim nadia 500")
		karim := g.people["karim"]
		karim.done(karim.send("nadia", 200, ids["karim nadia 500"]))
		g.agree("karim")
		karim.done(karim.send("nadia", 300, ids["karim nadia 500"]))
		g.wantDebts("karim")
	})
}

// TestManyDebtsHideNone has somebody ask a person for so much, in the name of so many, that what they owe would be on no page and in no number.
func TestManyDebtsHideNone(t *testing.T) {
	on(t, "nadia karim mallory", func(t *testing.T, g *stage) {
		g.owes("karim", "nadia", 500)
		g.fill(1100, func(int, *split) {})
		g.fill(600, func(i int, p *split) { p.payee = fmt.Sprintf("a-%d@example", i) })
		karim := g.people["karim"]
		first := karim.get("<debts group='" + group + "' unit='MAD'/>")
		g.attributes(first.First(), "to", "nadia@example", "amount", "500") // what is older comes first
		debts := 0
		for page := first; ; page = karim.get("<debts group='" + group + "' unit='MAD' before='" + page.Attr("more") + "'/>") {
			for range page.Children() {
				debts++
			}
			if page.Attr("more") == "" {
				break
			}
		}
		if debts != 602 {
			t.Errorf("%d debts on all pages", debts)
		}
		karim.refused("item-not-found", false, "<debts group='"+group+"' unit='MAD' before='nothing'/>")
		g.agree("karim") // even so much that no number holds it
		karim.get("<debts group='" + group + "' unit='MAD'/>")
	})
}

// TestWhatEndsLeavesTheOthersEven has debts that go round but for one, which is declined, cancelled, or not paid in time.
func TestWhatEndsLeavesTheOthersEven(t *testing.T) {
	for how, end := range map[string]func(g *stage, id string){
		"declined":  func(g *stage, id string) { g.people["sami"].set("<decline id='" + id + "'/>") },
		"cancelled": func(g *stage, id string) { g.people["lea"].set("<cancel id='" + id + "'/>") },
		"paid":      func(g *stage, id string) { g.people["sami"].done(g.people["sami"].send("lea", 100, id)) },
		"expired":   func(g *stage, _ string) { g.later(2 * time.Hour) },
	} {
		t.Run(how, func(t *testing.T) {
			on(t, "nadia karim sami lea", func(t *testing.T, g *stage) {
				round := []string{g.owes("karim", "nadia", 300), g.owes("nadia", "sami", 300), g.owes("sami", "karim", 300)}
				made := g.people["lea"].set(fmt.Sprintf("<split id='%s' group='%s' total='100' unit='MAD' expires='%s'><share jid='sami@example' amount='100'/></split>", g.id(), group,
					intent.FormatTime(g.now().Add(time.Hour))))
				g.agree("karim", "nadia", "sami")
				g.wantDebts("karim", "sami lea 100")
				end(g, shareOf(made, "sami").Attr("request"))
				g.wantDebts("karim")
				for _, id := range round {
					g.attributes(g.people["karim"].get("<requests state='waiting'/>"), "more", "")
					if r, err := g.s.request(t.Context(), id); err != nil || r.state != requestPaid {
						t.Errorf("a share of the round is %s (%v)", r.state, err)
					}
				}
			})
		})
	}
}

// end has a share declined or cancelled, and gives what was left of it; nothing if it was over already.
func (g *stage) end(id, payer, payee string, decline bool) int {
	g.t.Helper()
	r, err := g.s.request(g.t.Context(), id)
	if err != nil {
		g.t.Fatal(err)
	}
	if !r.waits(g.now()) {
		return 0
	}
	if decline {
		g.people[payer].set("<decline id='" + id + "'/>")
	} else {
		g.people[payee].set("<cancel id='" + id + "'/>")
	}
	return int(r.left())
}

// friends are some people who settle up in a group, and what they are to have in the end.
type friends struct {
	*stage
	names []string
	bills [][3]string    // share, payer, payee
	want  map[string]int // minor units
	owed  map[string]int // of all shares of each, but those that were over before their payer agreed to them
}

// found makes people of a group who owe one another something.
func (g *stage) found(t *rapid.T, n int) *friends {
	o := &friends{stage: g, want: map[string]int{}, owed: map[string]int{}}
	g.outside, g.unknown = map[string]bool{}, rapid.IntRange(0, 7).Draw(t, "unknown") == 7
	for i := range rapid.IntRange(3, 5).Draw(t, "people") {
		name := fmt.Sprintf("p%d-%d", n, i)
		g.enter(name)
		g.outside[name] = rapid.IntRange(0, 7).Draw(t, "outside") == 7
		o.names, o.want[name] = append(o.names, name), 100_000
	}
	for range rapid.IntRange(3, 8).Draw(t, "bills") {
		o.bill(t)
	}
	for _, name := range o.names {
		if rapid.IntRange(0, 3).Draw(t, "agrees") < 3 {
			o.agree(name)
		}
	}
	return o
}

// bill has somebody ask another for something.
func (o *friends) bill(t *rapid.T) {
	from := rapid.IntRange(0, len(o.names)-1).Draw(t, "from")
	to := (from + rapid.IntRange(1, len(o.names)-1).Draw(t, "further")) % len(o.names)
	amount := 100 * rapid.IntRange(1, 9).Draw(t, "amount")
	payer, payee := o.names[from], o.names[to]
	o.bills = append(o.bills, [3]string{o.owes(payer, payee, int64(amount)), payer, payee})
	o.want[payer] -= amount
	o.want[payee] += amount
	o.owed[payer] += amount
}

// happens is whatever happens in a group beside payments of debts: people come and go, agree, ask for more, and do not want to pay, or pay by itself what is asked of them.
func (o *friends) happens(t *rapid.T) {
	if rapid.Bool().Draw(t, "agree") {
		o.agree(rapid.SampledFrom(o.names).Draw(t, "who"))
	}
	if rapid.IntRange(0, 2).Draw(t, "move") == 2 {
		who := rapid.SampledFrom(o.names).Draw(t, "who moves")
		o.outside[who] = !o.outside[who]
	}
	if rapid.IntRange(0, 15).Draw(t, "known") == 15 {
		o.unknown = !o.unknown
	}
	if len(o.bills) < 12 && rapid.IntRange(0, 7).Draw(t, "more") == 7 {
		o.bill(t)
	}
	one := rapid.SampledFrom(o.bills).Draw(t, "bill")
	r, err := o.s.request(o.t.Context(), one[0])
	if err != nil {
		t.Fatal(err)
	}
	switch rapid.IntRange(0, 15).Draw(t, "end") {
	case 14:
		left := o.end(one[0], one[1], one[2], rapid.Bool().Draw(t, "decline"))
		o.want[one[1]] += left
		o.want[one[2]] -= left
		if !r.agreed {
			o.owed[one[1]] -= left
		}
	case 12, 13:
		if r.waits(o.now()) && r.paid == 0 {
			_, _ = o.people[one[1]].hand(o.people[one[1]].send(one[2], r.amount, one[0])) // refused where it was paid to somebody else
		}
	}
}

// check wants, of all, that they have what is theirs when what they see is paid, and that nobody is asked for more than they owe in all, less what they have paid, whomever.
func (o *friends) check(t *rapid.T) (payable map[string]string) {
	payable = map[string]string{}
	for _, name := range o.names {
		all, ids := o.debtsOf(name)
		maps.Copy(payable, ids)
		has, _ := o.balance(name)
		asked, due := 0, 0
		for _, line := range all {
			var from, to string
			var amount int
			if _, err := fmt.Sscan(line, &from, &to, &amount); err != nil {
				t.Fatal(err)
			}
			switch name {
			case from:
				asked += amount
			case to:
				due += amount
			}
		}
		if got := int(has) - asked + due; got != o.want[name] {
			t.Fatalf("%s has %d, and %d when what is seen is paid, want %d: %q", name, has, got, o.want[name], all)
		}
		if out := 100_000 - int(has); asked > 0 && out+asked > o.owed[name] {
			t.Fatalf("%s is out of %d and asked for %d, and owed %d in all: %q", name, out, asked, o.owed[name], all)
		}
	}
	return payable
}

// pay has somebody pay one of the debts that are seen, or a part of it.
func (o *friends) pay(t *rapid.T, payable map[string]string) {
	var from, to string
	var amount int64
	line := rapid.SampledFrom(slices.Sorted(maps.Keys(payable))).Draw(t, "debt")
	if _, err := fmt.Sscan(line, &from, &to, &amount); err != nil {
		t.Fatal(err)
	}
	who := o.people[from]
	part := amount
	if amount > 1 && rapid.IntRange(0, 4).Draw(t, "part") == 0 {
		part = rapid.Int64Range(1, amount).Draw(t, "of it")
	}
	i := who.send(to, part, payable[line])
	for range 2 { // its answer was lost
		if _, err := who.hand(i); err != nil {
			t.Fatalf("%d of %s: %v", part, line, err)
		}
	}
}

// TestSettleUpLikeTheModel settles what some people owe one another, in any order, and wants everybody to have what is theirs.
func TestSettleUpLikeTheModel(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		g, towns, n := newStage(t, db), towns(), 0
		rapid.Check(t, func(t *rapid.T) {
			if n++; n > towns {
				return
			}
			o := g.found(t, n)
			for {
				o.happens(t)
				payable := o.check(t)
				if len(payable) == 0 {
					break
				}
				o.pay(t, payable)
				o.check(t)
			}
			for _, name := range o.names {
				if e := o.people[name].get("<requests state='waiting'/>"); e.First() != nil {
					t.Fatalf("%s still owes or is owed: %s", name, e)
				}
			}
		})
	})
}
