package push

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"palabre.dev/palabre/core"
)

// opened decrypts a wake-up as a browser does (RFC 8291 §3.4): the auth secret of the tests is all zero.
func (w *world) opened(body []byte) string {
	w.t.Helper()
	salt, public, sealed := body[:16], body[21:86], body[86:]
	sender, err := ecdh.P256().NewPublicKey(public)
	if err != nil {
		w.t.Fatal(err)
	}
	shared, err := w.key.ECDH(sender)
	if err != nil {
		w.t.Fatal(err)
	}
	derive := func(secret, salt []byte, info string, size int) []byte {
		out, err := hkdf.Key(sha256.New, secret, salt, info, size)
		if err != nil {
			w.t.Fatal(err)
		}
		return out
	}
	input := derive(shared, make([]byte, 16), "WebPush: info\x00"+string(w.key.PublicKey().Bytes())+string(public), 32)
	block, err := aes.NewCipher(derive(input, salt, "Content-Encoding: aes128gcm\x00", 16))
	if err != nil {
		w.t.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		w.t.Fatal(err)
	}
	plain, err := gcm.Open(nil, derive(input, salt, "Content-Encoding: nonce\x00", 12), sealed, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(bytes.TrimSuffix(bytes.TrimRight(plain, "\x00"), []byte{2}))
}

// named is what the tests' browser calls a chat.
func named(bare string) string {
	mac := hmac.New(sha256.New, make([]byte, 16))
	mac.Write([]byte("palabre chat\x00" + bare))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:12])
}

func TestWhatABrowserIsTold(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.server.Keep(core.Received, func(t *core.Transit) core.Write {
			t.Stored = true
			return func(context.Context) error {
				t.ReceivedID = w.push.db.Next()
				return nil
			}
		})
		romeo, juliet := w.session("romeo@localhost/a"), w.session("juliet@localhost/web")
		if got := juliet.ask(w.subscription()); got != "" {
			t.Fatal(got)
		}
		w.server.Unbind(t.Context(), juliet.Session)
		for i := range 2 {
			romeo.send(hello)
			w.work()
			want := fmt.Sprintf(`{"v":1,"count":%d,"chat":"%s"}`, i+1, named("romeo@localhost"))
			if got := w.opened(w.bodies[i]); got != want {
				t.Errorf("told %s, want %s", got, want)
			}
			h := w.calls[i].Header
			if topic := h.Get("Topic"); topic == "" || len(topic) > 32 || strings.Contains(w.opened(w.bodies[i]), topic) || h.Get("Urgency") != "high" || h.Get("Ttl") != "2419200" {
				t.Errorf("headers %v", h)
			}
			if len(w.bodies[i]) > 3072 {
				t.Errorf("%d bytes", len(w.bodies[i]))
			}
		}
		if a, b := w.calls[0].Header.Get("Topic"), w.calls[1].Header.Get("Topic"); a != b {
			t.Errorf("topics %s and %s: they do not collapse", a, b)
		}
		back := w.session("juliet@localhost/web")
		w.server.Unbind(t.Context(), back.Session)
		romeo.send(hello)
		w.work()
		if got := w.opened(w.bodies[2]); !strings.Contains(got, `"count":1`) {
			t.Errorf("after it was there: %s", got)
		}
	})
}

func TestAMutedChatWakesNoBrowser(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		romeo := w.session("romeo@localhost/a")
		with := func(muted string) string {
			return strings.Replace(w.subscription(), "</subscribe>", muted+"</subscribe>", 1)
		}
		until := func(d time.Duration) string { return time.Now().Add(d).UTC().Format(time.RFC3339) }
		for _, c := range []struct {
			muted string
			calls int
		}{
			{"<muted>" + named("romeo@localhost") + "</muted>", 0},
			{"<muted until='" + until(time.Hour) + "'>" + named("romeo@localhost") + "</muted>", 0},
			{"<muted until='" + until(-time.Hour) + "'>" + named("romeo@localhost") + "</muted>", 1},
			{"<muted>" + named("paris@localhost") + "</muted>", 1},
			{"", 1},
		} {
			juliet := w.session("juliet@localhost/web")
			if got := juliet.ask(with(c.muted)); got != "" {
				t.Fatal(got)
			}
			w.server.Unbind(t.Context(), juliet.Session)
			w.calls = nil
			romeo.send(hello)
			w.work()
			if len(w.calls) != c.calls {
				t.Errorf("%s: woken %d times, want %d", c.muted, len(w.calls), c.calls)
			}
		}
		juliet := w.session("juliet@localhost/web")
		for _, bad := range []string{"<muted>short</muted>", "<muted until='tomorrow'>" + named("a@b") + "</muted>", strings.Repeat("<muted>"+named("a@b")+"</muted>", maxMuted+1)} {
			if got := juliet.ask(with(bad)); got != "bad-request" {
				t.Errorf("%.40s: %q", bad, got)
			}
		}
	})
}

func TestATrial(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		juliet := w.session("juliet@localhost/web")
		trial := "<test xmlns='urn:palabre:web-push:0'><endpoint>" + w.web.URL + "/abc</endpoint></test>"
		if got := juliet.ask(trial); got != "item-not-found" {
			t.Errorf("without a subscription: %q", got)
		}
		if got := juliet.ask(w.subscription()); got != "" {
			t.Fatal(got)
		}
		if got := juliet.ask(trial); got != "" {
			t.Fatal(got)
		}
		w.work()
		if len(w.bodies) != 1 || w.opened(w.bodies[0]) != `{"v":1,"count":0,"test":true}` {
			t.Errorf("%d calls", len(w.bodies))
		}
		if got := juliet.ask(trial); got != "resource-constraint" {
			t.Errorf("at once again: %q", got)
		}
	})
}
