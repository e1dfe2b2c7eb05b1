package xmpp

import (
	"errors"
	"testing"
	"time"
)

func stanza(t *testing.T, src string) *Stanza {
	t.Helper()
	st, err := NewStanza(mustParse(t, src), NSClient)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func TestStanzaIsWrittenAsItCame(t *testing.T) {
	src := "<message type='chat' from='a@localhost/b' to='c@localhost' id='1' xml:lang='fr' color='red'><body>x &#62; y</body></message>"
	st := stanza(t, src)
	if got := string(st.Append(nil)); got != src {
		t.Errorf("got %s, want %s", got, src)
	}
	if got, want := st.String(), "<message xmlns='jabber:client'"+src[len("<message"):]; got != want {
		t.Errorf("alone %s, want %s", got, want)
	}
	if got := st.Element().String(); got != st.String() {
		t.Errorf("as an element %s", got)
	}
}

func TestStanzaRefuses(t *testing.T) {
	if _, err := NewStanza(mustParse(t, "<message xmlns='urn:x'/>"), NSClient); !errors.Is(err, ErrNotStanza) {
		t.Errorf("namespace: %v", err)
	}
	if _, err := NewStanza(mustParse(t, "<msg/>"), NSClient); !errors.Is(err, ErrNotStanza) {
		t.Errorf("name: %v", err)
	}
	if st, err := NewStanza(mustParse(t, "<iq to='@' id='1'/>"), NSClient); !errors.Is(err, ErrJID) || st.ID != "1" {
		t.Errorf("address: %v %v", st, err)
	}
}

func TestCopySharesNothingThatChanges(t *testing.T) {
	st := stanza(t, "<message><body>a</body><x xmlns='urn:x'/></message>")
	before := st.String()
	c := st.Copy()
	c.Add(NewElement("urn:y", "y"))
	if !c.Remove(func(e *Element) bool { return e.Is("urn:x", "x") }) || c.Remove(func(*Element) bool { return false }) {
		t.Error("Remove does not say what it did")
	}
	if got, want := c.String(), "<message xmlns='jabber:client'><body>a</body><y xmlns='urn:y'/></message>"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if st.String() != before {
		t.Errorf("the original became %s", st)
	}
}

func TestErrorReply(t *testing.T) {
	iq := stanza(t, "<iq type='get' from='a@localhost/b' to='c@localhost' id='1'><query xmlns='urn:x'/></iq>")
	reply := iq.ErrorReply(ItemNotFound.Because("no %s", "node").With(NewElement("urn:d", "why")))
	want := "<iq xmlns='jabber:client' type='error' from='c@localhost' to='a@localhost/b' id='1'><error code='404' type='cancel'>" +
		"<item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='en'>no node</text>" +
		"<why xmlns='urn:d'/></error></iq>"
	if got := reply.String(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	read := ErrorOf(stanza(t, reply.String()))
	if !errors.Is(read, ItemNotFound) || read.Text != "no node" || !read.Detail.Is("urn:d", "why") {
		t.Errorf("read %+v", read)
	}
}

func TestForm(t *testing.T) {
	src := "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>urn:f</value></field><field var='a'><value>1</value><value>2</value></field></x>"
	f, err := ParseForm(mustParse(t, src))
	if err != nil || f.FormType() != "urn:f" || len(f.Field("a").Values) != 2 || f.Field("b") != nil {
		t.Fatalf("%+v %v", f, err)
	}
	if got := f.Element().String(); got != src {
		t.Errorf("got %s", got)
	}
	for _, bad := range []string{"<x/>", "<x xmlns='jabber:x:data'/>", "<x xmlns='jabber:x:data' type='odd'/>"} {
		if _, err := ParseForm(mustParse(t, bad)); !errors.Is(err, ErrForm) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func TestPage(t *testing.T) {
	wrap := func(set string) *Element {
		return mustParse(t, "<q xmlns='urn:q'><set xmlns='"+NSRSM+"'>"+set+"</set></q>")
	}
	page, err := ParsePage(wrap("<max>10</max><before/>"))
	if err != nil || page != (Page{Max: 10, Last: true, Index: -1}) {
		t.Errorf("%+v %v", page, err)
	}
	again, err := ParsePage(NewElement("urn:q", "q", Page{Max: 5, After: "x", Index: 2}.Element()))
	if err != nil || again != (Page{Max: 5, After: "x", Index: 2}) {
		t.Errorf("%+v %v", again, err)
	}
	for _, bad := range []string{"<max/>", "<max>-1</max>", "<max>99999999999</max>", "<index>x</index>"} {
		if _, err := ParsePage(wrap(bad)); !errors.Is(err, ErrRSM) {
			t.Errorf("%s: %v", bad, err)
		}
	}
	paged := Paged{First: "a", Last: "b", Index: 3, Count: 9}
	if got := ParsePaged(NewElement("urn:q", "q", paged.Element())); got != paged {
		t.Errorf("%+v", got)
	}
}

func TestTime(t *testing.T) {
	now := time.Date(2026, 2, 3, 4, 5, 6, 789000, time.UTC)
	if got, err := ParseTime(FormatTime(now)); err != nil || !got.Equal(now) {
		t.Errorf("%v %v", got, err)
	}
	for _, bad := range []string{"", "now", "2026-02-30T00:00:00Z", "0001-01-01T00:00:00Z", "2026-02-03"} {
		if _, err := ParseTime(bad); !errors.Is(err, ErrTime) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// FuzzForms: no form, page or stanza that parses as XML makes its reader panic, and a form that is taken is written as it means.
func FuzzForms(f *testing.F) {
	f.Add("<x xmlns='jabber:x:data' type='form'><field var='a' type='list-single'><option label='l'><value>v</value></option><required/></field></x>")
	f.Add("<q xmlns='urn:q'><set xmlns='http://jabber.org/protocol/rsm'><max>1</max><after>x</after></set></q>")
	f.Fuzz(func(t *testing.T, src string) {
		e, err := Parse(src, client)
		if err != nil {
			return
		}
		if page, err := ParsePage(e); err == nil && page.Max < -1 {
			t.Fatalf("%q gives %+v", src, page)
		}
		form, err := ParseForm(e)
		if err != nil {
			return
		}
		again, err := ParseForm(form.Element())
		if err != nil || len(again.Fields) != len(form.Fields) {
			t.Fatalf("%q is written as %v: %v", src, form.Element(), err)
		}
	})
}
