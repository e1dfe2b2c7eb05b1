package app

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/test/palabretest"
	"palabre.dev/palabre/xmpp"
	"palabre.dev/palabre/xmpp/sasl"
)

// running is a whole server, with every feature, that serves until the test ends.
type running struct {
	*App
	test *palabretest.Server
	stop func()
}

// testConfig serves localhost on free ports from a folder of the test's own.
func testConfig(t *testing.T, engine string) Config {
	t.Helper()
	cfg := DefaultConfig()
	cfg.Data = t.TempDir()
	cfg.Store = storetest.Config(t, engine)
	cfg.C2S.Listen, cfg.C2S.ListenTLS = []string{"127.0.0.1:0"}, []string{"127.0.0.1:0"}
	cfg.C2S.FailureDelay = 0
	cfg.HTTP.Listen, cfg.HTTP.Local = []string{"127.0.0.1:0"}, "127.0.0.1:0"
	cfg.Account.Iterations = sasl.MinIterations
	return cfg
}

// start serves and makes the accounts of palabretest; romeo is the administrator.
func start(t *testing.T, cfg Config) *running {
	t.Helper()
	return startWith(t, cfg, slog.New(slog.DiscardHandler))
}

func startWith(t *testing.T, cfg Config, log *slog.Logger) *running {
	t.Helper()
	a, err := Open(t.Context(), cfg, log)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"romeo", "juliet", "mercutio", "nurse"} {
		if _, err := a.accounts.Create(t.Context(), name, palabretest.Password, name == "romeo", nil); err != nil {
			t.Fatal(err)
		}
	}
	return a.serving(t)
}

// serveAgain serves what is there.
func serveAgain(t *testing.T, cfg Config) *running {
	t.Helper()
	a, err := Open(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return a.serving(t)
}

// serving runs an app until the test ends.
func (a *App) serving(t *testing.T) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	opened, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- a.Serve(ctx, func() { close(opened) }) }()
	select {
	case <-opened:
	case err := <-ended:
		cancel()
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(a.cert.CA())
	places := a.Places()
	r := &running{App: a, test: &palabretest.Server{Context: t.Context(), Addr: places[0].Address.String(), DirectAddr: places[1].Address.String(), Roots: roots}}
	r.stop = func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		r.stop = func() {}
	}
	t.Cleanup(func() { r.stop() })
	return r
}

// browser fetches pages from the HTTPS door as a person's browser does.
func (r *running) browser() (client *http.Client, base string) {
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: r.test.Roots, ServerName: "localhost"}}
	return &http.Client{Transport: transport}, "https://" + r.http.Addresses()[0].String()
}

func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	for _, engine := range []string{storetest.SQLite, storetest.Postgres} {
		for _, file := range files {
			t.Run(engine+"/"+strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
				t.Parallel()
				palabretest.Play(t, start(t, testConfig(t, engine)).test, file)
			})
		}
	}
}

// fetch asks for a page, or sends a form if there is one.
func fetch(t *testing.T, client *http.Client, url, form string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if form != "" {
		request, err = http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(form))
	}
	if err != nil {
		t.Fatal(err)
	}
	if form != "" {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

func TestAccountFromTheInvitationPage(t *testing.T) {
	r := start(t, testConfig(t, storetest.SQLite))
	var link struct{ Web string }
	ask(t, r.cfg, "invite", InviteArgs{}, &link)
	client, base := r.browser()
	page := base + link.Web[strings.Index(link.Web, "/invite/"):]
	if status, body := fetch(t, client, page, ""); status != 200 || !strings.Contains(body, "Make my account") || strings.Contains(body, "<script") {
		t.Errorf("page: %d %s", status, body)
	}
	for form, want := range map[string]int{"name=benvolio&password=short": 422, "name=romeo&password=long+enough": 422, "name=a%40b&password=long+enough": 422, "name=abuse&password=long+enough": 422} {
		if status, body := fetch(t, client, page, form); status != want || !strings.Contains(body, `role="alert"`) {
			t.Errorf("%s: %d %s", form, status, body)
		}
	}
	if status, body := fetch(t, client, page, "name=Benvolio&password="+palabretest.Password); status != 201 || !strings.Contains(body, "benvolio@localhost") {
		t.Errorf("account: %d %s", status, body)
	}
	if status, _ := fetch(t, client, page, "name=tybalt&password="+palabretest.Password); status != 404 {
		t.Errorf("used twice: %d", status)
	}
	r.test.Login(t, "benvolio/home").Close()
}

func TestFormsFromOtherSitesAreRefused(t *testing.T) {
	r := start(t, testConfig(t, storetest.SQLite))
	var link struct{ Web string }
	ask(t, r.cfg, "invite", InviteArgs{}, &link)
	client, base := r.browser()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+link.Web[strings.Index(link.Web, "/invite/"):], strings.NewReader("name=a&password=b"))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Sec-Fetch-Site", "cross-site")
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	if response.Body.Close(); response.StatusCode != http.StatusForbidden {
		t.Errorf("%d", response.StatusCode)
	}
}

func TestGracefulStop(t *testing.T) {
	cfg := testConfig(t, storetest.SQLite)
	cfg.Store = storetest.File(t)
	r := start(t, cfg)
	romeo := r.test.Login(t, "romeo/home")
	r.stop()
	romeo.Expect(xmpp.NSStream, "error") // system-shutdown
	romeo.Closed()
	if Running(cfg) {
		t.Error("the control socket still answers")
	}
	again, err := Open(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal("the database was not closed: ", err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}

func TestControlSocketInADeepFolder(t *testing.T) {
	cfg := testConfig(t, storetest.SQLite)
	cfg.Data = filepath.Join(cfg.Data, strings.Repeat("deep/", 30))
	r := start(t, cfg)
	var s Status
	ask(t, cfg, "status", struct{}{}, &s)
	if !Running(cfg) || s.Accounts != 4 {
		t.Errorf("%+v", s)
	}
	r.stop()
	if Running(cfg) {
		t.Error("answers after the stop")
	}
}

// ask does an operation as the command line does.
func ask(t *testing.T, cfg Config, name string, args, result any) {
	t.Helper()
	var out bytes.Buffer
	if err := Operate(t.Context(), cfg, name, args, nil, &out); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out.Bytes(), result); err != nil {
		t.Fatalf("%s: %v", out.String(), err)
	}
}
