package client

import (
	"context"
	"testing"
	"time"

	"palabre.dev/palabre/xmpp"
)

// FuzzTake gives a client whatever a server or a peer may send. It must not panic, nor count more than there is.
func FuzzTake(f *testing.F) {
	for _, seed := range []string{
		`<message from='a@b' id='1'><body>x</body></message>`,
		`<message from='romeo@localhost'><received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='x@y'/></forwarded></received></message>`,
		`<message><result xmlns='urn:xmpp:mam:2' queryid='q' id='1'><forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='2020-01-01T00:00:00Z'/><message xmlns='jabber:client'/></forwarded></result></message>`,
		`<message from='romeo@localhost'><event xmlns='http://jabber.org/protocol/pubsub#event'><items node='n'><item id='1'/><retract id='2'/></items></event></message>`,
		`<iq type='set' id='1'><query xmlns='jabber:iq:roster'><item jid='a@b'/></query></iq>`,
		`<iq type='get' id='1' from='a@b/c'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`,
		`<iq type='result' id='ask'/>`, `<presence from='a@b/c'/>`,
		`<a xmlns='urn:xmpp:sm:3' h='1'/>`, `<r xmlns='urn:xmpp:sm:3'/>`,
		`<error xmlns='http://etherx.jabber.org/streams'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></error>`,
		`<slot xmlns='urn:xmpp:http:upload:0'><put url='https://a/b'><header name='Cookie'>x</header></put><get url='https://a/b'/></slot>`,
	} {
		f.Add(seed)
	}
	inbox := NewInbox(Mark{}, time.Time{}, func(context.Context, Letter) error { return nil })
	cfg := Config{JID: xmpp.MustJID("romeo@localhost/x"), Password: "x", Lean: true}
	inbox.Join(&cfg)
	cfg.OnMessage = func(ctx context.Context, st *xmpp.Stanza) {
		EventOf(st)
		Receipts(st)
		ReceiptFor(st)
		DisplayedFor(st)
		inbox.take(ctx, st)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e, err := xmpp.Parse(text, xmpp.Scope{Default: xmpp.NSClient})
		if err != nil {
			return
		}
		c, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		c.session.managed = true
		c.asks = map[string]*ask{"ask": {answer: make(chan answer, 1)}}
		c.pages = map[string]*collector{"q": {max: 2, seen: map[string]bool{}}}
		before := c.session.arrived
		_ = c.takeElement(t.Context(), e)
		if c.session.arrived > before+1 || c.session.acked != 0 {
			t.Errorf("counted %d, acknowledged %d", c.session.arrived, c.session.acked)
		}
		_, _ = slotOf(e)
		contactsOf(e)
		itemsOf(e, nsPubSub)
		streamErrorOf(e)
		authErrorOf(e, nsSASL2)
		inlineOf(e)
	})
}

// FuzzHostMeta reads whatever a web server may answer: an address in it is one that may be visited.
func FuzzHostMeta(f *testing.F) {
	f.Add([]byte(`{"links":[{"rel":"urn:xmpp:alt-connections:websocket","href":"wss://a.example/ws"}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if address, err := webSocketIn(body); err == nil && checkWebSocket(address) != nil {
			t.Errorf("would visit %q", address)
		}
	})
}
