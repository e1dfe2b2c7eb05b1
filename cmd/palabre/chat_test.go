package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"palabre.dev/palabre/app"
)

// house is a running server, and what its chat commands need to be told.
type house struct {
	config string
	server []string // flags that lead to it
}

const housePassword = "pa-la-bre-18"

// openHouse serves localhost until the test ends, with the accounts romeo and juliet.
func openHouse(t *testing.T) *house {
	t.Helper()
	folder := t.TempDir()
	t.Setenv("XDG_DATA_HOME", filepath.Join(folder, "xdg"))
	t.Setenv("PALABRE_PASSWORD", housePassword)
	h := &house{config: filepath.Join(folder, "palabre.toml")}
	text := fmt.Sprintf("data = %q\n[c2s]\nlisten = ['127.0.0.1:0']\nlisten_tls = ['127.0.0.1:0']\n[http]\nlisten = ['127.0.0.1:0']\nlocal = '127.0.0.1:0'\n",
		filepath.Join(folder, "data"))
	if err := os.WriteFile(h.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := app.LoadConfig(h.config)
	if err != nil {
		t.Fatal(err)
	}
	a, err := app.Open(t.Context(), cfg, cfg.Log.Logger())
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	opened, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- a.Serve(ctx, func() { close(opened) }) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	<-opened
	h.server = []string{"-config", h.config, "-server", a.Places()[0].Address.String(), "-ca", filepath.Join(folder, "data/certificates/own/ca.crt")}
	for _, name := range []string{"romeo", "juliet"} {
		if _, err := h.run(t, housePassword+"\n", "account", "add", name, "-config", h.config); err != nil {
			t.Fatal(err)
		}
	}
	return h
}

// run is the program with this input; it returns its output.
func (h *house) run(t *testing.T, in string, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var out bytes.Buffer
	err := run(ctx, &call{in: strings.NewReader(in), out: &out, err: io.Discard}, args)
	return out.String(), err
}

// chat runs a chat command as an account, and must succeed.
func (h *house) chat(t *testing.T, who, in string, args ...string) string {
	t.Helper()
	out, err := h.run(t, in, append(append(args, h.server...), "-account", who+"@localhost")...)
	if err != nil {
		t.Fatalf("%v: %v", args, err)
	}
	return out
}

// bodies are the texts of JSON lines.
func bodies(t *testing.T, out string) (all []string) {
	t.Helper()
	for line := range strings.Lines(out) {
		var h heard
		if err := json.Unmarshal([]byte(line), &h); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		all = append(all, fmt.Sprintf("%s %s %t %s", h.From, h.Body, h.Encrypted, h.Problem))
	}
	return all
}

func expect(t *testing.T, got []string, want ...string) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestChatThroughAPipe(t *testing.T) {
	h := openHouse(t)
	if out := h.chat(t, "juliet", "", "chat", "receive", "-once"); out != "" {
		t.Errorf("at first %q", out)
	}
	h.chat(t, "romeo", "hello\nworld\n", "chat", "send", "-to", "juliet@localhost")
	h.chat(t, "romeo", "one\ntwo\n", "chat", "send", "-lines", "-to", "juliet@localhost")
	h.chat(t, "romeo", "in clear", "chat", "send", "-no-encrypt", "-to", "juliet@localhost")
	expect(t, bodies(t, h.chat(t, "juliet", "", "chat", "receive", "-json", "-count", "1")), "romeo@localhost hello\nworld true ")
	expect(t, bodies(t, h.chat(t, "juliet", "", "chat", "receive", "-json", "-once")),
		"romeo@localhost one true ", "romeo@localhost two true ", "romeo@localhost in clear false ")
	expect(t, bodies(t, h.chat(t, "juliet", "", "chat", "receive", "-json", "-once")))
	h.chat(t, "juliet", "answer", "chat", "send", "-to", "romeo@localhost")
	if out := h.chat(t, "romeo", "", "chat", "receive", "-count", "1"); !strings.Contains(out, "juliet@localhost: answer\n") {
		t.Errorf("printed %q", out)
	}
}

func TestChatByLines(t *testing.T) {
	h := openHouse(t)
	h.chat(t, "juliet", "", "chat", "receive", "-once")
	out := h.chat(t, "romeo", "/fingerprint\nto nobody\n/to juliet@localhost\nhello\n/fingerprint\n/roster\n/nonsense\n/quit\n", "chat")
	for _, want := range []string{"You are romeo@localhost", "this device", "to whom?", "1 keys of juliet@localhost", "0 contacts", "there is no /nonsense", "/distrust"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing in %q", want, out)
		}
	}
	_, after, _ := strings.Cut(out, "this device")
	_, after, _ = strings.Cut(after, "omemo-sid-")
	_, after, _ = strings.Cut(after, "\n")
	var key string
	for line := range strings.Lines(after) {
		if strings.Contains(line, "blind") {
			key = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(line), "blind"))
		}
	}
	out = h.chat(t, "romeo", "/trust juliet@localhost "+key+"\n/fingerprint\n/distrust juliet@localhost "+key[:20]+"\nunheard\n/quit\n",
		"chat", "-to", "juliet@localhost")
	if !strings.Contains(out, "verified") || !strings.Contains(out, "no device") {
		t.Errorf("printed %q", out)
	}
	expect(t, bodies(t, h.chat(t, "juliet", "", "chat", "receive", "-json", "-once")), "romeo@localhost hello true ")
}

func TestChatRefusals(t *testing.T) {
	h := openHouse(t)
	as := func(args ...string) []string { return append(append(args, h.server...), "-account", "romeo@localhost") }
	for name, args := range map[string][]string{
		"no account":    {"chat", "receive"},
		"no recipient":  as("chat", "send"),
		"no text":       as("chat", "send", "-to", "juliet@localhost"),
		"no such CA":    append(as("chat", "receive"), "-ca", h.config),
		"no such way":   append(as("chat", "receive"), "-method", "pigeon"),
		"nobody's keys": as("chat", "send", "-lines", "-to", "nurse@localhost"),
	} {
		in := ""
		if name == "nobody's keys" {
			in = "text"
		}
		if _, err := h.run(t, in, args...); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	t.Setenv("PALABRE_PASSWORD", "wrong")
	if _, err := h.run(t, "text", as("chat", "send", "-to", "juliet@localhost", "-device", "other")...); err == nil || !strings.Contains(err.Error(), "not-authorized") {
		t.Errorf("wrong password: %v", err)
	}
}

func TestHarmless(t *testing.T) {
	if got := harmless("a\x1b[31mb\u009bc\r\nd"); got != "a[31mbc\nd" {
		t.Errorf("%q", got)
	}
}
