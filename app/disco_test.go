package app

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store/storetest"
)

// specified names the specification behind each namespace that service discovery announces, its part after # left away.
var specified = map[string]string{
	"http://jabber.org/protocol/caps":     "0115",
	"http://jabber.org/protocol/commands": "0050",
	"http://jabber.org/protocol/disco":    "0030",
	"http://jabber.org/protocol/pubsub":   "0060",
	"jabber:iq:last":                      "0012",
	"jabber:iq:private":                   "0049",
	"jabber:iq:register":                  "0077",
	"jabber:iq:roster":                    "6121",
	"jabber:iq:version":                   "0092",
	"msgoffline":                          "0160",
	"urn:ietf:params:xml:ns:xmpp-session": "3921",
	"urn:palabre:admin:0":                 "0133",
	"urn:palabre:link:0":                  "0484",
	"urn:palabre:link-card:0":             "0511",
	"urn:palabre:status:0":                "0501",
	"urn:palabre:web-push:0":              "8030",
	"urn:xmpp:blocking":                   "0191",
	"urn:xmpp:cam:0":                      "0494",
	"urn:xmpp:bookmarks:1":                "0402",
	"urn:xmpp:carbons:2":                  "0280",
	"urn:xmpp:carbons:rules:0":            "0280",
	"urn:xmpp:hints":                      "0334",
	"urn:xmpp:mam:2":                      "0313",
	"urn:xmpp:mds:server-assist:0":        "0490",
	"urn:xmpp:message-retract:1":          "0424",
	"urn:xmpp:pep-vcard-conversion:0":     "0398",
	"urn:xmpp:ping":                       "0199",
	"urn:xmpp:push:0":                     "0357",
	"urn:xmpp:reporting:1":                "0377",
	"urn:xmpp:sid:0":                      "0359",
	"urn:xmpp:time":                       "0202",
	"vcard-temp":                          "0054",
}

// TestWhatIsAnnouncedIsSpecified wants docs/xeps.toml to list what the whole server announces, as a thing that the server does.
func TestWhatIsAnnouncedIsSpecified(t *testing.T) {
	r := start(t, testConfig(t, storetest.SQLite))
	text, err := os.ReadFile("../docs/xeps.toml")
	if err != nil {
		t.Fatal(err)
	}
	met := map[string]bool{}
	for _, feature := range append(r.server.Announced(core.AtServer), r.server.Announced(core.AtAccount)...) {
		namespace, _, _ := strings.Cut(feature, "#")
		number := specified[namespace]
		met[namespace] = true
		if !regexp.MustCompile(`number = "` + number + `"\n(version.*\n)?title.*\npart = "(server|both)"`).Match(text) {
			t.Errorf("%s is announced, and docs/xeps.toml does not say by which specification (%q)", feature, number)
		}
	}
	for namespace := range specified {
		if !met[namespace] {
			t.Errorf("%s is not announced any more", namespace)
		}
	}
}
