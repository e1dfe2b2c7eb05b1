package core

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
)

func TestGuard(t *testing.T) {
	var lines bytes.Buffer
	log := slog.New(slog.NewTextHandler(&lines, nil))
	if Guard(log, "learning", func() { panic("nil map") }) {
		t.Error("a panic was no panic")
	}
	if line := lines.String(); !strings.Contains(line, "learning") || !strings.Contains(line, "nil map") || !strings.Contains(line, "guard_test.go") {
		t.Errorf("logged %s", line)
	}
	lines.Reset()
	if !Guard(log, "learning", func() {}) || lines.Len() > 0 {
		t.Errorf("nothing happened, and %q was logged", lines.String())
	}
}
