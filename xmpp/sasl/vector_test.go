package sasl

import (
	"bytes"
	"encoding/base64"
	"testing"
)

// vector is a whole exchange from a specification, with password "pencil" and 4096 iterations.
type vector struct {
	name, mechanism, salt    string
	clientNonce, serverNonce string
	messages                 [4]string
}

var vectors = []vector{
	{
		"RFC 5802 §5", ScramSHA1, "QSXCR+Q6sek8bf92", "fyko+d2lbbFgONRv9qkxdawL", "3rfcNHYJY1ZVvWVs7j",
		[4]string{
			"n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
			"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
			"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
			"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
		},
	},
	{
		"RFC 7677 §3", ScramSHA256, "W22ZaJ0SNY7soEsUEjb6gQ==", "rOprNGfwEbeRWgbNEkqO", "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
		[4]string{
			"n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
			"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
			"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
			"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
		},
	},
}

// bothSides returns the two sides of a vector's exchange with their nonces set. The server advertises nothing to hash: the
// RFCs are older than XEP-0474.
func bothSides(t *testing.T, v vector) (*scramClient, *scramServer) {
	t.Helper()
	m := mechanisms[v.mechanism]
	salt, err := base64.StdEncoding.DecodeString(v.salt)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := DeriveKeys(m.hash, testPassword, salt, 4096)
	if err != nil {
		t.Fatal(err)
	}
	config := testServerConfig(Offer{}, Bindings{})
	config.Lookup = func(string) ([]Credential, error) { return []Credential{keys.Credential()}, nil }
	client, err := newScramClient(m, &ClientConfig{Username: "user", Password: testPassword})
	if err != nil {
		t.Fatal(err)
	}
	client.nonce = []byte(v.clientNonce)
	return client, &scramServer{config: config, mechanism: m, nonce: []byte(v.serverNonce)}
}

func TestVectors(t *testing.T) {
	for _, v := range vectors {
		t.Run(v.name, func(t *testing.T) {
			client, server := bothSides(t, v)
			var challenge []byte
			for i := 0; i < len(v.messages); i += 2 {
				response, _, err := client.step(challenge)
				if err != nil || string(response) != v.messages[i] {
					t.Fatalf("client sends %q, %v\nwant %q", response, err, v.messages[i])
				}
				challenge, _, err = server.step(response)
				if err != nil || string(challenge) != v.messages[i+1] {
					t.Fatalf("server sends %q, %v\nwant %q", challenge, err, v.messages[i+1])
				}
			}
			if _, done, err := client.step(challenge); !done || err != nil {
				t.Errorf("client ends with %v, %v", done, err)
			}
		})
	}
}

// The example of XEP-0474 §6.3 has an optional attribute from the client as well.
func TestDowngradeVector(t *testing.T) {
	offer := Offer{
		Mechanisms:   []string{ScramSHA1, ScramSHA1Plus},
		BindingTypes: []string{BindEndPoint, BindExporter},
	}
	if got := offer.digest(SHA1); got != "G6k/rBLDqgOhRRaCuuatSDFkJ08=" {
		t.Errorf("digest %s", got)
	}
	bindings := Bindings{Exporter: []byte("THIS IS FAKE CB DATA")}
	config := testServerConfig(offer, bindings)
	salt, err := base64.StdEncoding.DecodeString("QSXCR+Q6sek8bf92")
	if err != nil {
		t.Fatal(err)
	}
	keys, err := DeriveKeys(SHA1, testPassword, salt, 4096)
	if err != nil {
		t.Fatal(err)
	}
	config.Lookup = func(string) ([]Credential, error) { return []Credential{keys.Credential()}, nil }
	server := &scramServer{
		config: config, mechanism: mechanisms[ScramSHA1Plus], nonce: []byte("a09117a6-ac50-4f2f-93f1-93799c2bddf6"),
	}
	const nonce = "12C4CD5C-E38E-4A98-8F6D-15C38F51CCC6"
	challenge, _, err := server.step([]byte("p=tls-exporter,,n=user,r=" + nonce))
	want := "r=" + nonce + "a09117a6-ac50-4f2f-93f1-93799c2bddf6,s=QSXCR+Q6sek8bf92,i=4096,h=G6k/rBLDqgOhRRaCuuatSDFkJ08="
	if err != nil || string(challenge) != want {
		t.Fatalf("challenge %s, %v", challenge, err)
	}
	success, done, err := server.step([]byte("c=cD10bHMtZXhwb3J0ZXIsLFRISVMgSVMgRkFLRSBDQiBEQVRB,r=" + nonce +
		"a09117a6-ac50-4f2f-93f1-93799c2bddf6,x=19C6532F-1CF4-4A27-A18D-DC9CEA41BBB3,p=M/SIDjT+dfcxUh89jZEypRvFxB4="))
	if err != nil || !done || string(success) != "v=MQrMPvv7yv4x4Cq4W4Ih25EqS2c=" {
		t.Errorf("success %s, %v, %v", success, done, err)
	}
}

// Computed with Python: hmac.new(b"token", b"Initiator" + b"cb", "sha256") and the same for "Responder".
func TestTokenVector(t *testing.T) {
	initiator, responder := initiatorToken(SHA256, []byte("token"), []byte("cb")), responderToken(SHA256, []byte("token"), []byte("cb"))
	if got := base64.StdEncoding.EncodeToString(initiator); got != "rmM5qj5ulU7EZa2faEZehmVXoXUm5relyMT3MTK8GzQ=" {
		t.Errorf("initiator %s", got)
	}
	if got := base64.StdEncoding.EncodeToString(responder); got != "Awxb3B6aPhlbz6ha8kuzBAxsuJSngW2OO+ASDuEQdSE=" {
		t.Errorf("responder %s", got)
	}
	if bytes.Equal(initiator, responder) {
		t.Error("a replayed message would pass for an answer")
	}
}
