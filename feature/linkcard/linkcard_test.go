package linkcard

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"palabre.dev/palabre/core/coretest"
	"palabre.dev/palabre/store/storetest"
)

// town is a server with the feature, before an internet of the test's own.
type town struct {
	*coretest.World
	*Feature
	*web
	stop func()
}

func newTown(t *testing.T, change func(*Config), handler http.HandlerFunc) *town {
	t.Helper()
	cfg := DefaultConfig()
	if change != nil {
		change(&cfg)
	}
	f, err := New(cfg, coretest.Log(t))
	if err != nil {
		t.Fatal(err)
	}
	w := &town{coretest.New(t, storetest.Open(t, storetest.SQLite), f), f, newWeb(t, handler), nil}
	f.site = w.web.site
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- f.Run(ctx) }()
	w.stop = func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		ended <- nil
	}
	t.Cleanup(w.stop)
	return w
}

func asks(d *coretest.Device, id, url string) {
	d.Say(`<iq type='get' id='` + id + `'><card xmlns='urn:palabre:link-card:0' url='` + url + `'/></iq>`)
}

func TestACardIsMade(t *testing.T) {
	w := newTown(t, nil, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/i.png" {
			w.Header().Set("Content-Type", "image/png")
			w.Write(drawn(t, 640, 480))
			return
		}
		says(w, `<title>`+r.URL.RequestURI()+`</title><meta property=og:image content=/i.png>`)
	})
	romeo := w.Bind("romeo", "orchard")
	asks(romeo, "a", "https-is-no-scheme")
	romeo.Hears(`id='a'`, "bad-request")
	asks(romeo, "b", "http://site.example/page?x=1&amp;y=2#part")
	got := romeo.Hears(`id='b'`, "type='result'")
	for _, part := range []string{"<card xmlns='urn:palabre:link-card:0'>", ":about='http://site.example/page?x=1&amp;y=2#part'", ">/page?x=1&amp;y=2</title>", ">data:image/jpeg;base64,"} {
		if !strings.Contains(got, part) {
			t.Errorf("%s\nhas no %s", got, part)
		}
	}
}

func TestWhoMayAsk(t *testing.T) {
	w := newTown(t, nil, func(http.ResponseWriter, *http.Request) { t.Error("a page was read") })
	romeo := w.Bind("romeo", "orchard")
	w.Add("juliet")
	romeo.Say(`<iq type='get' id='a' to='juliet@localhost'><card xmlns='urn:palabre:link-card:0' url='http://site.example/'/></iq>`)
	romeo.Hears(`id='a'`, "not-allowed")
	romeo.Say(`<iq type='set' id='b'><card xmlns='urn:palabre:link-card:0' url='http://site.example/'/></iq>`)
	romeo.Hears(`id='b'`, "not-allowed")
	romeo.Say(`<iq type='get' id='c' to='localhost'><card xmlns='urn:palabre:link-card:0' url='http://site.example/'/></iq>`)
	romeo.Hears(`id='c'`, "service-unavailable")
}

func TestSwitchedOff(t *testing.T) {
	w := newTown(t, func(cfg *Config) { cfg.Enabled = false }, func(http.ResponseWriter, *http.Request) { t.Error("a page was read") })
	romeo := w.Bind("romeo", "orchard")
	asks(romeo, "a", "http://site.example/")
	romeo.Hears(`id='a'`, "service-unavailable")
}

// TestEveryFailureLooksTheSame asks for what is inside, what is not there, and what is no page.
func TestEveryFailureLooksTheSame(t *testing.T) {
	w := newTown(t, nil, http.NotFound)
	w.named("private.example", ips("10.0.0.1"))
	romeo := w.Bind("romeo", "orchard")
	answers := map[string]bool{}
	for _, url := range []string{"http://127.0.0.1/", "http://private.example/", "http://site.example/"} {
		asks(romeo, "a", url)
		answers[romeo.Hears(`id='a'`, "type='error'")] = true
	}
	if len(answers) != 1 {
		t.Errorf("%v", answers)
	}
	for answer := range answers {
		if !strings.Contains(answer, "item-not-found") || strings.Contains(answer, "<text") {
			t.Error(answer)
		}
	}
}

// TestAnswersAreRemembered for the account that asked, and for no other.
func TestAnswersAreRemembered(t *testing.T) {
	var read atomic.Int32
	w := newTown(t, nil, func(w http.ResponseWriter, _ *http.Request) {
		read.Add(1)
		says(w, "<title>x</title>")
	})
	romeo, juliet := w.Bind("romeo", "orchard"), w.Bind("juliet", "balcony")
	for i, c := range []struct {
		who  *coretest.Device
		url  string
		want int32
	}{
		{romeo, "http://site.example/", 1}, {romeo, "http://site.example/", 1}, {romeo, "http://site.example/#part", 1}, {juliet, "http://site.example/", 2},
		{romeo, "http://site.example/other", 3},
	} {
		asks(c.who, "a", c.url)
		c.who.Hears(`id='a'`, "type='result'")
		if got := read.Load(); got != c.want {
			t.Errorf("%d: %d pages were read", i, got)
		}
	}
}

func TestLimits(t *testing.T) {
	w := newTown(t, func(cfg *Config) { cfg.PerMinute, cfg.AtOnce = 3, 3 }, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			<-r.Context().Done()
		}
		says(w, "<title>x</title>")
	})
	romeo, juliet, nurse := w.Bind("romeo", "orchard"), w.Bind("juliet", "balcony"), w.Bind("nurse", "hall")
	asks(romeo, "1", "http://site.example/slow?1")
	asks(romeo, "2", "http://site.example/slow?2")
	asks(romeo, "3", "http://site.example/") // two are being read for romeo, who is answered other things meanwhile
	romeo.Hears(`id='3'`, "resource-constraint", "type='wait'")
	asks(juliet, "4", "http://site.example/slow?1")
	asks(nurse, "5", "http://site.example/") // three are being read for all
	nurse.Hears(`id='5'`, "resource-constraint")
	w.stop() // which breaks them off
	for _, who := range []*coretest.Device{romeo, romeo, juliet} {
		who.Hears("item-not-found")
	}
	asks(nurse, "6", "http://site.example/")
	nurse.Hears(`id='6'`, "resource-constraint")
}

func TestPagesInAMinute(t *testing.T) {
	w := newTown(t, func(cfg *Config) { cfg.PerMinute = 2 }, func(w http.ResponseWriter, _ *http.Request) { says(w, "<title>x</title>") })
	romeo, juliet := w.Bind("romeo", "orchard"), w.Bind("juliet", "balcony")
	for _, url := range []string{"http://site.example/1", "http://site.example/2", "http://site.example/1"} {
		asks(romeo, "a", url)
		romeo.Hears(`id='a'`, "type='result'")
	}
	asks(romeo, "b", "http://site.example/3")
	romeo.Hears(`id='b'`, "resource-constraint", "in a minute")
	asks(juliet, "c", "http://site.example/3")
	juliet.Hears(`id='c'`, "type='result'")
}

func TestMemory(t *testing.T) {
	m, now := newMemory(), time.Now()
	good, bad := question{1, "good"}, question{1, "bad"}
	m.remember(good, finding{card: card{title: "x"}}, now)
	m.remember(bad, finding{failed: true}, now)
	for _, c := range []struct {
		asked question
		after time.Duration
		want  bool
	}{{good, 0, true}, {bad, 0, true}, {bad, failedLife, false}, {good, memoryLife - 1, true}, {good, memoryLife, false}, {question{2, "good"}, 0, false}} {
		if _, ok := m.recall(c.asked, now.Add(c.after)); ok != c.want {
			t.Errorf("%v after %v: %v", c.asked, c.after, ok)
		}
	}
	m.sweep(now.Add(failedLife))
	if len(m.known) != 1 {
		t.Errorf("%v is left", m.known)
	}
	for account := range int64(maxMemory + 10) {
		m.remember(question{account + 10, "x"}, finding{}, now.Add(time.Second))
	}
	if _, ok := m.recall(good, now); ok || len(m.known) != maxMemory {
		t.Errorf("%d answers are remembered", len(m.known))
	}
}

// TestRunSweeps lets the time of an answer pass.
func TestRunSweeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, err := New(DefaultConfig(), coretest.Log(t))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		go f.Run(ctx)
		f.memory.remember(question{1, "x"}, finding{}, time.Now())
		time.Sleep(memoryLife + sweepInterval)
		synctest.Wait()
		if len(f.memory.known) != 0 {
			t.Errorf("%v is left", f.memory.known)
		}
		cancel()
		synctest.Wait()
	})
}

func TestConfigurations(t *testing.T) {
	for _, bad := range []Config{{PerMinute: 0, AtOnce: 1}, {PerMinute: 601, AtOnce: 1}, {PerMinute: 1, AtOnce: 0}, {PerMinute: 1, AtOnce: 101}} {
		if _, err := New(bad, coretest.Log(t)); err == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
}
