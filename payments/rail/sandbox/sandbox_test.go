package sandbox

import (
	"context"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"palabre.dev/palabre/payments/rail"
)

// TestServer asks the simulator over a real connection: lost answers are errors, and what is asked for again under the same id is the same transfer.
func TestServer(t *testing.T) {
	network := NewNetwork([]byte("secret"), Plan{})
	network.Plan("lost", Plan{Mute: 1})
	network.Plan("other", Plan{Reject: true})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(t.Context())
	var running sync.WaitGroup
	defer running.Wait()
	defer end()
	running.Go(func() {
		if err := network.Serve(ctx, listener); err != nil {
			t.Error(err)
		}
	})
	c, err := New(Config{URL: "http://" + listener.Addr().String(), Secret: "secret", Units: []string{"MAD"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	out := rail.Transfer{ID: "lost", Kind: rail.CashOut, Amount: 5, Unit: "MAD"}
	if got, err := c.Ask(t.Context(), out); err != nil || got.State != rail.Absent {
		t.Fatalf("before: %+v, %v", got, err)
	}
	if got, err := c.Submit(t.Context(), out); err == nil {
		t.Fatalf("a lost answer: %+v", got)
	}
	for range 2 {
		if got, err := c.Submit(t.Context(), out); err != nil || got.State != rail.Settled || got.Amount != 5 {
			t.Fatalf("again: %+v, %v", got, err)
		}
	}
	out.Amount = 6
	if got, err := c.Submit(t.Context(), out); err != nil || got.State != rail.Rejected {
		t.Fatalf("another amount: %+v, %v", got, err)
	}
	if got, err := c.Submit(t.Context(), rail.Transfer{ID: "other", Kind: rail.CashIn, Amount: 7, Unit: "MAD"}); err != nil || got.State != rail.Rejected {
		t.Fatalf("another: %+v, %v", got, err)
	}
	lines := 0
	if err := c.Statement(t.Context(), time.Now().Add(-time.Hour), time.Now().Add(time.Hour), func(rail.Line) error { lines++; return nil }); err != nil || lines != 1 {
		t.Fatalf("%d lines, %v", lines, err)
	}
	if got := network.Balance("MAD"); got != -5 {
		t.Fatalf("balance %d", got)
	}
}

// TestInside: without an address the simulator is in this process.
func TestInside(t *testing.T) {
	c, err := New(Config{Units: []string{"MAD"}, Seconds: 3600}, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.Submit(t.Context(), rail.Transfer{ID: "a", Kind: rail.CashIn, Amount: 5, Unit: "MAD"})
	if err != nil || got.State != rail.Accepted || got.Next.Kind != "wait" {
		t.Fatalf("%+v, %v", got, err)
	}
	if _, err := c.Hear(&http.Request{Header: http.Header{}}, []byte("{}")); err == nil {
		t.Fatal("a webhook without a secret is taken")
	}
	for _, bad := range []Config{{}, {Units: []string{"MAD"}, Seconds: -1}, {Units: []string{"MAD"}, URL: "nowhere"}} {
		if _, err := New(bad, nil); err == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
}
