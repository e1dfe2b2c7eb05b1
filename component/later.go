package component

import (
	"context"
	"errors"
	"sync"

	"palabre.dev/palabre/xmpp"
)

// Later is the error by which a Handler says that it answers a request later: Do answers it, beside whatever comes next from the same sender. For what waits for somebody outside. Do has a context that ends
// with no stream and no session, and bounds its waiting itself.
type Later struct {
	Do func(ctx context.Context) (*xmpp.Element, error)
}

// Error says so; nobody is told.
func (*Later) Error() string { return "it is answered later" }

// Handle answers what was put off.
func (l *Later) Handle(ctx context.Context, _ *xmpp.Stanza) (*xmpp.Element, error) { return l.Do(ctx) }

// laterOf is what an error puts off, nil if it does not.
func laterOf(err error) *Later {
	var later *Later
	errors.As(err, &later)
	return later
}

// maxAside is how many requests of one component are answered later at once; further ones are refused for now.
const maxAside = 512

var errTooManyLater = xmpp.ResourceConstraint.Because("too many requests wait; try again later")

// aside does what is answered later.
type aside struct {
	mu    sync.Mutex
	count int  // that are being answered; guarded by mu
	ended bool // guarded by mu
	work  sync.WaitGroup
}

// do runs answer in a goroutine. It reports false, and runs nothing, where too many run already, or the end was waited for: whoever asks would wait in the place of all others of
// its lane.
func (a *aside) do(answer func()) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ended || a.count >= maxAside {
		return false
	}
	a.count++
	a.work.Go(func() {
		defer a.done()
		answer()
	})
	return true
}

func (a *aside) done() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.count--
}

// end waits for all that is answered later; nothing begins any more.
func (a *aside) end() {
	a.mu.Lock()
	a.ended = true
	a.mu.Unlock()
	a.work.Wait()
}
