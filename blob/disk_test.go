package blob

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const key = "abcdefgh12345678"

func open(t *testing.T) *Disk {
	t.Helper()
	d, err := OpenDisk(filepath.Join(t.TempDir(), "media"))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func read(t *testing.T, d *Disk) string {
	t.Helper()
	b, err := d.Open(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	bytes, err := io.ReadAll(b)
	if err != nil || int64(len(bytes)) != b.Size {
		t.Fatal(err, len(bytes), b.Size)
	}
	return string(bytes)
}

func TestPutOpenRemove(t *testing.T) {
	d := open(t)
	if _, err := d.Open(t.Context(), key); !errors.Is(err, ErrNotFound) {
		t.Errorf("before: %v", err)
	}
	if err := d.Put(t.Context(), key, strings.NewReader("hello"), 5); err != nil {
		t.Fatal(err)
	}
	if got := read(t, d); got != "hello" {
		t.Errorf("got %q", got)
	}
	for range 2 {
		if err := d.Remove(t.Context(), key); err != nil {
			t.Error(err)
		}
	}
	if _, err := d.Open(t.Context(), key); !errors.Is(err, ErrNotFound) {
		t.Errorf("after: %v", err)
	}
}

func TestRefusedPutChangesNothing(t *testing.T) {
	d := open(t)
	if err := d.Put(t.Context(), key, strings.NewReader("first"), 5); err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	cases := map[string]struct {
		ctx  context.Context
		text string
		want error
	}{
		"too long":  {t.Context(), "123456", ErrSize},
		"too short": {t.Context(), "1234", ErrSize},
		"cancelled": {ended, "12345", context.Canceled},
	}
	for name, c := range cases {
		if err := d.Put(c.ctx, key, strings.NewReader(c.text), 5); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := read(t, d); got != "first" {
		t.Errorf("got %q", got)
	}
	left, err := os.ReadDir(d.unfinished())
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

func TestBadKeys(t *testing.T) {
	d := open(t)
	for _, bad := range []string{"", "short", "../../../../etc/passwd", "with/slash", "with.dot..", strings.Repeat("a", 129)} {
		if err := d.Put(t.Context(), bad, strings.NewReader(""), 0); !errors.Is(err, ErrKey) {
			t.Errorf("%q: %v", bad, err)
		}
		if _, err := d.Open(t.Context(), bad); !errors.Is(err, ErrKey) {
			t.Errorf("%q: %v", bad, err)
		}
		if err := d.Remove(t.Context(), bad); !errors.Is(err, ErrKey) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestUnfinishedIsCleared(t *testing.T) {
	d := open(t)
	stray := filepath.Join(d.unfinished(), "put-1")
	if err := os.WriteFile(stray, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenDisk(d.root); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(stray); !os.IsNotExist(err) {
		t.Errorf("still there: %v", err)
	}
}
