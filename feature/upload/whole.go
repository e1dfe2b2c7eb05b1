package upload

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"

	"palabre.dev/palabre/blob"
	"palabre.dev/palabre/store"
)

// headWhole answers when all bytes of a file are here and it is not kept: its last transfer is about to do that, or has failed to.
func (u *Upload) headWhole(w http.ResponseWriter, r *http.Request, f file) {
	pieces, can := u.blobs.(Pieces)
	if !can {
		http.Error(w, "files must be sent whole", http.StatusNotImplemented)
		return
	}
	if err := takeTime(w); err != nil {
		u.failed(w, r, err)
		return
	}
	leave, ok := u.turn(w, r, f)
	if !ok {
		return
	}
	defer leave()
	p, err := u.mend(r.Context(), pieces, &f)
	switch {
	case err != nil:
		u.failed(w, r, err)
	case f.kept:
		u.serve(w, r, f)
	default:
		offset(w.Header(), p, f.size)
		w.WriteHeader(http.StatusNoContent)
	}
}

// mend reads anew what is here of a file, now that no other piece of it comes, and keeps the file if its part is whole: a process or a
// store may have failed between the last bytes and that.
func (u *Upload) mend(ctx context.Context, pieces Pieces, f *file) (*part, error) {
	if err := u.read(ctx, f); err != nil || f.kept {
		return nil, err
	}
	p, err := u.readPart(ctx, f.token)
	if err != nil || p == nil || p.size < f.size {
		return p, err
	}
	switch err := u.finishPart(ctx, pieces, *f, p); {
	case errors.Is(err, blob.ErrSize): // the bytes are gone, as after a restored backup
		p.size = 0
		return p, u.notePart(ctx, p)
	case errors.Is(err, errOther): // a transfer of the whole file came first
	case err != nil:
		return p, err
	default:
		u.counts.transfer("kept")
		u.counts.keptBytes.Add(float64(f.size))
	}
	return nil, u.read(ctx, f)
}

// finishPart makes the file of a part that is whole. When it fails and the slot may still want the bytes, they stay, so that mend can try again.
func (u *Upload) finishPart(ctx context.Context, pieces Pieces, f file, p *part) error {
	if err := pieces.Finish(ctx, p.blob, f.size); err != nil {
		return err
	}
	digest, err := u.digest(ctx, p.blob)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanTime)
	defer cancel()
	won, err := u.settle(ctx, f.token, p.blob, digest)
	if won || err != nil && !errors.Is(err, errOther) && !errors.Is(err, store.ErrNoRows) {
		return err
	}
	return errors.Join(err, u.dropPart(ctx, p))
}

// digest reads a blob to the end.
func (u *Upload) digest(ctx context.Context, key string) (string, error) {
	b, err := u.blobs.Open(ctx, key)
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	_, err = io.Copy(sum, b)
	return hex.EncodeToString(sum.Sum(nil)), errors.Join(err, b.Close())
}
