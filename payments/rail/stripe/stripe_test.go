package stripe

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"palabre.dev/palabre/payments/rail"
	"palabre.dev/palabre/payments/rail/railtest"
	"palabre.dev/palabre/payments/rail/sandbox"
)

// stripe is a simulator of the parts of Stripe's API that are used, with what it remembers: Checkout Sessions, PaymentIntents with a charge, Transfers, Refunds,
// disputes, balance transactions, and keys of requests that come twice.
type stripe struct {
	t  *testing.T
	mu sync.Mutex // guards the following

	made     map[string]thing  // answers by Idempotency-Key
	asked    map[string]string // what was asked for, by Idempotency-Key
	objects  map[string]thing
	order    []string
	balance  []thing
	lose     int // answers to POST that are lost
	drop     int // requests that are lost
	code     int // for what comes next, 0 for none
	number   int
	disputes []thing
}

type thing map[string]any

func newStripe(t *testing.T) *stripe {
	return &stripe{t: t, made: map[string]thing{}, asked: map[string]string{}, objects: map[string]thing{}}
}

func (s *stripe) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Header.Get("Authorization") != "Bearer sk_test" || r.Header.Get("Stripe-Version") == "" {
		s.t.Errorf("headers %v", r.Header)
	}
	if s.code != 0 {
		reply(w, s.code, thing{"error": thing{"type": "card_error", "code": "card_declined", "message": "no"}})
		return
	}
	if r.Method == http.MethodPost {
		s.post(w, r)
		return
	}
	parts := strings.Split(strings.TrimPrefix(r.URL.Path, "/v1/"), "/")
	name := strings.Join(parts, "/")
	switch id := parts[len(parts)-1]; {
	case s.objects[id] != nil:
		reply(w, http.StatusOK, s.objects[id])
	case name == "balance_transactions":
		s.reply(w, r, s.balance)
	case name == "disputes":
		s.reply(w, r, s.disputes)
	case name == "checkout/sessions", name == "transfers", name == "refunds":
		var all []thing
		for i := range s.order {
			o := s.objects[s.order[len(s.order)-1-i]]
			group, intent := r.URL.Query().Get("transfer_group"), r.URL.Query().Get("payment_intent")
			if "/v1/"+name == o["list"] && (group == "" || o["transfer_group"] == group) && (intent == "" || o["payment_intent"] == intent) {
				all = append(all, o)
			}
		}
		s.reply(w, r, all)
	default:
		reply(w, http.StatusNotFound, thing{"error": thing{"type": "invalid_request_error", "code": "resource_missing"}})
	}
}

// reply answers a page of two.
func (s *stripe) reply(w http.ResponseWriter, r *http.Request, all []thing) {
	from := 0
	for i, o := range all {
		if o["id"] == r.URL.Query().Get("starting_after") {
			from = i + 1
		}
	}
	to := min(from+2, len(all))
	reply(w, http.StatusOK, thing{"object": "list", "data": append([]thing{}, all[from:to]...), "has_more": to < len(all)})
}

func reply(w http.ResponseWriter, code int, body any) {
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body)
}

func (s *stripe) post(w http.ResponseWriter, r *http.Request) {
	if s.drop > 0 {
		s.drop--
		panic(http.ErrAbortHandler)
	}
	if err := r.ParseForm(); err != nil {
		s.t.Error(err)
	}
	key := r.Header.Get("Idempotency-Key")
	o := s.made[key]
	if o != nil && s.asked[key] != r.PostForm.Encode() {
		reply(w, http.StatusBadRequest, thing{"error": thing{"type": "idempotency_error"}})
		return
	}
	if o == nil {
		o = s.create(r.URL.Path, r.PostForm)
		s.made[key], s.asked[key] = o, r.PostForm.Encode()
	}
	if s.lose > 0 {
		s.lose--
		panic(http.ErrAbortHandler)
	}
	reply(w, http.StatusOK, o)
}

func (s *stripe) create(path string, f url.Values) thing {
	s.number++
	amount, _ := strconv.ParseInt(f.Get("amount"), 10, 64)
	o := thing{"list": path, "metadata": thing{ours: f.Get("metadata[palabre]")}, "created": time.Now().Unix(), "currency": f.Get("currency"), "amount": amount, "transfer_group": f.Get("transfer_group")}
	switch path {
	case "/v1/checkout/sessions":
		o["id"], o["object"], o["status"], o["payment_status"] = fmt.Sprintf("cs_%d", s.number), "checkout.session", "open", "unpaid"
		o["url"], o["client_reference_id"], o["currency"] = "https://checkout.invalid/"+strconv.Itoa(s.number), f.Get("client_reference_id"), f.Get("line_items[0][price_data][currency]")
		o["amount_total"], _ = strconv.ParseInt(f.Get("line_items[0][price_data][unit_amount]"), 10, 64)
	case "/v1/transfers":
		o["id"], o["object"], o["amount_reversed"] = fmt.Sprintf("tr_%d", s.number), "transfer", 0
		s.moved("transfer", -amount, o)
	case "/v1/refunds":
		o["id"], o["object"], o["status"], o["payment_intent"] = fmt.Sprintf("re_%d", s.number), "refund", "pending", f.Get("payment_intent")
		o["currency"] = s.objects[f.Get("payment_intent")]["latest_charge"].(thing)["currency"]
		s.moved("refund", -amount, o)
	}
	s.objects[o["id"].(string)] = o
	s.order = append(s.order, o["id"].(string))
	return o
}

func (s *stripe) moved(kind string, amount int64, source thing) thing {
	b := thing{"id": fmt.Sprintf("txn_%d", len(s.balance)), "type": kind, "amount": amount, "currency": source["currency"], "created": time.Now().Unix(), "fee": 0, "source": source}
	s.balance = append(s.balance, b)
	return b
}

// pay lets the person pay a session.
func (s *stripe) pay(session string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.objects[session]
	pi := "pi_" + session[3:]
	charge := thing{"id": "ch_" + session[3:], "object": "charge", "metadata": o["metadata"], "payment_intent": pi, "currency": o["currency"], "amount": o["amount_total"],
		"amount_captured": o["amount_total"], "amount_refunded": int64(0), "disputed": false, "created": time.Now().Unix()}
	b := s.moved("charge", o["amount_total"].(int64), charge)
	b["fee"] = 33
	charge["balance_transaction"] = thing{"fee": 33, "currency": o["currency"], "created": b["created"]}
	s.objects[pi] = thing{"id": pi, "object": "payment_intent", "status": "succeeded", "latest_charge": charge}
	o["status"], o["payment_status"], o["payment_intent"] = "complete", "paid", pi
}

const (
	first  = "transfer-00000001"
	second = "transfer-00000002"
	third  = "transfer-00000003"
)

func with(t *testing.T, test func(t *testing.T, w *railtest.World, s *stripe, c *Client)) {
	t.Helper()
	s := newStripe(t)
	key, secret := railtest.File(t, "sk_test"), railtest.File(t, "whsec_x")
	var c *Client
	railtest.Run(t, "EUR", func(t *testing.T) rail.Network {
		cfg := DefaultConfig()
		cfg.Units, cfg.KeyFile, cfg.WebhookSecretFile, cfg.Return = []string{"EUR"}, key, secret, "https://example/wallet"
		var err error
		if c, err = New(cfg, &http.Client{Transport: sandbox.Inside(s)}); err != nil {
			t.Fatal(err)
		}
		return c
	}, func(t *testing.T, w *railtest.World) { test(t, w, s, c) })
}

func TestInOutAndRefund(t *testing.T) {
	with(t, func(t *testing.T, w *railtest.World, s *stripe, _ *Client) {
		got := w.In(first, "", 5000)
		if got.State != rail.Accepted || got.Next.Kind != "go" || !strings.HasPrefix(got.Next.Value, "https://checkout.invalid/") {
			t.Fatalf("got %v, %+v: %s", got.State, got.Next, got.Why)
		}
		s.pay(got.Reference)
		w.Pass(time.Minute)
		if got := w.Is(first, rail.Settled); got.Cost != 33 || got.Reference != "pi_1" {
			t.Fatalf("got %+v", got)
		}
		w.Out(second, "acct_1", 700)
		w.Is(second, rail.Settled)
		w.Refund(third, first, 2000)
		w.Is(third, rail.Accepted)
		s.objects["re_3"]["status"] = "succeeded"
		w.Pass(time.Minute)
		w.Is(third, rail.Settled)
		w.Stands(5000 - 700 - 2000)
		if there := w.There(); there != 5000-33-700-2000 {
			t.Fatalf("in the network: %d", there)
		}
		w.Agrees()
		if got := w.Out("transfer-00000009", "+254700000001", 1); got.State != rail.Rejected {
			t.Fatalf("to nobody: %v", got.State)
		}
	})
}

// TestLost loses requests and answers of each kind: what is there is found by our id, and nothing is made twice.
func TestLost(t *testing.T) {
	for name, lost := range map[string]func(*stripe){"answer": func(s *stripe) { s.lose = 1 }, "request": func(s *stripe) { s.drop = 1 }, "both": func(s *stripe) { s.lose, s.drop = 1, 1 }} {
		t.Run(name, func(t *testing.T) {
			with(t, func(t *testing.T, w *railtest.World, s *stripe, _ *Client) {
				w.In("transfer-00000007", "", 10)
				w.In("transfer-00000008", "", 10)
				lost(s)
				w.In(first, "", 5000)
				w.Is(first, rail.Unknown)
				w.Pass(time.Minute)
				got := w.Is(first, rail.Accepted)
				s.pay(got.Reference)
				w.Pass(time.Minute)
				lost(s)
				w.Out(second, "acct_1", 700)
				w.Is(second, rail.Unknown)
				w.Pass(time.Minute)
				w.Is(second, rail.Settled)
				lost(s)
				w.Refund(third, first, 2000)
				w.Pass(time.Minute)
				s.objects[w.Is(third, rail.Accepted).Reference]["status"] = "succeeded"
				w.Pass(time.Minute)
				w.Is(third, rail.Settled)
				w.Stands(5000 - 700 - 2000)
				if len(s.made) != 5 {
					t.Fatalf("%d things were made", len(s.made))
				}
				w.Agrees()
			})
		})
	}
}

// TestAfterADay: keys are forgotten by then, so nothing is sent again; what is not there was refused.
func TestAfterADay(t *testing.T) {
	with(t, func(t *testing.T, w *railtest.World, s *stripe, _ *Client) {
		s.drop = 1_000_000
		w.Out(first, "acct_1", 700)
		w.Pass(30 * time.Hour)
		w.Is(first, rail.Rejected)
		s.drop = 0
		w.Pass(30 * time.Hour)
		if len(s.made) != 0 {
			t.Fatal("it was sent again")
		}
		w.Stands(0)
	})
}

func TestDisputeAndReversal(t *testing.T) {
	with(t, func(t *testing.T, w *railtest.World, s *stripe, _ *Client) {
		s.pay(w.In(first, "", 5000).Reference)
		w.Pass(time.Minute)
		w.Out(second, "acct_1", 700)
		charge := s.objects["pi_1"]["latest_charge"].(thing)
		charge["disputed"] = true
		s.disputes = []thing{{"id": "dp_1", "object": "dispute", "amount": 5000, "status": "needs_response"}}
		s.objects["tr_2"]["amount_reversed"] = 200
		w.Ask(w.Context(), first)
		w.Ask(w.Context(), second)
		w.Is(first, rail.Reversed)
		if got := w.Is(second, rail.Settled); got.Returned != 200 {
			t.Fatalf("returned %d", got.Returned)
		}
		w.Stands(-500)
		s.disputes[0]["status"] = "won"
		w.Ask(w.Context(), first)
		w.Is(first, rail.Settled)
		w.Stands(4500)
	})
}

func TestRefusedAndUnpaid(t *testing.T) {
	with(t, func(t *testing.T, w *railtest.World, s *stripe, _ *Client) {
		got := w.In(first, "", 5000)
		s.objects[got.Reference]["status"] = "expired"
		w.Pass(time.Minute)
		w.Is(first, rail.Rejected)
		for code, want := range map[int]rail.State{http.StatusPaymentRequired: rail.Rejected, http.StatusUnauthorized: rail.Unknown, http.StatusTooManyRequests: rail.Unknown, 500: rail.Unknown} {
			s.code = code
			id := "transfer-of-code-" + strconv.Itoa(code)
			if got := w.Out(id, "acct_1", 1); got.State != want {
				t.Errorf("%d: %v", code, got.State)
			}
		}
		s.code = 0
	})
}

// TestWebhookSignature takes Stripe's own, and no other: not another secret's, not of another body, not one that is old.
func TestWebhookSignature(t *testing.T) {
	with(t, func(t *testing.T, w *railtest.World, s *stripe, c *Client) {
		got := w.In(first, "", 5000)
		w.Pass(2 * time.Hour)
		s.pay(got.Reference)
		body := []byte(`{"id":"evt_1","type":"checkout.session.completed","data":{"object":{"id":"` + got.Reference + `","object":"checkout.session","metadata":{"palabre":"` + first + `"}}}}`)
		sign := func(at time.Time, secret string, body []byte) http.Header {
			stamp := strconv.FormatInt(at.Unix(), 10)
			return http.Header{"Stripe-Signature": {"t=" + stamp + ",v0=aa,v1=" + signature(secret, stamp, body)}}
		}
		for name, header := range map[string]http.Header{"none": nil, "another secret": sign(time.Now(), "whsec_y", body), "another body": sign(time.Now(), "whsec_x", body[1:]),
			"old": sign(time.Now().Add(-6*time.Minute), "whsec_x", body), "to come": sign(time.Now().Add(6*time.Minute), "whsec_x", body), "no time": {"Stripe-Signature": {"v1=aa"}}} {
			if code := w.Webhook(http.MethodPost, "", header, body); code != http.StatusUnauthorized {
				t.Errorf("%s: %d", name, code)
			}
		}
		w.Work()
		w.Is(first, rail.Accepted)
		for range 2 {
			if code := w.Webhook(http.MethodPost, "", sign(time.Now(), "whsec_x", body), body); code != http.StatusOK {
				t.Fatalf("got %d", code)
			}
			w.Work()
		}
		w.Is(first, rail.Settled)
		w.Stands(5000)
	})
}

func FuzzSignature(f *testing.F) {
	f.Add("t=1,v1=aa", []byte("{}"))
	c := &Client{secret: "whsec_x", now: time.Now}
	f.Fuzz(func(t *testing.T, header string, body []byte) {
		if c.signed(header, body) {
			t.Errorf("%q signs", header)
		}
	})
}
