package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"mime"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"
)

// file is one built file.
type file struct {
	plain     []byte
	kind      string // Content-Type
	sum       [sha256.Size]byte
	tag       string // ETag, made from sum
	immutable bool   // its name changes with its content
	packed    func() []byte
}

func newFile(name string, plain []byte) *file {
	f := &file{plain: plain, kind: kindOf(name), sum: sha256.Sum256(plain), immutable: strings.HasPrefix(name, "assets/")}
	f.tag = `"` + base64.RawURLEncoding.EncodeToString(f.sum[:12]) + `"`
	f.packed = sync.OnceValue(func() []byte { return pack(f.kind, f.plain) })
	return f
}

func kindOf(name string) string {
	switch path.Ext(name) {
	case ".js", ".mjs":
		return "text/javascript; charset=utf-8"
	case ".webmanifest":
		return "application/manifest+json"
	case ".woff2":
		return "font/woff2"
	}
	if kind := mime.TypeByExtension(path.Ext(name)); kind != "" {
		return kind
	}
	return "application/octet-stream"
}

// pack compresses what gets smaller by it, and returns nil for the rest.
func pack(kind string, plain []byte) []byte {
	if !strings.HasPrefix(kind, "text/") && !strings.Contains(kind, "json") && !strings.Contains(kind, "svg") && !strings.Contains(kind, "javascript") {
		return nil
	}
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil
	}
	if _, err := w.Write(plain); err != nil || w.Close() != nil || b.Len() >= len(plain) {
		return nil
	}
	return b.Bytes()
}

func (f *file) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("Cache-Control", "no-cache")
	if f.immutable {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	write(w, r, f.tag, f.plain, f.packed)
}

// write answers with the compressed bytes where they are understood. ServeContent answers ranges and If-None-Match.
func write(w http.ResponseWriter, r *http.Request, tag string, plain []byte, packed func() []byte) {
	h := w.Header()
	h.Add("Vary", "Accept-Encoding")
	h.Set("ETag", tag)
	body := io.ReadSeeker(bytes.NewReader(plain))
	if r.Header.Get("Range") == "" && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		if b := packed(); b != nil {
			h.Set("Content-Encoding", "gzip")
			h.Set("ETag", strings.TrimSuffix(tag, `"`)+`-gz"`)
			body = bytes.NewReader(b)
		}
	}
	http.ServeContent(w, r, "", time.Time{}, body)
}
