package xmpp

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
)

var client = Scope{Default: NSClient}

func mustParse(t *testing.T, src string) *Element {
	t.Helper()
	e, err := Parse(src, client)
	if err != nil {
		t.Fatalf("%s: %v", src, err)
	}
	return e
}

func TestParseKeepsBytes(t *testing.T) {
	for _, src := range []string{
		`<message to="juliet@localhost"  id='1'><body>hi &amp; &#x62;ye</body></message>`,
		`<a xmlns='b'><c/><d  e = "f'g" ></d ></a>`,
		`<a xmlns='b'><![CDATA[<not & parsed>]]></a>`,
		`<a xmlns='b' xml:lang='fr'>café 🌳</a>`,
	} {
		if got := string(mustParse(t, src).Append(nil, NSClient)); got != src {
			t.Errorf("got %s, want %s", got, src)
		}
	}
}

func TestRawStandsOnlyWhereItMeansTheSame(t *testing.T) {
	body := mustParse(t, "<message><body>hi</body></message>").Child(NSClient, "body")
	if got, want := NewElement("urn:x", "wrap", body).String(), "<wrap xmlns='urn:x'><body xmlns='jabber:client'>hi</body></wrap>"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	prefixed, err := Parse("<p:a><b/></p:a>", Scope{Default: "d", prefixes: []Attr{{Local: "p", Value: "urn:p"}}})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := prefixed.String(), "<a xmlns='urn:p'><b xmlns='d'/></a>"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestChangedElementIsWrittenAnew(t *testing.T) {
	e := mustParse(t, "<a xmlns='b'><c/></a>")
	if got, want := e.Set("d", "'<&\n").AddText("x>y").String(), "<a xmlns='b' d='&apos;&lt;&amp;&#10;'><c/>x&gt;y</a>"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	deep := mustParse(t, "<a xmlns='b'><c/></a>").Clone()
	deep.Child("b", "c").Set("d", "e")
	if got, want := deep.String(), "<a xmlns='b'><c d='e'/></a>"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestParseMeaning(t *testing.T) {
	e := mustParse(t, "<message xml:lang='fr' xmlns:p='urn:p' p:a='1' a='2'>one&lt;<p:b xmlns='urn:q'><c/></p:b>two\r\nthree</message>")
	if lang, _ := e.LookupAttr(NSXML, "lang"); lang != "fr" {
		t.Errorf("lang %q", lang)
	}
	if a, _ := e.LookupAttr("urn:p", "a"); a != "1" || e.Attr("a") != "2" {
		t.Errorf("attributes %v", e.Attrs)
	}
	if got := e.Text(); got != "one<two\nthree" {
		t.Errorf("text %q", got)
	}
	if e.Child("urn:p", "b").Child("urn:q", "c") == nil {
		t.Errorf("children %v", e)
	}
}

func TestParseRefuses(t *testing.T) {
	cases := []struct {
		src  string
		want error
	}{
		{"", ErrNotWellFormed}, {"<", ErrNotWellFormed}, {"<a", ErrNotWellFormed}, {"<a>", ErrNotWellFormed}, {"text", ErrNotWellFormed},
		{"<a></b>", ErrNotWellFormed}, {"<a></ab>", ErrNotWellFormed}, {"<a/><b/>", ErrNotWellFormed}, {"<a/>x", ErrNotWellFormed},
		{"<a b></a>", ErrNotWellFormed}, {"<a b=c/>", ErrNotWellFormed}, {"<a b='1' b='2'/>", ErrNotWellFormed}, {"<a b='<'/>", ErrNotWellFormed},
		{"<a b='1'c='2'/>", ErrNotWellFormed}, {"<a>&lt</a>", ErrNotWellFormed}, {"<a>&#0;</a>", ErrNotWellFormed}, {"<a>&#xD800;</a>", ErrNotWellFormed},
		{"<a>]]></a>", ErrNotWellFormed}, {"<a>\x00</a>", ErrNotWellFormed}, {"<a>\xff</a>", ErrNotWellFormed}, {"<a>\uFFFE</a>", ErrNotWellFormed},
		{"<1a/>", ErrNotWellFormed}, {"<a:/>", ErrNotWellFormed}, {"<:a/>", ErrNotWellFormed}, {"<a:b:c/>", ErrNotWellFormed}, {"<a / >", ErrNotWellFormed},
		{"<a><![CDATA[x</a>", ErrNotWellFormed}, {"<a xmlns='b' xmlns='b'/>", ErrNotWellFormed},
		{"<a>&nbsp;</a>", ErrRestricted}, {"<a><!--x--></a>", ErrRestricted}, {"<a><?x?></a>", ErrRestricted}, {"<!DOCTYPE a><a/>", ErrRestricted},
		{"<p:a/>", ErrNamespace}, {"<a p:b='1'/>", ErrNamespace}, {"<a xmlns:p=''/>", ErrNamespace}, {"<a xmlns:xml='urn:x'/>", ErrNamespace},
		{"<a xmlns:xmlns='urn:x'/>", ErrNamespace},
		{strings.Repeat("<a>", MaxDepth+1) + strings.Repeat("</a>", MaxDepth+1), ErrTooLarge},
		{"<a>" + strings.Repeat("<b/>", MaxElements) + "</a>", ErrTooLarge},
	}
	for _, c := range cases {
		if e, err := Parse(c.src, client); !errors.Is(err, c.want) {
			t.Errorf("%.40q: %v %v, want %v", c.src, e, err, c.want)
		}
	}
	many := "<a"
	for i := range MaxAttributes + 1 {
		many += " a" + strings.Repeat("x", i) + "='1'"
	}
	if _, err := Parse(many+"/>", client); !errors.Is(err, ErrTooLarge) {
		t.Errorf("attributes: %v", err)
	}
}

func TestParseOpen(t *testing.T) {
	h, err := ParseOpen("<stream:stream to='localhost' from='a@localhost' version='1.0' xml:lang='fr' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>")
	if err != nil || h.To != "localhost" || h.From != "a@localhost" || h.Lang != "fr" || h.Space != NSStream || h.Local != "stream" || h.Scope.Default != NSClient {
		t.Fatalf("%+v %v", h, err)
	}
	e, err := Parse("<stream:error/>", h.Scope)
	if err != nil || !e.Is(NSStream, "error") {
		t.Errorf("%v %v", e, err)
	}
	for _, bad := range []string{"<a/>", "<a>x", "<a", "<stream:stream>"} {
		if _, err := ParseOpen(bad); err == nil {
			t.Errorf("%s was taken", bad)
		}
	}
}

// cut feeds a stream in chunks of size bytes and returns the pieces.
func cut(t testing.TB, stream string, size, limit int) (pieces []string, err error) {
	var f Framer
	var buf []byte
	for len(stream) > 0 || len(buf) > 0 {
		n := min(size, len(stream))
		buf = append(buf, stream[:n]...)
		stream = stream[n:]
		for len(buf) > 0 {
			piece, n, err := f.Next(buf, limit)
			if err != nil {
				return pieces, err
			}
			if piece == More {
				break
			}
			if n <= 0 || n > len(buf) {
				t.Fatalf("piece %d of %d bytes in %q", piece, n, buf)
			}
			if piece != Blank {
				pieces = append(pieces, string(buf[:n]))
			}
			buf = buf[n:]
		}
		if len(stream) == 0 {
			return pieces, nil
		}
	}
	return pieces, nil
}

func TestFramer(t *testing.T) {
	want := []string{"<?xml version='1.0'?>", "<s:s a='>' xmlns:s=\"x'>\">", "<a b='<c>'>x<d/><![CDATA[</a>]]></a>", "<e/>", "<f>></f>", "</s:s>"}
	stream := strings.Join(want, " \n")
	for size := 1; size <= len(stream); size++ {
		if got, err := cut(t, stream, size, 100); err != nil || !slices.Equal(got, want) {
			t.Fatalf("chunks of %d: %q %v", size, got, err)
		}
	}
}

func TestFramerRefuses(t *testing.T) {
	cases := []struct {
		stream string
		want   error
	}{
		{"x", ErrNotWellFormed}, {"<a/>", ErrNotWellFormed}, {"</a>", ErrNotWellFormed}, {"<a>x", ErrNotWellFormed},
		{"<!DOCTYPE a>", ErrRestricted}, {"<a><!--", ErrRestricted}, {"<a><?pi?>", ErrRestricted}, {"<a><b><!DOCTYPE", ErrRestricted},
		{"<a><![CDATA[x]]>", ErrRestricted}, {"<a><b>" + strings.Repeat("x", 100), ErrTooLarge}, {"<a><b c='" + strings.Repeat("x", 100), ErrTooLarge},
		{"<a" + strings.Repeat(" ", 100), ErrTooLarge}, {"<?xml" + strings.Repeat(" ", 100), ErrTooLarge},
	}
	for _, c := range cases {
		for _, size := range []int{1, 7, 1000} {
			if got, err := cut(t, c.stream, size, 60); !errors.Is(err, c.want) {
				t.Errorf("%.40q by %d: %q %v, want %v", c.stream, size, got, err, c.want)
			}
		}
	}
}

// sameMeaning compares elements without their bytes.
func sameMeaning(a, b *Element) bool { return reflect.DeepEqual(joined(a.Clone()), joined(b.Clone())) }

// joined merges neighbouring texts and drops empty ones.
func joined(e *Element) *Element {
	var nodes []Node
	for _, node := range e.Nodes {
		last := len(nodes) - 1
		switch {
		case node.Element != nil:
			nodes = append(nodes, Node{Element: joined(node.Element)})
		case node.Text == "":
		case last >= 0 && nodes[last].Element == nil:
			nodes[last].Text += node.Text
		default:
			nodes = append(nodes, node)
		}
	}
	e.Nodes = nodes
	if len(e.Attrs) == 0 {
		e.Attrs = nil
	}
	return e
}

// FuzzParse: whatever is taken means the same when it is written again, as it came and anew, and is cut whole from a stream.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"<a/>", "<a xmlns='b' c='d'>e<f/>&amp;<![CDATA[g]]></a>", "<x:a xmlns:x='urn:x' x:b='1'><c/></x:a>", "<a>\r\n</a>", "<a b='\t'/>"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, src string) {
		e, err := Parse(src, client)
		if err != nil {
			return
		}
		for _, written := range []string{e.String(), e.Clone().String()} {
			again, err := Parse(written, Scope{})
			if err != nil || !sameMeaning(e, again) {
				t.Fatalf("%q was written as %q: %v", src, written, err)
			}
		}
		got, err := cut(t, "<s>"+src, 3, len(src)+10)
		if err != nil || len(got) != 2 || got[1] != src {
			t.Fatalf("%q was cut as %q: %v", src, got, err)
		}
	})
}

// FuzzFramer: the pieces do not depend on how the bytes arrive.
func FuzzFramer(f *testing.F) {
	for _, seed := range []string{"<s><a/><b>c</b></s>", "<?xml?><s a='>'> <b c=\"'\"/>", "<s><a><![CDATA[]]]]></a>"} {
		f.Add(seed, 1)
	}
	f.Fuzz(func(t *testing.T, stream string, size int) {
		whole, wholeErr := cut(t, stream, len(stream)+1, 200)
		parts, partsErr := cut(t, stream, 1+max(size, 0)%64, 200)
		if !slices.Equal(whole, parts) || (wholeErr == nil) != (partsErr == nil) {
			t.Fatalf("whole %q %v, in parts %q %v", whole, wholeErr, parts, partsErr)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	src := `<message to='juliet@localhost/x' id='1' type='chat'><body>` + strings.Repeat("a word ", 28) + `</body><origin-id xmlns='urn:xmpp:sid:0' id='abc'/></message>`
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		e, err := Parse(src, client)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := NewStanza(e, NSClient); err != nil {
			b.Fatal(err)
		}
	}
}
