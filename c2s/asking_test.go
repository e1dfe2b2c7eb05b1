package c2s

import (
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// heard is what a client gets.
type heard struct {
	mu   sync.Mutex // guards text
	text strings.Builder
}

func (h *heard) read(b *bench) {
	buffer := make([]byte, 4096)
	for {
		n, err := b.client.Read(buffer)
		h.mu.Lock()
		h.text.Write(buffer[:n])
		h.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// take returns what was heard since the last call.
func (h *heard) take() string {
	synctest.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	defer h.text.Reset()
	return h.text.String()
}

// In a lively group the client is not asked for every message, but never much later; what somebody waits for is asked for at once.
func TestAskedLately(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _ := newBench(t)
		b.session.managed.on = true
		h, done := &heard{}, make(chan struct{})
		go func() { defer close(done); h.read(b) }()
		const asks = "<r xmlns='urn:xmpp:sm:3'/>"
		said := 0
		group := func() string {
			said++
			text := " id='" + strconv.Itoa(said) + "'/>"
			b.session.Send(core.Delivery{Stanza: &xmpp.Stanza{Kind: xmpp.Message, Type: "groupchat", ID: strconv.Itoa(said)}, Head: []byte("<message to='a'"), Bytes: []byte(text)})
			return "<message to='a'" + text
		}
		hears := func(what, want string) {
			t.Helper()
			if got := h.take(); got != want {
				t.Fatalf("%s: got %s, want %s", what, got, want)
			}
		}
		ack := func() {
			t.Helper()
			if err := b.session.acknowledge(strconv.Itoa(said)); err != nil {
				t.Fatal(err)
			}
		}
		hears("the first message", group()+asks)
		ack()
		hears("the next ones", group()+group())
		time.Sleep(askPause + askPause/2)
		hears("nothing while there may be another", "")
		hears("the first after a pause", group()+asks)
		ack()
		hears("one more", group())
		time.Sleep(3 * askPause)
		hears("no other comes", asks)
		ack()
		time.Sleep(3 * askPause)
		hears("after silence", group()+asks)
		ack()
		hears("lately", group())
		said++
		b.send("kept", 7)
		hears("a message to this person", "<message id='kept'/>"+asks)
		ack()
		for range askAfter {
			group()
		}
		if got := h.take(); strings.Count(got, asks) != 1 {
			t.Fatalf("after %d messages of a group, asked %d times", askAfter, strings.Count(got, asks))
		}
		ack()
		b.session.finish()
		if len(b.lost) != 0 || len(b.acked) != said {
			t.Errorf("%d of %d acknowledged, lost %v", len(b.acked), said, b.lost)
		}
		if err := b.client.Close(); err != nil {
			t.Fatal(err)
		}
		<-done
		b.door.work.Wait()
	})
}
