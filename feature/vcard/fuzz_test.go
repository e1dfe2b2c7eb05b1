package vcard

import (
	"testing"

	"palabre.dev/palabre/xmpp"
)

// FuzzConvert checks that a card converted to the newer form says the same: converting back changes nothing.
func FuzzConvert(f *testing.F) {
	for _, text := range []string{
		"<vCard xmlns='vcard-temp'><FN>Romeo</FN><N><FAMILY>M</FAMILY></N><TEL><HOME/><NUMBER>1</NUMBER></TEL><TEL><NUMBER>2</NUMBER></TEL></vCard>",
		"<vCard xmlns='vcard-temp'><FN/><NICKNAME>a</NICKNAME><NICKNAME>b</NICKNAME><EMAIL><USERID/></EMAIL><ORG><ORGUNIT>u</ORGUNIT></ORG></vCard>",
		"<vCard xmlns='vcard-temp'><PHOTO><BINVAL>iVBORw0KGgo=</BINVAL></PHOTO></vCard>",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		card, err := xmpp.Parse(text, xmpp.Scope{Default: NS})
		if err != nil {
			return
		}
		newer := four.adopt(nil, card, old)
		if back := old.adopt(card, newer, four); back != card {
			t.Errorf("%s\nbecame %s\nand then %s", card, newer, back)
		}
		feature := &Feature{cfg: DefaultConfig()}
		if img, err := feature.readPhoto(card.Child(NS, "PHOTO")); img != nil && (err != nil || img.info().Attr("id") != img.id) {
			t.Errorf("%s: %v", text, err)
		}
	})
}
