package sasl

import (
	"errors"
	"slices"
	"testing"
)

// Someone in the middle shows the client another offer than the server made.
func TestTamperedOfferIsNoticed(t *testing.T) {
	server := NewOffer(preference, testBindings, true)
	endPointOnly := Bindings{EndPoint: testBindings.EndPoint}
	exporterOnly := Bindings{Exporter: testBindings.Exporter}
	for _, c := range []struct {
		name      string
		mechanism string
		bindings  Bindings
		seen      Offer
		want      error
	}{
		{"nothing changed", ScramSHA512Plus, testBindings, server, nil},
		{"strong hash removed", ScramSHA1, Bindings{},
			Offer{Mechanisms: []string{ScramSHA1, ScramSHA1Plus}, BindingTypes: server.BindingTypes}, ErrDowngrade},
		{"strong hash removed, bound", ScramSHA1Plus, endPointOnly,
			Offer{Mechanisms: []string{ScramSHA1, ScramSHA1Plus}, BindingTypes: server.BindingTypes}, ErrDowngrade},
		{"binding type removed", ScramSHA256Plus, testBindings,
			Offer{Mechanisms: server.Mechanisms, BindingTypes: []string{BindEndPoint}}, ErrDowngrade},
		{"all binding removed", ScramSHA256, testBindings,
			Offer{Mechanisms: []string{ScramSHA256, ScramSHA1}}, NotAuthorized}, // 'y'
		{"all binding removed, client cannot", ScramSHA256, Bindings{},
			Offer{Mechanisms: []string{ScramSHA256, ScramSHA1}}, ErrDowngrade},
		{"-PLUS removed, types left", ScramSHA256, testBindings,
			Offer{Mechanisms: []string{ScramSHA256}, BindingTypes: server.BindingTypes}, ErrDowngrade},
		{"types removed, SASL2", ScramSHA256Plus, testBindings,
			Offer{Mechanisms: server.Mechanisms, SASL2: true}, ErrDowngrade},
		{"types removed, SASL1", ScramSHA256Plus, testBindings, Offer{Mechanisms: server.Mechanisms}, ErrDowngrade},
		{"types replaced", ScramSHA256, exporterOnly,
			Offer{Mechanisms: server.Mechanisms, BindingTypes: []string{"tls-moon"}}, ErrDowngrade},
		{"-PLUS not used", ScramSHA256, testBindings, server, ErrDowngrade},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := converse(t, c.mechanism, testClientConfig(c.seen, c.bindings), testServerConfig(server, testBindings))
			if !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

// A client that shares no type with an honest server goes on unbound only if the hash clears the suspicion.
func TestNoSharedBindingType(t *testing.T) {
	offer := NewOffer(preference, Bindings{Exporter: testBindings.Exporter}, true)
	bindings := Bindings{EndPoint: testBindings.EndPoint}
	best, err := Best(offer, bindings, true)
	if err != nil || best != ScramSHA512 {
		t.Fatalf("best %s, %v", best, err)
	}
	if _, _, err := converse(t, best, testClientConfig(offer, bindings), testServerConfig(offer, testBindings)); err != nil {
		t.Errorf("with the hash: %v", err)
	}
	client, err := newScramClient(mechanisms[ScramSHA256], &ClientConfig{
		Username: "user", Password: testPassword, Offer: offer, Bindings: bindings,
	})
	if err != nil {
		t.Fatal(err)
	}
	client.nonce = []byte("abc")
	if _, _, err := client.step(nil); err != nil {
		t.Fatal(err)
	}
	if _, _, err := client.step([]byte("r=abcdef,s=QSXCR+Q6sek8bf92,i=4096")); !errors.Is(err, ErrDowngrade) {
		t.Errorf("without the hash: %v", err)
	}
}

func TestBest(t *testing.T) {
	for _, c := range []struct {
		name       string
		offer      Offer
		bindings   Bindings
		allowPlain bool
		want       string
		err        error
	}{
		{"everything", NewOffer(preference, testBindings, true), testBindings, false, ScramSHA512Plus, nil},
		{"client cannot bind", NewOffer(preference, testBindings, true), Bindings{}, false, ScramSHA512, nil},
		{"server cannot bind", NewOffer(preference, Bindings{}, true), testBindings, false, ScramSHA512, nil},
		{"binding before hash", Offer{Mechanisms: []string{ScramSHA1Plus, ScramSHA512}}, testBindings, false, ScramSHA1Plus, nil},
		{"PLAIN only, pinned", Offer{Mechanisms: []string{Plain}}, testBindings, false, "", ErrNoMechanism},
		{"PLAIN only", Offer{Mechanisms: []string{Plain}}, testBindings, true, Plain, nil},
		{"unknown", Offer{Mechanisms: []string{"EXTERNAL", "SCRAM-SHA3-512"}}, testBindings, true, "", ErrNoMechanism},
		{"contradiction", Offer{Mechanisms: []string{ScramSHA1}, BindingTypes: []string{BindExporter}}, testBindings, true, "", ErrDowngrade},
	} {
		if got, err := Best(c.offer, c.bindings, c.allowPlain); got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s: %s, %v, want %s, %v", c.name, got, err, c.want, c.err)
		}
	}
}

func TestBestToken(t *testing.T) {
	all := NewOffer(allMechanisms, testBindings, true)
	for _, c := range []struct {
		offer    Offer
		bindings Bindings
		want     string
	}{
		{all, testBindings, TokenExporter},
		{all, Bindings{EndPoint: testBindings.EndPoint}, TokenEndPoint},
		{all, Bindings{}, TokenNone},
		{Offer{}, testBindings, ""},
	} {
		if got, err := BestToken(c.offer, c.bindings); got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%v: %s, %v, want %s", c.bindings.Types(), got, err, c.want)
		}
	}
}

func TestNewOffer(t *testing.T) {
	enabled := append([]string{"EXTERNAL"}, allMechanisms...)
	for _, c := range []struct {
		name      string
		bindings  Bindings
		encrypted bool
		want      Offer
	}{
		{"without TLS", Bindings{}, false, Offer{Mechanisms: []string{ScramSHA512, ScramSHA256, ScramSHA1}}},
		{"TLS without bindings", Bindings{}, true,
			Offer{Mechanisms: []string{ScramSHA512, ScramSHA256, ScramSHA1, Plain}, Fast: []string{TokenNone}}},
		{"exporter", Bindings{Exporter: []byte{1}}, true,
			Offer{Mechanisms: preference, Fast: []string{TokenNone, TokenExporter}, BindingTypes: []string{BindExporter}}},
	} {
		got := NewOffer(enabled, c.bindings, c.encrypted)
		same := slices.Equal(got.Mechanisms, c.want.Mechanisms) && slices.Equal(got.Fast, c.want.Fast) &&
			slices.Equal(got.BindingTypes, c.want.BindingTypes)
		if !same {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}
