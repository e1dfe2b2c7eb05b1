package web

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
)

// Digest is the SHA-256 of one built file, in hex. The build is reproducible: whoever builds the same sources gets the same digests, and a
// client can compare what it runs with what the server says and with what others have.
type Digest struct {
	Path   string `json:"path"`
	SHA256 string `json:"sha256"`
}

// Digests returns one digest for each file of the client, by path; empty if the client was not built.
func (s *Site) Digests() []Digest { return s.digests }

// Sum is one digest for all files: of the lines "sha256  path\n" in the order of Digests.
func (s *Site) Sum() string {
	h := sha256.New()
	for _, d := range s.digests {
		h.Write([]byte(d.SHA256 + "  " + d.Path + "\n"))
	}
	return hex.EncodeToString(h.Sum(nil))
}

func digests(files map[string]*file) []Digest {
	list := make([]Digest, 0, len(files))
	for name, f := range files {
		list = append(list, Digest{Path: name, SHA256: hex.EncodeToString(f.sum[:])})
	}
	slices.SortFunc(list, func(a, b Digest) int { return cmp.Compare(a.Path, b.Path) })
	return list
}

func (s *Site) serveDigests(w http.ResponseWriter, r *http.Request) {
	s.headers(w.Header(), r.Host)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-cache")
	answer := struct {
		Sum   string   `json:"sum"`
		Files []Digest `json:"files"`
	}{s.Sum(), s.digests}
	if err := json.NewEncoder(w).Encode(answer); err != nil {
		return // whoever asked has gone
	}
}
