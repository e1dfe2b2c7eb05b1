package linkcard

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"palabre.dev/palabre/xmpp"
)

func TestWhatPagesSay(t *testing.T) {
	many := ""
	for i := range maxAttrs {
		many += fmt.Sprintf("a%d=b ", i)
	}
	for _, c := range []struct {
		page, picture string
		want          card
	}{
		{page: ``}, {page: `no page at all`}, {page: `<title></title>`},
		{page: `<title>Only &amp; alone</title>`, want: card{title: "Only & alone"}},
		{page: `<TITLE>one</TITLE><title>two</title>`, want: card{title: "one"}},
		{page: `<head><title>t</title><meta property="og:title" content="The &quot;best&quot;"><meta name=description content=d><meta property=og:site_name content=Site>` +
			`<meta property=og:image content=" https://x.example/i.png ">`, want: card{title: `The "best"`, description: "d", name: "Site"}, picture: "https://x.example/i.png"},
		{page: `<meta content='late' property='OG:Title'><meta name="twitter:title" content="no"><meta name="twitter:description" content="yes"><meta name="twitter:image" content="i">`,
			want: card{title: "late", description: "yes"}, picture: "i"},
		{page: `<meta property="og:title" content=""><meta property="og:title" content="second">`, want: card{title: "second"}},
		{page: `<script><meta property="og:title" content="no"></script><!-- <title>no</title> --><title>yes</title>`, want: card{title: "yes"}},
		{page: `<title>head</title><body><meta property="og:title" content="in the body">`, want: card{title: "head"}},
		{page: "<title>  two\n\t lines\u2028 </title>", want: card{title: "two lines"}},
		{page: "<title>\u202egpj.exe\u2066\x01\ufffe</title>", want: card{title: "gpj.exe"}},
		{page: `<title>&lt;script&gt;</title>`, want: card{title: "<script>"}},
		{page: "<title>caf\xe9</title>", want: card{title: "caf"}},
		{page: `<meta property=og:image:secure_url content=s><meta property=og:image content=i><title>x`, want: card{title: "x"}, picture: "s"},
		{page: `<meta property=og:title name=description content=both>`, want: card{title: "both"}},
		{page: strings.Repeat("<meta name=x content=y>", maxMetas) + "<title>too late</title>"},
		{page: "<meta " + many + "property=og:title content=far><title>x</title>", want: card{title: "x"}},
	} {
		got, picture := readPage(strings.NewReader(c.page))
		if got.title != c.want.title || got.description != c.want.description || got.name != c.want.name || picture != c.picture {
			t.Errorf("%.200s\ngives %+v, %q", c.page, got, picture)
		}
	}
}

func TestCardsAreShort(t *testing.T) {
	long := strings.Repeat("palabre ", 1000)
	got, _ := readPage(strings.NewReader(`<title>` + long + `</title><meta name=description content="` + long + `"><meta property=og:site_name content="` + long + `">`))
	for text, most := range map[string]int{got.title: maxTitle, got.description: maxDescription, got.name: maxName} {
		if n := utf8.RuneCountInString(text); n > most+2 || n < most-8 || !strings.HasSuffix(text, "…") {
			t.Errorf("%d letters of %d: %s", n, most, text)
		}
	}
}

func TestElement(t *testing.T) {
	got := card{title: "a < b", description: "d", name: "n", picture: []byte{1, 2, 3}}.element("https://x.example/?a=1&b=2").String()
	for _, part := range []string{
		"<Description xmlns='http://www.w3.org/1999/02/22-rdf-syntax-ns#'", ":about='https://x.example/?a=1&amp;b=2'", "<title xmlns='https://ogp.me/ns#'>a &lt; b</title>",
		"<description xmlns='https://ogp.me/ns#'>d</description>", "<site_name xmlns='https://ogp.me/ns#'>n</site_name>", "<image xmlns='https://ogp.me/ns#'>data:image/jpeg;base64,AQID</image>",
	} {
		if !strings.Contains(got, part) {
			t.Errorf("%s\nhas no %s", got, part)
		}
	}
}

// FuzzPage reads anything as a page: what comes of it is short, is one line, and can be told in XML.
func FuzzPage(f *testing.F) {
	for _, seed := range []string{
		`<html><head><title>t</title><meta property="og:title" content="x"><meta property="og:image" content="https://x.example/i.png"></head><body>`,
		`<title>`, `<meta property=og:title content='&#x202e;&#0;&#xFFFF;'>`, "<TITLE>\xff\xfe</TITLE>", `<svg><title>x</title></svg><plaintext><title>y`, `<![CDATA[<title>]]>`, "<!--", "<meta a",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, page []byte) {
		got, picture := readPage(strings.NewReader(string(page)))
		for text, most := range map[string]int{got.title: maxTitle, got.description: maxDescription, got.name: maxName} {
			if !utf8.ValidString(text) || utf8.RuneCountInString(text) > most+2 || strings.ContainsAny(text, "\n\r\t\x00\u202e") || strings.TrimSpace(text) != text {
				t.Errorf("%q", text)
			}
		}
		written := got.element("https://x.example/").String()
		e, err := xmpp.Parse(written, xmpp.Scope{})
		if err != nil {
			t.Fatalf("%s: %v", written, err)
		}
		if e.ChildText(nsOpenGraph, "title") != got.title || e.ChildText(nsOpenGraph, "description") != got.description {
			t.Errorf("%q became %s", got, written)
		}
		if strings.TrimSpace(picture) != picture {
			t.Errorf("picture %q", picture)
		}
	})
}
