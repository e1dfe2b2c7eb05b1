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

// TestSettleUpLikeTheModel settles what some people owe one another, in any order, and wants everybody to have what is theirs.
func TestSettleUpLikeTheModel(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		g, town := newStage(t, db), 0
		rapid.Check(t, func(t *rapid.T) {
			if town++; town > towns() {
				return
			}
			var names []string
			var bills [][3]string // share, payer, payee
			want := map[string]int{}
			g.outside, g.unknown = map[string]bool{}, rapid.IntRange(0, 3).Draw(t, "unknown") == 0
			for i := range rapid.IntRange(2, 5).Draw(t, "people") {
				name := fmt.Sprintf("p%d-%d", town, i)
				g.enter(name)
				g.outside[name] = rapid.IntRange(0, 5).Draw(t, "outside") == 0
				names, want[name] = append(names, name), 100_000
			}
			for range rapid.IntRange(1, 6).Draw(t, "bills") {
				from := rapid.IntRange(0, len(names)-1).Draw(t, "from")
				to := (from + rapid.IntRange(1, len(names)-1).Draw(t, "further")) % len(names)
				amount := rapid.IntRange(1, 900).Draw(t, "amount")
				bills = append(bills, [3]string{g.owes(names[from], names[to], int64(amount)), names[from], names[to]})
				want[names[from]] -= amount
				want[names[to]] += amount
			}
			for {
				if rapid.Bool().Draw(t, "agree") {
					g.agree(rapid.SampledFrom(names).Draw(t, "who"))
				}
				if rapid.IntRange(0, 7).Draw(t, "end") == 0 {
					one := rapid.SampledFrom(bills).Draw(t, "bill")
					left := g.end(one[0], one[1], one[2], rapid.Bool().Draw(t, "decline"))
					want[one[1]] += left
					want[one[2]] -= left
				}
				payable := map[string]string{}
				for _, name := range names {
					_, ids := g.debtsOf(name)
					maps.Copy(payable, ids)
				}
				if len(payable) == 0 {
					break
				}
				var from, to string
				var amount int64
				line := rapid.SampledFrom(slices.Sorted(maps.Keys(payable))).Draw(t, "debt")
				if _, err := fmt.Sscan(line, &from, &to, &amount); err != nil {
					t.Fatal(err)
				}
				who := g.people[from]
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
			for name, amount := range want {
				if got, _ := g.balance(name); got != int64(amount) {
					t.Fatalf("%s has %d, want %d", name, got, amount)
				}
				if e := g.people[name].get("<requests state='waiting'/>"); e.First() != nil {
					t.Fatalf("%s still owes or is owed: %s", name, e)
				}
			}
		})
	})
}
