package channel

import (
	"strings"
	"testing"
	"time"
)

func TestWhatIsAnEmoji(t *testing.T) {
	for _, one := range []string{"👍", "👍🏽", "❤️", "❤", "👩‍👩‍👧", "🏳️‍🌈", "🇫🇷", "1️⃣", "‼️", "😂", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "👩🏽‍❤️‍💋‍👨🏿"} {
		if !isEmoji(one) {
			t.Errorf("%q is refused", one)
		}
	}
	for _, one := range []string{"", "a", "ok", "1", "12", "👍a", "👍 ", " ", "\n", "<b>", "\u200d", "\ufe0f", "é", "中", "\xff", "1👍", strings.Repeat("👍", 13)} {
		if isEmoji(one) {
			t.Errorf("%q is taken", one)
		}
	}
}

// TestWhatIsKnownOfViewsIsBounded sees more than can be remembered, and then a day later.
func TestWhatIsKnownOfViewsIsBounded(t *testing.T) {
	v, at := newViews(), time.Now()
	for account := range int64(3 * maxViewsKnown) {
		v.add(account, viewed{1, "p"}, at)
	}
	if n := len(v.now) + len(v.old); n > 2*maxViewsKnown {
		t.Errorf("%d are remembered", n)
	}
	if n := v.take()[viewed{1, "p"}]; n != 3*maxViewsKnown {
		t.Errorf("%d are counted", n)
	}
	for range 3 {
		at = at.Add(viewsMemory)
		v.add(1, viewed{1, "q"}, at)
	}
	if n := len(v.now) + len(v.old); n > 2 {
		t.Errorf("%d are remembered after days", n)
	}
	for channel := range int64(maxViewed + 5) {
		if taken := v.add(1, viewed{channel, "r"}, at); taken != (channel < maxViewed-1) {
			t.Fatalf("post %d: %v", channel, taken)
		}
	}
}
