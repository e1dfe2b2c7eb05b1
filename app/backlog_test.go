package app

import (
	"fmt"
	"strings"
	"testing"

	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/xmpp"
)

// TestLargeBacklog has somebody send a person who is offline more than her session's queue can hold at once: she gets all of it.
func TestLargeBacklog(t *testing.T) {
	cfg := testConfig(t, storetest.SQLite)
	cfg.C2S.MaxQueueBytes, cfg.C2S.ByteRate = 4<<20, 0
	r := start(t, cfg)
	const messages, size = 40, 256 << 10
	romeo := r.test.Login(t, "romeo")
	for i := range messages {
		romeo.Send(fmt.Sprintf("<message to='juliet@localhost' type='chat' id='%d'><body>%s</body></message>", i, strings.Repeat("x", size)))
	}
	romeo.Send("<iq type='get' id='p' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>")
	romeo.Expect(xmpp.NSClient, "iq")
	t.Run("sent by the server", func(t *testing.T) {
		juliet := r.test.Login(t, "juliet/old")
		juliet.Send("<presence/>")
		for i := 0; i < messages; {
			if e := juliet.Receive(); e.Local == "message" {
				i++
			}
		}
		juliet.Close()
	})
	t.Run("asked for", func(t *testing.T) {
		juliet := r.test.Login(t, "juliet/new")
		got, after := 0, ""
		for range 2 * messages {
			juliet.Send("<iq type='set' id='q'><query xmlns='urn:xmpp:mam:2'><set xmlns='http://jabber.org/protocol/rsm'><max>100</max>" + after + "</set></query></iq>")
			e := juliet.Receive()
			for ; e.Local == "message"; e = juliet.Receive() {
				got++
			}
			fin := e.First()
			if !fin.Is("urn:xmpp:mam:2", "fin") {
				t.Fatalf("got %.300s", e)
			}
			if fin.Attr("complete") == "true" {
				break
			}
			after = "<after>" + fin.Child("http://jabber.org/protocol/rsm", "set").ChildText("http://jabber.org/protocol/rsm", "last") + "</after>"
		}
		if got != messages {
			t.Errorf("%d messages of %d", got, messages)
		}
	})
}
