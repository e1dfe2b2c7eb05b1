package e2e

import (
	"bytes"
	"testing"

	"palabre.dev/palabre/omemo"
	"palabre.dev/palabre/xmpp"
)

// FuzzRead reads whatever a peer may publish or send: it must not panic, and what was read is written so that it reads the same.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		`<encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='1'><key rid='2' prekey='true'>AA==</key><iv>AAAA</iv></header><payload>AA==</payload></encrypted>`,
		`<encrypted xmlns='urn:xmpp:omemo:2'><header sid='1'><keys jid='a@b'><key rid='2' kex='1'>AA==</key></keys></header></encrypted>`,
		`<list xmlns='eu.siacs.conversations.axolotl'><device id='1'/><device id='x'/></list>`,
		`<devices xmlns='urn:xmpp:omemo:2'><device id='1'/></devices>`,
		`<bundle xmlns='urn:xmpp:omemo:2'><spk id='1'>AA==</spk><spks>AA==</spks><ik>AA==</ik><prekeys><pk id='1'>AA==</pk></prekeys></bundle>`,
		`<envelope xmlns='urn:xmpp:sce:1'><content><body xmlns='jabber:client'>x</body></content><from jid='a@b'/></envelope>`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e, err := xmpp.Parse(text, xmpp.Scope{})
		if err != nil {
			return
		}
		for _, v := range versions {
			checkMessage(t, e, v)
			checkList(t, e, v)
			if b, err := readBundle(e, v); err == nil {
				_, _ = b.Check()
				if again, err := readBundle(bundleElement(b), v); err != nil || len(again.PreKeys) != len(b.PreKeys) || !bytes.Equal(again.Identity, b.Identity) {
					t.Errorf("bundle %v, %v", again, err)
				}
			}
		}
		_ = new(Opened).readEnvelope(text, "a@b")
	})
}

func checkMessage(t *testing.T, e *xmpp.Element, v omemo.Version) {
	m, err := readMessage(e, v)
	if err != nil {
		return
	}
	again, err := readMessage(elementOf(m), v)
	if err != nil || again.SID != m.SID || len(again.Keys) != len(m.Keys) || !bytes.Equal(again.Payload, m.Payload) || !bytes.Equal(again.IV, m.IV) {
		t.Errorf("%+v, %v; want %+v", again, err, m)
	}
}

func checkList(t *testing.T, e *xmpp.Element, v omemo.Version) {
	ids := readList(e, v)
	if again := readList(listElement(v, ids), v); len(again) != len(ids) {
		t.Errorf("list %v, want %v", again, ids)
	}
}
