package e2e_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"palabre.dev/palabre/client"
	"palabre.dev/palabre/client/e2e"
	"palabre.dev/palabre/core"
	"palabre.dev/palabre/feature/archive"
	"palabre.dev/palabre/feature/caps"
	"palabre.dev/palabre/feature/carbons"
	"palabre.dev/palabre/feature/pubsub"
	"palabre.dev/palabre/feature/roster"
	"palabre.dev/palabre/omemo"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/test/palabretest"
	"palabre.dev/palabre/xmpp"
)

// contacts is the roster as the archive asks it.
type contacts struct{ *roster.Feature }

func (c contacts) Has(ctx context.Context, account *core.Account, contact xmpp.JID) (bool, error) {
	return c.Listed(ctx, account, contact)
}

// town is a server with what encryption needs.
func town(t *testing.T) *palabretest.Server {
	t.Helper()
	var people *roster.Feature
	var apps *caps.Feature
	make := func(s *palabretest.Server) (err error) {
		if people, err = roster.New(s.Context, s.DB, roster.DefaultConfig(), s.Log); err != nil {
			return err
		}
		apps, err = caps.New(s.Context, s.DB, caps.DefaultConfig(), s.Log)
		return err
	}
	return palabretest.Start(t, storetest.SQLite,
		palabretest.With(func(s *palabretest.Server) (any, error) {
			err := make(s)
			return people, err
		}),
		palabretest.With(func(*palabretest.Server) (any, error) { return apps, nil }),
		palabretest.With(func(s *palabretest.Server) (any, error) {
			nodes, err := pubsub.New(s.Context, pubsub.DefaultConfig(), s.DB, people, people, apps, s.Log)
			if err != nil {
				return nil, err
			}
			apps.OnWants(func(ctx context.Context, want caps.Want) {
				if want.Session != nil {
					nodes.Interested(ctx, want.Session, want.Nodes)
				}
			})
			return nodes, nil
		}),
		palabretest.With(func(s *palabretest.Server) (any, error) {
			return archive.New(s.Context, archive.DefaultConfig(), s.DB, contacts{people}, s.Log)
		}),
		palabretest.With(func(*palabretest.Server) (any, error) { return carbons.New(), nil }),
	)
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// person is an encrypting client with an inbox.
type person struct {
	*client.Client
	end   *e2e.Endpoint
	heard chan string
	fault chan error
	mark  client.Mark
	stop  func()
}

// start logs a person in, goes on after mark, and waits until it has caught up.
func start(t *testing.T, s *palabretest.Server, name string, store omemo.Store, mark client.Mark) *person {
	t.Helper()
	p := &person{heard: make(chan string, 100), fault: make(chan error, 100), mark: mark}
	ready := make(chan struct{})
	inbox := client.NewInbox(mark, time.Time{}, func(ctx context.Context, letter client.Letter) error {
		<-ready
		p.take(ctx, letter)
		return nil
	})
	cfg := client.Config{JID: xmpp.MustJID(name + "@" + palabretest.Domain), Password: palabretest.Password, Method: client.StartTLS, Server: s.Addr,
		Roots: s.Roots, MinBackoff: 10 * time.Millisecond, Timeout: time.Minute, Carbons: true, Features: e2e.Features}
	inbox.Join(&cfg)
	var err error
	p.Client, err = client.New(cfg)
	must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	must(t, p.Connect(within(t)))
	p.end, err = e2e.Open(within(t), p.Client, store, nil)
	must(t, err)
	close(ready)
	must(t, p.end.Start(within(t)))
	p.end.BeginCatchUp()
	caught, done := make(chan struct{}, 10), make(chan error, 1)
	go func() {
		done <- inbox.Run(ctx, p.Client, func(ctx context.Context) error {
			err := p.end.EndCatchUp(ctx)
			caught <- struct{}{}
			return err
		})
	}()
	p.stop = func() {
		must(t, p.Flush(within(t)))
		p.Close()
		cancel()
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, client.ErrClosed) {
			t.Error(err)
		}
	}
	select {
	case <-caught:
	case err := <-done:
		t.Fatal(err)
	}
	must(t, p.SetPresence(within(t), client.Presence{}))
	must(t, p.Flush(within(t)))
	return p
}

func (p *person) take(ctx context.Context, letter client.Letter) {
	if letter.Mark.ID != "" {
		p.mark = letter.Mark
	}
	if p.end.Notice(ctx, letter.Message) {
		return
	}
	opened, err := p.end.Decrypt(ctx, letter.Message, letter.Mark.ID)
	switch {
	case errors.Is(err, omemo.ErrNotForUs), err == nil && opened.Empty:
	case err != nil:
		p.fault <- err
	default:
		p.heard <- letter.Message.From.Local() + ": " + opened.Body
	}
}

// says sends, and returns which version was used.
func (p *person) says(t *testing.T, to *person, text string) omemo.Version {
	t.Helper()
	st, _, err := p.end.Encrypt(within(t), to.Account(), text)
	must(t, err)
	must(t, p.SendAcked(within(t), st))
	if st.Child(omemo.V2.Namespace(), "encrypted") != nil {
		return omemo.V2
	}
	return omemo.V03
}

func (p *person) hears(t *testing.T, want string) {
	t.Helper()
	select {
	case got := <-p.heard:
		if got != want {
			t.Errorf("%s heard %q, want %q", p.JID(), got, want)
		}
	case err := <-p.fault:
		t.Fatalf("%s: %v", p.JID(), err)
	case <-within(t).Done():
		t.Fatalf("%s did not hear %q", p.JID(), want)
	}
}
