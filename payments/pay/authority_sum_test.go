package pay

import (
	"maps"
	"strings"
	"testing"
	"unsafe"

	"palabre.dev/palabre/payments/ledger"
)

// TestSumsKeepNoIntents: what is kept of a book for each warrant is its id and a number, not the text that the id was read from; and nothing of what came back whole.
func TestSumsKeepNoIntents(t *testing.T) {
	text := "id first" + strings.Repeat(" and much more", 100)
	s, w := sums{}, warrant{text[3:8], 5}
	take := func(amount int64) bool {
		var e ledger.Entry
		e.Kind, e.Amount = ledger.Transfer, amount
		return s.allow(w, &e)
	}
	if !take(3) || take(3) || !take(2) {
		t.Errorf("%v", s)
	}
	for id := range s {
		if unsafe.StringData(id) == unsafe.StringData(w.of) {
			t.Error("the whole text stays")
		}
	}
	back := &ledger.Entry{}
	back.ID, back.From, back.To, back.Amount = "first:1r2", "rail/x/MAD", "wallet/MAD/karim@example", 2
	if s.giveBack(back); !maps.Equal(s, sums{"first": 3}) {
		t.Errorf("after a part came back: %v", s)
	}
	back.Amount = 9
	if s.giveBack(back); len(s) != 0 {
		t.Errorf("after all came back: %v", s)
	}
}
