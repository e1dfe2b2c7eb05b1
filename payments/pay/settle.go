package pay

import (
	"cmp"
	"math/bits"
	"slices"
)

// exactPeople is up to how many people, besides those of whom two settle exactly, the fewest transfers are found; 2^18 sets of them are looked at. Beyond that they
// are few, not always the fewest.
const exactPeople = 18

// Debt is what one owes another, in minor units.
type Debt struct {
	From, To string
	Amount   int64
}

// position is what somebody is owed by all the others together; negative for what is owed to them.
type position struct {
	who  string
	owed int64
}

// Settle gives the transfers that settle debts in one unit: the fewest for up to 18 people, few for more, and never more than there are people less one. Nobody who
// gets something pays something as well. The order of the debts makes no difference.
func Settle(debts []Debt) []Debt {
	owed := map[string]int64{}
	for _, d := range debts {
		owed[d.From] -= d.Amount
		owed[d.To] += d.Amount
	}
	var people []position
	for who, n := range owed {
		if n != 0 {
			people = append(people, position{who, n})
		}
	}
	slices.SortFunc(people, func(a, b position) int { return cmp.Or(cmp.Compare(a.owed, b.owed), cmp.Compare(a.who, b.who)) })
	// Two who settle exactly may always do so: whoever else each of them would settle with are even among themselves then.
	transfers, people := settlePairs(people)
	if len(people) > exactPeople {
		var some []Debt
		some, people = settleTriples(people)
		transfers = append(transfers, some...)
	}
	if len(people) > exactPeople {
		transfers = append(transfers, settleLargest(people)...)
	} else {
		for _, even := range evenSets(people) {
			transfers = append(transfers, settleLargest(even)...)
		}
	}
	slices.SortFunc(transfers, func(a, b Debt) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To)) })
	return transfers
}

// settlePairs lets those settle of whom one is owed what the other owes, and gives the rest.
func settlePairs(people []position) (transfers []Debt, rest []position) {
	low, high := 0, len(people)-1
	for low < high {
		switch sum := people[low].owed + people[high].owed; {
		case sum == 0:
			transfers = append(transfers, Debt{people[low].who, people[high].who, people[high].owed})
			low, high = low+1, high-1
		case sum < 0:
			rest = append(rest, people[low])
			low++
		default:
			rest = append(rest, people[high])
			high--
		}
	}
	if low == high {
		rest = append(rest, people[low])
	}
	slices.SortFunc(rest, func(a, b position) int { return cmp.Or(cmp.Compare(a.owed, b.owed), cmp.Compare(a.who, b.who)) })
	return transfers, rest
}

// settleTriples lets three settle who are even together, as often as it finds such, and gives the rest.
func settleTriples(people []position) (transfers []Debt, rest []position) {
	by := map[int64][]int{}
	for i, p := range people {
		by[p.owed] = append(by[p.owed], i)
	}
	gone := make([]bool, len(people))
	third := func(i, j int) int {
		for _, k := range by[-people[i].owed-people[j].owed] {
			if k != i && k != j && !gone[k] {
				return k
			}
		}
		return -1
	}
	for i := range people {
		for j := i + 1; j < len(people) && !gone[i]; j++ {
			if gone[j] {
				continue
			}
			if k := third(i, j); k >= 0 {
				gone[i], gone[j], gone[k] = true, true, true
				transfers = append(transfers, settleLargest([]position{people[i], people[j], people[k]})...)
			}
		}
	}
	for i, p := range people {
		if !gone[i] {
			rest = append(rest, p)
		}
	}
	return transfers, rest
}

// evenSets divides people into as many sets as possible that are even among themselves: each of them saves a transfer. Of each set of people it knows how many such
// sets it holds at most if its people are taken one after the other.
func evenSets(people []position) (sets [][]position) {
	all := 1<<len(people) - 1
	sums, most := make([]int64, all+1), make([]int8, all+1)
	for set := 1; set <= all; set++ {
		first := bits.TrailingZeros(uint(set))
		sums[set] = sums[set&(set-1)] + people[first].owed
		for rest := set; rest != 0; rest &= rest - 1 {
			most[set] = max(most[set], most[set&^(rest&-rest)])
		}
		if sums[set] == 0 {
			most[set]++
		}
	}
	var even []position
	for set := all; set != 0; {
		want := most[set]
		if sums[set] == 0 {
			want--
		}
		for rest := set; ; rest &= rest - 1 {
			if one := rest & -rest; most[set&^one] == want {
				even = append(even, people[bits.TrailingZeros(uint(one))])
				set &^= one
				break
			}
		}
		if sums[set] == 0 {
			sets, even = append(sets, even), nil
		}
	}
	return sets
}

// settleLargest settles people who are even together: who owes the most pays whom the most is owed, with one transfer less than there are people at most.
func settleLargest(people []position) (transfers []Debt) {
	people = slices.Clone(people)
	for len(people) > 1 {
		slices.SortFunc(people, func(a, b position) int { return cmp.Or(cmp.Compare(a.owed, b.owed), cmp.Compare(a.who, b.who)) })
		payer, payee := &people[0], &people[len(people)-1]
		amount := min(-payer.owed, payee.owed)
		transfers = append(transfers, Debt{payer.who, payee.who, amount})
		payer.owed += amount
		payee.owed -= amount
		people = slices.DeleteFunc(people, func(p position) bool { return p.owed == 0 })
	}
	return transfers
}
