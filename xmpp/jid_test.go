package xmpp

import (
	"errors"
	"strings"
	"testing"
)

func TestParseJID(t *testing.T) {
	cases := []struct{ in, local, domain, resource string }{
		{"localhost", "", "localhost", ""},
		{"romeo@example.org/Balcony", "romeo", "example.org", "Balcony"},
		{"ROMEO@Example.ORG", "romeo", "example.org", ""},
		{"romeo@example.org./a", "romeo", "example.org", "a"},
		{"romeo@example.org/a@b/c d", "romeo", "example.org", "a@b/c d"},
		{"fußball@example.com", "fußball", "example.com", ""},
		{"Σ@example.com", "σ", "example.com", ""},
		{"a@bücher.example", "a", "bücher.example", ""},
		{"a@xn--bcher-kva.example", "a", "bücher.example", ""},
		{"a@192.0.2.1", "a", "192.0.2.1", ""},
		{"a@[::1]/b", "a", "[::1]", "b"},
		{"a.b_c-d+e@localhost", "a.b_c-d+e", "localhost", ""},
	}
	for _, c := range cases {
		j, err := ParseJID(c.in)
		if err != nil || j.Local() != c.local || j.Domain() != c.domain || j.Resource() != c.resource {
			t.Errorf("%s: %q %q %q %v", c.in, j.Local(), j.Domain(), j.Resource(), err)
			continue
		}
		again, err := ParseJID(j.String())
		if err != nil || again != j {
			t.Errorf("%s: %s read again is %s, %v", c.in, j, again, err)
		}
		if bare := j.Bare(); !bare.IsBare() || bare.Resource() != "" || j.IsBare() != (c.resource == "") || j.Host().String() != c.domain {
			t.Errorf("%s: bare %s, host %s", c.in, bare, j.Host())
		}
	}
}

func TestParseJIDRefuses(t *testing.T) {
	long := strings.Repeat("a", MaxPart+1)
	for _, in := range []string{"", "@", "@localhost", "a@", "a@/b", "a@localhost/", "/a", "a b@localhost", "a\"b@localhost", "a'b@localhost",
		"a<b@localhost", "a:b@localhost", "a&b@localhost", "henryⅣ@example.com", "♚@example.com", "a@b@c", "a@b..c", "a@b..", "a@-b", "a@b-", "a@[x]", "a@[]", "a@[::1",
		long + "@localhost", "a@" + long, "a@localhost/" + long, "a@local host", "\xff@localhost", "a@\xff", "a@localhost/\xff", "a@localhost/\x00"} {
		if j, err := ParseJID(in); !errors.Is(err, ErrJID) {
			t.Errorf("%.40q: %v %v", in, j, err)
		}
	}
}

// FuzzJID: what is taken reads again as itself, and its parts make it up.
func FuzzJID(f *testing.F) {
	for _, seed := range []string{"a@b/c", "A@B", "é@bücher.example/ü", "a@[::1]", "xn--a@b", "a@xn--bcher-kva"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		j, err := ParseJID(in)
		if err != nil {
			return
		}
		again, err := ParseJID(j.String())
		if err != nil || again != j {
			t.Fatalf("%q gives %q, which gives %q, %v", in, j, again, err)
		}
		if joined := joinJID(j.Local(), j.Domain(), j.Resource()); joined != j {
			t.Fatalf("%q is not made up of its parts: %q", j, joined)
		}
	})
}
