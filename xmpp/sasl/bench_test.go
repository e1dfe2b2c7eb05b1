package sasl

import "testing"

// benchServer measures one whole exchange at the server; the clock stands still while the client works.
func benchServer(b *testing.B, name string, bindings Bindings) {
	offer := NewOffer(allMechanisms, testBindings, true)
	config := testServerConfig(offer, testBindings)
	clientConfig := testClientConfig(offer, bindings)
	clientConfig.Token = []byte("new token for " + name)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		client, err := NewClient(name, clientConfig)
		if err != nil {
			b.Fatal(err)
		}
		response, _, err := client.Step(nil)
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		server, err := NewServer(name, config)
		if err != nil {
			b.Fatal(err)
		}
		challenge, done, err := server.Step(response)
		for !done && err == nil {
			b.StopTimer()
			if response, _, err = client.Step(challenge); err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
			challenge, done, err = server.Step(response)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkServerScramSHA256(b *testing.B)     { benchServer(b, ScramSHA256, Bindings{}) }
func BenchmarkServerScramSHA256Plus(b *testing.B) { benchServer(b, ScramSHA256Plus, testBindings) }
func BenchmarkServerToken(b *testing.B)           { benchServer(b, TokenExporter, testBindings) }

func BenchmarkDeriveKeys(b *testing.B) {
	for _, hash := range []Hash{SHA1, SHA256, SHA512} {
		b.Run(string(hash), func(b *testing.B) {
			for b.Loop() {
				if _, err := DeriveKeys(hash, testPassword, []byte("0123456789abcdef"), DefaultIterations); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
