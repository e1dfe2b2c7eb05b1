package pay

import (
	"slices"
	"testing"
)

func TestOperatorDecidesADispute(t *testing.T) {
	on(t, "karim nadia", func(t *testing.T, g *stage) {
		karim, nadia := g.people["karim"], g.people["nadia"]
		ids := []string{}
		for range 2 {
			paid := karim.done(karim.send("nadia", 5000, ""))
			id := g.id()
			karim.set("<dispute id='" + id + "' of='" + paid + "' why='twice' amount='5000'>It was one fish.</dispute>")
			ids = append(ids, id, paid)
		}
		if open, err := g.s.Cases(t.Context(), true, 0, 10); err != nil || len(open) != 2 || open[0].ID != ids[2] || open[0].Text != "It was one fish." {
			t.Fatalf("open cases: %v, %v", open, err)
		}
		g.notices("karim")
		if err := g.s.Dismiss(t.Context(), "admin@example", ids[0], "Two fish were sold"); err != nil {
			t.Fatal(err)
		}
		if err := g.s.Uphold(t.Context(), "admin@example", ids[0], "No"); conditionOf(err) != "over" {
			t.Errorf("decided twice: %v", err)
		}
		if err := g.s.Uphold(t.Context(), "admin@example", ids[2], ""); conditionOf(err) != "bad-request" {
			t.Errorf("for no reason: %v", err)
		}
		if err := g.s.Uphold(t.Context(), "admin@example", ids[2], "One fish was sold"); err != nil {
			t.Fatal(err)
		}
		cases := func(open bool, want ...string) { // an upheld one waits for nadia, and the operator sees that it does
			found, err := g.s.Cases(t.Context(), open, 0, 10)
			got := []string{}
			for _, c := range found {
				got = append(got, c.ID, c.State, c.Decided)
			}
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("cases (open %t): %q, not %q (%v)", open, got, want, err)
			}
		}
		cases(true, ids[2], "upheld", "One fish was sold")
		cases(false, ids[0], "rejected", "Two fish were sold")
		if got := g.notices("karim", "state", "decided"); !slices.Equal(got, []string{"dispute rejected Two fish were sold", "dispute upheld One fish was sold"}) {
			t.Errorf("karim was told %q", got)
		}
		g.has("karim", 90_000, "nadia", 110_000) // nobody but nadia gives back what is hers
		nadia.refused("over", true, "<evidence dispute='"+ids[2]+"'>too late</evidence>")
		karim.refused("conflict", true, "<dispute id='"+g.id()+"' of='"+ids[3]+"' why='twice' amount='1'/>")
		nadia.done(nadia.giveBack("karim", 5000, ids[3]))
		g.attributes(karim.get("<dispute id='"+ids[2]+"'/>"), "state", "refunded", "by", "karim@example")
		cases(true)
		cases(false, ids[2], "refunded", "One fish was sold", ids[0], "rejected", "Two fish were sold")
		g.has("karim", 95_000, "nadia", 105_000)
		if deeds, err := g.s.Audit(t.Context(), 0, 10); err != nil || len(deeds) != 2 || deeds[0].What != "uphold" || deeds[1].What != "dismiss" {
			t.Errorf("the audit log has %v, %v", deeds, err)
		}
	})
}
