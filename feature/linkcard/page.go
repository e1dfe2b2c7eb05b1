package linkcard

import (
	"encoding/base64"
	"io"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/net/html"

	"palabre.dev/palabre/xmpp"
)

// What a card has at most, in letters, and what of a page is looked at.
const (
	maxTitle       = 200
	maxDescription = 400
	maxName        = 80
	maxMetas       = 300 // <meta> of a page
	maxAttrs       = 20  // of one
)

// Namespaces of XEP-0511.
const (
	nsRDF       = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
	nsOpenGraph = "https://ogp.me/ns#"
)

// card is what is known of a page.
type card struct {
	title, description, name string // name is the site's
	picture                  []byte // JPEG
}

// element is the card as a message carries it (XEP-0511 §3.1), about the address as whoever asked wrote it.
func (c card) element(about string) *xmpp.Element {
	e := xmpp.NewElement(nsRDF, "Description", xmpp.NewText(nsOpenGraph, "title", c.title)).SetAttr(nsRDF, "about", about)
	if c.description != "" {
		e.Add(xmpp.NewText(nsOpenGraph, "description", c.description))
	}
	if c.name != "" {
		e.Add(xmpp.NewText(nsOpenGraph, "site_name", c.name))
	}
	if c.picture != nil {
		e.Add(xmpp.NewText(nsOpenGraph, "image", "data:image/jpeg;base64,"+base64.StdEncoding.EncodeToString(c.picture)))
	}
	return e
}

// The names under which pages say these things, the best first: Open Graph, Twitter's, HTML's own.
var (
	titles       = []string{"og:title", "twitter:title", "<title>"}
	descriptions = []string{"og:description", "twitter:description", "description"}
	names        = []string{"og:site_name", "application-name"}
	pictures     = []string{"og:image:secure_url", "og:image", "og:image:url", "twitter:image", "twitter:image:src"}
	wantedMetas  = slices.Concat(titles, descriptions, names, pictures)
)

// readPage reads what the head of a page says of it, and the address of its picture, "" for none. It reads until the body begins, whatever the page may be,
// and never fails: what is not there is empty.
func readPage(text io.Reader) (found card, picture string) {
	said := metas(html.NewTokenizer(text))
	first := func(names []string) string {
		for _, name := range names {
			if said[name] != "" {
				return said[name]
			}
		}
		return ""
	}
	found = card{title: plain(first(titles), maxTitle), description: plain(first(descriptions), maxDescription), name: plain(first(names), maxName)}
	return found, strings.TrimSpace(first(pictures))
}

// metas are the first values of what is looked for in the head of a page.
func metas(page *html.Tokenizer) map[string]string {
	said := map[string]string{}
	for seen := 0; seen < maxMetas; {
		switch page.Next() {
		case html.ErrorToken:
			return said
		case html.StartTagToken, html.SelfClosingTagToken:
			tag, more := page.TagName()
			switch string(tag) {
			case "body":
				return said
			case "meta":
				seen++
				if name, content := meta(page, more); said[name] == "" && slices.Contains(wantedMetas, name) {
					said[name] = content
				}
			case "title":
				if said["<title>"] == "" && page.Next() == html.TextToken {
					said["<title>"] = string(page.Text())
				}
			}
		}
	}
	return said
}

// meta reads the attributes of one <meta>.
func meta(page *html.Tokenizer, more bool) (name, content string) {
	for n := 0; more && n < maxAttrs; n++ {
		var key, value []byte
		key, value, more = page.TagAttr()
		switch string(key) {
		case "property":
			name = strings.ToLower(string(value))
		case "name":
			if name == "" {
				name = strings.ToLower(string(value))
			}
		case "content":
			content = string(value)
		}
	}
	return name, content
}

// plain makes one line of a text, without what cannot be seen or turns the order of letters, and of at most so many letters.
func plain(text string, most int) string {
	var b strings.Builder
	space, letters := false, 0
	for _, r := range text {
		if unicode.IsSpace(r) {
			space = letters > 0
			continue
		}
		if unicode.In(r, unicode.Cc, unicode.Co, unicode.Cs) || turns(r) || !isXML(r) {
			continue
		}
		if letters >= most {
			b.WriteString("…")
			break
		}
		if space {
			b.WriteByte(' ')
			letters++
		}
		b.WriteRune(r)
		letters++
		space = false
	}
	return b.String()
}

// turns reports whether a sign changes the order of the letters around it.
func turns(r rune) bool { return r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 }

// isXML reports whether a sign may stand in XML, and is one: broken text has U+FFFD.
func isXML(r rune) bool {
	return r != unicode.ReplacementChar && r&0xfffe != 0xfffe && (r < 0xfdd0 || r > 0xfdef)
}
