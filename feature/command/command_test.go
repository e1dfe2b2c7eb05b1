package command

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// greet asks for a name, then for a tone, then greets.
func greet(_ context.Context, _ *core.Request, answers []*xmpp.Form) (*xmpp.Form, string, error) {
	switch len(answers) {
	case 0:
		return xmpp.NewForm("form", "greet").Add("name", "text-single", "Name"), "", nil
	case 1:
		if answers[0].Get("name") == "" {
			return nil, "", xmpp.NotAcceptable.Because("a name is needed")
		}
		return xmpp.NewForm("form", "greet").Add("tone", "text-single", "Tone"), "", nil
	}
	return nil, answers[1].Get("tone") + " " + answers[0].Get("name"), nil
}

var (
	romeo = &core.Account{ID: 1, JID: xmpp.MustJID("romeo@localhost")}
	paris = &core.Account{ID: 2, JID: xmpp.MustJID("paris@localhost")}
)

func commands() *Commands {
	c := New(slog.New(slog.DiscardHandler))
	c.AddCommand("greet", "Greet", func(_ context.Context, a *core.Account) (bool, error) { return a == romeo, nil }, greet)
	return c
}

func ask(t *testing.T, c *Commands, who *core.Account, action, session string, form *xmpp.Form) (*xmpp.Element, error) {
	t.Helper()
	payload := xmpp.NewElement(Namespace, "command").Set("node", "greet")
	if action != "" {
		payload.Set("action", action)
	}
	if session != "" {
		payload.Set("sessionid", session)
	}
	if form != nil {
		payload.Add(form.Element())
	}
	full, err := who.JID.WithResource("r")
	if err != nil {
		t.Fatal(err)
	}
	st := &xmpp.Stanza{Kind: xmpp.IQ, Type: "set", ID: "1", From: full}
	return c.handle(t.Context(), &core.Request{Transit: &core.Transit{Stanza: st.Add(payload), Sender: who}, Set: true, Payload: payload})
}

func must(t *testing.T, e *xmpp.Element, err error) *xmpp.Element {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func submit(name, value string) *xmpp.Form {
	return xmpp.NewForm("submit", "greet").Add(name, "", "", value)
}

func TestStepsForwardsAndBackwards(t *testing.T) {
	c := commands()
	out, err := ask(t, c, romeo, "", "", nil)
	id := must(t, out, err).Attr("sessionid")
	if out.Attr("status") != "executing" || out.Child(xmpp.NSData, "x") == nil || id == "" {
		t.Fatalf("first step: %v", out)
	}
	if _, err := ask(t, c, romeo, "prev", id, nil); !errors.Is(err, xmpp.BadRequest) {
		t.Errorf("back from the first step: %v", err)
	}
	if _, err := ask(t, c, romeo, "", id, submit("name", "")); !errors.Is(err, xmpp.NotAcceptable) {
		t.Errorf("empty name: %v", err)
	}
	out, err = ask(t, c, romeo, "next", id, submit("name", "Julia"))
	if must(t, out, err).Child(Namespace, "actions").Child(Namespace, "prev") == nil {
		t.Error("no way back")
	}
	out, err = ask(t, c, romeo, "prev", id, nil)
	must(t, out, err)
	out, err = ask(t, c, romeo, "", id, submit("name", "Juliet"))
	must(t, out, err)
	out, err = ask(t, c, romeo, "complete", id, submit("tone", "Dear"))
	if must(t, out, err).Attr("status") != "completed" || out.ChildText(Namespace, "note") != "Dear Juliet" {
		t.Errorf("end: %v", out)
	}
	if _, err := ask(t, c, romeo, "complete", id, submit("tone", "Dear")); !errors.Is(err, xmpp.NotAllowed) {
		t.Errorf("after the end: %v", err)
	}
}

func TestSessionsBelongToTheirOwner(t *testing.T) {
	c := commands()
	if _, err := ask(t, c, paris, "", "", nil); !errors.Is(err, xmpp.Forbidden) {
		t.Errorf("without permission: %v", err)
	}
	out, err := ask(t, c, romeo, "", "", nil)
	id := must(t, out, err).Attr("sessionid")
	if got := c.find(id, xmpp.MustJID("romeo@localhost/other"), c.byNode["greet"]); got != nil {
		t.Error("another device goes on with it")
	}
	out, err = ask(t, c, romeo, "cancel", id, nil)
	if must(t, out, err).Attr("status") != "canceled" || len(c.sessions) != 0 {
		t.Errorf("cancelled: %v, %d sessions left", out, len(c.sessions))
	}
}

func TestBadRequests(t *testing.T) {
	c := commands()
	for _, action := range []string{"prev", "cancel", "complete", "dance"} {
		if _, err := ask(t, c, romeo, action, "", nil); !errors.Is(err, xmpp.BadRequest) {
			t.Errorf("%s without a session: %v", action, err)
		}
	}
	out, err := ask(t, c, romeo, "", "", nil)
	id := must(t, out, err).Attr("sessionid")
	for _, form := range []*xmpp.Form{nil, xmpp.NewForm("form", "greet")} {
		if _, err := ask(t, c, romeo, "", id, form); !errors.Is(err, xmpp.BadRequest) {
			t.Errorf("form %v: %v", form, err)
		}
	}
}

func TestSessionsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := commands()
		for range 3 * maxPerAccount {
			_, err := ask(t, c, romeo, "", "", nil)
			must(t, nil, err)
			time.Sleep(time.Second)
		}
		if len(c.sessions) != maxPerAccount {
			t.Errorf("%d sessions of one account", len(c.sessions))
		}
		for i := range maxSessions - maxPerAccount {
			if err := c.keep("x"+strconv.Itoa(i), &session{owner: xmpp.MustJID("u" + strconv.Itoa(i) + "@localhost")}); err != nil {
				t.Fatal(err)
			}
		}
		if err := c.keep("y", &session{owner: xmpp.MustJID("y@localhost")}); !errors.Is(err, xmpp.ResourceConstraint) {
			t.Errorf("one too many: %v", err)
		}
		time.Sleep(sessionLife + time.Second)
		if err := c.keep("z", &session{owner: xmpp.MustJID("z@localhost")}); err != nil || len(c.sessions) != 1 {
			t.Errorf("after all have expired: %v, %d", err, len(c.sessions))
		}
	})
}
