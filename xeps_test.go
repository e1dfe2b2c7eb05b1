package palabre

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"
)

var update = flag.Bool("update", false, "write docs/xeps.md")

// specification is one entry of docs/xeps.toml.
type specification struct {
	Number, Title string
	Version       string // of XEPs
	Part          string // server, client, both, carried or named
	Namespace     string // of what is carried
	LeftOut       string `toml:"left_out"`
}

// specifications is docs/xeps.toml.
type specifications struct {
	XEP []specification `toml:"xep"`
	RFC []specification `toml:"rfc"`
}

func readSpecifications(t *testing.T) (all specifications) {
	t.Helper()
	text, err := os.Open("docs/xeps.toml")
	if err != nil {
		t.Fatal(err)
	}
	defer text.Close()
	if err := toml.NewDecoder(text).DisallowUnknownFields().Decode(&all); err != nil {
		t.Fatal(err)
	}
	return all
}

var reference = regexp.MustCompile(`\b(XEP-|RFC )(\d{4})\b`)

// cited finds the folders whose comments cite each specification, tests apart, and the folders of each string literal.
func cited(t *testing.T) (folders, literals map[string][]string) {
	t.Helper()
	folders, literals = map[string][]string{}, map[string][]string{}
	add := func(to map[string][]string, key, folder string) {
		if !slices.Contains(to[key], folder) {
			to[key] = append(to[key], folder)
		}
	}
	for _, f := range files(t) {
		if f.test() || strings.HasPrefix(f.path, "test/") || strings.HasPrefix(f.path, "bench/") {
			continue
		}
		for _, group := range f.ast.Comments {
			for _, match := range reference.FindAllString(group.Text(), -1) {
				add(folders, match, path.Dir(f.path))
			}
		}
		for _, match := range regexp.MustCompile(`"([^"\s]+)"`).FindAllSubmatch(f.text, -1) {
			add(literals, string(match[1]), path.Dir(f.path))
		}
	}
	return folders, literals
}

// TestSpecificationsDocument makes docs/xeps.md (-update), and wants each specification that a comment cites to be listed, with its
// version and what is left out of it, and each that is listed to be cited, or, if it is only carried, its namespace to be known.
func TestSpecificationsDocument(t *testing.T) {
	all := readSpecifications(t)
	folders, literals := cited(t)
	listed := map[string]bool{}
	for kind, list := range map[string][]specification{"XEP-": all.XEP, "RFC ": all.RFC} {
		before := ""
		for _, s := range list {
			name := kind + s.Number
			if s.Number <= before {
				t.Errorf("%s: the list is in the order of numbers, each once", name)
			}
			before, listed[name] = s.Number, true
			if s.Title == "" || s.LeftOut == "" || (s.Version == "") == (kind == "XEP-") || !slices.Contains([]string{"server", "client", "both", "carried", "named"}, s.Part) {
				t.Errorf("%s: a title, a version (of a XEP), a part and what is left out (perhaps nothing) are needed", name)
			}
			if s.Part == "carried" {
				if literals[s.Namespace] == nil {
					t.Errorf("%s: no code knows %s", name, s.Namespace)
				}
			} else if folders[name] == nil {
				t.Errorf("%s is listed, and no comment cites it", name)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(folders)) {
		if !listed[name] {
			t.Errorf("%s is cited in %v and not listed in docs/xeps.toml", name, folders[name])
		}
	}
	want := all.document()
	if *update {
		if err := os.WriteFile("docs/xeps.md", []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile("docs/xeps.md"); err != nil || string(got) != want {
		t.Errorf("docs/xeps.md is not that of the code: make docs (%v)", err)
	}
}

// document is docs/xeps.md.
func (all specifications) document() string {
	var b strings.Builder
	b.WriteString("# Specifications\n\nWhat Palabre is built from, and what it leaves out of each. Made of [xeps.toml](xeps.toml) by `make docs`; a\n" +
		"test wants each specification that a comment cites to be here. Versions are those that were read. `grep -rn XEP-nnnn` finds the code.\n")
	section := func(title, words string, list []specification, parts ...string) {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n", title, words)
		xeps := list[0].Version != ""
		if xeps {
			b.WriteString("| XEP | version | | left out |\n|---|---|---|---|\n")
		} else {
			b.WriteString("| RFC | | left out |\n|---|---|---|\n")
		}
		for _, s := range list {
			if !slices.Contains(parts, s.Part) {
				continue
			}
			title := s.Title
			if s.Part == "client" {
				title += " (client)"
			}
			if xeps {
				fmt.Fprintf(&b, "| [%s](https://xmpp.org/extensions/xep-%s.html) | %s | %s | %s |\n", s.Number, s.Number, s.Version, title, s.LeftOut)
			} else {
				fmt.Fprintf(&b, "| [%s](https://www.rfc-editor.org/rfc/rfc%s) | %s | %s |\n", s.Number, s.Number, title, s.LeftOut)
			}
		}
	}
	section("Extensions", "The server has them, or, where it says so, the Go client and `palabre chat`.", all.XEP, "server", "client", "both")
	section("Carried", "Messages that use these are kept in the archive and copied to all devices as parts of conversations; what they mean is the apps' matter.", all.XEP, "carried")
	section("Not built, on purpose", "The last column says why.", all.XEP, "named")
	section("RFCs", "The core, and what it stands on.", all.RFC, "server", "client", "both")
	return b.String()
}
