package upload

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"
)

// parts are the slots to which pieces come now: one transfer for each.
type parts struct {
	mu     sync.Mutex // guards what follows
	active map[string]*active
}

// active is a transfer whose handler has not returned as long as it is in parts.
type active struct {
	control *http.ResponseController
	done    chan struct{}
}

// turn waits until a request may change what is here of a file; if it may not, it has been answered.
func (u *Upload) turn(w http.ResponseWriter, r *http.Request, f file) (leave func(), ok bool) {
	if leave, ok = u.parts.enter(r.Context(), f.token, http.NewResponseController(w)); !ok {
		w.Header().Set("Retry-After", "5")
		http.Error(w, errMany.Error(), http.StatusTooManyRequests)
	}
	return leave, ok
}

// enter waits until a transfer may append to a file. One that is there already is cut off: its connection has most likely broken, and its
// client begins anew. It reports false if that one does not end in time, or the request has.
func (p *parts) enter(ctx context.Context, token string, control *http.ResponseController) (leave func(), ok bool) {
	timer := time.NewTimer(partPause)
	defer timer.Stop()
	for {
		p.mu.Lock()
		before := p.active[token]
		if before == nil {
			mine := &active{control, make(chan struct{})}
			p.active[token] = mine
			p.mu.Unlock()
			return func() { p.leave(token, mine) }, true
		}
		err := before.control.SetReadDeadline(time.Now()) // under the mutex, which leave takes: its handler has not returned
		p.mu.Unlock()
		if err != nil && !errors.Is(err, http.ErrNotSupported) {
			return nil, false
		}
		select {
		case <-before.done:
		case <-timer.C:
			return nil, false
		case <-ctx.Done():
			return nil, false
		}
	}
}

func (p *parts) leave(token string, mine *active) {
	p.mu.Lock()
	delete(p.active, token)
	p.mu.Unlock()
	close(mine.done)
}
