package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestExamplesOfDocuments reads each example of a configuration in docs/, as a server would that is started with it. Those of docs/payments.md are whole files; the others
// leave secrets out, so only their keys are looked at.
func TestExamplesOfDocuments(t *testing.T) {
	files, err := filepath.Glob("../docs/*.md")
	rails, err2 := filepath.Glob("../docs/rails/*.md")
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	read := map[string]int{}
	for _, file := range append(files, rails...) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for i, part := range strings.Split(string(text), "```toml\n")[1:] {
			example, _, _ := strings.Cut(part, "```")
			read[filepath.Base(file)]++
			path := filepath.Join(t.TempDir(), "palabre.toml")
			if err := os.WriteFile(path, []byte(example), 0o600); err != nil {
				t.Fatal(err)
			}
			err := decode([]byte(example), new(DefaultConfig()))
			if filepath.Base(file) == "payments.md" {
				_, err = LoadConfig(path)
			}
			if err != nil {
				t.Errorf("%s, example %d: %v", file, i+1, err)
			}
		}
	}
	for file, want := range map[string]int{"payments.md": 3, "rails.md": 1, "momo.md": 1, "pix.md": 1, "stripe.md": 1, "sandbox.md": 1} {
		if read[file] < want {
			t.Errorf("%s has %d examples, and had %d", file, read[file], want)
		}
	}
}
