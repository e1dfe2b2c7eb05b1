package pay

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"palabre.dev/palabre/xmpp"
)

// wire is what the tests of this package have seen of the service: elements of its namespace, and the names of their attributes.
var wire = struct {
	sync.Mutex
	seen map[string]map[string]bool // guarded by Mutex
}{seen: map[string]map[string]bool{}}

// see notes an element, and what is in it.
func see(e *xmpp.Element) {
	if e == nil {
		return
	}
	if e.Space == NS {
		wire.Lock()
		if wire.seen[e.Local] == nil {
			wire.seen[e.Local] = map[string]bool{}
		}
		for _, a := range e.Attrs {
			wire.seen[e.Local][a.Local] = true
		}
		wire.Unlock()
	}
	for child := range e.Children() {
		see(child)
	}
}

// seeAnswer notes an answer, or the service's own condition in an error.
func seeAnswer(answer *xmpp.Element, err error) {
	see(answer)
	var refused *xmpp.Error
	if errors.As(err, &refused) {
		see(refused.Detail)
	}
}

// TestMain runs the tests, and wants docs/protocol/payments.md to name all that they have seen.
func TestMain(m *testing.M) {
	code := m.Run()
	text, err := os.ReadFile("../../docs/protocol/payments.md")
	if err != nil {
		fmt.Println(err)
		code = 1
	}
	if missing := unnamed(string(text)); len(missing) > 0 {
		fmt.Printf("docs/protocol/payments.md does not name what is sent:\n%s\n", strings.Join(missing, "\n"))
		code = 1
	}
	os.Exit(code)
}

var (
	elements   = regexp.MustCompile(`<([a-z-]+)((?:[ [][^<>]*)?)>`)
	attributes = regexp.MustCompile(`([a-z-]+)=`)
)

// unnamed are the elements that were seen and that a document does not name, and those with attributes that it does not name there.
func unnamed(document string) (missing []string) {
	named := map[string]map[string]bool{}
	for _, found := range elements.FindAllStringSubmatch(strings.ReplaceAll(document, "/>", ">"), -1) {
		if named[found[1]] == nil {
			named[found[1]] = map[string]bool{}
		}
		for _, one := range attributes.FindAllStringSubmatch(found[2], -1) {
			named[found[1]][one[1]] = true
		}
	}
	wire.Lock()
	defer wire.Unlock()
	for element, with := range wire.seen {
		var lacks []string
		for one := range with {
			if !named[element][one] {
				lacks = append(lacks, one)
			}
		}
		slices.Sort(lacks)
		if named[element] == nil || len(lacks) > 0 {
			missing = append(missing, fmt.Sprintf("<%s> %s", element, strings.Join(lacks, " ")))
		}
	}
	slices.Sort(missing)
	return missing
}
