package c2s_test

import (
	"context"
	"encoding/base64"
	"testing"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/test/palabretest"
	"palabre.dev/palabre/xmpp"
	"palabre.dev/palabre/xmpp/sasl"
)

const (
	nsSASL2   = "urn:xmpp:sasl:2"
	nsFast    = "urn:xmpp:fast:0"
	userAgent = "<user-agent id='d4565fa7-4d72-4749-b3d3-740edbf87770'/>"
	wantToken = userAgent + "<request-token xmlns='urn:xmpp:fast:0' mechanism='HT-SHA-256-NONE'/>"
)

// halfway begins a login and stops before its last message, which it returns.
func halfway(t *testing.T, p *palabretest.Person, inline string) (last string) {
	t.Helper()
	p.Connect()
	client, err := sasl.NewClient(sasl.ScramSHA256, sasl.ClientConfig{Username: p.Name, Password: palabretest.Password, Offer: offered(p.Open())})
	if err != nil {
		t.Fatal(err)
	}
	first, _, err := client.Step(nil)
	if err != nil {
		t.Fatal(err)
	}
	p.Send("<authenticate xmlns='" + nsSASL2 + "' mechanism='" + sasl.ScramSHA256 + "'><initial-response>" + base64.StdEncoding.EncodeToString(first) +
		"</initial-response>" + inline + "</authenticate>")
	challenge, err := base64.StdEncoding.DecodeString(p.Expect(nsSASL2, "challenge").Text())
	if err != nil {
		t.Fatal(err)
	}
	proof, _, err := client.Step(challenge)
	if err != nil {
		t.Fatal(err)
	}
	return "<response xmlns='" + nsSASL2 + "'>" + base64.StdEncoding.EncodeToString(proof) + "</response>"
}

func offered(features *xmpp.Element) sasl.Offer {
	texts := func(e *xmpp.Element) (out []string) {
		for child := range e.Children() {
			if child.Local == "mechanism" {
				out = append(out, child.Text())
			}
		}
		return out
	}
	sasl2 := features.Child(nsSASL2, "authentication")
	offer := sasl.Offer{SASL2: true, Mechanisms: texts(sasl2), Fast: texts(sasl2.Child(nsSASL2, "inline").Child(nsFast, "fast"))}
	for e := range features.Child("urn:xmpp:sasl-cb:0", "sasl-channel-binding").Children() {
		offer.BindingTypes = append(offer.BindingTypes, e.Attr("type"))
	}
	return offer
}

// Somebody who knew the password and keeps a login half done gets nothing by it once the owner has shut them out.
func TestAnOvertakenLoginGetsNoToken(t *testing.T) {
	newPassword := func(ctx context.Context, s *palabretest.Server, romeo *core.Account) error {
		if err := s.Accounts.SetPassword("romeo", "a new password"); err != nil {
			return err
		}
		return s.Door.ForgetDevice(ctx, romeo, "")
	}
	signOut := func(ctx context.Context, s *palabretest.Server, romeo *core.Account) error {
		return s.Door.RevokeDevice(ctx, romeo, "d4565fa7-4d72-4749-b3d3-740edbf87770")
	}
	closing := func(_ context.Context, s *palabretest.Server, _ *core.Account) error {
		s.Accounts.Disable("romeo")
		return nil
	}
	for _, c := range []struct {
		name, inline, condition string
		meanwhile               func(context.Context, *palabretest.Server, *core.Account) error
	}{
		{"password", "", "reset", newPassword},
		{"password, and binding", "<bind xmlns='urn:xmpp:bind:0'/>", "reset", newPassword},
		{"password, and resumption", "<resume xmlns='urn:xmpp:sm:3' previd='none' h='0'/>", "reset", newPassword},
		{"sign-out", "", "not-authorized", signOut},
		{"closed", "", "not-authorized", closing},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := palabretest.Start(t, storetest.SQLite)
			romeo := s.Accounts.Get("romeo")
			late := s.Person(t, "romeo")
			last := halfway(t, late, wantToken+c.inline)
			if err := c.meanwhile(t.Context(), s, romeo); err != nil {
				t.Fatal(err)
			}
			late.Send(last)
			if e := late.Receive(); !e.Is(xmpp.NSStream, "error") || e.Child(xmpp.NSStreams, c.condition) == nil {
				t.Errorf("got %s", e)
			}
			late.Closed()
			if devices, err := s.Door.Devices(t.Context(), romeo); err != nil || len(devices) != 0 {
				t.Errorf("left are %v, %v", devices, err)
			}
			if n := s.Core.CountSessions(); n != 0 {
				t.Errorf("%d sessions", n)
			}
		})
	}
}

// Whoever logs in for a token alone gets it where nothing has changed, and returns with it.
func TestALoginWithoutASessionGetsItsToken(t *testing.T) {
	s := palabretest.Start(t, storetest.SQLite)
	romeo := s.Person(t, "romeo")
	romeo.Send(halfway(t, romeo, wantToken))
	token := romeo.Expect(nsSASL2, "success").Child(nsFast, "token").Attr("token")
	back := s.Person(t, "romeo")
	if e := back.Authenticate(palabretest.Auth{Mechanism: "HT-SHA-256-NONE", SASL2: true, Token: token, Inline: userAgent + "<fast xmlns='urn:xmpp:fast:0'/>"}); !e.Is(nsSASL2, "success") {
		t.Errorf("got %s", e)
	}
}

// A device that another one lets in begins with its token, gets one of its own that lasts, and nobody else can use either.
func TestAnAdmittedDeviceGetsATokenOfItsOwn(t *testing.T) {
	s := palabretest.Start(t, storetest.SQLite)
	romeo := s.Accounts.Get("romeo")
	if _, err := s.Door.Admit(t.Context(), romeo, 48*time.Hour); err == nil {
		t.Error("admitted for two days")
	}
	one, err := s.Door.Admit(t.Context(), romeo, 2*time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	agent := func(id string) string {
		return "<user-agent id='" + id + "'><software>Palabre</software><device>new</device></user-agent><fast xmlns='urn:xmpp:fast:0'/>"
	}
	other := s.Person(t, "romeo")
	if e := other.Authenticate(palabretest.Auth{Mechanism: one.Mechanism, SASL2: true, Token: one.Token, Inline: agent("d4565fa7-4d72-4749-b3d3-740edbf87770")}); !e.Is(nsSASL2, "failure") {
		t.Errorf("another device: %s", e)
	}
	comes := s.Person(t, "romeo")
	e := comes.Authenticate(palabretest.Auth{Mechanism: one.Mechanism, SASL2: true, Token: one.Token, Inline: agent(one.Client)})
	token := e.Child(nsFast, "token")
	if !e.Is(nsSASL2, "success") || token == nil || token.Attr("expiry") < time.Now().Add(24*time.Hour).UTC().Format("2006-01-02T15:04:05Z") {
		t.Fatalf("got %s", e)
	}
	back := s.Person(t, "romeo")
	if e := back.Authenticate(palabretest.Auth{Mechanism: one.Mechanism, SASL2: true, Token: token.Attr("token"), Inline: agent(one.Client)}); !e.Is(nsSASL2, "success") {
		t.Errorf("its own: %s", e)
	}
	late := s.Person(t, "romeo")
	if e := late.Authenticate(palabretest.Auth{Mechanism: one.Mechanism, SASL2: true, Token: one.Token, Inline: agent(one.Client)}); !e.Is(nsSASL2, "failure") {
		t.Errorf("the first one again: %s", e)
	}
}

// Who is told of a revocation can tell the addresses of that installation from all others.
func TestARevocationSaysWhichAddressesItIsAbout(t *testing.T) {
	for _, bind := range []string{"<bind xmlns='urn:xmpp:bind:0'/>", "<bind xmlns='urn:xmpp:bind:0'><tag>palabre</tag></bind>"} {
		s := palabretest.Start(t, storetest.SQLite)
		var owns func(string) bool
		s.Door.OnRevoke(func(_ context.Context, _ *core.Account, fn func(string) bool) error {
			owns = fn
			return nil
		})
		address := func(agent string) string {
			p := s.Person(t, "romeo")
			p.Send(halfway(t, p, agent+bind))
			jid, err := xmpp.ParseJID(p.Expect(nsSASL2, "success").ChildText(nsSASL2, "authorization-identifier"))
			if err != nil {
				t.Fatal(err)
			}
			return jid.Resource()
		}
		lost, kept := address(userAgent), address("<user-agent id='0f9a24b4-4d72-4749-b3d3-740edbf87771'/>")
		if err := s.Door.RevokeDevice(t.Context(), s.Accounts.Get("romeo"), "d4565fa7-4d72-4749-b3d3-740edbf87770"); err != nil {
			t.Fatal(err)
		}
		if !owns(lost) || owns(kept) || owns("") || owns("palabre/") {
			t.Errorf("%s: %q %v, %q %v", bind, lost, owns(lost), kept, owns(kept))
		}
	}
}
