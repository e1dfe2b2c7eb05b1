package link

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/xmpp"
)

const name = "0123456789abcdef"

// post office: a feature and how to ask it.
type office struct {
	t       *testing.T
	feature *Feature
	mux     *http.ServeMux
	from    string
}

func newOffice(t *testing.T) *office {
	f := New(nil, slog.New(slog.DiscardHandler))
	mux := http.NewServeMux()
	f.Routes(mux)
	return &office{t: t, feature: f, mux: mux, from: "192.0.2.1:4000"}
}

func (o *office) ask(ctx context.Context, method, path, body string) (status int, said string) {
	r := httptest.NewRequestWithContext(ctx, method, "/linking/"+path, strings.NewReader(body))
	r.RemoteAddr = o.from
	w := httptest.NewRecorder()
	o.mux.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

// want asks and compares status and answer.
func (o *office) want(status int, said, method, path, body string) {
	o.t.Helper()
	if got, text := o.ask(o.t.Context(), method, path, body); got != status || text != said {
		o.t.Errorf("%s %s: %d %q, want %d %q", method, path, got, text, status, said)
	}
}

func TestALetterWaitsAndIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		o.want(204, "", "PUT", name+"/1", "aGVsbG8")
		o.want(200, "aGVsbG8", "GET", name+"/1", "")
		o.want(200, "aGVsbG8", "GET", name+"/1", "") // who lost the answer asks again
		o.want(204, "", "PUT", name+"/1", "aGVsbG8")
		came := make(chan string)
		go func() {
			_, said := o.ask(t.Context(), "GET", name+"/2", "")
			came <- said
		}()
		synctest.Wait()
		if o.feature.waiting != 1 {
			t.Errorf("%d wait", o.feature.waiting)
		}
		o.want(204, "", "PUT", name+"/2", "cmVhZHk")
		if said := <-came; said != "cmVhZHk" {
			t.Errorf("heard %q", said)
		}
		began := time.Now()
		o.want(204, "", "GET", name+"/3", "")
		if waited := time.Since(began); waited != longPoll {
			t.Errorf("waited %v", waited)
		}
	})
}

func TestAWaitEndsWithWhoAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		ctx, leave := context.WithCancel(t.Context())
		left := make(chan struct{})
		go func() {
			o.ask(ctx, "GET", name+"/1", "")
			close(left)
		}()
		synctest.Wait()
		leave()
		<-left
		if o.feature.waiting != 0 {
			t.Errorf("%d wait", o.feature.waiting)
		}
	})
}

func TestTwoWhoHaveTheCodeEndIt(t *testing.T) {
	o := newOffice(t)
	o.want(204, "", "PUT", name+"/1", "b25l")
	o.want(410, "contested", "PUT", name+"/1", "dHdv")
	o.want(410, "contested", "GET", name+"/1", "")
	o.want(410, "contested", "PUT", name+"/2", "cmVhZHk")
	o.want(204, "", "DELETE", name, "")
	o.want(410, "contested", "GET", name+"/2", "") // the first reason stays
}

func TestWhoeverEndsItIsHeardByTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for query, why := range map[string]string{"": "cancelled", "?why=differing": "differing", "?why=over": "over", "?why=%3Cb%3E": "cancelled"} {
			o := newOffice(t)
			heard := make(chan string)
			go func() {
				status, said := o.ask(t.Context(), "GET", name+"/2", "")
				heard <- fmt.Sprint(status, " ", said)
			}()
			synctest.Wait()
			o.want(204, "", "DELETE", name+query, "")
			if said := <-heard; said != "410 "+why {
				t.Errorf("%q: heard %q", query, said)
			}
		}
	})
}

func TestBoxesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		put := func(i int) int {
			status, _ := o.ask(t.Context(), "PUT", fmt.Sprintf("%016x/1", i), "aGVsbG8")
			return status
		}
		for i := range maxPerPlace {
			if status := put(i); status != 204 {
				t.Fatalf("box %d: %d", i, status)
			}
		}
		if status := put(maxPerPlace); status != 429 {
			t.Errorf("one more of the same address: %d", status)
		}
		for i := maxPerPlace; i < maxBoxes; i++ {
			o.from = fmt.Sprintf("[2001:db8:0:%x::1]:4000", i)
			if status := put(i); status != 204 {
				t.Fatalf("box %d: %d", i, status)
			}
		}
		o.from = "[2001:db8:1:1::1]:4000"
		if status := put(maxBoxes); status != 429 {
			t.Errorf("one more of all: %d", status)
		}
		time.Sleep(boxLife) // in the bubble: what was there is over
		if status := put(maxBoxes); status != 204 || len(o.feature.boxes) != 1 {
			t.Errorf("after a while: %d, %d boxes", status, len(o.feature.boxes))
		}
	})
}

func TestABoxThatIsTooOldSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		o.want(204, "", "PUT", name+"/1", "aGVsbG8")
		time.Sleep(boxLife - time.Second)
		heard := make(chan string)
		go func() {
			status, said := o.ask(t.Context(), "GET", name+"/2", "")
			heard <- fmt.Sprint(status, " ", said)
		}()
		time.Sleep(2 * time.Second)                             // in the bubble
		o.want(204, "", "PUT", "fedcba9876543210/1", "aGVsbG8") // anybody's letter lets it be seen
		if said := <-heard; said != "410 over" {
			t.Errorf("heard %s", said)
		}
	})
}

func TestWhatIsNoLetterIsRefused(t *testing.T) {
	o := newOffice(t)
	for _, path := range []string{name + "/0", name + "/5", name + "/x", "0123456789ABCDEF/1", "short/1"} {
		o.want(404, "", "PUT", path, "aGVsbG8")
		o.want(404, "", "GET", path, "")
	}
	o.want(404, "", "DELETE", "short", "")
	for _, body := range []string{"", "<x/>", "aGVs bG8", strings.Repeat("A", maxLetter+1)} {
		o.want(400, "", "PUT", name+"/1", body)
	}
	o.want(204, "", "PUT", name+"/1", strings.Repeat("A", maxLetter))
}

// usher is a door that lets everybody in, or nobody.
type usher struct{ err error }

func (u usher) Admit(_ context.Context, account *core.Account, life time.Duration) (Ticket, error) {
	return Ticket{Client: "c", Mechanism: "m", Token: account.JID.String(), Expires: time.UnixMicro(0).Add(life)}, u.err
}

func (usher) Account(_ context.Context, bare xmpp.JID) (*core.Account, error) {
	return &core.Account{ID: 1, JID: bare}, nil
}

func TestATokenIsForTheOwnersOtherDevice(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		romeo := &core.Account{ID: 1, JID: xmpp.MustJID("romeo@localhost")}
		ask := func(door usher, set bool, by *core.Account) (*xmpp.Element, error) {
			f := New(door, slog.New(slog.DiscardHandler))
			server, err := core.New(core.DefaultConfig(), db, door, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			f.Attach(server)
			return f.admit(t.Context(), &core.Request{Transit: &core.Transit{Sender: by}, Set: set, Payload: xmpp.NewElement(NS, "token"), Account: romeo})
		}
		if e, err := ask(usher{}, true, romeo); err != nil || e.Attr("token") != "romeo@localhost" || e.Attr("client") != "c" || e.Attr("mechanism") != "m" || e.Attr("expiry") != "1970-01-01T00:02:00Z" {
			t.Errorf("%s, %v", e, err)
		}
		if _, err := ask(usher{}, true, &core.Account{ID: 2}); !errors.Is(err, xmpp.Forbidden) {
			t.Errorf("somebody else: %v", err)
		}
		if _, err := ask(usher{}, true, nil); !errors.Is(err, xmpp.Forbidden) {
			t.Errorf("nobody: %v", err)
		}
		if _, err := ask(usher{}, false, romeo); !errors.Is(err, xmpp.BadRequest) {
			t.Errorf("a get: %v", err)
		}
		if _, err := ask(usher{err: store.ErrLocked}, true, romeo); !errors.Is(err, store.ErrLocked) {
			t.Errorf("a door that fails: %v", err)
		}
	})
}
