package palabre

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var requirement = regexp.MustCompile(`(?m)^\t(\S+) v\S+$`)

// TestDependencies holds deps.txt against go.mod: each module that we import ourselves is listed, with its licence and a reason.
func TestDependencies(t *testing.T) {
	mod, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	list, err := os.ReadFile("deps.txt")
	if err != nil {
		t.Fatal(err)
	}
	var required, listed []string
	for _, match := range requirement.FindAllStringSubmatch(string(mod), -1) {
		required = append(required, match[1])
	}
	for line := range strings.Lines(string(list)) {
		fields := strings.Fields(line)
		if strings.HasPrefix(line, "#") {
			continue
		}
		if len(fields) < 3 {
			t.Errorf("deps.txt: %q needs a module, a licence and a reason", line)
			continue
		}
		listed = append(listed, fields[0])
	}
	slices.Sort(required)
	if !slices.Equal(required, listed) {
		t.Errorf("go.mod has %v,\ndeps.txt has %v", required, listed)
	}
}
