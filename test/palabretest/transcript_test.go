package palabretest

import (
	"strings"
	"testing"
)

func TestTranscripts(t *testing.T) { Run(t, "testdata/*.txt") }

func TestMatch(t *testing.T) {
	for _, c := range []struct{ name, want, got, why string }{
		{"same", "<a x='1' y='2'><b/> <c>t</c></a>", "<a y='2' x='1'><b/><c>t</c></a>", ""},
		{"more attributes", "<a/>", "<a x='1'/>", "not expected"},
		{"fewer attributes", "<a x='1'/>", "<a/>", "no attribute x"},
		{"other value", "<a x='1'/>", "<a x='2'/>", "not"},
		{"learnt", "<a x='{v}'><b>{v}</b></a>", "<a x='7'><b>7</b></a>", ""},
		{"learnt otherwise", "<a x='{v}'><b>{v}</b></a>", "<a x='7'><b>8</b></a>", "not"},
		{"within", "<a x='id-{v}-end'/>", "<a x='id-77-end'/>", ""},
		{"anything", "<a x='{*}'>{*}</a>", "<a x='id-77-end'>text</a>", ""},
		{"perhaps", "<a x='{?}'/>", "<a/>", ""},
		{"child missing", "<a><b/></a>", "<a/>", "no (more) <b>"},
		{"child too many", "<a><b/></a>", "<a><b/><b/></a>", "did not expect"},
		{"more allowed", "<a><c/>{...}</a>", "<a q='1'><b/><c/><d/>text</a>", ""},
		{"more, but not this", "<a><c/>{...}</a>", "<a><b/><d/></a>", "no (more) <c>"},
		{"namespace", "<a xmlns='x'/>", "<a xmlns='y'/>", "expected <a"},
		{"text", "<a>one</a>", "<a>two</a>", "text is"},
	} {
		t.Run(c.name, func(t *testing.T) {
			want, err := parseElements(c.want)
			if err != nil {
				t.Fatal(err)
			}
			got, err := parseElements(c.got)
			if err != nil {
				t.Fatal(err)
			}
			why := known{}.match(want[0], got[0])
			if (why == "") != (c.why == "") || !strings.Contains(why, c.why) {
				t.Errorf("got %q, want %q", why, c.why)
			}
		})
	}
}

func TestFill(t *testing.T) {
	k := known{"a": "1"}
	if got := k.fill("{a}{repeat 3 <x>}{base64 \\0u}"); got != "1<x><x><x>AHU=" {
		t.Errorf("got %q", got)
	}
	if first := k.fill("{new}"); first == "" || k.fill("{new}") != first {
		t.Errorf("new names: %q", first)
	}
}
