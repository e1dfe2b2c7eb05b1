package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"palabre.dev/palabre/payments/ledger"
	"palabre.dev/palabre/payments/pay"
	"palabre.dev/palabre/payments/rail"
	"palabre.dev/palabre/payments/rail/adapter"
	"palabre.dev/palabre/payments/rail/sandbox"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/test/payer"
	"palabre.dev/palabre/xmpp"
)

// aloneConfig is `palabre pay` beside a server that is not there, with a network that does not answer.
func aloneConfig(t *testing.T) Config {
	t.Helper()
	cfg := railConfig(t, storetest.SQLite)
	cfg.Pay.Rail["try"] = adapter.Config{Sandbox: &sandbox.Config{Units: []string{"MAD"}, URL: "http://127.0.0.1:1"}}
	cfg.Pay.Server.Address, cfg.Pay.Server.Secret = "127.0.0.1:1", "a secret of both"
	return cfg
}

func openAlone(t *testing.T, cfg Config) *App {
	t.Helper()
	a, err := OpenPay(t.Context(), cfg, cfg.Log.Logger())
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestPaymentsAloneHaveThePageBehindLinks(t *testing.T) {
	a := openAlone(t, aloneConfig(t))
	defer a.Close()
	answer := httptest.NewRecorder()
	a.http.Mux().ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, payPath, nil))
	if answer.Code != http.StatusOK || !strings.Contains(answer.Body.String(), "page.js") {
		t.Errorf("%d: %s", answer.Code, answer.Body)
	}
}

// TestVerdictWherePaymentsAreAlone: two people at the command line say together what became of a transfer; nobody does alone.
func TestVerdictWherePaymentsAreAlone(t *testing.T) {
	a := openAlone(t, aloneConfig(t))
	defer a.Close()
	wallet := pay.WalletAccount("MAD", xmpp.MustJID("juliet@localhost"))
	if _, err := a.ledger.Post(t.Context(), nil, ledger.Operation{ID: "open-" + payer.NewID(), Kind: ledger.Opening, From: wallet, Unit: "MAD"}); err != nil {
		t.Fatal(err)
	}
	in, err := a.rails.CashIn(t.Context(), rail.Order{ID: payer.NewID(), Rail: "try", Wallet: wallet, Address: "+212600000001", Amount: 5000, Unit: "MAD"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	working, stop := context.WithCancel(t.Context())
	var worked sync.WaitGroup
	worked.Go(func() { _ = a.jobs.Run(working) }) // it ends with stop
	in, err = a.rails.Await(t.Context(), in.ID)
	stop()
	worked.Wait()
	if err != nil || in.State != rail.Unknown {
		t.Fatalf("%+v (%v)", in, err)
	}
	at := func(name string, args RailArgs, result any) error {
		encoded, err := json.Marshal(args)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := operations[name](t.Context(), a, encoded, nil, &out); err != nil {
			return err
		}
		return json.Unmarshal(out.Bytes(), result)
	}
	var v rail.Verdict
	if err := at("pay/verdict", RailArgs{ID: in.ID, State: "settled", Why: "seen in their pages", As: "nadia"}, &v); err != nil {
		t.Fatal(err)
	}
	var done rail.Transfer
	if err := at("pay/agree", RailArgs{Number: v.Number, As: "nadia"}, &done); !errors.Is(err, rail.ErrSame) {
		t.Errorf("nadia alone: %v", err)
	}
	err = at("pay/agree", RailArgs{Number: v.Number, As: "omar"}, &done)
	if err != nil || done.State != rail.Settled || !strings.Contains(done.Why, "(nadia) and command line (omar)") {
		t.Errorf("%+v (%v)", done, err)
	}
}
