package rail

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"palabre.dev/palabre/store"
)

// Listener is a Network that tells us things unasked.
type Listener interface {
	// Hear checks that a request comes from the network, by its signature or what else the network has for that, and reads what it is about. It returns
	// ErrForged if it does not. It is not believed further: the network is asked.
	Hear(r *http.Request, body []byte) (Heard, error)
}

// Heard is what a network has told.
type Heard struct {
	// Event is the network's name for this telling, the same when it comes again; empty for the hash of the body.
	Event string
	// IDs are those of transfers of ours, References the network's names for such, at most 100 together.
	IDs, References []string
}

// ErrForged means that a webhook does not come from the network.
var ErrForged = errors.New("the webhook is not the network's")

const (
	maxWebhook  = 64 << 10 // bytes of a webhook
	maxNamed    = 100      // transfers in one
	maxEvents   = 200_000  // webhooks kept of a rail
	keepEvents  = 90 * 24 * time.Hour
	webhookTime = 10 * time.Second
)

// Webhooks takes webhooks at …/NAME or …/NAME/anything, where prefix comes before NAME: 200 (204 for PUT) when it is kept (also when it was known), 401 for a forged one, 503
// when the network is to try again.
func (e *Engine) Webhooks(prefix string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rest, ok := strings.CutPrefix(r.URL.Path, prefix)
		name, _, _ := strings.Cut(strings.TrimPrefix(rest, "/"), "/")
		listener, listens := e.networks[name].(Listener)
		if !ok || !listens {
			http.NotFound(w, r)
			return
		}
		if r.Method != http.MethodPost && r.Method != http.MethodPut {
			w.Header().Set("Allow", "POST, PUT")
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		code, outcome := e.hear(name, listener, r)
		e.webhooks.WithLabelValues(name, outcome).Inc()
		if code == http.StatusOK && r.Method == http.MethodPut {
			code = http.StatusNoContent // as the GSMA Mobile Money API wants it
		}
		w.WriteHeader(code)
	})
}

func (e *Engine) hear(rail string, listener Listener, r *http.Request) (code int, outcome string) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxWebhook+1))
	if err != nil {
		return http.StatusBadRequest, "broken"
	}
	if len(body) > maxWebhook {
		return http.StatusRequestEntityTooLarge, "too large"
	}
	heard, err := listener.Hear(r, body)
	if errors.Is(err, ErrForged) {
		e.log.Warn("a webhook was refused: it is not the network's", "rail", rail)
		return http.StatusUnauthorized, "forged"
	}
	if err != nil || len(heard.IDs)+len(heard.References) > maxNamed {
		e.log.Warn("a webhook could not be read", "rail", rail, "err", err)
		return http.StatusBadRequest, "unreadable"
	}
	ctx, cancel := context.WithTimeout(r.Context(), webhookTime)
	defer cancel()
	known, err := e.keepHeard(ctx, rail, heard, body)
	switch {
	case err != nil:
		e.log.Error("a webhook could not be kept; the network is to send it again", "rail", rail, "err", err)
		return http.StatusServiceUnavailable, "failed"
	case known:
		return http.StatusOK, "known"
	}
	return http.StatusOK, "kept"
}

// keepHeard keeps a webhook and makes the network be asked about what it names, in one transaction. known says that it had come before: then too it is asked, as
// it may have been told again because something is new.
func (e *Engine) keepHeard(ctx context.Context, rail string, heard Heard, body []byte) (known bool, err error) {
	if heard.Event == "" || len(heard.Event) > 128 {
		sum := sha256.Sum256(append([]byte(heard.Event), body...))
		heard.Event = hex.EncodeToString(sum[:])
	}
	var hinted []string
	err = e.db.Tx(ctx, func(ctx context.Context) error {
		n, err := e.db.Exec(ctx, "insert into rail_event (id, rail, event, body) values ($1, $2, $3, $4) on conflict (rail, event) do nothing", e.db.Next(), rail, heard.Event, body)
		if err != nil {
			return fmt.Errorf("keep webhook: %w", err)
		}
		known, hinted = n == 0, nil
		for _, reference := range heard.References {
			var id string
			err := e.db.QueryRow(ctx, "select id from rail_transfer where rail = $1 and reference = $2 and reference <> ''", rail, reference).Scan(&id)
			if err != nil && !errors.Is(err, store.ErrNoRows) {
				return fmt.Errorf("look up reference: %w", err)
			}
			if err == nil {
				hinted = append(hinted, id)
			}
		}
		for _, id := range heard.IDs {
			var there int
			if err := e.db.QueryRow(ctx, "select count(*) from rail_transfer where rail = $1 and id = $2", rail, id).Scan(&there); err != nil {
				return fmt.Errorf("look up transfer: %w", err)
			}
			if there > 0 {
				hinted = append(hinted, id)
			}
		}
		for _, id := range hinted {
			if err := e.hint(ctx, rail, id); err != nil {
				return err
			}
		}
		return nil
	})
	return known, err
}

// hint makes the network be asked about a transfer soon, in the transaction of ctx; where its step is under way, right after that.
func (e *Engine) hint(ctx context.Context, rail, id string) error {
	e.mu.Lock()
	e.hinted[id] = true
	e.mu.Unlock()
	if err := e.jobs.Enqueue(ctx, kindOf(rail), id, ""); err != nil {
		return err
	}
	return e.jobs.Hurry(ctx, kindOf(rail), id)
}

// Ask makes the network be asked about a transfer now. It returns ErrNotFound if there is none.
func (e *Engine) Ask(ctx context.Context, id string) error {
	t, err := e.Get(ctx, id)
	if err != nil {
		return err
	}
	return e.db.Tx(ctx, func(ctx context.Context) error { return e.hint(ctx, t.Rail, t.ID) })
}

// forgetEvents deletes webhooks that are old, or more than are kept.
func (e *Engine) forgetEvents(ctx context.Context, rail string) error {
	_, err := e.db.Exec(ctx, "delete from rail_event where rail = $1 and id < $2", rail, e.now().Add(-keepEvents).UnixMicro())
	if err == nil {
		_, err = e.db.Exec(ctx, `delete from rail_event where rail = $1 and id < coalesce((select id from rail_event where rail = $1 order by id desc limit 1 offset $2), 0)`, rail, maxEvents)
	}
	if err != nil {
		return fmt.Errorf("forget webhooks: %w", err)
	}
	return nil
}
