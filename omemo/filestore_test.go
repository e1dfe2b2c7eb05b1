package omemo

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func openTestFile(t *testing.T, path string) *FileStore {
	t.Helper()
	s, err := OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func save(t *testing.T, s Store, name, value string) {
	t.Helper()
	if err := s.Save(t.Context(), map[string][]byte{name: []byte(value)}); err != nil {
		t.Fatal(err)
	}
}

func wantValue(t *testing.T, s Store, name, want string) {
	t.Helper()
	found, err := s.Load(t.Context(), []string{name})
	if err != nil {
		t.Fatal(err)
	}
	if string(found[name]) != want {
		t.Fatalf("%s is %.40q, want %.40q", name, found[name], want)
	}
}

func TestFileStoreKeepsWhatWasSaved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	s := openTestFile(t, path)
	save(t, s, "a", "1")
	save(t, s, "b", "2")
	save(t, s, "a", "3")
	if _, err := OpenFile(path); err == nil {
		t.Fatal("a second writer got in")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Save(t.Context(), nil); !errors.Is(err, os.ErrClosed) {
		t.Fatalf("save after close: %v", err)
	}
	s = openTestFile(t, path)
	wantValue(t, s, "a", "3")
	wantValue(t, s, "b", "2")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("others may read the keys: %v %v", info.Mode(), err)
	}
}

// TestFileStoreTornAnywhere cuts the log at every byte of its last record, as a crash may, also leaving zeros where it was.
func TestFileStoreTornAnywhere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	s := openTestFile(t, path)
	save(t, s, "kept", "value")
	before := s.size
	save(t, s, "kept", "torn")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for cut := before; cut < int64(len(whole)); cut++ {
		zeros := bytes.Repeat([]byte{0}, len(whole)-int(cut))
		for _, tail := range [][]byte{nil, zeros} {
			torn := filepath.Join(t.TempDir(), fmt.Sprint(cut, len(tail)))
			if err := os.WriteFile(torn, append(bytes.Clone(whole[:cut]), tail...), 0o600); err != nil {
				t.Fatal(err)
			}
			r, err := OpenFile(torn)
			if err != nil {
				t.Fatalf("cut at %d of %d: %v", cut, len(whole), err)
			}
			wantValue(t, r, "kept", "value")
			save(t, r, "more", "after")
			if err := r.Close(); err != nil {
				t.Fatal(err)
			}
			wantValue(t, openTestFile(t, torn), "more", "after")
		}
	}
}

func TestFileStoreRefusesDamage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	s := openTestFile(t, path)
	save(t, s, "a", "first")
	end := int(s.size)
	save(t, s, "b", "second")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for at := range end {
		damaged := filepath.Join(t.TempDir(), fmt.Sprint(at))
		broken := bytes.Clone(whole)
		broken[at] ^= 0x40
		if err := os.WriteFile(damaged, broken, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenFile(damaged); !errors.Is(err, ErrState) {
			t.Fatalf("a bit flipped at %d of %d: %v", at, end, err)
		}
	}
}

func TestFileStoreRewrites(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	s := openTestFile(t, path)
	value := strings.Repeat("x", 100<<10)
	for n := range 64 {
		save(t, s, fmt.Sprint("name ", n%3), value+fmt.Sprint(n))
		if limit := int64(rewriteOver + 200<<10); s.size > limit {
			t.Fatalf("the log grew to %d bytes", s.size)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openTestFile(t, path)
	for n := 61; n < 64; n++ {
		wantValue(t, s, fmt.Sprint("name ", n%3), value+fmt.Sprint(n))
	}
}

// TestFileStoreWriteFails: a failed append is cut off or the store stops; either way nothing wrong is read later.
func TestFileStoreWriteFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	s := openTestFile(t, path)
	save(t, s, "a", "good")
	readOnly, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	writable := s.file
	s.file = readOnly
	if err := s.Save(t.Context(), map[string][]byte{"a": []byte("bad")}); err == nil {
		t.Fatal("saved to a file that cannot be written")
	}
	if _, err := s.Load(t.Context(), []string{"a"}); err == nil {
		t.Fatal("a store in an unknown state still answers")
	}
	if err := writable.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	wantValue(t, openTestFile(t, path), "a", "good")
}
