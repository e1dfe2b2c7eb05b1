// Package caps computes the hashes by which an app says in one word what it can do: XEP-0115 §5 and XEP-0390 §4.1. It is pure. Hashes by
// other functions than SHA-1 (XEP-0115) and SHA-256 (XEP-0390), and the format from before XEP-0115 1.4, are left out.
package caps

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"slices"
	"strings"

	"palabre.dev/palabre/xmpp"
)

// Namespaces.
const (
	NS     = "http://jabber.org/protocol/caps"
	NS2    = "urn:xmpp:caps" // XEP-0390
	NSInfo = "http://jabber.org/protocol/disco#info"
)

// ErrAmbiguous means that a description can have no trusted hash: something in it is there twice, or could be read in two ways
// (XEP-0115 §5.4).
var ErrAmbiguous = errors.New("description has no unambiguous hash")

// Version is the value of 'ver' for a disco#info <query/>, by SHA-1 (XEP-0115 §5.1). It returns ErrAmbiguous.
func Version(info *xmpp.Element) (string, error) {
	var identities, features []string
	var forms []*xmpp.Element
	for e := range info.Children() {
		switch {
		case e.Is(NSInfo, "identity"):
			lang, _ := e.LookupAttr(xmpp.NSXML, "lang")
			identities = append(identities, e.Attr("category")+"\x00"+e.Attr("type")+"\x00"+lang+"\x00"+e.Attr("name"))
		case e.Is(NSInfo, "feature"):
			features = append(features, e.Attr("var"))
		case e.Is(xmpp.NSData, "x"):
			forms = append(forms, e)
		}
	}
	var s strings.Builder
	if err := writeSorted(&s, identities); err != nil {
		return "", err
	}
	if err := writeSorted(&s, features); err != nil {
		return "", err
	}
	if err := writeForms(&s, forms); err != nil {
		return "", err
	}
	sum := sha1.Sum([]byte(s.String()))
	return base64.StdEncoding.EncodeToString(sum[:]), nil
}

// writeSorted writes each once; the separator within one would make two descriptions look alike. The parts of an identity, held apart
// by zeros, are compared one after the other.
func writeSorted(s *strings.Builder, all []string) error {
	slices.Sort(all)
	for i, one := range all {
		if i > 0 && all[i-1] == one || strings.Contains(one, "<") {
			return ErrAmbiguous
		}
		s.WriteString(strings.ReplaceAll(one, "\x00", "/") + "<")
	}
	return nil
}

type form struct {
	kind   string
	fields []field
}

type field struct {
	name   string
	values []string
}

func writeForms(s *strings.Builder, elements []*xmpp.Element) error {
	var forms []form
	for _, e := range elements {
		f, err := readForm(e)
		if err != nil {
			return err
		}
		if f.kind != "" { // XEP-0115 §5.4: one without a FORM_TYPE is ignored
			forms = append(forms, f)
		}
	}
	slices.SortFunc(forms, func(a, b form) int { return strings.Compare(a.kind, b.kind) })
	for i, f := range forms {
		if i > 0 && forms[i-1].kind == f.kind || strings.Contains(f.kind, "<") {
			return ErrAmbiguous
		}
		s.WriteString(f.kind + "<")
		for _, field := range f.fields {
			if strings.Contains(field.name, "<") {
				return ErrAmbiguous
			}
			s.WriteString(field.name + "<")
			for _, value := range field.values {
				if strings.Contains(value, "<") {
					return ErrAmbiguous
				}
				s.WriteString(value + "<")
			}
		}
	}
	return nil
}

func readForm(e *xmpp.Element) (f form, err error) {
	for child := range e.Children() {
		if !child.Is(xmpp.NSData, "field") {
			continue
		}
		read := field{name: child.Attr("var")}
		for value := range child.Children() {
			if value.Is(xmpp.NSData, "value") {
				read.values = append(read.values, value.Text())
			}
		}
		slices.Sort(read.values)
		if read.name != "FORM_TYPE" {
			f.fields = append(f.fields, read)
			continue
		}
		if len(read.values) != 1 || f.kind != "" {
			return f, ErrAmbiguous
		}
		if child.Attr("type") == "hidden" {
			f.kind = read.values[0]
		}
	}
	slices.SortFunc(f.fields, func(a, b field) int { return strings.Compare(a.name, b.name) })
	return f, nil
}

// Hash is the base64 of the SHA-256 of a disco#info <query/> (XEP-0390 §4.1). It returns ErrAmbiguous for what that section refuses.
func Hash(info *xmpp.Element) (string, error) {
	var features, identities, forms []string
	for e := range info.Children() {
		switch {
		case e.Is(NSInfo, "feature"):
			features = append(features, e.Attr("var")+"\x1f")
		case e.Is(NSInfo, "identity"):
			lang, _ := e.LookupAttr(xmpp.NSXML, "lang")
			identities = append(identities, e.Attr("category")+"\x1f"+e.Attr("type")+"\x1f"+lang+"\x1f"+e.Attr("name")+"\x1f\x1e")
		case e.Is(xmpp.NSData, "x"):
			text, err := formText(e)
			if err != nil {
				return "", err
			}
			forms = append(forms, text)
		default:
			return "", ErrAmbiguous
		}
	}
	sum := sha256.Sum256([]byte(joined(features) + "\x1c" + joined(identities) + "\x1c" + joined(forms) + "\x1c"))
	return base64.StdEncoding.EncodeToString(sum[:]), nil
}

func formText(e *xmpp.Element) (string, error) {
	var fields []string
	typed := false
	for child := range e.Children() {
		if child.Is(xmpp.NSData, "reported") || child.Is(xmpp.NSData, "item") {
			return "", ErrAmbiguous
		}
		if !child.Is(xmpp.NSData, "field") {
			continue
		}
		typed = typed || child.Attr("var") == "FORM_TYPE"
		var values []string
		for value := range child.Children() {
			if value.Is(xmpp.NSData, "value") {
				values = append(values, value.Text()+"\x1f")
			}
		}
		fields = append(fields, child.Attr("var")+"\x1f"+joined(values)+"\x1e")
	}
	if !typed {
		return "", ErrAmbiguous
	}
	return joined(fields) + "\x1d", nil
}

func joined(parts []string) string {
	slices.Sort(parts)
	return strings.Join(parts, "")
}
