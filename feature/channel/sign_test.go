package channel

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/core/coretest"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/xmpp"
)

// The example of docs/protocol/channels.md.
const (
	exampleSeed  = "palabre example key, 32 bytes!!!"
	exampleEntry = `<entry xmlns='http://www.w3.org/2005/Atom' xml:lang='fr'><id>tag:town.example,2026:1</id><title>Fermeture</title><updated>2026-11-21T18:00:00Z</updated>` +
		`<content type='text'>Le pont est fermé &amp; gardé.</content><link rel='enclosure' href='https://town.example/pont.jpg' type='image/jpeg'/></entry>`
	exampleKey       = "-zinAs3BPIL0cD93meQQd5-9SjJTiVh9o2D9fGJ2Yzc"
	exampleSignature = "IKnhs1LWzsoU11tW1gCn5TXrWxXqcncsmPp08WjAgHo2B99ttglqFqhmllKtkRdUO79ZSe28cTpN/eUvGC0bDg=="
	exampleSigned    = "urn:palabre:channel:0#signed\n" +
		"23:town@channels.localhost,1:p,(27:http://www.w3.org/2005/Atom,5:entry,@36:http://www.w3.org/XML/1998/namespace,4:lang,2:fr," +
		"(27:http://www.w3.org/2005/Atom,2:id,t23:tag:town.example,2026:1,)(27:http://www.w3.org/2005/Atom,5:title,t9:Fermeture,)" +
		"(27:http://www.w3.org/2005/Atom,7:updated,t20:2026-11-21T18:00:00Z,)" +
		"(27:http://www.w3.org/2005/Atom,7:content,@0:,4:type,4:text,t28:Le pont est fermé & gardé.,)" +
		"(27:http://www.w3.org/2005/Atom,4:link,@0:,4:href,29:https://town.example/pont.jpg,@0:,3:rel,9:enclosure,@0:,4:type,10:image/jpeg,))"
)

func TestWhatIsSigned(t *testing.T) {
	for _, text := range []string{exampleEntry,
		strings.ReplaceAll(exampleEntry, "'", `"`),
		strings.Replace(exampleEntry, "<link rel='enclosure' href=", "<link  href=", 1),
		strings.Replace(exampleEntry, "</entry>", "<signature xmlns='urn:palabre:channel:0'>x</signature></entry>", 1),
		`<a:entry xmlns:a='http://www.w3.org/2005/Atom'` + strings.ReplaceAll(strings.ReplaceAll(exampleEntry[len(`<entry xmlns='http://www.w3.org/2005/Atom'`):], "</", "</a:"), "><", "><a:"),
	} {
		text = strings.ReplaceAll(text, "<a:/a:", "</a:")
		entry, err := xmpp.Parse(text, xmpp.Scope{Default: xmpp.NSClient})
		if err != nil {
			t.Fatal(text, err)
		}
		signed := string(Signed("town@channels.localhost", "p", entry))
		if same := signed == exampleSigned; same == strings.Contains(text, "<link  ") {
			t.Errorf("%s\ngives\n%s\nnot\n%s", text, signed, exampleSigned)
		}
	}
}

// keyring is what romeo publishes.
type keyring map[string]*xmpp.Element

func (k keyring) Item(_ context.Context, account *core.Account, node, id string) (*xmpp.Element, error) {
	if node != KeysNode || account.JID.Local() != "romeo" {
		return nil, nil
	}
	return k[id], nil
}

func TestSignaturesArePassedOnUnlessTheyAreWrong(t *testing.T) {
	private := ed25519.NewKeyFromSeed([]byte(exampleSeed))
	public := private.Public().(ed25519.PublicKey)
	sum := sha256.Sum256(public)
	id := base64.RawURLEncoding.EncodeToString(sum[:])
	signature := base64.StdEncoding.EncodeToString(ed25519.Sign(private, []byte(exampleSigned)))
	if id != exampleKey || signature != exampleSignature {
		t.Errorf("the example's key %s and signature %s", id, signature)
	}
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := coretest.New(t, db)
		cs, romeo, others := newTown(t, db, w, nil, "juliet")
		cs.keys = keyring{id: xmpp.NewText(KeysNode, "key", base64.StdEncoding.EncodeToString(public))}
		signed := func(entry, key string) string {
			entry = strings.Replace(entry, "</entry>", "<signature xmlns='"+NS+"' by='romeo@localhost' key='"+key+"'>"+signature+"</signature></entry>", 1)
			return "<pubsub xmlns='" + nsPubSub + "'><publish node='town'><item id='p'>" + entry + "</item></publish></pubsub>"
		}
		ask(t, romeo, "set", signed(exampleEntry, id))
		others["juliet"].Hears(signature)
		ask(t, romeo, "set", signed(exampleEntry, strings.Repeat("k", fingerprintLen))) // by a key that is known elsewhere, perhaps
		romeo.Say("<iq type='set' id='bad' to='channels.localhost'>" + signed(strings.Replace(exampleEntry, "gardé", "ouvert", 1), id) + "</iq>")
		if answer := romeo.Hears("<iq ", "id='bad'"); !strings.Contains(answer, "bad-request") {
			t.Error(answer)
		}
	})
}

// FuzzSigned wants two entries that differ to be signed differently, whatever is in them.
func FuzzSigned(f *testing.F) {
	f.Add("a", "b", "x", "y")
	f.Add("1:a,", "", "", "1:a,")
	f.Fuzz(func(t *testing.T, title, attr, otherTitle, otherAttr string) {
		make := func(title, attr string) string {
			return string(Signed("c", "i", xmpp.NewElement(nsAtom, "entry", xmpp.NewText(nsAtom, "title", title).Set("type", attr))))
		}
		if same := title == otherTitle && attr == otherAttr; same != (make(title, attr) == make(otherTitle, otherAttr)) {
			t.Errorf("%q %q and %q %q", title, attr, otherTitle, otherAttr)
		}
	})
}
