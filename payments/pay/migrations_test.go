package pay

import (
	"testing"

	"palabre.dev/palabre/payments/intent"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
)

// TestADatabaseOfBeforeTheLanguages: 0070 came when 0080 and 0090 had been run already.
func TestADatabaseOfBeforeTheLanguages(t *testing.T) {
	before := storetest.Migrations(t, migrations, func(name string) bool {
		return name < "0070" || name > "0071" && name < "0091"
	})
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		if err := db.Migrate(t.Context(), "pay", before); err != nil {
			t.Fatal(err)
		}
		g := newStage(t, db, "karim", "nadia")
		g.people["karim"].done(g.people["karim"].send("nadia", 1, ""))
		if _, err := db.Exec(t.Context(), "select account, language from pay_language"); err != nil {
			t.Error(err)
		}
	})
}

// TestLimitsOfNothing: a limit of 0 was one of nothing before 0110. Who had set it pays nothing, and what they set anew holds as it does now.
func TestLimitsOfNothing(t *testing.T) {
	before := storetest.Migrations(t, migrations, func(name string) bool { return name < "0110" })
	old := map[string][2]int64{"karim": {0, 0}, "nadia": {500, 0}, "salma": {0, 1500}, "omar": {500, 1500}}
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		if err := db.Migrate(t.Context(), "pay", before); err != nil {
			t.Fatal(err)
		}
		for name, own := range old {
			if _, err := db.Exec(t.Context(), "insert into pay_limit (account, unit, transaction_most, day_most) values ($1, 'MAD', $2, $3)", name+"@example", own[0], own[1]); err != nil {
				t.Fatal(err)
			}
		}
		b := openBank(t, db, testConfig())
		for name, own := range old {
			d := b.newDevice(name)
			b.fund(d.account, "MAD", 10_000)
			if own[0] > 0 && own[1] > 0 {
				d.send("soukaina@example", 500)
				_, err := d.pay(d.intent(intent.Send, "soukaina@example", 501))
				b.refused(err, "over-limit")
				continue
			}
			for _, kind := range []intent.Kind{intent.Send, intent.Reserve} {
				_, err := d.pay(d.intent(kind, map[intent.Kind]string{intent.Send: "soukaina@example", intent.Reserve: d.account.String()}[kind], 1))
				b.refused(err, "over-limit")
			}
			w, err := b.ask(d.account, false, element("wallet"))
			if limit := w.Child(NS, "limit"); err != nil || limit.Attr("transaction") != "0" || limit.Attr("day") != "0" || limit.Attr("left") != "0" {
				t.Errorf("%s sees %s (%v)", name, w, err)
			}
			if p, err := b.Purse(t.Context(), d.account); err != nil || p.Money[0].Left != 0 {
				t.Errorf("the operator sees %+v of %s (%v)", p, name, err)
			}
			if err := d.order(intent.SetLimits, "MAD transaction=0 day=0"); err != nil {
				t.Fatal(err)
			}
			d.send("soukaina@example", 2000)
		}
	})
}
