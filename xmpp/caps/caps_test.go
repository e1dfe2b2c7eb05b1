package caps

import (
	"errors"
	"strings"
	"testing"

	"palabre.dev/palabre/xmpp"
)

const (
	exodus = `<query xmlns='http://jabber.org/protocol/disco#info'><identity category='client' name='Exodus 0.9.1' type='pc'/>
		<feature var='http://jabber.org/protocol/caps'/><feature var='http://jabber.org/protocol/disco#items'/>
		<feature var='http://jabber.org/protocol/disco#info'/><feature var='http://jabber.org/protocol/muc'/></query>`
	psi = `<query xmlns='http://jabber.org/protocol/disco#info' node='http://psi-im.org#q07IKJEyjvHSyhy//CH0CxmKi8w='>
		<identity xml:lang='en' category='client' name='Psi 0.11' type='pc'/><identity xml:lang='el' category='client' name='Ψ 0.11' type='pc'/>
		<feature var='http://jabber.org/protocol/caps'/><feature var='http://jabber.org/protocol/disco#info'/>
		<feature var='http://jabber.org/protocol/disco#items'/><feature var='http://jabber.org/protocol/muc'/>
		<x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE' type='hidden'><value>urn:xmpp:dataforms:softwareinfo</value></field>
		<field var='ip_version' type='text-multi'><value>ipv4</value><value>ipv6</value></field><field var='os'><value>Mac</value></field>
		<field var='os_version'><value>10.5.1</value></field><field var='software'><value>Psi</value></field>
		<field var='software_version'><value>0.11</value></field></x></query>`
	bombus = `<query xmlns='http://jabber.org/protocol/disco#info'><identity category='client' name='BombusMod' type='mobile'/>
		<feature var='http://jabber.org/protocol/si'/><feature var='http://jabber.org/protocol/bytestreams'/>
		<feature var='http://jabber.org/protocol/chatstates'/><feature var='http://jabber.org/protocol/disco#info'/>
		<feature var='http://jabber.org/protocol/disco#items'/><feature var='urn:xmpp:ping'/><feature var='jabber:iq:time'/>
		<feature var='jabber:iq:privacy'/><feature var='jabber:iq:version'/><feature var='http://jabber.org/protocol/rosterx'/>
		<feature var='urn:xmpp:time'/><feature var='jabber:x:oob'/><feature var='http://jabber.org/protocol/ibb'/>
		<feature var='http://jabber.org/protocol/si/profile/file-transfer'/><feature var='urn:xmpp:receipts'/>
		<feature var='jabber:iq:roster'/><feature var='jabber:iq:last'/></query>`
	tkabber = `<query xmlns='http://jabber.org/protocol/disco#info'><identity category='client' name='Tkabber' type='pc' xml:lang='en'/>
		<identity category='client' name='Ткаббер' type='pc' xml:lang='ru'/><feature var='games:board'/>
		<feature var='http://jabber.org/protocol/activity'/><feature var='http://jabber.org/protocol/activity+notify'/>
		<feature var='http://jabber.org/protocol/bytestreams'/><feature var='http://jabber.org/protocol/chatstates'/>
		<feature var='http://jabber.org/protocol/commands'/><feature var='http://jabber.org/protocol/disco#info'/>
		<feature var='http://jabber.org/protocol/disco#items'/><feature var='http://jabber.org/protocol/evil'/>
		<feature var='http://jabber.org/protocol/feature-neg'/><feature var='http://jabber.org/protocol/geoloc'/>
		<feature var='http://jabber.org/protocol/geoloc+notify'/><feature var='http://jabber.org/protocol/ibb'/>
		<feature var='http://jabber.org/protocol/iqibb'/><feature var='http://jabber.org/protocol/mood'/>
		<feature var='http://jabber.org/protocol/mood+notify'/><feature var='http://jabber.org/protocol/rosterx'/>
		<feature var='http://jabber.org/protocol/si'/><feature var='http://jabber.org/protocol/si/profile/file-transfer'/>
		<feature var='http://jabber.org/protocol/tune'/><feature var='http://www.facebook.com/xmpp/messages'/>
		<feature var='http://www.xmpp.org/extensions/xep-0084.html#ns-metadata+notify'/><feature var='jabber:iq:avatar'/>
		<feature var='jabber:iq:browse'/><feature var='jabber:iq:dtcp'/><feature var='jabber:iq:filexfer'/>
		<feature var='jabber:iq:ibb'/><feature var='jabber:iq:inband'/><feature var='jabber:iq:jidlink'/>
		<feature var='jabber:iq:last'/><feature var='jabber:iq:oob'/><feature var='jabber:iq:privacy'/>
		<feature var='jabber:iq:roster'/><feature var='jabber:iq:time'/><feature var='jabber:iq:version'/>
		<feature var='jabber:x:data'/><feature var='jabber:x:event'/><feature var='jabber:x:oob'/>
		<feature var='urn:xmpp:avatar:metadata+notify'/><feature var='urn:xmpp:ping'/><feature var='urn:xmpp:receipts'/>
		<feature var='urn:xmpp:time'/><x xmlns='jabber:x:data' type='result'><field type='hidden' var='FORM_TYPE'>
		<value>urn:xmpp:dataforms:softwareinfo</value></field><field var='software'><value>Tkabber</value></field>
		<field var='software_version'><value>0.11.1-svn-20111216-mod (Tcl/Tk 8.6b2)</value></field><field var='os'>
		<value>Windows</value></field><field var='os_version'><value>XP</value></field></x></query>`
)

func parse(t *testing.T, text string) *xmpp.Element {
	t.Helper()
	e, err := xmpp.Parse(text, xmpp.Scope{})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestPublishedExamples has the examples of XEP-0115 §5.2, §5.3 and XEP-0390 §4.4.
func TestPublishedExamples(t *testing.T) {
	for text, want := range map[string]string{exodus: "QgayPKawpkPSDYmwT/WM94uAlu0=", psi: "q07IKJEyjvHSyhy//CH0CxmKi8w="} {
		if got, err := Version(parse(t, text)); got != want || err != nil {
			t.Errorf("%s\nhas version %s (%v), want %s", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		bombus: "kzBZbkqJ3ADrj7v08reD1qcWUwNGHaidNUgD7nHpiw8=", tkabber: "u79ZroNJbdSWhdSp311mddz44oHHPsEBntQ5b1jqBSY=",
	} {
		if got, err := Hash(parse(t, text)); got != want || err != nil {
			t.Errorf("%s\nhas hash %s (%v), want %s", text, got, err, want)
		}
	}
}

func TestAmbiguousIsRefused(t *testing.T) {
	form := `<x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE' type='hidden'><value>a</value></field></x>`
	for _, inner := range []string{
		`<feature var='a'/><feature var='a'/>`,
		`<feature var='a&lt;b'/>`,
		`<identity category='client' type='pc'/><identity category='client' type='pc'/>`,
		form + form,
		strings.Replace(form, "<value>a</value>", "<value>a</value><value>b</value>", 1),
	} {
		if got, err := Version(parse(t, `<query xmlns='`+NSInfo+`'>`+inner+`</query>`)); !errors.Is(err, ErrAmbiguous) {
			t.Errorf("%s has version %s", inner, got)
		}
	}
	for _, inner := range []string{`<other xmlns='x'/>`, `<x xmlns='jabber:x:data'/>`, strings.Replace(form, "<field", "<reported/><field", 1)} {
		if got, err := Hash(parse(t, `<query xmlns='`+NSInfo+`'>`+inner+`</query>`)); !errors.Is(err, ErrAmbiguous) {
			t.Errorf("%s has hash %s", inner, got)
		}
	}
}

// FuzzDescriptions checks that no description breaks the hashes, and that one that has been written and read again has the same.
func FuzzDescriptions(f *testing.F) {
	for _, text := range []string{exodus, psi, bombus, tkabber} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e, err := xmpp.Parse(text, xmpp.Scope{})
		if err != nil {
			return
		}
		again, err := xmpp.Parse(e.Clone().String(), xmpp.Scope{})
		if err != nil {
			t.Fatal(err)
		}
		for _, hash := range []func(*xmpp.Element) (string, error){Version, Hash} {
			first, err := hash(e)
			second, err2 := hash(again)
			if first != second || (err == nil) != (err2 == nil) {
				t.Fatalf("%s (%v), then %s (%v)", first, err, second, err2)
			}
		}
	})
}
