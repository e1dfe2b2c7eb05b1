package pay

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// someDebts draws debts among some people.
func someDebts(t *rapid.T, people int, most int64) []Debt {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Debt {
		from := rapid.IntRange(0, people-1).Draw(t, "from")
		to := (from + rapid.IntRange(1, people-1).Draw(t, "further")) % people
		return Debt{fmt.Sprintf("p%02d", from), fmt.Sprintf("p%02d", to), rapid.Int64Range(1, most).Draw(t, "amount")}
	}), 0, 4*people).Draw(t, "debts")
}

// positions are what each is owed in all, without those who are even.
func positions(debts []Debt) map[string]int64 {
	owed := map[string]int64{}
	for _, d := range debts {
		owed[d.From] -= d.Amount
		owed[d.To] += d.Amount
	}
	for who, n := range owed {
		if n == 0 {
			delete(owed, who)
		}
	}
	return owed
}

// fewest is how many transfers settle what people are owed, found by trying everything.
func fewest(owed []int64) int {
	for len(owed) > 0 && owed[0] == 0 {
		owed = owed[1:]
	}
	if len(owed) == 0 {
		return 0
	}
	best := len(owed)
	for i := 1; i < len(owed); i++ {
		if (owed[0] < 0) == (owed[i] < 0) || owed[i] == 0 {
			continue
		}
		rest := slices.Clone(owed[1:])
		rest[i-1] += owed[0]
		best = min(best, 1+fewest(rest))
	}
	return best
}

func TestSettleSettlesEverything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		people := rapid.IntRange(2, 60).Draw(t, "people")
		debts := someDebts(t, people, rapid.SampledFrom([]int64{3, 20, 1000, 1 << 40}).Draw(t, "most"))
		transfers := Settle(debts)
		owed, pays := positions(debts), map[string]bool{}
		if len(owed) > 0 && len(transfers) > len(owed)-1 {
			t.Fatalf("%d transfers for %d people", len(transfers), len(owed))
		}
		for _, one := range transfers {
			if one.Amount < 1 || one.From == one.To {
				t.Fatalf("no transfer: %v", one)
			}
			pays[one.From] = true
			owed[one.From] += one.Amount
			owed[one.To] -= one.Amount
		}
		for who, n := range owed {
			if n != 0 {
				t.Fatalf("%s is still owed %d", who, n)
			}
		}
		for _, one := range transfers {
			if pays[one.To] {
				t.Fatalf("%s pays and is paid", one.To)
			}
		}
	})
}

func TestSettleTakesTheFewest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		debts := someDebts(t, rapid.IntRange(2, 7).Draw(t, "people"), rapid.SampledFrom([]int64{3, 9, 100}).Draw(t, "most"))
		var owed []int64
		for _, n := range positions(debts) {
			owed = append(owed, n)
		}
		if got, want := len(Settle(debts)), fewest(owed); got != want {
			t.Fatalf("%d transfers where %d do: %v", got, want, debts)
		}
	})
}

func TestSettleIsInNoOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		debts := someDebts(t, rapid.IntRange(2, 30).Draw(t, "people"), 50)
		if a, b := Settle(debts), Settle(rapid.Permutation(debts).Draw(t, "permuted")); !slices.Equal(a, b) {
			t.Fatalf("%v, and in another order %v", a, b)
		}
	})
}

// TestSettleLargeGroups has 200 people: of each five two are even, and the three others, so that 120 transfers would do.
func TestSettleLargeGroups(t *testing.T) {
	var debts []Debt
	for i := range 40 {
		name := func(p string) string { return fmt.Sprintf("%s%02d", p, i) }
		debts = append(debts, Debt{name("a"), name("b"), int64(1000 + 7*i)}, Debt{name("c"), name("d"), int64(2000 + 13*i)}, Debt{name("c"), name("e"), int64(50 + i)})
	}
	if got := len(Settle(debts)); got > 125 {
		t.Errorf("%d transfers for 200 people", got)
	}
}
