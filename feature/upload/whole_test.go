package upload

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"palabre.dev/palabre/blob"
)

// failing are blobs whose last steps can be broken, as by a full disk or the end of the process.
type failing struct {
	*blob.Disk
	before, after error  // of Finish: it does nothing, or all and fails then
	finish        func() // called by Finish
}

func (f *failing) Finish(ctx context.Context, key string, size int64) error {
	if f.finish != nil {
		f.finish()
	}
	if f.before != nil {
		return f.before
	}
	return errors.Join(f.Disk.Finish(ctx, key, size), f.after)
}

// TestAWholePartBecomesItsFile breaks what comes after the last bytes: a client is never told that all of a file is here while it is no file,
// and neither the question nor another piece needs the bytes once more.
func TestAWholePartBecomesItsFile(t *testing.T) {
	const text = "wherefore art thou"
	broken := errors.New("broken")
	failures := map[string]struct{ fail, mend func(w *world, disk *failing) }{
		"the end before the blob is made": {func(_ *world, disk *failing) { disk.before = broken }, func(_ *world, disk *failing) { disk.before = nil }},
		"the end after the blob is made":  {func(_ *world, disk *failing) { disk.after = broken }, func(_ *world, disk *failing) { disk.after = nil }},
		"the note fails": {func(w *world, _ *failing) { w.exec("alter table upload_transfer rename to away") },
			func(w *world, _ *failing) { w.exec("alter table away rename to upload_transfer") }},
	}
	for name, failure := range failures {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, w *world) {
				disk := &failing{Disk: w.upload.blobs.(*blob.Disk)}
				w.upload.blobs = disk
				for _, ask := range []string{"HEAD", "PUT"} {
					at := w.slot("filename='f' size='18'")
					w.want(w.piece(at, text, 0, 5), http.StatusAccepted, "5")
					failure.fail(w, disk)
					if got := w.piece(at, text, 5, 18).StatusCode; got != http.StatusInsufficientStorage {
						t.Errorf("the last piece: %d", got)
					}
					if got := w.there(at); got != "507 /" {
						t.Errorf("while it is broken: %s", got)
					}
					failure.mend(w, disk)
					if ask == "PUT" {
						w.want(w.piece(at, text, 5, 18), http.StatusConflict, "18")
					}
					if got := w.there(at); got != "200 /18" {
						t.Errorf("after that: %s", got)
					}
					w.served(at, text)
				}
				if n := w.blobs(); n != 2 || w.parts() != 0 {
					t.Errorf("%d files on the disk and %d parts for 2 slots", n, w.parts())
				}
			})
		})
	}
}

// TestAWholePartWithoutItsBytes has a note of all bytes, and none of them, as after a restored backup.
func TestAWholePartWithoutItsBytes(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const text = "wherefore art thou"
		disk := &failing{Disk: w.upload.blobs.(*blob.Disk), before: errors.New("broken")}
		w.upload.blobs = disk
		at := w.slot("filename='f' size='18'")
		w.piece(at, text, 0, 18)
		if err := os.RemoveAll(w.folder + "/partial"); err != nil {
			t.Fatal(err)
		}
		disk.before = nil
		if got := w.there(at); got != "204 0/18" {
			t.Error(got)
		}
		w.want(w.piece(at, text, 0, 18), http.StatusCreated, "18")
		w.served(at, text)
	})
}

// door is a response writer that tells when a transfer is cut off.
type door struct {
	http.ResponseWriter
	cut func()
}

func (d door) Unwrap() http.ResponseWriter { return d.ResponseWriter }

func (d door) SetReadDeadline(at time.Time) error {
	if !at.After(time.Now()) {
		d.cut()
	}
	return http.NewResponseController(d.ResponseWriter).SetReadDeadline(at)
}

// TestALatePieceOfAKeptFile has a piece come in while the one before makes the file: that one's handler cannot return while it is cut off,
// and the late one is told that the file is here.
func TestALatePieceOfAKeptFile(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const text = "0123456789"
		mux := http.NewServeMux()
		w.upload.Routes(mux)
		finishing, waits := make(chan struct{}), make(chan struct{})
		cut := sync.OnceFunc(func() { close(waits) })
		front := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			mux.ServeHTTP(door{rw, func() {
				if w.upload.parts.mu.TryLock() {
					w.upload.parts.mu.Unlock()
					t.Error("a transfer is cut off that may be over")
				}
				cut()
			}}, r)
		}))
		t.Cleanup(front.Close)
		w.upload.blobs = &failing{Disk: w.upload.blobs.(*blob.Disk), finish: func() { close(finishing); <-waits }}
		at := strings.Replace(w.slot("filename='f' size='10'"), w.web.URL, front.URL, 1)
		body, end := w.slowly(at, 10, "Content-Range", "bytes 0-9/10")
		say(t, body, text)
		<-finishing
		w.want(w.piece(at, text, 0, 4), http.StatusConflict, "10")
		if status := <-end; status != http.StatusCreated {
			t.Errorf("the first transfer: %d", status)
		}
		w.served(at, text)
		if n := w.parts(); n != 0 {
			t.Errorf("%d parts of a kept file", n)
		}
	})
}

// parts counts the notes of files that have begun to come.
func (w *world) parts() (n int) {
	w.t.Helper()
	if err := w.upload.db.QueryRow(w.t.Context(), "select count(*) from upload_part").Scan(&n); err != nil {
		w.t.Fatal(err)
	}
	return n
}

func (w *world) exec(statement string) {
	w.t.Helper()
	if _, err := w.upload.db.Exec(w.t.Context(), statement); err != nil {
		w.t.Fatal(err)
	}
}
