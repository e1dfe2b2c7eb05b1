package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"palabre.dev/palabre/client"
	"palabre.dev/palabre/client/e2e"
	"palabre.dev/palabre/omemo"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/xmpp"
)

// shown is a demonstration that runs, as it printed itself.
type shown struct {
	cmd       *exec.Cmd
	server    string
	passwords map[string]string
}

// free is an address at which nobody listens. Its port is none of those that Linux gives to connections: one of other tests would have it before the demonstration does.
func (p *place) free() string {
	p.t.Helper()
	for range 100 {
		listener, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(12_000+rand.IntN(8000)))
		if err == nil {
			defer listener.Close()
			return listener.Addr().String()
		}
	}
	p.t.Fatal("no port is free")
	return ""
}

// demonstrate runs the demonstration in a folder until its scene is ready.
func (p *place) demonstrate(folder string) *shown {
	p.t.Helper()
	s := &shown{cmd: p.command("demo", "-data", folder), server: p.free(), passwords: map[string]string{}}
	s.cmd.Env = append(s.cmd.Env, "PALABRE_C2S_LISTEN="+s.server, "PALABRE_HTTP_LISTEN="+p.free()) // pictures have addresses with the port in them
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	var log bytes.Buffer
	s.cmd.Stderr = &log
	if err := s.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() {
		if s.cmd.ProcessState == nil {
			s.cmd.Process.Kill()
			s.cmd.Wait()
		}
	})
	person := regexp.MustCompile(`^  (\w+)@localhost +(\w+) `)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if found := person.FindStringSubmatch(lines.Text()); found != nil {
			s.passwords[found[1]] = found[2]
		}
		if strings.HasPrefix(lines.Text(), "Ctrl-C") {
			return s
		}
	}
	s.cmd.Wait()
	p.t.Fatalf("the demonstration ended: %s", log.String())
	return nil
}

func (s *shown) stop(t *testing.T) {
	t.Helper()
	if err := errors.Join(s.cmd.Process.Signal(syscall.SIGTERM), s.cmd.Wait()); err != nil {
		t.Errorf("it did not end in order: %v", err)
	}
}

// visitor is somebody of the scene, with a device of their own.
type visitor struct {
	*client.Client
	heard chan *xmpp.Stanza
}

func (s *shown) visit(t *testing.T, ctx context.Context, name, folder string) *visitor {
	t.Helper()
	v := &visitor{heard: make(chan *xmpp.Stanza, 100)}
	roots, err := rootsIn(filepath.Join(folder, "certificates", "own", "ca.crt"))
	if err != nil {
		t.Fatal(err)
	}
	v.Client, err = client.New(client.Config{JID: xmpp.MustJID(name + "@localhost"), Password: s.passwords[name], Method: client.StartTLS, Server: s.server, Roots: roots,
		Features: e2e.Features, OnMessage: func(_ context.Context, message *xmpp.Stanza) { v.heard <- message }})
	if err == nil {
		err = v.Connect(ctx)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.Close)
	return v
}

// said are the messages of an archive.
func (v *visitor) said(t *testing.T, ctx context.Context, query client.ArchiveQuery) (texts []string) {
	t.Helper()
	query.Max = client.MaxPage
	page, err := v.Archive(ctx, query)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range page.Entries {
		if body := entry.Message.Body(); body != "" {
			texts = append(texts, body)
		}
	}
	return texts
}

// look is what a visitor finds: everything that must be there, once.
func (v *visitor) look(t *testing.T, ctx context.Context) string {
	t.Helper()
	var b strings.Builder
	contacts, err := v.Roster(ctx)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(&b, len(contacts), "contacts")
	for _, with := range []string{"nadia", "hassan", "banque"} {
		texts := v.said(t, ctx, client.ArchiveQuery{With: xmpp.MustJID(with + "@localhost")})
		fmt.Fprintln(&b, with, len(texts))
		if with == "hassan" && !slices.ContainsFunc(texts, func(s string) bool { return strings.HasPrefix(s, "https://") && strings.HasSuffix(s, "/catch.png") }) {
			t.Errorf("no picture among %q", texts)
		}
	}
	fmt.Fprintln(&b, "group", strings.Join(v.said(t, ctx, client.ArchiveQuery{Archive: xmpp.MustJID("friday@groups.localhost")}), " | "))
	fmt.Fprintln(&b, "channel", len(v.said(t, ctx, client.ArchiveQuery{Archive: xmpp.MustJID("channels.localhost"), Node: "saint-elme"})))
	items, err := v.Items(ctx, xmpp.MustJID("channels.localhost"), "saint-elme")
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(&b, len(items), "posts")
	for _, ask := range []string{"wallet", "history", "requests"} {
		answer, err := v.Get(ctx, xmpp.MustJID("pay.localhost"), xmpp.NewElement("urn:palabre:pay:0", ask))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&b, ask, answer)
	}
	split, err := v.Get(ctx, xmpp.MustJID("pay.localhost"), xmpp.NewElement("urn:palabre:pay:0", "split").Set("id", "demo-friday-dinner"))
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(&b, "split", strings.Count(split.String(), "state='paid'"), strings.Count(split.String(), "state='open'"))
	return b.String()
}

// await waits until somebody has a device that can be written to.
func (v *visitor) await(t *testing.T, ctx context.Context, who string) {
	t.Helper()
	ticks := time.NewTicker(50 * time.Millisecond)
	defer ticks.Stop()
	for {
		if items, err := v.Items(ctx, xmpp.MustJID(who), "urn:xmpp:omemo:2:devices"); err == nil && len(items) > 0 {
			return
		}
		select {
		case <-ticks.C:
		case <-ctx.Done():
			t.Fatalf("%s has no device", who)
		}
	}
}

// asks writes to the bank, end-to-end encrypted, and returns what it answers.
func (v *visitor) asks(t *testing.T, ctx context.Context, keys omemo.Store, text string) string {
	t.Helper()
	end, err := e2e.Open(ctx, v.Client, keys, nil)
	if err == nil {
		err = end.Start(ctx)
	}
	if err == nil {
		err = v.SetPresence(ctx, client.Presence{})
	}
	if err != nil {
		t.Fatal(err)
	}
	v.await(t, ctx, "banque@localhost")
	st, _, err := end.Encrypt(ctx, xmpp.MustJID("banque@localhost"), text)
	if err == nil {
		err = v.SendAcked(ctx, st)
	}
	if err != nil {
		t.Fatal(err)
	}
	for {
		select {
		case message := <-v.heard:
			if end.Notice(ctx, message) || message.From.Local() != "banque" {
				continue
			}
			if opened, err := end.Decrypt(ctx, message, client.StanzaID(message, v.Account())); err == nil && opened.Body != "" {
				return opened.Body
			}
		case <-ctx.Done():
			t.Fatal("the bank does not answer")
		}
	}
}

// TestDemo runs the demonstration twice in one folder, and looks at it through the door.
func TestDemo(t *testing.T) {
	t.Parallel()
	p := newPlace(t, storetest.File(t), "")
	folder := filepath.Join(p.folder, "scene")
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	first := p.demonstrate(folder)
	karim := first.visit(t, ctx, "karim", folder)
	found := karim.look(t, ctx)
	for _, want := range []string{"8 contacts\n", "nadia 7\n", "hassan 4\n", "banque 1\n", "3 posts\n", "split 3 3\n", "amount='4500'", "Two kilos of sardines"} {
		if !strings.Contains(strings.ReplaceAll(found, `"`, "'"), want) {
			t.Errorf("%q is missing:\n%s", want, found)
		}
	}
	keys, err := omemo.OpenFile(filepath.Join(p.folder, "keys"))
	if err != nil {
		t.Fatal(err)
	}
	defer keys.Close()
	if answer := karim.asks(t, ctx, keys, "balance"); !strings.HasPrefix(answer, "Your account SE1001 has ") {
		t.Errorf("the bank answers %q", answer)
	}
	karim.Close()
	first.stop(t)
	second := p.demonstrate(folder)
	if fmt.Sprint(second.passwords) != fmt.Sprint(first.passwords) || len(second.passwords) != 9 {
		t.Errorf("passwords %v, before %v", second.passwords, first.passwords)
	}
	again := second.visit(t, ctx, "karim", folder).look(t, ctx)
	// What was said to the bank is in its archive now; all else is as it was.
	again = regexp.MustCompile(`(?m)^banque .*\n`).ReplaceAllString(again, "")
	if before := regexp.MustCompile(`(?m)^banque .*\n`).ReplaceAllString(found, ""); again != before {
		t.Errorf("the second run has changed the scene:\n%s\nbefore:\n%s", again, before)
	}
	second.stop(t)
}

// TestDemoLeavesOtherServersAlone refuses a folder that holds a server.
func TestDemoLeavesOtherServersAlone(t *testing.T) {
	t.Parallel()
	p := newPlace(t, storetest.File(t), "")
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "palabre.db"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := p.try("", "demo", "-data", folder); err == nil || !strings.Contains(out, "no demonstration") {
		t.Errorf("it ran in the folder of a server: %v, %s", err, out)
	}
}
