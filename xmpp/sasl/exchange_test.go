package sasl

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
)

const testPassword = "pencil"

var testBindings = Bindings{Exporter: bytes.Repeat([]byte{7}, 32), EndPoint: bytes.Repeat([]byte{9}, 32)}

var allMechanisms = append(slices.Clone(preference), TokenNone, TokenEndPoint, TokenExporter)

// testCredentials are those of the account "user", with few iterations so that fuzzing is quick.
var testCredentials = sync.OnceValue(func() []Credential {
	var all []Credential
	for _, hash := range []Hash{SHA1, SHA256, SHA512} {
		keys, err := DeriveKeys(hash, testPassword, []byte("0123456789abcdef"), 16)
		if err != nil {
			panic(err)
		}
		all = append(all, keys.Credential())
	}
	return all
})

func testServerConfig(offer Offer, bindings Bindings) *ServerConfig {
	return &ServerConfig{
		Offer: offer, Bindings: bindings, Encrypted: true, Iterations: 16,
		Secret: []byte("a secret of the server's own"),
		Lookup: func(username string) ([]Credential, error) {
			if username != "user" {
				return nil, ErrUnknownUser
			}
			return testCredentials(), nil
		},
		Tokens: func(username, mechanism string) ([][]byte, error) {
			if username != "user" {
				return nil, nil
			}
			return [][]byte{[]byte("new token for " + mechanism), []byte("old token for " + mechanism)}, nil
		},
	}
}

func testClientConfig(offer Offer, bindings Bindings) ClientConfig {
	return ClientConfig{Username: "user", Password: testPassword, Offer: offer, Bindings: bindings, MinIterations: 1}
}

// converse runs both sides against each other until both are done or one fails.
func converse(t *testing.T, name string, clientConfig ClientConfig, serverConfig *ServerConfig) (*Client, *Server, error) {
	t.Helper()
	client, err := NewClient(name, clientConfig)
	if err != nil {
		return nil, nil, err
	}
	server, err := NewServer(name, serverConfig)
	if err != nil {
		return client, nil, err
	}
	var challenge []byte
	for range 4 {
		response, _, err := client.Step(challenge)
		if err != nil {
			return client, server, err
		}
		var done bool
		challenge, done, err = server.Step(response)
		if err != nil {
			return client, server, err
		}
		if done {
			return client, server, client.Finish(challenge)
		}
	}
	return client, server, errors.New("no end")
}

func TestEveryMechanism(t *testing.T) {
	offer := NewOffer(allMechanisms, testBindings, true)
	for _, name := range allMechanisms {
		t.Run(name, func(t *testing.T) {
			config := testClientConfig(offer, testBindings)
			if strings.HasPrefix(name, "SCRAM") && !strings.HasSuffix(name, "PLUS") {
				config.Bindings = Bindings{} // a client that cannot bind
			}
			config.Token = []byte("old token for " + name)
			_, server, err := converse(t, name, config, testServerConfig(offer, testBindings))
			if err != nil {
				t.Fatal(err)
			}
			if server.Username() != "user" || server.Authzid() != "" {
				t.Errorf("authenticated as %q for %q", server.Username(), server.Authzid())
			}
			if want := strings.HasPrefix(name, "HT"); (server.Token() == 1) != want {
				t.Errorf("token %d", server.Token())
			}
		})
	}
}

func TestEveryMechanismRefusesTheWrongSecret(t *testing.T) {
	offer := NewOffer(allMechanisms, testBindings, true)
	for _, name := range allMechanisms {
		for _, username := range []string{"user", "nobody"} {
			t.Run(name+"/"+username, func(t *testing.T) {
				config := testClientConfig(offer, testBindings)
				if strings.HasPrefix(name, "SCRAM") && !strings.HasSuffix(name, "PLUS") {
					config.Bindings = Bindings{}
				}
				config.Username = username
				config.Token = []byte("new token for another mechanism")
				if username == "user" {
					config.Password = "Pencil"
				}
				_, server, err := converse(t, name, config, testServerConfig(offer, testBindings))
				if !errors.Is(err, NotAuthorized) {
					t.Fatalf("got %v", err)
				}
				if server.Username() != "" || server.Claimed() != username {
					t.Errorf("username %q, claimed %q", server.Username(), server.Claimed())
				}
				if _, _, err := server.Step([]byte("again")); !errors.Is(err, MalformedRequest) {
					t.Errorf("step after failure: %v", err)
				}
			})
		}
	}
}

func TestChannelBindingMustBeTheSame(t *testing.T) {
	offer := NewOffer(allMechanisms, testBindings, true)
	theirs := Bindings{Exporter: bytes.Repeat([]byte{8}, 32), EndPoint: bytes.Repeat([]byte{8}, 32)}
	for _, name := range []string{ScramSHA1Plus, ScramSHA256Plus, ScramSHA512Plus, TokenExporter, TokenEndPoint} {
		config := testClientConfig(offer, theirs)
		config.Token = []byte("new token for " + name)
		_, _, err := converse(t, name, config, testServerConfig(offer, testBindings))
		if !errors.Is(err, NotAuthorized) {
			t.Errorf("%s through another channel: %v", name, err)
		}
	}
}

func TestEachBindingTypeAlone(t *testing.T) {
	for _, bindings := range []Bindings{{Exporter: testBindings.Exporter}, {EndPoint: testBindings.EndPoint}} {
		offer := NewOffer(allMechanisms, bindings, true)
		_, _, err := converse(t, ScramSHA256Plus, testClientConfig(offer, testBindings), testServerConfig(offer, bindings))
		if err != nil {
			t.Errorf("%v: %v", bindings.Types(), err)
		}
	}
}

// An empty request comes before the exchange when the client sends no initial response (RFC 4422 §5).
func TestWithoutInitialResponse(t *testing.T) {
	offer := NewOffer([]string{ScramSHA256}, Bindings{}, true)
	client, err := NewClient(ScramSHA256, testClientConfig(offer, Bindings{}))
	if err != nil {
		t.Fatal(err)
	}
	server, err := NewServer(ScramSHA256, testServerConfig(offer, Bindings{}))
	if err != nil {
		t.Fatal(err)
	}
	var response []byte
	var done bool
	for !done {
		var challenge []byte
		if challenge, done, err = server.Step(response); err != nil {
			t.Fatal(err)
		}
		if response, _, err = client.Step(challenge); err != nil {
			t.Fatal(err)
		}
	}
	if err := client.Finish(nil); err != nil { // the signature came as a challenge
		t.Error(err)
	}
}

func TestKeysSaveTheDerivation(t *testing.T) {
	offer := NewOffer([]string{ScramSHA256}, Bindings{}, true)
	config := testClientConfig(offer, Bindings{})
	client, _, err := converse(t, ScramSHA256, config, testServerConfig(offer, Bindings{}))
	if err != nil {
		t.Fatal(err)
	}
	keys, ok := client.Keys()
	if !ok {
		t.Fatal("no keys")
	}
	config.Password, config.Keys = "", keys
	if _, _, err := converse(t, ScramSHA256, config, testServerConfig(offer, Bindings{})); err != nil {
		t.Errorf("with keys: %v", err)
	}
	config.Keys.Iterations++
	if _, _, err := converse(t, ScramSHA256, config, testServerConfig(offer, Bindings{})); !errors.Is(err, ErrPassword) {
		t.Errorf("with keys that do not fit and no password: %v", err)
	}
}
