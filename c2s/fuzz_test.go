package c2s

import (
	"testing"

	"palabre.dev/palabre/xmpp"
	"palabre.dev/palabre/xmpp/sasl"
)

// FuzzDecode reads the base64 of SASL messages: what it takes, it takes whole, and within the limit of the mechanisms.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{"", "=", "AA==", "AA", " AAAA ", "AA==\n", "&amp;"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		message, err := decode(text)
		if err != nil {
			if sasl.ConditionOf(err) == sasl.TemporaryAuthFailure {
				t.Fatalf("%v has no condition for the client", err)
			}
			return
		}
		again, err := decode(encode(message))
		if err != nil || string(again) != string(message) || len(message) > 2*sasl.MaxMessage {
			t.Fatalf("%q became %q, %v", message, again, err)
		}
	})
}

// FuzzAuthenticate reads what a client may put into its first element: nothing makes the door fail, or take more than it should.
func FuzzAuthenticate(f *testing.F) {
	f.Add("<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'><initial-response>AHIAdw==</initial-response>" +
		"<user-agent id='x'><software>a</software></user-agent><bind xmlns='urn:xmpp:bind:0'><tag>t</tag></bind></authenticate>")
	f.Add("<a xmlns='urn:xmpp:sm:3' h='4294967295'/>")
	f.Add("<message xmlns='jabber:client' to='a@b/c' type='chat'><active xmlns='http://jabber.org/protocol/chatstates'/></message>")
	f.Fuzz(func(t *testing.T, text string) {
		e, err := xmpp.Parse(text, xmpp.Scope{Default: xmpp.NSClient})
		if err != nil {
			return
		}
		who := clientOf(e)
		if len(who.id) > maxName || len(who.software) > maxName || len(who.device) > maxName {
			t.Fatalf("took %+v", who)
		}
		x := &exchange{request: e}
		x.expects(e)
		s := &session{door: &Door{cfg: DefaultConfig()}}
		if err := s.acknowledge(e.Attr("h")); err != nil && reasonOf(err) == nil {
			t.Fatalf("%v has no stream error", err)
		}
		if d := s.resumeTime(e.Attr("max")); d < 0 || d > s.door.cfg.MaxResumeTime {
			t.Fatalf("waits for %v", d)
		}
		if st, err := xmpp.NewStanza(e, xmpp.NSClient); err == nil {
			check(st)
			canWait(st)
		}
	})
}
