package health

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// How a newer version is looked for.
const (
	updateEvery   = 24 * time.Hour
	updateTimeout = 20 * time.Second
	maxUpdate     = 64 << 10
	maxVersion    = 40
)

// latest is what is known of the newest release.
type latest struct {
	mu            sync.Mutex // guards what follows
	version, page string
}

// newerThan is the newest release and its page if it is newer than a version, else "".
func (l *latest) newerThan(version string) (newer, page string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if newerVersion(l.version, version) {
		return l.version, l.page
	}
	return "", ""
}

// look asks the operator's address for the newest version. It tells nothing of this server.
func (f *Feature) look(ctx context.Context) {
	if f.cfg.UpdateURL == "" {
		return
	}
	version, page, err := ask(ctx, f.cfg.UpdateURL)
	if err != nil {
		if ctx.Err() == nil {
			f.log.Warn("could not learn of the newest version", "err", err)
		}
		return
	}
	f.latest.mu.Lock()
	defer f.latest.mu.Unlock()
	f.latest.version, f.latest.page = version, page
}

func ask(ctx context.Context, address string) (version, page string, err error) {
	ctx, cancel := context.WithTimeout(ctx, updateTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", "", err
	}
	request.Header.Set("User-Agent", "")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", "", err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return "", "", fmt.Errorf("the answer is %d", response.StatusCode)
	}
	var told struct{ Version, Page string }
	if err := json.NewDecoder(io.LimitReader(response.Body, maxUpdate)).Decode(&told); err != nil {
		return "", "", fmt.Errorf("read the answer: %w", err)
	}
	if _, ok := numbers(told.Version); !ok {
		return "", "", errors.New("the answer has no version")
	}
	if u, err := url.Parse(told.Page); err != nil || u.Scheme != "https" {
		told.Page = ""
	}
	return told.Version, told.Page, nil
}

// newerVersion reports whether a release is newer than the one that runs; what is no release is not compared.
func newerVersion(release, running string) bool {
	a, ok := numbers(release)
	b, known := numbers(running)
	if !ok || !known {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return a[i] > b[i]
		}
	}
	return false
}

// numbers are the three of a version such as v1.2.3; what follows a - or + is left away.
func numbers(version string) (out [3]int, ok bool) {
	version, ok = strings.CutPrefix(version, "v")
	if !ok || len(version) > maxVersion {
		return out, false
	}
	if i := strings.IndexAny(version, "-+"); i >= 0 {
		version = version[:i]
	}
	parts := strings.Split(version, ".")
	if len(parts) != len(out) {
		return out, false
	}
	for i, part := range parts {
		n, err := strconv.Atoi(part)
		if err != nil || n < 0 {
			return out, false
		}
		out[i] = n
	}
	return out, true
}
