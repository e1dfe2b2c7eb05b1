package pay

import (
	"math/big"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"palabre.dev/palabre/payments/ledger"
)

func TestDivide(t *testing.T) {
	for _, test := range []struct {
		total int64
		parts []int64
		want  []int64
	}{
		{100, []int64{1, 1, 1}, []int64{34, 33, 33}},
		{101, []int64{1, 1, 1}, []int64{34, 34, 33}},
		{100, []int64{2, 1, 0}, []int64{67, 33, 0}},
		{1, []int64{1, 1}, []int64{1, 0}},
		{ledger.MaxAmount, []int64{1}, []int64{ledger.MaxAmount}},
		{10, nil, nil},
		{10, []int64{0, 0}, nil},
		{10, []int64{2, -1}, nil},
		{-1, []int64{1}, nil},
		{ledger.MaxAmount + 1, []int64{1}, nil},
		{10, []int64{1 << 53, 1 << 53}, nil},
	} {
		if got := Divide(test.total, test.parts); !slices.Equal(got, test.want) {
			t.Errorf("%d by %v: %v, want %v", test.total, test.parts, got, test.want)
		}
	}
}

func TestDivideAddsUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		total := rapid.Int64Range(0, ledger.MaxAmount).Draw(t, "total")
		parts := rapid.SliceOfN(rapid.Int64Range(0, 1<<40), 1, 100).Draw(t, "parts")
		var whole, sum int64
		for _, part := range parts {
			whole += part
		}
		if whole == 0 {
			return
		}
		shares := Divide(total, parts)
		for i, share := range shares {
			sum += share
			exact := new(big.Int).Mul(big.NewInt(total), big.NewInt(parts[i]))
			low := exact.Div(exact, big.NewInt(whole)).Int64()
			if share != low && share != low+1 {
				t.Fatalf("share %d is %d, exactly it is from %d", i, share, low)
			}
		}
		if sum != total {
			t.Fatalf("the shares of %d are %d together", total, sum)
		}
	})
}
