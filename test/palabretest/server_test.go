package palabretest

import (
	"testing"

	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/xmpp"
)

func TestServer(t *testing.T) {
	s := Start(t, storetest.SQLite)
	romeo, juliet := s.Login(t, "romeo"), s.Login(t, "juliet/phone")
	romeo.Send("<message to='juliet@localhost/phone' id='1'><body>hello</body></message>")
	e := juliet.Expect(xmpp.NSClient, "message")
	if e.Attr("from") != "romeo@localhost/home" || e.ChildText(xmpp.NSClient, "body") != "hello" {
		t.Errorf("got %s", e)
	}
	juliet.Silent()
	romeo.Close()
}
