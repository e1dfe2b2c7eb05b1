package upload

import (
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"
)

// piece sends the bytes of a text from a place on, as a client that goes on.
func (w *world) piece(at, text string, from, to int) *http.Response {
	w.t.Helper()
	return w.do("PUT", at, text[from:to], "Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to-1, len(text)))
}

// there says how much of a file is here, as HEAD has it.
func (w *world) there(at string) string {
	w.t.Helper()
	answer := w.do("HEAD", at, "")
	return fmt.Sprint(answer.StatusCode, " ", answer.Header.Get("Upload-Offset"), "/", answer.Header.Get("Upload-Length"))
}

func (w *world) want(answer *http.Response, status int, offset string) {
	w.t.Helper()
	if answer.StatusCode != status || answer.Header.Get("Upload-Offset") != offset {
		w.t.Errorf("%d at %q, want %d at %q", answer.StatusCode, answer.Header.Get("Upload-Offset"), status, offset)
	}
}

// enters waits until a transfer in pieces to a slot is under way.
func (w *world) enters() {
	parts := &w.upload.parts
	for busy := false; !busy; runtime.Gosched() {
		parts.mu.Lock()
		busy = len(parts.active) > 0
		parts.mu.Unlock()
	}
}

func TestAFileInPieces(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const text = "wherefore art thou"
		at := w.slot("filename='f' size='18'")
		if got := w.there(at); got != "204 0/18" {
			t.Error(got)
		}
		w.want(w.piece(at, text, 0, 5), http.StatusAccepted, "5")
		w.want(w.piece(at, text, 7, 9), http.StatusConflict, "5")
		w.want(w.piece(at, text, 0, 5), http.StatusConflict, "5")
		w.status(http.StatusNotFound, "GET", at, "")
		if got := w.there(at); got != "204 5/18" {
			t.Error(got)
		}
		w.want(w.piece(at, text, 5, 18), http.StatusCreated, "18")
		w.served(at, text)
		w.want(w.piece(at, text, 5, 18), http.StatusConflict, "18")
		if got := w.there(at); got != "200 /18" {
			t.Error(got)
		}
		w.status(http.StatusCreated, "PUT", at, text) // the same, whole
		if n := w.blobs(); n != 1 {
			t.Errorf("%d files on the disk", n)
		}
	})
}

func TestBadPieces(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		at := w.slot("filename='f' size='10'")
		for _, header := range []string{"bytes", "bytes 0-4", "bytes 0-4/11", "bytes 4-0/10", "bytes 0-10/10", "bytes -1-3/10", "bytes 0-3/*", "items 0-4/10", "bytes 0-5/10",
			"bytes 0-99999999999999999999/10"} {
			if got := w.do("PUT", at, "12345", "Content-Range", header).StatusCode; got != http.StatusRequestedRangeNotSatisfiable {
				t.Errorf("%s: %d", header, got)
			}
		}
		if got := w.there(at); got != "204 0/10" {
			t.Error(got)
		}
		if got := w.there(strings.Replace(at, "/f", "/g", 1)); !strings.HasPrefix(got, "404") {
			t.Error(got)
		}
	})
}

// TestABrokenPieceStays breaks a transfer that has begun, and lets its client go on while the server still believes in the old connection.
func TestABrokenPieceStays(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const text = "0123456789"
		at := w.slot("filename='f' size='10'")
		body, end := w.slowly(at, 10, "Content-Range", "bytes 0-9/10")
		say(t, body, text[:4])
		w.enters()
		answer := w.piece(at, text, 0, 2) // cuts the other off; where that one stopped is told
		if answer.StatusCode != http.StatusConflict && answer.StatusCode != http.StatusAccepted {
			t.Fatalf("the second transfer: %d", answer.StatusCode)
		}
		body.Close()
		<-end
		var from int
		if _, err := fmt.Sscan(w.do("HEAD", at, "").Header.Get("Upload-Offset"), &from); err != nil || from > 4 || from < 0 {
			t.Fatalf("offset %d: %v", from, err)
		}
		w.want(w.piece(at, text, from, 10), http.StatusCreated, "10")
		w.served(at, text)
	})
}

func TestPartsExpireWithTheirBytes(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		at := w.slot("filename='f' size='10'")
		w.want(w.piece(at, "0123456789", 0, 4), http.StatusAccepted, "4")
		if err := w.upload.sweep(t.Context(), time.Now().Add(30*time.Minute)); err != nil {
			t.Fatal(err)
		}
		if got := w.there(at); got != "204 4/10" {
			t.Errorf("after half an hour: %s", got)
		}
		if err := w.upload.sweep(t.Context(), time.Now().Add(2*partLife)); err != nil {
			t.Fatal(err)
		}
		if got := w.there(at); !strings.HasPrefix(got, "404") || w.blobs() != 0 {
			t.Errorf("after two days: %s, %d files", got, w.blobs())
		}
	})
}

func FuzzContentRange(f *testing.F) {
	for _, text := range []string{"bytes 0-4/10", "bytes 0-", "bytes 9-3/2", "items 0-1/2", "bytes 0-99999999999999999999/1", "bytes -1-2/3"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		from, to, size, ok := contentRange(text)
		if ok && (from < 0 || to < from || size <= to) {
			t.Errorf("%q: %d-%d/%d", text, from, to, size)
		}
	})
}
