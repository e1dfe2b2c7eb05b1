package sasl

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func newTestClient(t testing.TB, name string) *Client {
	t.Helper()
	config := testClientConfig(NewOffer(allMechanisms, testBindings, true), testBindings)
	config.Token = []byte("token")
	if m := mechanisms[name]; m.family == scram && !m.plus {
		config.Bindings = Bindings{}
	}
	client, err := NewClient(name, config)
	if err != nil {
		t.Fatal(err)
	}
	if exchange, ok := client.exchange.(*scramClient); ok {
		exchange.nonce = []byte("abc")
	}
	return client
}

func TestClientRefusesChallenge(t *testing.T) {
	offer := NewOffer(allMechanisms, testBindings, true)
	good := offer.digest(SHA256)
	for _, c := range []struct {
		name, challenge string
		want            error
	}{
		{"valid", "r=abcdef,s=AAAA,i=16,h=" + good, nil},
		{"without hash", "r=abcdef,s=AAAA,i=16", nil},
		{"other extension", "r=abcdef,s=AAAA,i=16,x=1", nil},
		{"empty", "", ErrMalformedChallenge},
		{"other nonce", "r=xyzdef,s=AAAA,i=16", ErrMalformedChallenge},
		{"only our nonce", "r=abc,s=AAAA,i=16", ErrMalformedChallenge},
		{"nonce not printable", "r=abc\x7f,s=AAAA,i=16", ErrMalformedChallenge},
		{"no salt", "r=abcdef,i=16", ErrMalformedChallenge},
		{"empty salt", "r=abcdef,s=,i=16", ErrMalformedChallenge},
		{"salt not base64", "r=abcdef,s=AAA,i=16", ErrMalformedChallenge},
		{"salt with loose bits", "r=abcdef,s=AB==,i=16", ErrMalformedChallenge},
		{"no iterations", "r=abcdef,s=AAAA", ErrMalformedChallenge},
		{"zero iterations", "r=abcdef,s=AAAA,i=0", ErrMalformedChallenge},
		{"leading zero", "r=abcdef,s=AAAA,i=016", ErrMalformedChallenge},
		{"negative iterations", "r=abcdef,s=AAAA,i=-16", ErrMalformedChallenge},
		{"iterations overflow", "r=abcdef,s=AAAA,i=99999999999999999999", ErrMalformedChallenge},
		{"too many iterations", "r=abcdef,s=AAAA,i=1000001", ErrIterations},
		{"mandatory extension first", "m=x,r=abcdef,s=AAAA,i=16", ErrMalformedChallenge},
		{"mandatory extension last", "r=abcdef,s=AAAA,i=16,m=x", ErrMalformedChallenge},
		{"two hashes", "r=abcdef,s=AAAA,i=16,h=" + good + ",h=" + good, ErrMalformedChallenge},
		{"other hash", "r=abcdef,s=AAAA,i=16,h=AAAA", ErrDowngrade},
		{"too long", "r=abcdef,s=AAAA,i=16,x=" + strings.Repeat("x", MaxMessage), ErrMalformedChallenge},
		{"final message too early", "v=AAAA", ErrMalformedChallenge},
	} {
		t.Run(c.name, func(t *testing.T) {
			client := newTestClient(t, ScramSHA256)
			if _, _, err := client.Step(nil); err != nil {
				t.Fatal(err)
			}
			if _, done, err := client.Step([]byte(c.challenge)); !errors.Is(err, c.want) || done {
				t.Errorf("got %v, %v, want %v", done, err, c.want)
			}
		})
	}
}

func TestClientRefusesFewIterations(t *testing.T) {
	client := newTestClient(t, ScramSHA256)
	client.exchange.(*scramClient).config.MinIterations = 0
	if _, _, err := client.Step(nil); err != nil {
		t.Fatal(err)
	}
	challenge := fmt.Sprintf("r=abcdef,s=AAAA,i=%d", MinIterations-1)
	if _, _, err := client.Step([]byte(challenge)); !errors.Is(err, ErrIterations) {
		t.Errorf("got %v", err)
	}
}

func TestServerMustProveItself(t *testing.T) {
	for _, c := range []struct {
		name    string
		success []byte
		want    error
	}{
		{"nothing", nil, ErrServerUnproven},
		{"empty", []byte{}, ErrServerUnproven},
		{"other signature", []byte("v=AAAA"), ErrServerUnproven},
		{"not base64", []byte("v=A"), ErrMalformedChallenge},
		{"error", []byte("e=invalid-proof"), NotAuthorized},
		{"challenge again", []byte("r=abcdef,s=AAAA,i=16"), ErrMalformedChallenge},
		{"noise", []byte("hello"), ErrMalformedChallenge},
	} {
		client := newTestClient(t, ScramSHA256)
		for _, challenge := range [][]byte{nil, []byte("r=abcdef,s=AAAA,i=16")} {
			if _, _, err := client.Step(challenge); err != nil {
				t.Fatal(err)
			}
		}
		if err := client.Finish(c.success); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
		if err := client.Finish(nil); err == nil {
			t.Errorf("%s: forgotten at the second try", c.name)
		}
	}
}

func TestSuccessTooEarly(t *testing.T) {
	for _, name := range allMechanisms {
		client := newTestClient(t, name)
		if err := client.Finish(nil); err == nil {
			t.Errorf("%s: success before the first message", name)
		}
		client = newTestClient(t, name)
		if _, _, err := client.Step(nil); err != nil {
			t.Fatal(err)
		}
		if err := client.Finish(nil); (err == nil) != (name == Plain) {
			t.Errorf("%s: success after the first message: %v", name, err)
		}
	}
}

func TestNewClientRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		mechanism string
		change    func(*ClientConfig)
		want      error
	}{
		"not offered":       {ScramSHA256Plus, func(c *ClientConfig) { c.Offer.Mechanisms = []string{ScramSHA1Plus} }, ErrNoMechanism},
		"unknown":           {"EXTERNAL", func(*ClientConfig) {}, ErrNoMechanism},
		"-PLUS unbound":     {ScramSHA256Plus, func(c *ClientConfig) { c.Bindings = Bindings{} }, ErrNoMechanism},
		"token unbound":     {TokenExporter, func(c *ClientConfig) { c.Bindings, c.Token = Bindings{}, []byte("t") }, ErrNoMechanism},
		"no password":       {ScramSHA256Plus, func(c *ClientConfig) { c.Password = "" }, ErrPassword},
		"unusable password": {Plain, func(c *ClientConfig) { c.Password = "\a" }, ErrPassword},
		"no token":          {TokenNone, func(*ClientConfig) {}, nil},
		"token for another": {TokenNone, func(c *ClientConfig) { c.Token, c.Authzid = []byte("t"), "boss" }, nil},
		"no name":           {Plain, func(c *ClientConfig) { c.Username = "" }, nil},
		"NUL in name":       {Plain, func(c *ClientConfig) { c.Username = "us\x00er" }, nil},
	} {
		config := testClientConfig(NewOffer(allMechanisms, testBindings, true), testBindings)
		c.change(&config)
		if _, err := NewClient(c.mechanism, config); err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
}

func TestNamesAreEscaped(t *testing.T) {
	client := newTestClient(t, ScramSHA256Plus)
	config := client.exchange.(*scramClient).config
	config.Username, config.Authzid = "a,b=c", "x=y"
	message, _, err := client.Step(nil)
	if want := "p=tls-exporter,a=x=3Dy,n=a=2Cb=3Dc,r=abc"; err != nil || string(message) != want {
		t.Errorf("got %q, %v, want %q", message, err, want)
	}
}
