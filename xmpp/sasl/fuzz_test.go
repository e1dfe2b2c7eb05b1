package sasl

import (
	"bytes"
	"testing"
)

// FuzzServer gives a server two messages of a client that does not know the secret of "user". Whatever they are, the server
// must not crash, must not let the client in, and must stay ended once it is.
func FuzzServer(f *testing.F) {
	bound := encodeBinding([]byte("p=tls-exporter,,"), testBindings.Exporter)
	for i := range allMechanisms {
		f.Add(uint8(i), []byte("n,,n=user,r=abc"), []byte("c=biws,r=abcxyz,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="))
		f.Add(uint8(i), []byte("y,a=boss,n=a=2Cb,r=abc,z=1"), []byte("c=eSws,r=abcxyz,x=1,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="))
		f.Add(uint8(i), []byte("p=tls-exporter,,n=nobody,r=abc"), append(append([]byte("c="), bound...), ",r=abcxyz,p=AAAA"...))
		f.Add(uint8(i), []byte("boss\x00user\x00Pencil"), []byte(nil))
		f.Add(uint8(i), append([]byte("user\x00"), make([]byte, 32)...), []byte{})
	}
	f.Fuzz(func(t *testing.T, which uint8, first, second []byte) {
		name := allMechanisms[int(which)%len(allMechanisms)]
		if name == Plain && bytes.Contains(first, []byte(testPassword)) {
			return
		}
		server := newTestServer(t, name, func(c *ServerConfig) {
			c.Authorize = func(string, string) error { return nil }
		})
		if exchange, ok := server.exchange.(*scramServer); ok {
			exchange.nonce = []byte("xyz")
		}
		for _, message := range [][]byte{first, second} {
			challenge, done, err := server.Step(message)
			if done || server.Username() != "" {
				t.Fatalf("%s let %q in after %q", name, server.Username(), message)
			}
			if err != nil && challenge != nil {
				t.Fatalf("%s answers %q with an error", name, challenge)
			}
			if len(challenge) > 2*MaxMessage {
				t.Fatalf("%s answers with %d bytes", name, len(challenge))
			}
			if err != nil {
				if _, _, again := server.Step(message); ConditionOf(again) != MalformedRequest {
					t.Fatalf("%s goes on after %v: %v", name, err, again)
				}
			}
		}
	})
}

// FuzzClient gives a client two answers of a server that does not know the account. The client must not crash and must not
// believe that server.
func FuzzClient(f *testing.F) {
	for i := range allMechanisms {
		f.Add(uint8(i), []byte("r=abcdef,s=AAAA,i=16"), []byte("v=rmF9pqV8S7suAoZWja4dJRkFsKQ="))
		f.Add(uint8(i), []byte("r=abcdef,s=AAAA,i=16,h=AAAA"), []byte("e=other-error"))
		f.Add(uint8(i), []byte{}, make([]byte, 32))
	}
	f.Fuzz(func(t *testing.T, which uint8, challenge, success []byte) {
		name := allMechanisms[int(which)%len(allMechanisms)]
		if first, ok := readServerFirst(challenge); name == Plain || ok && first.iterations > 64 {
			return // PLAIN proves no server, and many iterations are only slow
		}
		client := newTestClient(t, name)
		if _, _, err := client.Step(nil); err != nil {
			t.Fatal(err)
		}
		if _, done, _ := client.Step(challenge); done {
			t.Fatalf("%s believes %q", name, challenge)
		}
		if client.Finish(success) == nil {
			t.Fatalf("%s believes %q after %q", name, success, challenge)
		}
	})
}
