package pay

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func at(text string) time.Time {
	t, err := time.Parse("2006-01-02T15:04:05Z", text)
	if err != nil {
		panic(err)
	}
	return t
}

func TestTurn(t *testing.T) {
	for _, test := range []struct {
		begun string
		every string
		n     int
		want  string
	}{
		{"2026-11-22T12:05:00Z", everyDay, 0, "2026-11-22T12:05:00Z"},
		{"2026-11-22T12:05:00Z", everyDay, 10, "2026-12-02T12:05:00Z"},
		{"2026-11-22T12:05:00Z", everyWeek, 2, "2026-12-06T12:05:00Z"},
		{"2026-01-31T12:05:00Z", everyMonth, 1, "2026-02-28T12:05:00Z"},
		{"2026-01-31T12:05:00Z", everyMonth, 2, "2026-03-31T12:05:00Z"},
		{"2027-12-31T00:00:00Z", everyMonth, 2, "2028-02-29T00:00:00Z"},
		{"2026-11-30T23:59:59Z", everyMonth, 15, "2028-02-29T23:59:59Z"},
	} {
		if got := turn(at(test.begun), test.every, test.n); !got.Equal(at(test.want)) {
			t.Errorf("%s, %d times every %s: %v, want %s", test.begun, test.n, test.every, got, test.want)
		}
	}
}

func TestTurnAtIsTheOtherWayRound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		begun := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "begun"), 0).UTC()
		every := rapid.SampledFrom([]string{everyDay, everyWeek, everyMonth}).Draw(t, "every")
		later := begun.Add(time.Duration(rapid.Int64Range(0, 4e8).Draw(t, "seconds")) * time.Second)
		n := turnAt(begun, every, later)
		if turn(begun, every, n).After(later) || !turn(begun, every, n+1).After(later) {
			t.Fatalf("%v is not in period %d (every %s) from %v", later, n, every, begun)
		}
	})
}
