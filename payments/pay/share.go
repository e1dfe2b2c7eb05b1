package pay

import (
	"cmp"
	"math/bits"
	"slices"

	"palabre.dev/palabre/payments/ledger"
)

// Divide divides a total (0 to 2^53) into shares that are to each other as parts are, and add up to it: each is what it would be exactly, rounded up or down, and
// those with the largest remainder are rounded up, of equal ones the first. Parts are 0 or more and not all 0; else it returns nil. For equal shares all parts are 1.
func Divide(total int64, parts []int64) []int64 {
	var whole uint64
	for _, part := range parts {
		if part < 0 || whole > 1<<53 {
			return nil
		}
		whole += uint64(part)
	}
	if whole == 0 || whole > 1<<53 || total < 0 || total > ledger.MaxAmount {
		return nil
	}
	shares, remainders, order := make([]int64, len(parts)), make([]uint64, len(parts)), make([]int, len(parts))
	left := total
	for i, part := range parts {
		high, low := bits.Mul64(uint64(total), uint64(part))
		quotient, remainder := bits.Div64(high, low, whole)
		shares[i], remainders[i], order[i] = int64(quotient), remainder, i
		left -= shares[i]
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(remainders[b], remainders[a]) })
	for _, i := range order[:left] {
		shares[i]++
	}
	return shares
}
