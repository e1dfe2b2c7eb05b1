package stripe

import (
	"bufio"
	"context"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"palabre.dev/palabre/payments/rail"
	"palabre.dev/palabre/payments/rail/railtest"
)

// mock runs Stripe's own simulator of its interface and returns its address; an empty one if it is not there and nobody asked for it.
func mock(t *testing.T) string {
	t.Helper()
	program := os.Getenv("PALABRE_STRIPE_MOCK")
	if program == "" {
		var err error
		if program, err = exec.LookPath("stripe-mock"); err != nil {
			return ""
		}
	}
	cmd := exec.CommandContext(t.Context(), program, "-http-addr", "127.0.0.1:0")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if _, address, ok := strings.Cut(lines.Text(), "Listening for HTTP at address: "); ok {
			go func() {
				for lines.Scan() {
				}
			}()
			return "http://" + strings.TrimSpace(address)
		}
	}
	t.Fatalf("stripe-mock ended: %v", lines.Err())
	return ""
}

// TestStripesOwnMock asks Stripe's own simulator (github.com/stripe/stripe-mock), which checks each request against the public definition of the interface and answers
// with its examples: what we send is taken, and what it answers is read. It forgets everything, so that is all it can show; without the program, the requests are only
// made by the other tests.
func TestStripesOwnMock(t *testing.T) {
	address := mock(t)
	if address == "" {
		t.Log("there is no stripe-mock: PALABRE_STRIPE_MOCK names it")
		return
	}
	cfg := DefaultConfig()
	cfg.URL, cfg.Units, cfg.KeyFile, cfg.Return = address, []string{"USD"}, railtest.File(t, "sk_test_123"), "https://example/wallet"
	c, err := New(cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	base := rail.Transfer{ID: first, Amount: 5000, Unit: "USD", Exponent: 2, Created: now, Sent: now, Address: "acct_1", OfReference: "pi_123"}
	for _, kind := range []rail.Kind{rail.CashIn, rail.CashOut, rail.Refund} {
		transfer := base
		transfer.Kind = kind
		form := url.Values{}
		got, err := c.Submit(t.Context(), transfer)
		if err != nil && !readable(err) || got.State == rail.Rejected {
			t.Errorf("%v %v: %+v, %v", kind, form, got, err)
		}
		if _, err := c.Ask(t.Context(), transfer); err != nil && !readable(err) {
			t.Errorf("%v: look for it: %v", kind, err)
		}
	}
	for _, reference := range []string{"cs_1", "pi_1", "tr_1", "re_1"} {
		transfer := base
		transfer.Reference = reference
		if _, err := c.Ask(t.Context(), transfer); err != nil && !readable(err) {
			t.Errorf("%s: %v", reference, err)
		}
	}
	if err := c.Statement(context.WithoutCancel(t.Context()), now.Add(-time.Hour), now, func(rail.Line) error { return nil }); err != nil {
		t.Errorf("statement: %v", err)
	}
	if _, err := c.disputed(t.Context(), "ch_1"); err != nil {
		t.Errorf("disputes: %v", err)
	}
	answer, err := c.remote.Do(t.Context(), http.MethodPost, "/v1/transfers", nil, url.Values{"nonsense": {"1"}})
	if err != nil || answer.Code != http.StatusBadRequest {
		t.Errorf("nonsense is taken: %d, %v", answer.Code, err)
	}
}

// readable says whether an error is about what the example in an answer says (another currency, a payment that is not done), not about what we asked.
func readable(err error) bool {
	return strings.Contains(err.Error(), "not in USD") || strings.Contains(err.Error(), "without its charge")
}
