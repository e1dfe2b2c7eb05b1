package group

import (
	"testing"
	"time"

	"palabre.dev/palabre/xmpp"
)

// A lively group is looked through as often as its size allows, and what is said meanwhile is not forgotten.
func TestLargeGroupsRestLonger(t *testing.T) {
	t.Parallel()
	small, large := &room{}, &room{}
	w := &wakes{signal: make(chan struct{}, 1)}
	st := (&xmpp.Stanza{Kind: xmpp.Message, Type: "groupchat"}).Add(xmpp.NewText(xmpp.NSClient, "body", "hello"))
	author := xmpp.MustJID("nurse@localhost")
	now := time.Unix(1, 0)
	looks := map[*room]int{}
	heard := map[*room]int{}
	for range 40 { // ten seconds
		w.said(small, st, author)
		w.said(large, st, author)
		for r, what := range w.take(now) {
			looks[r]++
			heard[r] += what.messages
			w.looked(r, map[*room]int{small: 50, large: 1000}[r], now)
		}
		now = now.Add(wakePause)
	}
	if looks[small] != 40 || looks[large] != 2 {
		t.Errorf("looked %d times through 50 members, and %d times through 1,000, in ten seconds", looks[small], looks[large])
	}
	select {
	case <-w.signal:
	default:
		t.Error("what waits for a group that rests is not asked for")
	}
	for r, what := range w.take(now.Add(wakeMost)) {
		heard[r] += what.messages
	}
	if heard[small] != 40 || heard[large] != 40 {
		t.Errorf("of 40 messages %d and %d were heard of", heard[small], heard[large])
	}
	w.take(now.Add(wakeMost))
	if len(w.rest) != 0 {
		t.Error("groups that have rested are remembered")
	}
}
