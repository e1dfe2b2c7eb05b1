package sasl

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func newTestServer(t testing.TB, name string, change func(*ServerConfig)) *Server {
	t.Helper()
	config := testServerConfig(NewOffer(allMechanisms, testBindings, true), testBindings)
	if change != nil {
		change(config)
	}
	server, err := NewServer(name, config)
	if err != nil {
		t.Fatal(err)
	}
	return server
}

func TestServerRefusesFirstMessage(t *testing.T) {
	long := strings.Repeat("x", maxName+1)
	cases := []struct {
		name, mechanism, message string
		want                     Condition
	}{
		{"empty", ScramSHA256, "", MalformedRequest},
		{"no commas", ScramSHA256, "n", MalformedRequest},
		{"one comma", ScramSHA256, "n,", MalformedRequest},
		{"header only", ScramSHA256, "n,,", MalformedRequest},
		{"unknown flag", ScramSHA256, "q,,n=user,r=abc", MalformedRequest},
		{"long flag", ScramSHA256, "nn,,n=user,r=abc", MalformedRequest},
		{"header without authzid's comma", ScramSHA256, "n,a=x", MalformedRequest},
		{"authzid empty", ScramSHA256, "n,a=,n=user,r=abc", MalformedRequest},
		{"no name", ScramSHA256, "n,,r=abc", MalformedRequest},
		{"empty name", ScramSHA256, "n,,n=,r=abc", MalformedRequest},
		{"bad escape", ScramSHA256, "n,,n=us=er,r=abc", MalformedRequest},
		{"escape cut off", ScramSHA256, "n,,n=user=2,r=abc", MalformedRequest},
		{"long name", ScramSHA256, "n,,n=" + long + ",r=abc", MalformedRequest},
		{"name not UTF-8", ScramSHA256, "n,,n=us\xffer,r=abc", MalformedRequest},
		{"NUL", ScramSHA256, "n,,n=us\x00er,r=abc", MalformedRequest},
		{"no nonce", ScramSHA256, "n,,n=user", MalformedRequest},
		{"empty nonce", ScramSHA256, "n,,n=user,r=", MalformedRequest},
		{"space in nonce", ScramSHA256, "n,,n=user,r=a b", MalformedRequest},
		{"long nonce", ScramSHA256, "n,,n=user,r=" + strings.Repeat("r", maxNonce+1), MalformedRequest},
		{"order", ScramSHA256, "n,,r=abc,n=user", MalformedRequest},
		{"mandatory extension", ScramSHA256, "n,,m=x,n=user,r=abc", MalformedRequest},
		{"mandatory extension, last", ScramSHA256, "n,,n=user,r=abc,m=x", MalformedRequest},
		{"second name", ScramSHA256, "n,,n=user,r=abc,n=admin", MalformedRequest},
		{"comma at the end", ScramSHA256, "n,,n=user,r=abc,", MalformedRequest},
		{"extension without value", ScramSHA256, "n,,n=user,r=abc,z=", MalformedRequest},
		{"too long", ScramSHA256, "n,,n=user,r=abc,z=" + strings.Repeat("z", MaxMessage), MalformedRequest},
		{"binding without -PLUS", ScramSHA256, "p=tls-exporter,,n=user,r=abc", MalformedRequest},
		{"-PLUS without binding", ScramSHA256Plus, "n,,n=user,r=abc", MalformedRequest},
		{"-PLUS with y", ScramSHA256Plus, "y,,n=user,r=abc", MalformedRequest},
		{"binding without type", ScramSHA256Plus, "p=,,n=user,r=abc", MalformedRequest},
		{"binding with odd type", ScramSHA256Plus, "p=tls_exporter,,n=user,r=abc", MalformedRequest},
		{"unknown binding type", ScramSHA256Plus, "p=tls-unique,,n=user,r=abc", NotAuthorized},
		{"-PLUS was stripped", ScramSHA256, "y,,n=user,r=abc", NotAuthorized},
		{"PLAIN empty", Plain, "", MalformedRequest},
		{"PLAIN one NUL", Plain, "user\x00pencil", MalformedRequest},
		{"PLAIN three NULs", Plain, "\x00user\x00pencil\x00", MalformedRequest},
		{"PLAIN no name", Plain, "\x00\x00pencil", MalformedRequest},
		{"PLAIN no password", Plain, "\x00user\x00", MalformedRequest},
		{"PLAIN not UTF-8", Plain, "\x00user\x00\xff", MalformedRequest},
		{"PLAIN long", Plain, "\x00user\x00" + long, MalformedRequest},
		{"PLAIN authzid", Plain, "other\x00user\x00pencil", InvalidAuthzid},
		{"PLAIN control character", Plain, "\x00user\x00pen\x07cil", NotAuthorized},
		{"token empty", TokenNone, "", MalformedRequest},
		{"token no NUL", TokenNone, "user", MalformedRequest},
		{"token no name", TokenNone, "\x00" + strings.Repeat("t", 32), MalformedRequest},
		{"token short", TokenNone, "user\x00short", MalformedRequest},
		{"token long", TokenNone, "user\x00" + strings.Repeat("t", 33), MalformedRequest},
		{"token wrong", TokenNone, "user\x00" + strings.Repeat("t", 32), NotAuthorized},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			server := newTestServer(t, c.mechanism, nil)
			challenge, done, err := server.Step([]byte(c.message))
			if !errors.Is(err, c.want) || done || challenge != nil {
				t.Fatalf("got %q, %v, %v, want %s", challenge, done, err, c.want)
			}
			if _, _, err := server.Step([]byte("n,,n=user,r=abc")); !errors.Is(err, MalformedRequest) {
				t.Errorf("the exchange goes on: %v", err)
			}
		})
	}
}

func TestServerReadsNames(t *testing.T) {
	for message, want := range map[string]string{
		"n,,n=user,r=abc":            "user",
		"n,,n=a=2Cb=3Dc,r=abc":       "a,b=c",
		"n,,n=jürgen,r=abc":          "jürgen",
		"n,a=x=2Cy,n=user,r=abc":     "user",
		"n,,n=user,r=abc,z=more,y=1": "user",
	} {
		server := newTestServer(t, ScramSHA1, nil)
		if _, _, err := server.Step([]byte(message)); err != nil || server.Claimed() != want {
			t.Errorf("%s: claims %q, %v", message, server.Claimed(), err)
		}
	}
}

// finalMessage is a valid client-final-message for the exchange, which edit may spoil before it is signed.
func finalMessage(t *testing.T, server *Server, edit func(withoutProof string) string) string {
	t.Helper()
	const bare = "n=user,r=abc"
	challenge, _, err := server.Step([]byte("n,," + bare))
	if err != nil {
		t.Fatal(err)
	}
	first, _ := readServerFirst(challenge)
	keys, err := DeriveKeys(SHA256, testPassword, first.salt, first.iterations)
	if err != nil {
		t.Fatal(err)
	}
	client := scramClient{
		config: &ClientConfig{Keys: keys, MinIterations: 1, Offer: server.config.Offer},
		hash:   SHA256, header: []byte("n,,"), nonce: []byte("abc"), signed: []byte(bare),
	}
	response, _, err := client.prove(challenge)
	if err != nil {
		t.Fatal(err)
	}
	return edit(string(response))
}

func TestServerRefusesFinalMessage(t *testing.T) {
	cut := func(s string) string { return s[:strings.LastIndex(s, ",p=")] }
	cases := []struct {
		name string
		edit func(string) string
		want error
	}{
		{"valid", func(s string) string { return s }, nil},
		{"empty", func(string) string { return "" }, MalformedRequest},
		{"first message again", func(string) string { return "n,,n=user,r=abc" }, MalformedRequest},
		{"no proof", cut, MalformedRequest},
		{"empty proof", func(s string) string { return cut(s) + ",p=" }, MalformedRequest},
		{"short proof", func(s string) string { return cut(s) + ",p=AAAA" }, MalformedRequest},
		{"proof not base64", func(s string) string { return cut(s) + ",p=!!!!" }, MalformedRequest},
		{"line break in proof", func(s string) string { return s[:len(s)-4] + "\n" + s[len(s)-4:] }, MalformedRequest},
		{"something after the proof", func(s string) string { return s + ",x=1" }, MalformedRequest},
		{"mandatory extension", func(s string) string { return strings.Replace(s, ",p=", ",m=1,p=", 1) }, MalformedRequest},
		{"no binding", func(s string) string { return strings.TrimPrefix(s, "c=biws,") }, MalformedRequest},
		{"unsigned extension", func(s string) string { return strings.Replace(s, ",p=", ",x=1,p=", 1) }, NotAuthorized},
		{"other binding", func(s string) string { return strings.Replace(s, "biws", "eSws", 1) }, NotAuthorized},
		{"other nonce", func(s string) string { return strings.Replace(s, "r=abc", "r=abd", 1) }, NotAuthorized},
		{"nonce cut", func(s string) string { return "c=biws,r=abc" + s[strings.LastIndex(s, ",p="):] }, NotAuthorized},
		{"zero proof", func(s string) string { return cut(s) + ",p=" + strings.Repeat("A", 43) + "=" }, NotAuthorized},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			server := newTestServer(t, ScramSHA256, nil)
			message := finalMessage(t, server, c.edit)
			_, done, err := server.Step([]byte(message))
			if !errors.Is(err, c.want) || done != (c.want == nil) {
				t.Errorf("%q: %v, %v, want %v", message, done, err, c.want)
			}
			if _, _, err := server.Step([]byte(message)); !errors.Is(err, MalformedRequest) {
				t.Errorf("replayed: %v", err)
			}
		})
	}
}

func TestFinalMessageOfAnotherExchange(t *testing.T) {
	message := finalMessage(t, newTestServer(t, ScramSHA256, nil), func(s string) string { return s })
	server := newTestServer(t, ScramSHA256, nil)
	if _, _, err := server.Step([]byte("n,,n=user,r=abc")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := server.Step([]byte(message)); !errors.Is(err, NotAuthorized) {
		t.Errorf("got %v", err)
	}
}

func TestUnknownAccountsLookReal(t *testing.T) {
	challengeFor := func(message string) serverFirst {
		server := newTestServer(t, ScramSHA256, func(c *ServerConfig) {
			c.Prepare = func(name string) (string, error) {
				if strings.Contains(name, "@") {
					return "", errors.New("no localpart")
				}
				return strings.ToLower(name), nil
			}
		})
		challenge, _, err := server.Step([]byte(message))
		if err != nil {
			t.Fatal(err)
		}
		first, ok := readServerFirst(challenge)
		if !ok {
			t.Fatalf("challenge %q", challenge)
		}
		return first
	}
	known, unknown := challengeFor("n,,n=user,r=abc"), challengeFor("n,,n=nobody,r=abc")
	if len(known.salt) != len(unknown.salt) || known.iterations != unknown.iterations {
		t.Errorf("salts of %d and %d bytes, %d and %d iterations", len(known.salt), len(unknown.salt), known.iterations, unknown.iterations)
	}
	if again := challengeFor("n,,n=NOBODY,r=abc"); !bytes.Equal(again.salt, unknown.salt) {
		t.Error("the same account has two salts")
	}
	if other := challengeFor("n,,n=nobody2,r=abc"); bytes.Equal(other.salt, unknown.salt) {
		t.Error("two accounts have the same salt")
	}
	challengeFor("n,,n=no@body,r=abc")
}

func TestCallbacksDecide(t *testing.T) {
	broken := errors.New("database is away")
	const message = "boss\x00user\x00pencil"
	for name, c := range map[string]struct {
		change func(*ServerConfig)
		want   Condition
	}{
		"lookup fails":     {func(c *ServerConfig) { c.Lookup = func(string) ([]Credential, error) { return nil, broken } }, TemporaryAuthFailure},
		"lookup refuses":   {func(c *ServerConfig) { c.Lookup = func(string) ([]Credential, error) { return nil, AccountDisabled } }, AccountDisabled},
		"account disabled": {func(c *ServerConfig) { c.Authorize = func(string, string) error { return AccountDisabled } }, AccountDisabled},
		"authorize fails":  {func(c *ServerConfig) { c.Authorize = func(string, string) error { return broken } }, TemporaryAuthFailure},
		"authzid refused":  {nil, InvalidAuthzid},
		"no credential":    {func(c *ServerConfig) { c.Lookup = func(string) ([]Credential, error) { return nil, nil } }, NotAuthorized},
		"broken credential": {func(c *ServerConfig) {
			c.Lookup = func(string) ([]Credential, error) { return []Credential{{Hash: "MD5"}}, nil }
		}, NotAuthorized},
	} {
		server := newTestServer(t, Plain, c.change)
		if _, done, err := server.Step([]byte(message)); ConditionOf(err) != c.want || done || server.Username() != "" {
			t.Errorf("%s: %v, %v", name, done, err)
		}
	}
	server := newTestServer(t, Plain, func(c *ServerConfig) {
		c.Authorize = func(username, authzid string) error {
			if username == "user" && authzid == "boss" {
				return nil
			}
			return InvalidAuthzid
		}
	})
	if _, done, err := server.Step([]byte(message)); !done || err != nil || server.Authzid() != "boss" {
		t.Errorf("authzid %q, %v, %v", server.Authzid(), done, err)
	}
}

func TestNewServerRefuses(t *testing.T) {
	full := func() *ServerConfig {
		return testServerConfig(NewOffer(allMechanisms, testBindings, true), testBindings)
	}
	for _, c := range []struct {
		mechanism string
		change    func(*ServerConfig)
		want      Condition
	}{
		{"SCRAM-MD5", func(*ServerConfig) {}, InvalidMechanism},
		{"scram-sha-1", func(*ServerConfig) {}, InvalidMechanism},
		{Plain, func(c *ServerConfig) { c.Offer.Mechanisms = []string{ScramSHA1} }, InvalidMechanism},
		{TokenNone, func(c *ServerConfig) { c.Offer.Fast = nil }, InvalidMechanism},
		{Plain, func(c *ServerConfig) { c.Encrypted = false }, EncryptionRequired},
		{TokenNone, func(c *ServerConfig) { c.Encrypted = false }, EncryptionRequired},
		{TokenNone, func(c *ServerConfig) { c.Tokens = nil }, TemporaryAuthFailure},
		{TokenExporter, func(c *ServerConfig) { c.Bindings = Bindings{} }, TemporaryAuthFailure},
		{ScramSHA1, func(c *ServerConfig) { c.Lookup = nil }, TemporaryAuthFailure},
		{ScramSHA1, func(c *ServerConfig) { c.Secret = nil }, TemporaryAuthFailure},
	} {
		config := full()
		c.change(config)
		if _, err := NewServer(c.mechanism, config); err == nil || ConditionOf(err) != c.want {
			t.Errorf("%s: %v, want %s", c.mechanism, err, c.want)
		}
	}
}

func TestFailureTellsPeerAndOperatorApart(t *testing.T) {
	cause := fmt.Errorf("open account: %w", AccountDisabled)
	err := failWith(cause, "authorize user")
	if ConditionOf(err) != AccountDisabled || !errors.Is(err, cause) || !strings.Contains(err.Error(), "open account") {
		t.Errorf("got %v", err)
	}
}
