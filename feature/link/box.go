package link

import (
	"errors"
	"io"
	"net/http"
	"net/netip"
	"regexp"
	"strconv"
	"time"
)

const (
	maxBoxes    = 1000
	maxPerPlace = 60 // boxes of one address (IPv6: one /64) at a time
	maxWaiting  = 1000
	maxLetter   = 24 << 10 // bytes of one step: keys of a history, in base64
	maxStep     = 4
	boxLife     = 6 * time.Minute // a little longer than the code on the screen is good for
	longPoll    = 5 * time.Second // short, since a server that stops waits for it
)

// Why a box was closed, as both devices are told.
const (
	contested = "contested" // a step came twice, and differently: somebody else has the code, too
	cancelled = "cancelled" // one of the two ended it
	differing = "differing" // a person saw other digits on the two
	over      = "over"      // the code was too old, or the box
)

// box is where two devices leave letters for each other: one for each step, written once.
type box struct {
	place   netip.Prefix
	born    time.Time
	letters [maxStep + 1][]byte
	closed  string        // why; "" while it is open
	changed chan struct{} // closed, and another, at each change
}

var (
	boxName  = regexp.MustCompile(`^[0-9a-f]{16}$`)
	letterOf = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)
	errFull  = errors.New("no room for another box")
)

// open finds a box or makes it. The lock is held.
func (f *Feature) open(name string, place netip.Prefix, now time.Time) (*box, error) {
	there := 0
	for n, b := range f.boxes {
		if now.Sub(b.born) >= boxLife {
			delete(f.boxes, n)
			b.tell()
		} else if b.place == place {
			there++
		}
	}
	if b := f.boxes[name]; b != nil {
		return b, nil
	}
	if len(f.boxes) >= maxBoxes || there >= maxPerPlace {
		return nil, errFull
	}
	b := &box{place: place, born: now, changed: make(chan struct{})}
	f.boxes[name] = b
	return b, nil
}

// tell wakes whoever waits. The lock is held.
func (b *box) tell() {
	close(b.changed)
	b.changed = make(chan struct{})
}

// close ends a box for both devices; what was left in it goes. The lock is held.
func (b *box) close(why string) {
	if b.closed != "" {
		return
	}
	b.closed = why
	b.letters = [maxStep + 1][]byte{}
	b.tell()
}

// put leaves a letter: 204, also for the same again; 410 with the reason in a box that is closed, as one is by another letter for the same step.
func (f *Feature) put(w http.ResponseWriter, r *http.Request) {
	name, step, ok := asked(w, r)
	if !ok {
		return
	}
	letter, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxLetter))
	if err != nil || !letterOf.Match(letter) {
		answer(w, http.StatusBadRequest, "")
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	b, err := f.open(name, placeOf(r), time.Now())
	if err != nil {
		answer(w, http.StatusTooManyRequests, "")
		return
	}
	if there := b.letters[step]; there != nil && string(there) != string(letter) {
		f.log.Info("two devices use the same code")
		b.close(contested)
	}
	if b.closed != "" {
		answer(w, http.StatusGone, b.closed)
		return
	}
	if b.letters[step] == nil {
		b.letters[step] = letter
		b.tell()
	}
	answer(w, http.StatusNoContent, "")
}

// get takes a letter out, or waits for it: 200 with it, 204 when none came for a while, 410 with the reason in a box that is closed.
func (f *Feature) get(w http.ResponseWriter, r *http.Request) {
	name, step, ok := asked(w, r)
	if !ok {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	b, err := f.open(name, placeOf(r), time.Now())
	if err != nil || f.waiting >= maxWaiting {
		answer(w, http.StatusTooManyRequests, "")
		return
	}
	f.waiting++
	defer func() { f.waiting-- }()
	timer := time.NewTimer(longPoll)
	defer timer.Stop()
	for b.letters[step] == nil && b.closed == "" {
		if !f.wait(r, b.changed, timer) {
			answer(w, http.StatusNoContent, "")
			return
		}
		if f.boxes[name] != b { // it is over
			b.closed = over
		}
	}
	if b.closed != "" {
		answer(w, http.StatusGone, b.closed)
		return
	}
	answer(w, http.StatusOK, string(b.letters[step]))
}

// wait lets go of the lock until something changes; false when that took too long, or whoever asked has gone.
func (f *Feature) wait(r *http.Request, changed <-chan struct{}, timer *time.Timer) bool {
	f.mu.Unlock()
	defer f.mu.Lock()
	select {
	case <-changed:
		return true
	case <-timer.C:
	case <-r.Context().Done():
	}
	return false
}

// end closes a box: 204. With ?why=differing or ?why=over both are told that, else that it was cancelled.
func (f *Feature) end(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("box")
	if !boxName.MatchString(name) {
		answer(w, http.StatusNotFound, "")
		return
	}
	why := cancelled
	if said := r.URL.Query().Get("why"); said == differing || said == over {
		why = said
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if b := f.boxes[name]; b != nil {
		b.close(why)
	}
	answer(w, http.StatusNoContent, "")
}

// asked is which box and step a request is about; it has answered one that is about none.
func asked(w http.ResponseWriter, r *http.Request) (name string, step int, ok bool) {
	name = r.PathValue("box")
	step, err := strconv.Atoi(r.PathValue("step"))
	if err != nil || step < 1 || step > maxStep || !boxName.MatchString(name) {
		answer(w, http.StatusNotFound, "")
		return "", 0, false
	}
	return name, step, true
}

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	if text == "" {
		return
	}
	if _, err := io.WriteString(w, text); err != nil {
		return // whoever asked has gone
	}
}

// placeOf is what counts as one address: a household has a /64 of IPv6.
func placeOf(r *http.Request) netip.Prefix {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Prefix{}
	}
	address := at.Addr().Unmap()
	bits := address.BitLen()
	if address.Is6() {
		bits = 64
	}
	return netip.PrefixFrom(address, bits).Masked()
}
