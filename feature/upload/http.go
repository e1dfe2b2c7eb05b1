package upload

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"palabre.dev/palabre/blob"
	"palabre.dev/palabre/store"
)

// transferTime is how long one transfer may take.
const transferTime = time.Hour

// Routes serves the bytes.
func (u *Upload) Routes(mux *http.ServeMux) {
	mux.HandleFunc("PUT /upload/{token}/{name}", u.put)
	mux.HandleFunc("GET /upload/{token}/{name}", u.get)
	mux.HandleFunc("OPTIONS /upload/{token}/{name}", func(w http.ResponseWriter, _ *http.Request) {
		allowOrigins(w.Header())
		w.WriteHeader(http.StatusNoContent)
	})
}

// takeTime lets one transfer take as long as it may: the door's own limits are for pages.
func takeTime(w http.ResponseWriter) error {
	control, until := http.NewResponseController(w), time.Now().Add(transferTime)
	for _, err := range []error{control.SetReadDeadline(until), control.SetWriteDeadline(until)} {
		if err != nil && !errors.Is(err, http.ErrNotSupported) {
			return err
		}
	}
	return nil
}

// allowOrigins lets web clients of any origin transfer (XEP-0363 §7): the address is the only secret, no cookie is used.
func allowOrigins(h http.Header) {
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Methods", "GET, HEAD, PUT, OPTIONS")
	h.Set("Access-Control-Allow-Headers", "Content-Type, Content-Range, Range")
	h.Set("Access-Control-Expose-Headers", "Content-Length, Content-Range, ETag, Upload-Offset, Upload-Length")
	h.Set("Access-Control-Max-Age", "7200")
}

// lookUp finds the file that a request is about.
func (u *Upload) lookUp(r *http.Request) (file, error) {
	f := file{token: r.PathValue("token")}
	err := u.read(r.Context(), &f)
	if err == nil && f.name != r.PathValue("name") {
		err = store.ErrNoRows
	}
	return f, err
}

func (u *Upload) put(w http.ResponseWriter, r *http.Request) {
	allowOrigins(w.Header())
	f, err := u.lookUp(r)
	var before *part
	if err == nil && !f.kept {
		before, err = u.readPart(r.Context(), f.token)
	}
	inPieces := r.Header.Get("Content-Range") != ""
	switch {
	case errors.Is(err, store.ErrNoRows), err == nil && !f.kept && !f.alive(before, time.Now()):
		http.Error(w, "no such upload slot, or it has expired: ask for a new one", http.StatusNotFound)
		return
	case err != nil:
		u.failed(w, r, err)
		return
	case !inPieces && r.ContentLength != f.size:
		http.Error(w, fmt.Sprintf("this slot is for exactly %d bytes", f.size), http.StatusRequestEntityTooLarge)
		return
	}
	if err := takeTime(w); err != nil {
		u.failed(w, r, err)
		return
	}
	if inPieces {
		u.putPiece(w, r, f)
		return
	}
	if f.kept {
		u.again(w, r, f)
		return
	}
	switch err := u.keep(r, f); {
	case errors.Is(err, errOther):
		u.counts.transfer("conflict")
		http.Error(w, errOther.Error(), http.StatusConflict)
	case errors.Is(err, errMany):
		u.counts.transfer("refused")
		w.Header().Set("Retry-After", "60")
		http.Error(w, errMany.Error(), http.StatusTooManyRequests)
	case err != nil:
		u.counts.transfer("failed")
		u.failed(w, r, err)
	default:
		u.counts.transfer("kept")
		u.counts.keptBytes.Add(float64(f.size))
		w.WriteHeader(http.StatusCreated)
	}
}

// again answers a PUT for what is here already. A client whose answer was lost sends the same bytes and is told once more that they are
// kept; other bytes are refused.
func (u *Upload) again(w http.ResponseWriter, r *http.Request, f file) {
	digest := sha256.New()
	n, err := io.Copy(digest, io.LimitReader(r.Body, f.size+1))
	if err != nil {
		u.counts.transfer("failed")
		u.failed(w, r, err)
		return
	}
	if n != f.size || hex.EncodeToString(digest.Sum(nil)) != f.digest {
		u.counts.transfer("conflict")
		http.Error(w, errOther.Error(), http.StatusConflict)
		return
	}
	u.counts.transfer("repeated")
	w.WriteHeader(http.StatusCreated)
}

// failed answers with the status that fits an error, and logs what an operator must know.
func (u *Upload) failed(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, store.ErrNoRows), errors.Is(err, blob.ErrNotFound), errors.Is(err, blob.ErrKey):
		http.Error(w, "no such file", http.StatusNotFound)
	case errors.Is(err, blob.ErrSize):
		http.Error(w, "the file does not have the size that was announced", http.StatusBadRequest)
	case r.Context().Err() != nil, errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, os.ErrDeadlineExceeded):
		http.Error(w, "the transfer was broken off", http.StatusBadRequest)
	default:
		u.log.Error("transfer failed", "method", r.Method, "err", err)
		http.Error(w, "the file could not be stored or read; try again later", http.StatusInsufficientStorage)
	}
}

// shown are the types that may show in place; all else is saved as a file.
var shown = []string{"image/jpeg", "image/png", "image/gif", "image/webp", "image/avif", "audio/", "video/"}

// get serves the bytes, or a range of them (RFC 9110 §14), so that a broken download goes on where it stopped.
func (u *Upload) get(w http.ResponseWriter, r *http.Request) {
	allowOrigins(w.Header())
	f, err := u.lookUp(r)
	if err == nil && !f.kept && r.Method == http.MethodHead {
		u.head(w, r, f)
		return
	}
	if err == nil && !f.kept {
		err = store.ErrNoRows
	}
	if err != nil {
		u.failed(w, r, err)
		return
	}
	u.serve(w, r, f)
}

// serve sends a file that is kept, or describes it.
func (u *Upload) serve(w http.ResponseWriter, r *http.Request, f file) {
	b, err := u.blobs.Open(r.Context(), f.key())
	if err != nil {
		u.failed(w, r, err)
		return
	}
	defer b.Close()
	if err := takeTime(w); err != nil {
		u.failed(w, r, err)
		return
	}
	f.describe(w.Header())
	if r.Method == http.MethodHead { // a client that asks how far its transfer is learns that all of it is kept
		w.Header().Set("Upload-Length", strconv.FormatInt(f.size, 10))
	}
	http.ServeContent(w, r, "", f.created, b)
}

// describe sets the headers that keep an upload from being a page.
func (f file) describe(h http.Header) {
	kind, disposition := f.kind, "attachment"
	for _, prefix := range shown {
		if strings.HasPrefix(strings.ToLower(kind), prefix) {
			disposition = "inline"
		}
	}
	if disposition == "attachment" {
		kind = "application/octet-stream"
	}
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", mime.FormatMediaType(disposition, map[string]string{"filename": f.name}))
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "private, max-age=31536000, immutable")
	h.Set("ETag", `"`+f.digest+`"`)
}
