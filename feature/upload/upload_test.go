package upload

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"palabre.dev/palabre/blob"
	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/xmpp"
)

type world struct {
	t      *testing.T
	upload *Upload
	server *core.Server
	web    *httptest.Server
	got    []*xmpp.Stanza
	romeo  *core.Session
	folder string // of the blobs
}

func (w *world) Account(_ context.Context, bare xmpp.JID) (*core.Account, error) {
	return &core.Account{ID: 1, JID: bare}, nil
}
func (w *world) Send(d core.Delivery)    { w.got = append(w.got, d.Stanza) }
func (w *world) End(condition, _ string) {}

func each(t *testing.T, run func(t *testing.T, w *world)) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := &world{t: t}
		mux := http.NewServeMux()
		w.web = httptest.NewServer(mux)
		t.Cleanup(w.web.Close)
		w.folder = t.TempDir()
		blobs, err := blob.OpenDisk(w.folder)
		if err != nil {
			t.Fatal(err)
		}
		cfg := Config{URL: w.web.URL, MaxSizeBytes: 100, QuotaBytes: 150, Expiry: time.Hour}
		if w.upload, err = New(t.Context(), cfg, db, blobs, slog.New(slog.DiscardHandler)); err != nil {
			t.Fatal(err)
		}
		if w.server, err = core.New(core.DefaultConfig(), db, w, slog.New(slog.DiscardHandler)); err != nil {
			t.Fatal(err)
		}
		w.upload.Attach(w.server)
		w.upload.Routes(mux)
		jid := xmpp.MustJID("romeo@localhost/a")
		if w.romeo, err = w.server.Bind(t.Context(), &core.Account{ID: 1, JID: jid.Bare()}, jid, w); err != nil {
			t.Fatal(err)
		}
		run(t, w)
	})
}

func (w *world) ask(payload string) *xmpp.Stanza {
	w.t.Helper()
	e, err := xmpp.Parse("<iq type='get' id='1' to='upload.localhost'>"+payload+"</iq>", xmpp.Scope{Default: xmpp.NSClient})
	if err != nil {
		w.t.Fatal(err)
	}
	st, err := xmpp.NewStanza(e, xmpp.NSClient)
	if err != nil {
		w.t.Fatal(err)
	}
	w.got = nil
	w.romeo.Accept(w.t.Context(), st, func() {})
	if len(w.got) != 1 {
		w.t.Fatalf("answers: %v", w.got)
	}
	return w.got[0]
}

func (w *world) slot(attrs string) string {
	w.t.Helper()
	answer := w.ask("<request xmlns='urn:xmpp:http:upload:0' " + attrs + "/>")
	at := answer.Child(NS, "slot").Child(NS, "put").Attr("url")
	if at == "" {
		w.t.Fatalf("no slot: %v", answer)
	}
	return at
}

func (w *world) do(method, url, body string, header ...string) *http.Response {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { answer.Body.Close() })
	return answer
}

func (w *world) status(want int, method, url, body string) {
	w.t.Helper()
	if got := w.do(method, url, body).StatusCode; got != want {
		w.t.Errorf("%s: %d, want %d", method, got, want)
	}
}

func TestUploadAndDownload(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		at := w.slot("filename='p&amp;t.png' size='5' content-type='image/png'")
		w.status(404, "GET", at, "")
		w.status(413, "PUT", at, "toolong")
		w.status(201, "PUT", at, "bytes")
		w.status(201, "PUT", at, "bytes") // the answer was lost
		w.status(409, "PUT", at, "other")
		w.status(404, "GET", strings.Replace(at, "png", "gif", 1), "")
		answer := w.do("GET", at, "", "Range", "bytes=2-")
		body, err := io.ReadAll(answer.Body)
		if err != nil || answer.StatusCode != http.StatusPartialContent || string(body) != "tes" {
			t.Errorf("range: %d %q %v", answer.StatusCode, body, err)
		}
	})
}

func TestUploadIsNeverAPage(t *testing.T) {
	cases := map[string][2]string{
		"text/html":     {"application/octet-stream", "attachment"},
		"image/svg+xml": {"application/octet-stream", "attachment"},
		"image/jpeg":    {"image/jpeg", "inline"},
		"video/mp4":     {"video/mp4", "inline"},
	}
	each(t, func(t *testing.T, w *world) {
		for kind, want := range cases {
			at := w.slot("filename='f' size='1' content-type='" + kind + "'")
			w.status(201, "PUT", at, "x")
			h := w.do("GET", at, "").Header
			if h.Get("Content-Type") != want[0] || !strings.HasPrefix(h.Get("Content-Disposition"), want[1]) {
				t.Errorf("%s: %s %s", kind, h.Get("Content-Type"), h.Get("Content-Disposition"))
			}
			if !strings.Contains(h.Get("Content-Security-Policy"), "sandbox") || h.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%s: %v", kind, h)
			}
		}
	})
}

func TestRefusedSlots(t *testing.T) {
	cases := map[string]string{
		"filename='f' size='101'":                    "not-acceptable",
		"filename='f' size='0'":                      "bad-request",
		"filename='f' size='x'":                      "bad-request",
		"size='1'":                                   "bad-request",
		"filename='a/b' size='1'":                    "bad-request",
		"filename='f' size='1' content-type='a/b/c'": "bad-request",
	}
	each(t, func(t *testing.T, w *world) {
		for attrs, condition := range cases {
			if got := xmpp.ErrorOf(w.ask("<request xmlns='urn:xmpp:http:upload:0' " + attrs + "/>")); got.Condition != condition {
				t.Errorf("%s: %v", attrs, got)
			}
		}
		w.slot("filename='f' size='100'")
		if got := xmpp.ErrorOf(w.ask("<request xmlns='urn:xmpp:http:upload:0' filename='f' size='51'/>")); got.Condition != "resource-constraint" {
			t.Errorf("over quota: %v", got)
		}
		if limit := w.ask("<query xmlns='http://jabber.org/protocol/disco#info'/>").String(); !strings.Contains(limit, "<value>100</value>") {
			t.Errorf("the limit is not announced: %s", limit)
		}
	})
}

// TestUnusedSlotsAreBounded has somebody ask for places and never use them.
func TestUnusedSlotsAreBounded(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		given := ""
		for range maxSlots {
			given = w.slot("filename='a' size='1'")
		}
		refused := w.ask("<request xmlns='" + NS + "' filename='a' size='1'/>")
		if refused.Type != "error" || !strings.Contains(string(refused.Append(nil)), "resource-constraint") {
			t.Errorf("got %s", refused.Append(nil))
		}
		w.status(http.StatusCreated, "PUT", given, "x")
		w.slot("filename='a' size='1'")
	})
}

func TestExpiryAndRemoval(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		used := w.slot("filename='f' size='5'")
		w.status(201, "PUT", used, "bytes")
		unused := w.slot("filename='f' size='5'")
		if err := w.upload.sweep(t.Context(), time.Now()); err != nil {
			t.Fatal(err)
		}
		w.status(200, "GET", used, "")
		if err := w.upload.remove(t.Context(), w.romeo.Account); err != nil {
			t.Fatal(err)
		}
		w.status(404, "GET", used, "")
		w.status(404, "PUT", unused, "bytes")
		if err := w.upload.sweep(t.Context(), time.Now()); err != nil {
			t.Fatal(err)
		}
		var left int
		if err := w.upload.db.QueryRow(t.Context(), "select count(*) from upload_file").Scan(&left); err != nil || left != 0 {
			t.Errorf("%d rows are left, %v", left, err)
		}
	})
}

// slowly begins a PUT whose bytes come when they are written to the pipe.
func (w *world) slowly(at string, size int64, header ...string) (body *io.PipeWriter, status <-chan int) {
	w.t.Helper()
	from, body := io.Pipe()
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodPut, at, from)
	if err != nil {
		w.t.Fatal(err)
	}
	r.ContentLength = size
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	ended := make(chan int, 1)
	go func() {
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			ended <- 0
			return
		}
		answer.Body.Close()
		ended <- answer.StatusCode
	}()
	return body, ended
}

// say writes bytes of a slow transfer.
func say(t *testing.T, body io.Writer, text string) {
	t.Helper()
	if _, err := io.WriteString(body, text); err != nil {
		t.Fatal(err)
	}
}

// transfers waits until so many transfers are under way.
func (w *world) transfers(want int) {
	w.t.Helper()
	for n := -1; n != want; {
		if err := w.upload.db.QueryRow(w.t.Context(), "select count(*) from upload_transfer").Scan(&n); err != nil {
			w.t.Fatal(err)
		}
	}
}

// blobs counts the files that are on the disk, half ones included.
func (w *world) blobs() (n int) {
	w.t.Helper()
	err := filepath.WalkDir(w.folder, func(_ string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			n++
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

func (w *world) served(at, want string) {
	w.t.Helper()
	answer := w.do("GET", at, "")
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != 200 || string(body) != want {
		w.t.Errorf("served %d %q %v, want %q", answer.StatusCode, body, err, want)
	}
}

// TestOfTransfersAtOnceOneWins has several clients send different bytes to one slot: those that were acknowledged are served.
func TestOfTransfersAtOnceOneWins(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for range 10 {
			at := w.slot("filename='f' size='5'")
			var bodies []*io.PipeWriter
			var ends []<-chan int
			for range maxTransfers {
				body, end := w.slowly(at, 5)
				bodies, ends = append(bodies, body), append(ends, end)
			}
			w.transfers(maxTransfers)
			w.status(http.StatusTooManyRequests, "PUT", at, "none!")
			for i, body := range bodies {
				go func() { _, err := fmt.Fprintf(body, "put %d", i); body.CloseWithError(err) }()
			}
			winner := -1
			for i, end := range ends {
				switch status := <-end; {
				case status == http.StatusCreated && winner < 0:
					winner = i
				case status != http.StatusConflict:
					t.Fatalf("transfer %d: %d", i, status)
				}
			}
			w.served(at, fmt.Sprintf("put %d", winner))
			w.transfers(0)
		}
		if n := w.blobs(); n != 10 {
			t.Errorf("%d files for 10 slots", n)
		}
	})
}

// TestALostConnectionDoesNotHoldASlot has a client begin anew before the server has noticed that its connection is gone.
func TestALostConnectionDoesNotHoldASlot(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		at := w.slot("filename='f' size='5'")
		stuck, stuckEnd := w.slowly(at, 5)
		same, sameEnd := w.slowly(at, 5)
		say(t, stuck, "byt")
		w.transfers(2)
		w.status(201, "PUT", at, "bytes")
		say(t, same, "bytes")
		if status := <-sameEnd; status != 201 {
			t.Errorf("the same bytes once more: %d", status)
		}
		stuck.CloseWithError(io.ErrUnexpectedEOF)
		if status := <-stuckEnd; status != 0 {
			t.Errorf("broken off: %d", status)
		}
		w.transfers(0)
		w.served(at, "bytes")
		if n := w.blobs(); n != 1 {
			t.Errorf("%d files", n)
		}
	})
}

// TestACrashLeavesNoBytes has a process end between the bytes and their commit, and between the note and the bytes.
func TestACrashLeavesNoBytes(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		at := w.slot("filename='f' size='5'")
		token := strings.Split(strings.TrimPrefix(at, w.web.URL), "/")[2]
		for _, blob := range []string{"left-behind", "never-written"} {
			if err := w.upload.begin(t.Context(), token, blob); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.upload.blobs.Put(t.Context(), "left-behind", strings.NewReader("bytes"), 5); err != nil {
			t.Fatal(err)
		}
		if err := w.upload.sweep(t.Context(), time.Now()); err != nil || w.blobs() != 1 {
			t.Fatalf("transfers under way were swept: %v", err)
		}
		w.upload.began = w.upload.db.Next() // as after a restart
		if err := w.upload.sweep(t.Context(), time.Now()); err != nil || w.blobs() != 0 {
			t.Errorf("%d files, %v", w.blobs(), err)
		}
		w.transfers(0)
		w.status(201, "PUT", at, "again")
		w.served(at, "again")
	})
}

// TestASlotFilledInTimeIsNotSwept fills a slot between the look for unused ones and their deletion.
func TestASlotFilledInTimeIsNotSwept(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		at := w.slot("filename='f' size='5'")
		unused := file{token: strings.Split(strings.TrimPrefix(at, w.web.URL), "/")[2]}
		w.status(201, "PUT", at, "bytes")
		if err := w.upload.delete(t.Context(), unused); err != nil {
			t.Fatal(err)
		}
		w.served(at, "bytes")
	})
}

// TestFilesOfEarlierVersionsAreServed reads bytes that are under the token itself.
func TestFilesOfEarlierVersionsAreServed(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		at := w.slot("filename='f' size='5'")
		token := strings.Split(strings.TrimPrefix(at, w.web.URL), "/")[2]
		if err := w.upload.blobs.Put(t.Context(), token, strings.NewReader("bytes"), 5); err != nil {
			t.Fatal(err)
		}
		if _, err := w.upload.db.Exec(t.Context(), "update upload_file set kept = 1, digest = 'x' where token = $1", token); err != nil {
			t.Fatal(err)
		}
		w.served(at, "bytes")
		if err := w.upload.remove(t.Context(), w.romeo.Account); err != nil {
			t.Fatal(err)
		}
		if err := w.upload.sweep(t.Context(), time.Now()); err != nil || w.blobs() != 0 {
			t.Errorf("%d files, %v", w.blobs(), err)
		}
	})
}
