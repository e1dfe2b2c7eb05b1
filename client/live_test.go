package client_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"palabre.dev/palabre/client"
	"palabre.dev/palabre/test/palabretest"
	"palabre.dev/palabre/xmpp"
	"palabre.dev/palabre/xmpp/sasl"
)

func TestEveryWayIn(t *testing.T) {
	t.Parallel()
	s := town(t)
	for name, change := range map[string]func(*client.Config){
		"starttls":  nil,
		"directtls": func(cfg *client.Config) { cfg.Method, cfg.Server = client.DirectTLS, s.DirectAddr },
		"websocket": func(cfg *client.Config) {
			cfg.Method, cfg.Server = client.WebSocket, strings.Replace(s.Web, "http", "ws", 1)+"/ws"
		},
		"lean":       func(cfg *client.Config) { cfg.Lean = true },
		"no resume":  func(cfg *client.Config) { cfg.NoResume = true },
		"a resource": func(cfg *client.Config) { cfg.JID = xmpp.MustJID("romeo@localhost/balcony") },
	} {
		t.Run(name, func(t *testing.T) {
			c := login(t, s, "romeo", change)
			settled(t, c)
			if c.JID().IsBare() {
				t.Errorf("bound to %s", c.JID())
			}
			c.Close()
			if err := c.Err(); err != client.ErrClosed {
				t.Errorf("ended with %v", err)
			}
		})
	}
}

func TestKeysAndTokensReplaceThePassword(t *testing.T) {
	t.Parallel()
	s := town(t)
	var keys sasl.Keys
	var token client.Token
	keep := func(cfg *client.Config) {
		cfg.OnKeys = func(k sasl.Keys) { keys = k }
		cfg.OnToken = func(k client.Token) { token = k }
	}
	login(t, s, "romeo", keep).Close()
	if len(keys.ClientKey) == 0 || token.Secret == "" {
		t.Fatalf("keys %t, token %q", len(keys.ClientKey) > 0, token.Secret)
	}
	login(t, s, "romeo", func(cfg *client.Config) { cfg.Password, cfg.Keys = "", keys }).Close()
	before := token
	login(t, s, "romeo", func(cfg *client.Config) {
		keep(cfg)
		cfg.Password, cfg.Token = "", token
	}).Close()
	spoilt := client.Token{Mechanism: before.Mechanism, Secret: "spoilt", Expires: time.Now().Add(time.Hour)}
	login(t, s, "romeo", func(cfg *client.Config) {
		keep(cfg)
		cfg.Token = spoilt
	}).Close()
	if token.Secret == "" || token.Secret == "spoilt" {
		t.Errorf("token %q after a refused one", token.Secret)
	}
}

func TestMessagesSurviveLostConnections(t *testing.T) {
	t.Parallel()
	s := town(t)
	got := make(chan *xmpp.Stanza, 100)
	juliet := login(t, s, "juliet", receiver(got))
	must(t, juliet.SetPresence(within(t), client.Presence{}))
	must(t, juliet.Flush(within(t)))
	romeo := login(t, s, "romeo", nil)
	for i := range 30 {
		switch i {
		case 7, 20:
			romeo.Drop()
		case 11, 21:
			juliet.Drop()
		}
		must(t, romeo.SendAcked(within(t), text(juliet.Account(), fmt.Sprint(i))))
	}
	for i := range 30 {
		if st := next(t, got); st.Body() != fmt.Sprint(i) {
			t.Fatalf("message %d: %s", i, st)
		}
	}
	settled(t, juliet)
	if len(got) > 0 {
		t.Errorf("%d too many", len(got))
	}
}

func TestWrongPasswordIsFinal(t *testing.T) {
	t.Parallel()
	s := town(t)
	cfg := config(s, "romeo")
	cfg.Password = "rosaline"
	c, err := client.New(cfg)
	must(t, err)
	if err := c.Connect(within(t)); err == nil || c.Err() == nil {
		t.Fatalf("connected: %v", err)
	}
	c.Close()
	if err := c.Send(within(t), text(c.Account(), "?")); err == nil {
		t.Error("sent")
	}
}

func TestStrangersCertificateIsRefused(t *testing.T) {
	t.Parallel()
	s := town(t)
	cfg := config(s, "romeo")
	cfg.Roots = nil
	c, err := client.New(cfg)
	must(t, err)
	if err := c.Connect(within(t)); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Fatalf("got %v", err)
	}
	c.Close()
}

func TestContactsAndArchive(t *testing.T) {
	t.Parallel()
	s := town(t)
	changes := make(chan client.Contact, 10)
	romeo := login(t, s, "romeo", func(cfg *client.Config) { cfg.OnRoster = func(c client.Contact) { changes <- c } })
	juliet := xmpp.MustJID("juliet@" + palabretest.Domain)
	if all, err := romeo.Roster(within(t)); err != nil || len(all) != 0 {
		t.Fatalf("roster %v, %v", all, err)
	}
	must(t, romeo.SetContact(within(t), client.Contact{JID: juliet, Name: "Juliet", Groups: []string{"Capulet"}}))
	if c := <-changes; c.JID != juliet || c.Name != "Juliet" || len(c.Groups) != 1 {
		t.Errorf("pushed %+v", c)
	}
	must(t, romeo.Subscribe(within(t), juliet))
	if c := <-changes; !c.Asked {
		t.Errorf("pushed %+v", c)
	}
	must(t, romeo.Block(within(t), xmpp.MustJID("tybalt@localhost")))
	if all, err := romeo.Blocked(within(t)); err != nil || len(all) != 1 {
		t.Errorf("blocked %v, %v", all, err)
	}
	for i := range 5 {
		must(t, romeo.SendAcked(within(t), text(juliet, fmt.Sprint(i))))
	}
	page, err := romeo.Archive(within(t), client.ArchiveQuery{With: juliet, Last: true, Max: 2})
	must(t, err)
	if len(page.Entries) != 2 || page.Complete || page.Entries[1].Message.Body() != "4" {
		t.Fatalf("page %+v", page)
	}
	page, err = romeo.Archive(within(t), client.ArchiveQuery{With: juliet, Before: page.Entries[0].ID})
	must(t, err)
	if len(page.Entries) != 3 || !page.Complete || page.Entries[0].Message.Body() != "0" {
		t.Errorf("page %+v", page)
	}
}
