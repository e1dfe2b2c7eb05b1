package client_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"palabre.dev/palabre/client"
	"palabre.dev/palabre/core"
	"palabre.dev/palabre/feature/archive"
	"palabre.dev/palabre/feature/blocking"
	"palabre.dev/palabre/feature/carbons"
	"palabre.dev/palabre/feature/roster"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/test/palabretest"
	"palabre.dev/palabre/xmpp"
)

// contacts is the roster as the archive asks it.
type contacts struct{ *roster.Feature }

func (c contacts) Has(ctx context.Context, account *core.Account, contact xmpp.JID) (bool, error) {
	return c.Listed(ctx, account, contact)
}

// town is a server with what people use.
func town(t *testing.T) *palabretest.Server {
	t.Helper()
	var people *roster.Feature
	return palabretest.Start(t, storetest.SQLite,
		palabretest.With(func(s *palabretest.Server) (any, error) {
			var err error
			people, err = roster.New(s.Context, s.DB, roster.DefaultConfig(), s.Log)
			return people, err
		}),
		palabretest.With(func(s *palabretest.Server) (any, error) {
			return blocking.New(s.Context, s.DB, blocking.DefaultConfig(), people, s.Log)
		}),
		palabretest.With(func(s *palabretest.Server) (any, error) {
			return archive.New(s.Context, archive.DefaultConfig(), s.DB, contacts{people}, s.Log)
		}),
		palabretest.With(func(*palabretest.Server) (any, error) { return carbons.New(), nil }),
	)
}

// within is the time that each test has.
func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// config is that of an account of the test server.
func config(s *palabretest.Server, name string) client.Config {
	return client.Config{JID: xmpp.MustJID(name + "@" + palabretest.Domain), Password: palabretest.Password, Method: client.StartTLS, Server: s.Addr,
		Roots: s.Roots, AgentID: "d4565fa7-4d72-4749-b3d3-740edbf87770", MinBackoff: 10 * time.Millisecond, Timeout: time.Minute}
}

// login connects a client of an account of the test server, changed by change.
func login(t *testing.T, s *palabretest.Server, name string, change func(*client.Config)) *client.Client {
	t.Helper()
	cfg := config(s, name)
	if change != nil {
		change(&cfg)
	}
	c, err := client.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	must(t, c.Connect(within(t)))
	return c
}

func text(to xmpp.JID, body string) *xmpp.Stanza {
	return (&xmpp.Stanza{Kind: xmpp.Message, Type: "chat", To: to}).Add(xmpp.NewText(xmpp.NSClient, "body", body))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// receiver collects messages.
func receiver(into chan *xmpp.Stanza) func(*client.Config) {
	return func(cfg *client.Config) {
		cfg.OnMessage = func(_ context.Context, st *xmpp.Stanza) { into <- st }
	}
}

// next waits for a message.
func next(t *testing.T, from chan *xmpp.Stanza) *xmpp.Stanza {
	t.Helper()
	select {
	case st := <-from:
		return st
	case <-within(t).Done():
		t.Fatal("a message is missing")
		return nil
	}
}

// settled asks the server something: what came before is there.
func settled(t *testing.T, c *client.Client) {
	t.Helper()
	if err := c.Ping(within(t), xmpp.JID{}); err != nil && !errors.Is(err, xmpp.ServiceUnavailable) {
		t.Fatal(err)
	}
}
