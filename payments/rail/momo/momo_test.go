package momo

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"palabre.dev/palabre/payments/rail"
	"palabre.dev/palabre/payments/rail/railtest"
	"palabre.dev/palabre/payments/rail/remote"
	"palabre.dev/palabre/payments/rail/sandbox"
)

// operator is a simulator of an operator's Mobile Money API, written from its public definition (1.2): asynchronous, with request states, responses by the client's
// correlation id, reversals and statements.
type operator struct {
	t  *testing.T
	mu sync.Mutex // guards the following

	requests     map[string]*request     // by X-CorrelationID
	transactions map[string]*transaction // by reference
	list         []*transaction
	lose         int    // answers to POST that are lost
	fail         string // error code for what comes next
	callbacks    []string
}

type request struct {
	requestState
	transaction *transaction
	original    *transaction
}

func newOperator(t *testing.T) *operator {
	return &operator{t: t, requests: map[string]*request{}, transactions: map[string]*transaction{}}
}

func (o *operator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if r.Header.Get("X-API-Key") != "key" || r.Header.Get("X-Client-Id") != "client" || r.Header.Get("X-Date") == "" {
		answer(w, http.StatusUnauthorized, failure{"authorisation", "clientAuthorisationError", ""})
		return
	}
	path := strings.TrimPrefix(r.URL.Path, "/v1.2/mm")
	parts := strings.Split(strings.Trim(path, "/"), "/")
	switch {
	case r.Method == http.MethodPost:
		o.post(w, r, parts)
	case parts[0] == "requeststates":
		for _, q := range o.requests {
			if q.Server == parts[1] {
				answer(w, http.StatusOK, q.requestState)
				return
			}
		}
		answer(w, http.StatusNotFound, failure{"identification", "identifierError", ""})
	case parts[0] == "responses":
		q := o.requests[parts[1]]
		if q == nil || q.Object == "" {
			answer(w, http.StatusNotFound, failure{"identification", "identifierError", ""})
			return
		}
		answer(w, http.StatusOK, map[string]string{"link": "/transactions/" + q.Object})
	case parts[0] == "transactions" && o.transactions[parts[1]] != nil:
		answer(w, http.StatusOK, o.transactions[parts[1]])
	case parts[len(parts)-1] == "statemententries":
		if parts[1] != "organisationid" || parts[2] != "palabre" || r.URL.Query().Get("fromDateTime") == "" {
			o.t.Errorf("a statement of %s", r.URL)
		}
		answer(w, http.StatusOK, o.list)
	default:
		answer(w, http.StatusNotFound, failure{"identification", "identifierError", ""})
	}
}

// header is a field of a request, however its name is written.
func header(r *http.Request, name string) string {
	for field, values := range r.Header {
		if strings.EqualFold(field, name) {
			return strings.Join(values, "")
		}
	}
	return ""
}

func (o *operator) post(w http.ResponseWriter, r *http.Request, parts []string) {
	correlation := header(r, "X-CorrelationID")
	if len(correlation) != 36 {
		o.t.Errorf("X-CorrelationID %q", correlation)
	}
	if o.fail != "" {
		answer(w, http.StatusBadRequest, failure{"businessRule", o.fail, "no"})
		return
	}
	if q := o.requests[correlation]; q != nil {
		answer(w, http.StatusBadRequest, failure{"businessRule", "duplicateRequest", ""})
		return
	}
	var m transaction
	if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
		o.t.Error(err)
	}
	q := &request{transaction: &m, requestState: requestState{Server: fmt.Sprintf("server-%d", len(o.requests)), Status: "pending", Reason: "awaiting approval"}}
	switch {
	case parts[1] == "type" && (parts[2] == "merchantpay" || parts[2] == "disbursement"):
		m.Type = parts[2]
	case len(parts) == 3 && parts[2] == "reversals" && o.transactions[parts[1]] != nil && m.Type == "reversal":
		q.original = o.transactions[parts[1]]
	default:
		o.t.Errorf("POST %v", parts)
	}
	o.requests[correlation] = q
	o.callbacks = append(o.callbacks, header(r, "X-Callback-URL"))
	if o.lose > 0 {
		o.lose--
		panic(http.ErrAbortHandler)
	}
	answer(w, http.StatusAccepted, q.requestState)
}

// approve ends all requests that wait, well or not.
func (o *operator) approve(ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, q := range o.requests {
		if q.Status != "pending" {
			continue
		}
		if !ok {
			q.Status, q.Error = "failed", failure{"businessRule", "insufficientFunds", "the customer has not enough"}
			continue
		}
		m := q.transaction
		m.Reference, m.Status, m.Modified = fmt.Sprintf("T%d", len(o.transactions)), "completed", time.Now().UTC()
		q.Status, q.Object = "completed", m.Reference
		o.transactions[m.Reference] = m
		o.list = append(o.list, m)
		if q.original != nil && q.original.Amount == m.Amount {
			q.original.Status = "reversed"
		}
	}
}

func answer(w http.ResponseWriter, code int, body any) {
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body)
}

const (
	first  = "transfer-00000001"
	second = "transfer-00000002"
	third  = "transfer-00000003"
	phone  = "+254700000001"
)

// with runs a test with an operator of its own.
func with(t *testing.T, test func(t *testing.T, w *railtest.World, o *operator)) {
	t.Helper()
	o := newOperator(t)
	key, secret := railtest.File(t, "key"), railtest.File(t, "callback secret")
	railtest.Run(t, "KES", func(t *testing.T) rail.Network {
		cfg := DefaultConfig()
		cfg.URL, cfg.Units, cfg.Identifier, cfg.ClientID, cfg.APIKeyFile = "https://operator.invalid/v1.2/mm", []string{"KES"}, "palabre", "client", key
		cfg.Callback, cfg.CallbackSecretFile = "https://example/pay/rail/network", secret
		c, err := New(cfg, &http.Client{Transport: sandbox.Inside(o)})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}, func(t *testing.T, w *railtest.World) { test(t, w, o) })
}

func TestInOutAndRefund(t *testing.T) {
	with(t, func(t *testing.T, w *railtest.World, o *operator) {
		if got := w.In(first, phone, 12500); got.State != rail.Accepted || got.Next.Kind != "wait" {
			t.Fatalf("got %v %+v: %s", got.State, got.Next, got.Why)
		}
		w.Out(second, phone, 700)
		o.approve(true)
		w.Pass(time.Minute)
		w.Stands(12500 - 700)
		w.Refund(third, first, 12500)
		w.Is(third, rail.Accepted)
		o.approve(true)
		w.Pass(time.Minute)
		w.Is(third, rail.Settled)
		w.Ask(w.Context(), first)
		if got := w.Is(first, rail.Settled); got.Returned != 0 {
			t.Fatalf("our own refund counts as the network's: %+v", got)
		}
		w.Stands(-700)
		if there := w.There(); there != -700 {
			t.Fatalf("in the network: %d", there)
		}
		w.Agrees()
		for _, m := range o.list {
			if m.Currency == "KES" && m.Amount != "125.00" && m.Amount != "7.00" {
				t.Errorf("an amount of %q", m.Amount)
			}
		}
	})
}

func TestLostAnswerIsAskedForByOurName(t *testing.T) {
	with(t, func(t *testing.T, w *railtest.World, o *operator) {
		o.lose = 1
		if got := w.Out(first, phone, 700); got.State != rail.Unknown {
			t.Fatalf("got %v", got.State)
		}
		w.Pass(time.Minute) // it waits there and has no response yet; sent again under the same name it is a duplicate
		w.Is(first, rail.Unknown)
		o.approve(true)
		w.Pass(10 * time.Minute)
		w.Is(first, rail.Settled)
		if len(o.transactions) != 1 {
			t.Fatalf("%d transactions", len(o.transactions))
		}
		w.Stands(-700)
		w.Agrees()
	})
}

func TestWhatTheOperatorRefuses(t *testing.T) {
	with(t, func(t *testing.T, w *railtest.World, o *operator) {
		w.Out(first, phone, 700)
		o.approve(false)
		w.Pass(time.Minute)
		if got := w.Is(first, rail.Rejected); !strings.Contains(got.Why, "insufficientFunds") {
			t.Fatalf("why: %q", got.Why)
		}
		o.fail = "dailyValueLimitExceeded"
		if got := w.Out(second, phone, 700); got.State != rail.Rejected {
			t.Fatalf("got %v: %s", got.State, got.Why)
		}
		if got := w.Out(third, "nobody", 700); got.State != rail.Rejected {
			t.Fatalf("got %v: %s", got.State, got.Why)
		}
		w.Stands(0)
	})
}

func TestTheOperatorReverses(t *testing.T) {
	with(t, func(t *testing.T, w *railtest.World, o *operator) {
		w.In(first, phone, 12500)
		o.approve(true)
		w.Pass(time.Minute)
		w.Stands(12500)
		o.transactions["T0"].Status = "reversed"
		w.Ask(w.Context(), first)
		w.Is(first, rail.Reversed)
		w.Stands(0)
	})
}

func TestCallback(t *testing.T) {
	with(t, func(t *testing.T, w *railtest.World, o *operator) {
		w.In(first, phone, 12500)
		w.Pass(2 * time.Hour)
		o.approve(true)
		path := strings.TrimPrefix(o.callbacks[0], "https://example/pay/rail/network")
		if code := w.Webhook(http.MethodPut, path[:len(path)-1]+"x", nil, []byte(`{}`)); code != http.StatusUnauthorized {
			t.Fatalf("a forged callback: %d", code)
		}
		w.Work()
		w.Is(first, rail.Accepted)
		for range 2 {
			if code := w.Webhook(http.MethodPut, path, nil, []byte(`{"transactionStatus":"completed"}`)); code != http.StatusNoContent {
				t.Fatalf("a callback: %d", code)
			}
			w.Work()
		}
		w.Is(first, rail.Settled)
		w.Stands(12500)
	})
}

func TestDifferences(t *testing.T) {
	with(t, func(t *testing.T, w *railtest.World, o *operator) {
		w.In(first, phone, 12500)
		w.Out(second, phone, 700)
		o.approve(true)
		w.Pass(time.Minute)
		for _, m := range o.list {
			if m.Type == "disbursement" {
				m.Amount = "7.01"
			}
		}
		o.list = append(o.list, &transaction{Reference: "T77", Amount: "1.00", Currency: "KES", Status: "completed", Modified: time.Now()})
		found := w.Differs()
		if len(found) != 2 || found[0].Kind != rail.OtherAmount || found[0].There != 701 || found[1].Kind != rail.MissingHere || found[1].Reference != "T77" {
			if len(found) != 2 || found[1].Kind != rail.OtherAmount || found[0].Kind != rail.MissingHere {
				t.Fatalf("found %+v", found)
			}
		}
		o.list = o.list[:1]
		o.list[0].Amount = map[string]string{"merchantpay": "125.00", "disbursement": "7.00"}[o.list[0].Type]
		if found := w.Differs(); len(found) != 1 || found[0].Kind != rail.MissingThere {
			t.Fatalf("found %+v", found)
		}
	})
}

func TestConfig(t *testing.T) {
	good := DefaultConfig()
	good.URL, good.Units, good.Identifier = "https://a.example/v1.2/mm", []string{"KES"}, "x"
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Config){
		"url": func(c *Config) { c.URL = "nowhere" }, "units": func(c *Config) { c.Units = nil }, "identifier": func(c *Config) { c.Identifier = "" },
		"repeat_hours": func(c *Config) { c.RepeatHours = 0 }, "callback": func(c *Config) { c.Callback = "https://b.example" },
	} {
		cfg := good
		change(&cfg)
		if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzAnswers(f *testing.F) {
	f.Add([]byte(`{"transactionReference":"T","transactionStatus":"completed","amount":"1.00","currency":"KES"}`))
	f.Add([]byte(`{"serverCorrelationId":"s","status":"pending"}`))
	c := &Client{}
	f.Fuzz(func(t *testing.T, body []byte) {
		s, err := c.transaction(rail.Transfer{Unit: "KES", Exponent: 2}, remote.Answer{Body: body})
		if err == nil && s.State == rail.Settled && s.Amount <= 0 && !strings.Contains(string(body), "0") {
			t.Errorf("settled with %d", s.Amount)
		}
		_ = linked(string(body))
	})
}
