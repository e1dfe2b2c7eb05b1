package upload

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"palabre.dev/palabre/blob"
	"palabre.dev/palabre/store"
)

// How transfers in pieces are bounded (docs/protocol/upload-resume.md).
const (
	partLife  = 24 * time.Hour  // how long a part waits for the rest
	partPause = 5 * time.Second // how long a transfer that takes over waits for the one before
)

// Pieces are blobs that can be filled bit by bit; a store that cannot takes whole files only.
type Pieces interface {
	// Append adds at most max bytes from a place on, durably, and returns how many, also when reading failed.
	Append(ctx context.Context, key string, at int64, r io.Reader, max int64) (added int64, err error)
	// Finish makes a blob of what was appended if that is size bytes.
	Finish(ctx context.Context, key string, size int64) error
}

// part is one row.
type part struct {
	token, blob string
	size        int64
	updated     time.Time
}

// readPart is what is here of a file; nil if nothing is.
func (u *Upload) readPart(ctx context.Context, token string) (*part, error) {
	p, updated := &part{token: token}, int64(0)
	err := u.db.QueryRow(ctx, "select blob, size, updated from upload_part where token = $1", token).Scan(&p.blob, &p.size, &updated)
	if errors.Is(err, store.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look up a part: %w", err)
	}
	p.updated = time.UnixMicro(updated)
	return p, nil
}

// alive reports whether a slot may still be used: it is new, or a part of its file came not long ago.
func (f file) alive(p *part, now time.Time) bool {
	return now.Sub(f.created) <= slotLife || p != nil && now.Sub(p.updated) <= partLife
}

// contentRange reads "bytes 5-99/100" (RFC 9110 §14.4).
func contentRange(text string) (from, to, size int64, ok bool) {
	text, ok = strings.CutPrefix(text, "bytes ")
	span, total, cut := strings.Cut(text, "/")
	first, last, dash := strings.Cut(span, "-")
	if !ok || !cut || !dash {
		return 0, 0, 0, false
	}
	for _, one := range []struct {
		text string
		to   *int64
	}{{first, &from}, {last, &to}, {total, &size}} {
		n, err := strconv.ParseUint(one.text, 10, 62)
		if err != nil {
			return 0, 0, 0, false
		}
		*one.to = int64(n)
	}
	return from, to, size, from <= to && to < size
}

// head tells how much of a file is here, so that a transfer can go on. A part that is whole is told only as the file that it becomes.
func (u *Upload) head(w http.ResponseWriter, r *http.Request, f file) {
	p, err := u.readPart(r.Context(), f.token)
	switch {
	case err != nil:
		u.failed(w, r, err)
	case !f.alive(p, time.Now()):
		u.failed(w, r, store.ErrNoRows)
	case p != nil && p.size >= f.size:
		u.headWhole(w, r, f)
	default:
		offset(w.Header(), p, f.size)
		w.WriteHeader(http.StatusNoContent)
	}
}

func offset(h http.Header, p *part, size int64) {
	at := int64(0)
	if p != nil {
		at = p.size
	}
	h.Set("Upload-Offset", strconv.FormatInt(at, 10))
	h.Set("Upload-Length", strconv.FormatInt(size, 10))
	h.Set("Cache-Control", "no-store")
}

var (
	errPlace = errors.New("this piece does not begin where the part ends that is here: see Upload-Offset")
	errHere  = errors.New("the file is here already")
)

// putPiece takes a piece of a file. What has come of it stays when the transfer breaks off.
func (u *Upload) putPiece(w http.ResponseWriter, r *http.Request, f file) {
	from, to, size, ok := contentRange(r.Header.Get("Content-Range"))
	pieces, can := u.blobs.(Pieces)
	switch {
	case !can:
		http.Error(w, "files must be sent whole", http.StatusNotImplemented)
		return
	case !ok || size != f.size || r.ContentLength != to-from+1:
		http.Error(w, fmt.Sprintf("Content-Range must be within %d bytes and fit the length of the body", f.size), http.StatusRequestedRangeNotSatisfiable)
		return
	}
	leave, ok := u.turn(w, r, f)
	if !ok {
		return
	}
	defer leave()
	u.counts.underWay.Inc()
	defer u.counts.underWay.Dec()
	p, err := u.mend(r.Context(), pieces, &f)
	switch {
	case err == nil && f.kept:
		p, err = &part{size: f.size}, errHere
	case err == nil:
		p, err = u.takePiece(r, pieces, f, p, from)
	}
	if p != nil {
		offset(w.Header(), p, f.size)
	}
	u.answerPiece(w, r, f, p, err)
}

// answerPiece says how far the file is.
func (u *Upload) answerPiece(w http.ResponseWriter, r *http.Request, f file, p *part, err error) {
	switch {
	case errors.Is(err, errPlace), errors.Is(err, errOther), errors.Is(err, errHere):
		u.counts.transfer("conflict")
		http.Error(w, err.Error(), http.StatusConflict)
	case err != nil:
		u.counts.transfer("failed")
		u.failed(w, r, err)
	case p.size < f.size:
		u.counts.transfer("piece")
		w.WriteHeader(http.StatusAccepted)
	default:
		u.counts.transfer("kept")
		u.counts.keptBytes.Add(float64(f.size))
		w.WriteHeader(http.StatusCreated)
	}
}

// takePiece appends the body to the part of a file, notes how long that is now, and keeps the file when it is whole. p is nil if there is no
// part yet.
func (u *Upload) takePiece(r *http.Request, pieces Pieces, f file, p *part, from int64) (*part, error) {
	if p == nil {
		var err error
		if p, err = u.beginPart(r.Context(), f.token); err != nil {
			return nil, err
		}
	}
	if p.size != from {
		return p, errPlace
	}
	added, err := pieces.Append(r.Context(), p.blob, from, r.Body, r.ContentLength)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), cleanTime)
	defer cancel()
	if errors.Is(err, blob.ErrSize) { // the bytes are gone, as after a restored backup
		p.size = 0
		return p, errors.Join(errPlace, u.notePart(ctx, p))
	}
	if added > 0 {
		p.size += added
		if noted := u.notePart(ctx, p); noted != nil {
			return nil, noted
		}
	}
	if err != nil {
		return p, err
	}
	if added < r.ContentLength {
		return p, io.ErrUnexpectedEOF
	}
	if p.size < f.size {
		return p, nil
	}
	return p, u.finishPart(ctx, pieces, f, p)
}

// beginPart makes a part that has no bytes.
func (u *Upload) beginPart(ctx context.Context, token string) (*part, error) {
	key, err := newToken()
	if err != nil {
		return nil, err
	}
	_, err = u.db.Exec(ctx, "insert into upload_part (token, blob, size, updated) values ($1, $2, 0, $3)", token, key, u.db.Next())
	if err != nil {
		return nil, fmt.Errorf("begin a part: %w", err)
	}
	return &part{token: token, blob: key}, nil
}

// notePart notes how much of a file is on disk.
func (u *Upload) notePart(ctx context.Context, p *part) error {
	_, err := u.db.Exec(ctx, "update upload_part set size = $1, updated = $2 where token = $3 and blob = $4", p.size, u.db.Next(), p.token, p.blob)
	if err != nil {
		return fmt.Errorf("note a part: %w", err)
	}
	return nil
}

// dropPart deletes the bytes of a part, then its note.
func (u *Upload) dropPart(ctx context.Context, p *part) error {
	if err := u.blobs.Remove(ctx, p.blob); err != nil {
		return fmt.Errorf("delete a part: %w", err)
	}
	_, err := u.db.Exec(ctx, "delete from upload_part where token = $1 and blob = $2", p.token, p.blob)
	return err
}

// dropParts deletes parts for whose rest nobody came.
func (u *Upload) dropParts(ctx context.Context, now time.Time) error {
	for {
		rows, err := u.db.Query(ctx, "select token, blob from upload_part where updated < $1 limit $2", now.Add(-partLife-transferTime).UnixMicro(), sweepRows)
		if err != nil {
			return fmt.Errorf("find parts: %w", err)
		}
		for rows.Next() {
			var p part
			if err := rows.Scan(&p.token, &p.blob); err != nil {
				return err
			}
			if err := u.dropPart(ctx, &p); err != nil {
				return err
			}
		}
		if rows.Len() < sweepRows {
			return nil
		}
	}
}
