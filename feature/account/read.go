package account

import (
	"encoding/base64"
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"strings"

	"palabre.dev/palabre/xmpp"
	"palabre.dev/palabre/xmpp/sasl"
)

// bounded is a reader that fails when one element has more bytes than it may.
type bounded struct {
	r    io.Reader
	left int64
}

// allow lets so many bytes be read from now on.
func (b *bounded) allow(n int64) { b.left = n }

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errors.New("an element is too large")
	}
	n, err := b.r.Read(p)
	b.left -= int64(n)
	return n, err
}

func attr(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name && a.Name.Space == "" {
			return a.Value
		}
	}
	return ""
}

// maxKey is the most bytes of a salt or a key: those of the longest hash are 64.
const maxKey = 255

func readCredential(e *xmpp.Element) (c sasl.Credential, err error) {
	c.Hash = sasl.Hash(strings.TrimPrefix(e.Attr("mechanism"), "SCRAM-"))
	c.Iterations, err = strconv.Atoi(e.ChildText(nsScram, "iter-count"))
	if err != nil || c.Iterations < 1 || c.Iterations > sasl.MaxIterations {
		return c, unusable("the iteration count of its credentials is out of range")
	}
	for name, to := range map[string]*[]byte{"salt": &c.Salt, "server-key": &c.ServerKey, "stored-key": &c.StoredKey} {
		if *to, err = base64.StdEncoding.DecodeString(strings.TrimSpace(e.ChildText(nsScram, name))); err != nil || len(*to) == 0 || len(*to) > maxKey {
			return c, unusable("its credentials have no readable " + name)
		}
	}
	return c, nil
}

var errDepth = errors.New("elements are nested too deeply")

// readElement reads the rest of an element that has begun.
func readElement(d *xml.Decoder, start xml.StartElement, depth int) (*xmpp.Element, error) {
	if depth > maxDepth {
		return nil, errDepth
	}
	e := xmpp.NewElement(start.Name.Space, start.Name.Local)
	for _, a := range start.Attr {
		if a.Name.Local == "xmlns" && a.Name.Space == "" || a.Name.Space == "xmlns" {
			continue
		}
		space := a.Name.Space
		if space == "xml" {
			space = xmpp.NSXML
		}
		e.SetAttr(space, a.Name.Local, a.Value)
	}
	for {
		token, err := d.Token()
		if err != nil {
			return nil, err
		}
		switch token := token.(type) {
		case xml.StartElement:
			child, err := readElement(d, token, depth+1)
			if err != nil {
				return nil, err
			}
			e.Add(child)
		case xml.CharData:
			e.AddText(string(token))
		case xml.EndElement:
			return e, nil
		}
	}
}
