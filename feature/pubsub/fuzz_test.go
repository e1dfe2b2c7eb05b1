package pubsub

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/xmpp"
)

// FuzzRequest hands in requests of a stranger and of the owner: each is answered once, and the counts of what the account uses agree with
// what is there.
func FuzzRequest(f *testing.F) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, line := range strings.Split(string(text), "\n") {
			if i, j := strings.Index(line, "<pubsub"), strings.LastIndex(line, "</iq>"); i > 0 && j > i {
				f.Add(line[i:j], strings.Contains(line, "type='set'"))
			}
		}
	}
	f.Fuzz(func(t *testing.T, text string, set bool) {
		request, err := xmpp.Parse(text, xmpp.Scope{Default: xmpp.NSClient})
		if err != nil || len(text) > 10_000 {
			return
		}
		db := storetest.Open(t, storetest.SQLite)
		_, world := openTown(t, db)
		for _, name := range []string{"romeo", "mercutio", "romeo"} {
			device := world.Bind(name, "phone")
			iq := &xmpp.Stanza{Kind: xmpp.IQ, Type: "get", ID: "1", To: xmpp.MustJID("romeo@localhost")}
			if set {
				iq.Type = "set"
			}
			device.Say(iq.Add(request).String())
			answers := 0
			for _, heard := range device.Heard() {
				if strings.HasPrefix(heard, "<iq") {
					answers++
				}
				if strings.Contains(heard, "internal-server-error") {
					t.Errorf("%s: %s", text, heard)
				}
			}
			if answers != 1 {
				t.Errorf("%s: %d answers", text, answers)
			}
		}
		var nodes, bytes, countedNodes, countedBytes int64
		must(t, db.QueryRow(t.Context(), "select coalesce(sum(nodes), 0), coalesce(sum(bytes), 0) from pubsub_usage").Scan(&countedNodes, &countedBytes))
		must(t, db.QueryRow(t.Context(), "select (select count(*) from pubsub_node), (select coalesce(sum(size), 0) from pubsub_item)").Scan(&nodes, &bytes))
		if nodes != countedNodes || bytes != countedBytes {
			t.Errorf("%s: %d nodes and %d bytes are counted as %d and %d", text, nodes, bytes, countedNodes, countedBytes)
		}
	})
}

// FuzzSettings checks that what a form sets is what the node's form then says, and meets itself as a precondition.
func FuzzSettings(f *testing.F) {
	for _, one := range fields {
		for _, value := range []string{"1", "max", "open", "never", "text", ""} {
			f.Add(one.name, value)
		}
	}
	f.Fuzz(func(t *testing.T, name, value string) {
		if !utf8.ValidString(value) { // the parser lets none in
			return
		}
		settings := DefaultSettings()
		form := xmpp.NewForm("submit", configType).Add(name, "", "", value)
		if settings.apply(form) != nil {
			return
		}
		settings.clamp(100)
		text, err := settings.encode()
		if err != nil {
			t.Fatal(err)
		}
		stored, err := decodeSettings(text)
		if err != nil || stored.form("form", configType).Element().String() != settings.form("form", configType).Element().String() {
			t.Errorf("stored as %s: %v", text, err)
		}
		if fieldNamed(name) != nil && settings.unmet(form, 100) != "" {
			t.Errorf("%s=%q is not met by what it has set", name, value)
		}
	})
}
