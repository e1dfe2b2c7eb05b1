package xmpp

import "testing"

func TestSmoke(t *testing.T) {
	src := `<message to='juliet@localhost/x' id='1' type='chat'><body>hi &amp; bye
line</body><encrypted xmlns='eu.siacs'><header sid='1'><key rid='2'>QUJD</key></header></encrypted></message>`
	e, err := Parse(src, Scope{Default: NSClient})
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewStanza(e, NSClient)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(s.String(), s.Body())
	var f Framer
	stream := "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'> " + src + "\n<a/></stream:stream>"
	rest := []byte(stream)
	var pieces []Piece
	for len(rest) > 0 {
		k, n, err := f.Next(rest, 10000)
		if err != nil || n == 0 {
			t.Fatal(err, k, n, string(rest))
		}
		pieces = append(pieces, k)
		if k == Open {
			h, err := ParseOpen(string(rest[:n]))
			t.Log(h, err)
		}
		rest = rest[n:]
	}
	t.Log(pieces)
}

func BenchmarkParse(b *testing.B) {
	src := `<message to='juliet@localhost/x' id='1' type='chat'><body>hi and bye and a lot more text than this so that it is two hundred bytes or about that much, you know how it is</body><origin-id xmlns='urn:xmpp:sid:0' id='abc'/></message>`
	b.ReportAllocs()
	for b.Loop() {
		e, _ := Parse(src, Scope{Default: NSClient})
		s, _ := NewStanza(e, NSClient)
		_ = s
	}
}
