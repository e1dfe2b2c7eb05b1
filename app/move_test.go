package app

import (
	"bytes"
	"encoding/json"
	"io"
	"runtime"
	"strings"
	"testing"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/feature/account"
	"palabre.dev/palabre/feature/archive"
	"palabre.dev/palabre/store/storetest"
)

// fill gives an account an archive of so many messages of somewhat more than 1 KB, with the numbers after from.
func fill(t *testing.T, r *running, owner *core.Account, messages, from int) {
	t.Helper()
	stanza := "<message from='romeo@localhost/home' to='juliet@localhost' type='chat' id='m'><body>" + strings.Repeat("x", 1000) + "</body></message>"
	_, err := r.db.Exec(t.Context(), `insert into archive_entry (id, account, contact, kind, stanza)
		with recursive n(i) as (select 1 union all select i + 1 from n where i < $1) select $4 + i, $2, 7, 1, $3 from n`, messages, owner.ID, stanza, from)
	if err != nil {
		t.Fatal(err)
	}
	for _, feature := range r.features {
		if kept, ok := feature.(*archive.Archive); ok {
			err = kept.FileAll(t.Context())
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

// held counts the messages in an account's archive.
func held(t *testing.T, r *running, owner *core.Account) (n int, last int64) {
	t.Helper()
	if err := r.db.QueryRow(t.Context(), `select count(*), coalesce(max(id), 0) from archive_entry where account = $1`, owner.ID).Scan(&n, &last); err != nil {
		t.Fatal(err)
	}
	return n, last
}

// meter passes on what is written, and looks now and then how much memory is in use.
type meter struct {
	w          io.Writer
	bytes      int64
	base, peak uint64
}

func newMeter(w io.Writer) *meter { return &meter{w: w, base: inUse()} }

func inUse() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func (m *meter) Write(p []byte) (int, error) {
	const every = 8 << 20
	if m.bytes/every != (m.bytes+int64(len(p)))/every {
		m.peak = max(m.peak, inUse())
	}
	m.bytes += int64(len(p))
	return m.w.Write(p)
}

// within fails the test if the file has fewer bytes than least, or more memory was in use than limit.
func (m *meter) within(t *testing.T, what string, least int64, limit uint64) {
	t.Helper()
	t.Logf("%s: a file of %d MB, at most %d KB in memory", what, m.bytes>>20, (max(m.peak, m.base)-m.base)>>10)
	if m.bytes < least || m.peak == 0 {
		t.Errorf("%s: the file has only %d bytes", what, m.bytes)
	}
	if m.peak > m.base+limit {
		t.Errorf("%s: %d bytes were in memory at once", what, m.peak-m.base)
	}
}

// TestALargeArchiveMovesInLittleMemory exports 100,000 messages and imports 20,000 through the door of the command line. It is not parallel: it
// measures memory.
func TestALargeArchiveMovesInLittleMemory(t *testing.T) {
	const messages, moving, limit = 100_000, 20_000, 8 << 20
	for _, engine := range []string{storetest.SQLite, storetest.Postgres} {
		t.Run(engine, func(t *testing.T) {
			from, to := start(t, testConfig(t, engine)), serveAgain(t, testConfig(t, engine))
			juliet, err := from.accounts.Lookup(t.Context(), "juliet")
			if err != nil {
				t.Fatal(err)
			}
			fill(t, from, juliet, messages, 1_000_000)
			out := newMeter(io.Discard)
			if err := Operate(t.Context(), from.cfg, "export", AccountArgs{Name: "juliet"}, nil, out); err != nil {
				t.Fatal(err)
			}
			out.within(t, "export", 100<<20, limit)
			nurse, err := from.accounts.Lookup(t.Context(), "nurse")
			if err != nil {
				t.Fatal(err)
			}
			fill(t, from, nurse, moving, 5_000_000)
			reader, writer := io.Pipe()
			both := newMeter(writer)
			go func() {
				writer.CloseWithError(Operate(t.Context(), from.cfg, "export", AccountArgs{Name: "nurse"}, nil, both))
			}()
			var result bytes.Buffer
			if err := Operate(t.Context(), to.cfg, "import", struct{}{}, reader, &result); err != nil {
				t.Fatal(err)
			}
			both.within(t, "export and import", 20<<20, limit)
			var done account.Imported
			if err := json.Unmarshal(result.Bytes(), &done); err != nil || len(done.Names) != 1 {
				t.Fatal(result.String(), err)
			}
			moved, err := to.accounts.Lookup(t.Context(), "nurse")
			if err != nil {
				t.Fatal(err)
			}
			if n, last := held(t, to, moved); n != moving || last != 5_000_000+moving {
				t.Errorf("%d messages came, the last is %d", n, last)
			}
		})
	}
}

// TestAFileThatIsBrokenOffIsNoAccount has the connection break in the middle of an archive: nothing is left, and the same file can be taken later.
func TestAFileThatIsBrokenOffIsNoAccount(t *testing.T) {
	for _, engine := range []string{storetest.SQLite, storetest.Postgres} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			from, to := start(t, testConfig(t, engine)), serveAgain(t, testConfig(t, engine))
			juliet, err := from.accounts.Lookup(t.Context(), "juliet")
			if err != nil {
				t.Fatal(err)
			}
			fill(t, from, juliet, 3000, 1_000_000)
			var file bytes.Buffer
			if err := Operate(t.Context(), from.cfg, "export", AccountArgs{Name: "juliet"}, nil, &file); err != nil {
				t.Fatal(err)
			}
			half := io.MultiReader(bytes.NewReader(file.Bytes()[:file.Len()/2]), broken{})
			if err := Operate(t.Context(), to.cfg, "import", struct{}{}, half, nil); err == nil {
				t.Error("half a file is a whole one")
			}
			until(t, "nothing is left of the half", func() bool {
				var n int
				if err := to.db.QueryRow(t.Context(), `select (select count(*) from account) + (select count(*) from archive_entry)`).Scan(&n); err != nil {
					t.Fatal(err)
				}
				return n == 0
			})
			if err := Operate(t.Context(), to.cfg, "import", struct{}{}, &file, nil); err != nil {
				t.Error("the whole file: ", err)
			}
			if moved, err := to.accounts.Lookup(t.Context(), "juliet"); err != nil {
				t.Error(err)
			} else if n, _ := held(t, to, moved); n != 3000 {
				t.Errorf("%d messages came", n)
			}
		})
	}
}

// broken is the rest of a connection that is gone.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
