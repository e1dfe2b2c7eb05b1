package pix

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"palabre.dev/palabre/payments/rail"
	"palabre.dev/palabre/payments/rail/railtest"
	"palabre.dev/palabre/payments/rail/remote"
	"palabre.dev/palabre/payments/rail/sandbox"
)

// psp is a simulator of a provider's API Pix, written from its public definition (2.9), and of Efí's payments out.
type psp struct {
	t  *testing.T
	mu sync.Mutex // guards the following

	charges map[string]*cob
	returns map[string]*devolucao // by endToEndId/id
	sent    map[string]*out
	order   []string
	lose    int // answers to PUT that are lost
	refuse  bool
	tokens  int
}

type out struct {
	ID       string         `json:"idEnvio"`
	EndToEnd string         `json:"endToEndId"`
	Value    string         `json:"valor"`
	Status   string         `json:"status"`
	Times    map[string]any `json:"horario"`
}

func newPSP(t *testing.T) *psp {
	return &psp{t: t, charges: map[string]*cob{}, returns: map[string]*devolucao{}, sent: map[string]*out{}}
}

var (
	txid  = regexp.MustCompile(`^[a-zA-Z0-9]{26,35}$`)
	money = regexp.MustCompile(`^\d{1,10}\.\d{2}$`)
)

func (p *psp) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r.URL.Path == "/oauth/token" {
		id, secret, ok := r.BasicAuth()
		if !ok || id != "client" || secret != "client+secret" || r.FormValue("grant_type") != "client_credentials" || !strings.Contains(r.FormValue("scope"), "cob.write") {
			reply(w, http.StatusUnauthorized, nil)
			return
		}
		p.tokens++
		reply(w, http.StatusOK, map[string]any{"access_token": fmt.Sprint("token-", p.tokens), "expires_in": 3600, "token_type": "Bearer"})
		return
	}
	if r.Header.Get("Authorization") != fmt.Sprint("Bearer token-", p.tokens) {
		reply(w, http.StatusForbidden, nil)
		return
	}
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	last := parts[len(parts)-1]
	switch {
	case parts[1] == "cob":
		p.cob(w, r, last)
	case len(parts) == 5 && parts[3] == "devolucao":
		p.devolucao(w, r, parts[2], last)
	case len(parts) == 2 && parts[1] == "pix":
		p.list(w, r)
	case r.URL.Path == "/v2/gn/pix/enviados":
		all := []*out{}
		for _, o := range p.sent {
			all = append(all, o)
		}
		reply(w, http.StatusOK, map[string]any{"pix": all})
	case strings.HasPrefix(r.URL.Path, "/v3/gn/pix/") && r.Method == http.MethodPut, strings.HasPrefix(r.URL.Path, "/v2/gn/pix/enviados/id-envio/"):
		p.envio(w, r, last)
	default:
		p.t.Errorf("%s %s", r.Method, r.URL)
		reply(w, http.StatusNotFound, nil)
	}
}

func reply(w http.ResponseWriter, code int, body any) {
	if code >= 400 && body == nil {
		body = map[string]any{"type": "https://pix.bcb.gov.br/api/v2/error/X", "title": "X", "status": code, "detail": "no"}
	}
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body)
}

// put answers what a PUT made, or loses that answer.
func (p *psp) put(w http.ResponseWriter, body any) {
	if p.lose > 0 {
		p.lose--
		panic(http.ErrAbortHandler)
	}
	reply(w, http.StatusCreated, body)
}

func (p *psp) cob(w http.ResponseWriter, r *http.Request, id string) {
	c := p.charges[id]
	if r.Method == http.MethodGet {
		if c == nil {
			reply(w, http.StatusNotFound, nil)
			return
		}
		reply(w, http.StatusOK, c)
		return
	}
	var asked cob
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil || !txid.MatchString(id) || !money.MatchString(asked.Value.Original) || asked.Key != "key@example" || asked.Calendar.Lasts <= 0 {
		p.t.Errorf("a charge %q: %+v, %v", id, asked, err)
	}
	if c != nil || p.refuse {
		reply(w, http.StatusBadRequest, nil)
		return
	}
	asked.TxID, asked.Status, asked.Code, asked.Calendar.Created = id, "ATIVA", "00020126…6304ABCD", time.Now().UTC()
	p.charges[id] = &asked
	p.order = append(p.order, id)
	p.put(w, asked)
}

func (p *psp) devolucao(w http.ResponseWriter, r *http.Request, e2e, id string) {
	d := p.returns[e2e+"/"+id]
	if r.Method == http.MethodGet {
		if d == nil {
			reply(w, http.StatusNotFound, nil)
			return
		}
		reply(w, http.StatusOK, d)
		return
	}
	var asked map[string]string
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil || !money.MatchString(asked["valor"]) {
		p.t.Errorf("a devolução: %v, %v", asked, err)
	}
	if d != nil {
		reply(w, http.StatusBadRequest, nil)
		return
	}
	d = &devolucao{ID: id, Return: "D" + id[:31], Value: asked["valor"], Status: "EM_PROCESSAMENTO"}
	p.returns[e2e+"/"+id] = d
	p.put(w, d)
}

func (p *psp) envio(w http.ResponseWriter, r *http.Request, id string) {
	o := p.sent[id]
	if r.Method == http.MethodGet {
		if o == nil {
			reply(w, http.StatusNotFound, nil)
			return
		}
		reply(w, http.StatusOK, o)
		return
	}
	if o != nil || p.refuse {
		reply(w, http.StatusBadRequest, map[string]string{"nome": "chave_invalida", "mensagem": "no"})
		return
	}
	var asked struct {
		Value      string            `json:"valor"`
		Pagador    map[string]string `json:"pagador"`
		Favorecido map[string]string `json:"favorecido"`
	}
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil || asked.Pagador["chave"] != "key@example" || asked.Favorecido["chave"] == "" {
		p.t.Errorf("a payment out: %+v, %v", asked, err)
	}
	o = &out{ID: id, EndToEnd: "E" + id[:31], Value: asked.Value, Status: "EM_PROCESSAMENTO", Times: map[string]any{"solicitacao": time.Now().UTC()}}
	p.sent[id] = o
	p.put(w, o)
}

func (p *psp) list(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Get("inicio") == "" || r.URL.Query().Get("paginacao.itensPorPagina") != "100" {
		p.t.Errorf("a list of %s", r.URL)
	}
	all := []pix{}
	for _, id := range p.order {
		for _, received := range p.charges[id].Received {
			from, err := time.Parse(time.RFC3339, r.URL.Query().Get("inicio"))
			to, err2 := time.Parse(time.RFC3339, r.URL.Query().Get("fim"))
			if err != nil || err2 != nil {
				p.t.Errorf("times of a list: %v, %v", err, err2)
			}
			if received = p.withReturns(received); received.At.Before(from) || received.At.After(to) || r.URL.Query().Get("devolucaoPresente") == "true" && len(received.Returns) == 0 {
				continue
			}
			all = append(all, received)
		}
	}
	reply(w, http.StatusOK, map[string]any{"pix": all})
}

func (p *psp) withReturns(received pix) pix {
	for name, d := range p.returns {
		if strings.HasPrefix(name, received.EndToEnd+"/") {
			received.Returns = append(received.Returns, *d)
		}
	}
	return received
}

// pay lets the person pay a charge.
func (p *psp) pay(id, amount string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.charges[remote.Name(id)]
	e2e := "E" + c.TxID[:31]
	c.Status, c.Received = "CONCLUIDA", []pix{{EndToEnd: e2e, TxID: c.TxID, Value: amount, At: time.Now().UTC()}}
	return e2e
}

// end ends all that is being done.
func (p *psp) end(well bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, d := range p.returns {
		if d.Status == "EM_PROCESSAMENTO" {
			d.Status, d.Times.Settled = map[bool]string{true: "DEVOLVIDO", false: "NAO_REALIZADO"}[well], time.Now().UTC()
		}
	}
	for _, o := range p.sent {
		if o.Status == "EM_PROCESSAMENTO" {
			o.Status = map[bool]string{true: "REALIZADO", false: "NAO_REALIZADO"}[well]
			o.Times["liquidacao"] = time.Now().UTC()
		}
	}
}

const (
	first  = "transfer-00000001"
	second = "transfer-00000002"
	third  = "transfer-00000003"
)

func config(t *testing.T) Config {
	cfg := DefaultConfig()
	cfg.URL, cfg.TokenURL, cfg.ClientID, cfg.PixKey, cfg.SendURL = "https://psp.invalid/v2", "https://psp.invalid/oauth/token", "client", "key@example", "https://psp.invalid"
	cfg.SecretFile, cfg.WebhookSecretFile = railtest.File(t, "client secret"), railtest.File(t, "webhook secret")
	return cfg
}

func with(t *testing.T, test func(t *testing.T, w *railtest.World, p *psp, c *Client)) {
	t.Helper()
	p, cfg := newPSP(t), config(t)
	var c *Client
	railtest.Run(t, "BRL", func(t *testing.T) rail.Network {
		var err error
		if c, err = New(cfg, &http.Client{Transport: sandbox.Inside(p)}); err != nil {
			t.Fatal(err)
		}
		return c
	}, func(t *testing.T, w *railtest.World) { test(t, w, p, c) })
}

func TestInOutAndRefund(t *testing.T) {
	with(t, func(t *testing.T, w *railtest.World, p *psp, _ *Client) {
		if got := w.In(first, "", 5000); got.State != rail.Accepted || got.Next.Kind != "show" || !strings.HasPrefix(got.Next.Value, "000201") {
			t.Fatalf("got %v, %+v: %s", got.State, got.Next, got.Why)
		}
		e2e := p.pay(first, "50.00")
		w.Pass(time.Minute)
		if got := w.Is(first, rail.Settled); got.Reference != e2e {
			t.Fatalf("reference %q", got.Reference)
		}
		w.Out(second, "nurse@example", 705)
		w.Refund(third, first, 2000)
		w.Is(second, rail.Accepted)
		w.Is(third, rail.Accepted)
		p.end(true)
		w.Pass(time.Minute)
		w.Is(second, rail.Settled)
		w.Is(third, rail.Settled)
		p.charges[remote.Name(first)].Received[0] = p.withReturns(p.charges[remote.Name(first)].Received[0])
		w.Ask(w.Context(), first)
		if got := w.Is(first, rail.Settled); got.Returned != 0 {
			t.Fatalf("our own refund counts as the network's: %d", got.Returned)
		}
		p.charges[remote.Name(first)].Received[0].Returns = nil
		w.Stands(5000 - 705 - 2000)
		if there := w.There(); there != 5000-705-2000 {
			t.Fatalf("in the network: %d", there)
		}
		w.Agrees()
	})
}

// TestRefundOfAnOldPayment: the provider lists a devolução with its payment, by the time of that.
func TestRefundOfAnOldPayment(t *testing.T) {
	with(t, func(t *testing.T, w *railtest.World, p *psp, _ *Client) {
		w.In(first, "", 5000)
		p.pay(first, "50.00")
		w.Pass(40 * 24 * time.Hour)
		w.Refund(third, first, 2000)
		p.end(true)
		w.Pass(time.Minute)
		w.Is(third, rail.Settled)
		w.Agrees()
	})
}

// TestLostAnswers: a name that is known is refused when it comes again, and that is no refusal of the transfer.
func TestLostAnswers(t *testing.T) {
	with(t, func(t *testing.T, w *railtest.World, p *psp, _ *Client) {
		p.lose = 1
		w.In(first, "", 5000)
		w.Is(first, rail.Unknown)
		w.Pass(time.Minute)
		w.Is(first, rail.Accepted)
		p.pay(first, "50.00")
		w.Pass(10 * time.Minute)
		p.lose = 2
		w.Out(second, "nurse@example", 705)
		w.Refund(third, first, 2000)
		w.Is(second, rail.Unknown)
		w.Is(third, rail.Unknown)
		p.end(true)
		w.Pass(time.Minute)
		w.Is(second, rail.Settled)
		w.Is(third, rail.Settled)
		if len(p.charges) != 1 || len(p.sent) != 1 || len(p.returns) != 1 {
			t.Fatalf("%d charges, %d payments out, %d returns", len(p.charges), len(p.sent), len(p.returns))
		}
		w.Stands(5000 - 705 - 2000)
		w.Agrees()
	})
}

func TestRefusedAndUnpaid(t *testing.T) {
	with(t, func(t *testing.T, w *railtest.World, p *psp, _ *Client) {
		w.In(first, "", 5000)
		w.Pass(2 * time.Hour) // the charge is over
		w.Is(first, rail.Rejected)
		w.Out(second, "nurse@example", 705)
		p.end(false)
		w.Pass(time.Minute)
		w.Is(second, rail.Rejected)
		p.refuse = true
		if got := w.Out(third, "nobody", 705); got.State != rail.Rejected || !strings.Contains(got.Why, "chave_invalida") {
			t.Fatalf("got %v: %s", got.State, got.Why)
		}
		w.Stands(0)
	})
}

// TestPaidAfterItsEnd: a charge that was given up and turns out to be paid is credited all the same; and so is another amount than was asked for.
func TestPaidAfterItsEnd(t *testing.T) {
	with(t, func(t *testing.T, w *railtest.World, p *psp, c *Client) {
		w.In(first, "", 5000)
		w.Pass(2 * time.Hour)
		w.Is(first, rail.Rejected)
		e2e := p.pay(first, "49.99")
		body := []byte(`{"pix":[{"endToEndId":"` + e2e + `","txid":"` + remote.Name(first) + `","valor":"49.99","horario":"2026-11-22T01:00:00Z"}]}`)
		for _, path := range []string{"/pix", "/" + strings.Repeat("0", 32) + "/pix"} {
			if code := w.Webhook(http.MethodPost, path, nil, body); code != http.StatusUnauthorized {
				t.Fatalf("a forged webhook: %d", code)
			}
		}
		w.Work()
		w.Is(first, rail.Rejected)
		if code := w.Webhook(http.MethodPost, "/"+c.Mark()+"/pix", nil, body); code != http.StatusOK {
			t.Fatalf("a webhook: %d", code)
		}
		w.Work()
		if got := w.Is(first, rail.Settled); got.Moved != 4999 {
			t.Fatalf("moved %d", got.Moved)
		}
		w.Stands(4999)
		w.Agrees()
	})
}

// TestTheNetworkTakesBack: a devolução of the special mechanism (MED) is none of ours.
func TestTheNetworkTakesBack(t *testing.T) {
	with(t, func(t *testing.T, w *railtest.World, p *psp, _ *Client) {
		w.In(first, "", 5000)
		e2e := p.pay(first, "50.00")
		w.Pass(time.Minute)
		p.returns[e2e+"/med"] = &devolucao{ID: "med", Return: "D00000000000000000000000000000med", Value: "50.00", Nature: "MED_FRAUDE", Status: "EM_PROCESSAMENTO"}
		p.end(true)
		if found := w.Differs(); len(found) != 1 || found[0].Kind != rail.OtherState || found[0].There != 5000 {
			t.Fatalf("found %+v", found)
		}
		p.charges[remote.Name(first)].Received[0] = p.withReturns(p.charges[remote.Name(first)].Received[0])
		w.Work()
		w.Is(first, rail.Reversed)
		w.Stands(0)
		p.charges[remote.Name(first)].Received[0].Returns = nil
		w.Agrees()
	})
}

// TestCertificateOfTheCaller: with authorities set, a webhook comes from who has one of their certificates.
func TestCertificateOfTheCaller(t *testing.T) {
	authority, key := certificate(t, nil, nil)
	caller, _ := certificate(t, authority, key)
	stranger, _ := certificate(t, nil, nil)
	pool := x509.NewCertPool()
	pool.AddCert(authority)
	c := &Client{callers: pool, now: time.Now}
	for name, one := range map[string]struct {
		state *tls.ConnectionState
		want  bool
	}{"in clear": {nil, false}, "without": {&tls.ConnectionState{}, false}, "a stranger": {&tls.ConnectionState{PeerCertificates: []*x509.Certificate{stranger}}, false},
		"the provider": {&tls.ConnectionState{PeerCertificates: []*x509.Certificate{caller}}, true}} {
		r := httptest.NewRequest(http.MethodPost, "/pay/rail/pix/pix", nil)
		r.TLS = one.state
		if _, err := c.Hear(r, []byte(`{"pix":[]}`)); (err == nil) != one.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// certificate makes one, of an authority if there is one.
func certificate(t *testing.T, parent *x509.Certificate, parentKey *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "psp"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: parent == nil, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	by, byKey := parent, parentKey
	if by == nil {
		by, byKey = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, by, &key.PublicKey, byKey)
	if err != nil {
		t.Fatal(err)
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return made, key
}

func FuzzAnswers(f *testing.F) {
	f.Add([]byte(`{"status":"CONCLUIDA","pix":[{"endToEndId":"E","valor":"1.00"}]}`))
	f.Add([]byte(`{"status":"DEVOLVIDO","valor":"1.00"}`))
	c := &Client{now: time.Now, secret: "x"}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, kind := range []rail.Kind{rail.CashIn, rail.CashOut, rail.Refund} {
			if s, err := c.read(rail.Transfer{Kind: kind, Amount: 1}, remote.Answer{Body: body}); err == nil && (s.Amount < 0 || s.Returned < 0) {
				t.Errorf("%+v", s)
			}
		}
	})
}
