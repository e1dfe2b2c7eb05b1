package app

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"regexp"
	"time"

	"palabre.dev/palabre/core/rate"
	"palabre.dev/palabre/payments/pay"
	"palabre.dev/palabre/xmpp"
)

//go:embed payment
var payPageFiles embed.FS

// payPageHeaders go with the page: its own script and style, and nothing from elsewhere.
var payPageHeaders = map[string]string{
	"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
		"require-trusted-types-for 'script'; trusted-types 'none'",
	"Cross-Origin-Opener-Policy": "same-origin",
	"X-Content-Type-Options":     "nosniff",
	"X-Frame-Options":            "DENY",
	"Referrer-Policy":            "no-referrer",
	"Cache-Control":              "no-cache",
}

// Limits of what the page asks.
const (
	maxPayAsk    = 32 << 10 // bytes
	payAsks      = 120      // by one link in payAskPeriod
	payAskPeriod = time.Minute
)

// payPage is the page behind links in notices: there a browser of anybody sees what was asked of them and pays it with a key of its own, under the same rules as an app that knows payments.
// What it asks travels as requests of docs/protocol/payments.md; who it speaks for is in the link's token, which is all that it knows.
type payPage struct {
	door  *payDoor
	log   *slog.Logger
	often *rate.Limiter[string]
}

func newPayPage(door *payDoor, log *slog.Logger) *payPage {
	return &payPage{door, log.With("part", "pay"), rate.New[string](payAsks, payAskPeriod)}
}

// Routes are the page's.
func (p *payPage) Routes(mux *http.ServeMux) {
	for name, file := range map[string][2]string{"{$}": {"page.html", "text/html"}, "page.js": {"page.js", "text/javascript"}, "keys.js": {"keys.js", "text/javascript"},
		"words.js": {"words.js", "text/javascript"}, "page.css": {"page.css", "text/css"}, "icon.svg": {"icon.svg", "image/svg+xml"}} {
		text, err := payPageFiles.ReadFile("payment/" + file[0])
		if err != nil {
			panic(err) // it is in the program
		}
		mux.HandleFunc("GET "+payPath+name, func(w http.ResponseWriter, r *http.Request) {
			guardPage(w.Header())
			w.Header().Set("Content-Type", file[1]+"; charset=utf-8")
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(text))
		})
	}
	mux.HandleFunc("POST "+payPath+"ask", p.ask)
}

func guardPage(h http.Header) {
	for name, value := range payPageHeaders {
		h.Set(name, value)
	}
}

// payTree is an element as the page writes and reads it: name, attributes, text, children.
type payTree struct {
	Name     string            `json:"n"`
	Attrs    map[string]string `json:"a,omitempty"`
	Text     string            `json:"t,omitempty"`
	Children []payTree         `json:"c,omitempty"`
}

// maxPayDepth bounds elements within elements.
const maxPayDepth = 8

// treeOf is an element without its namespace and its prefixed attributes.
func treeOf(e *xmpp.Element, depth int) payTree {
	tree := payTree{Name: e.Local, Text: e.Text(), Attrs: map[string]string{}}
	for _, attr := range e.Attrs {
		if attr.Space == "" {
			tree.Attrs[attr.Local] = attr.Value
		}
	}
	for one := range e.Children() {
		if depth > 1 {
			tree.Children = append(tree.Children, treeOf(one, depth-1))
		}
	}
	return tree
}

// payName is what elements and attributes of the protocol are called.
var payName = regexp.MustCompile(`^[a-z][a-z-]{0,19}$`)

// element is the tree as an element of the protocol, nil if it cannot be one.
func (t payTree) element(depth int) *xmpp.Element {
	if !payName.MatchString(t.Name) {
		return nil
	}
	e := xmpp.NewElement(pay.NS, t.Name)
	for name, value := range t.Attrs {
		if !payName.MatchString(name) {
			return nil
		}
		e.Set(name, value)
	}
	if t.Text != "" {
		e.AddText(t.Text)
	}
	for _, one := range t.Children {
		if depth <= 1 {
			return nil
		}
		inside := one.element(depth - 1)
		if inside == nil {
			return nil
		}
		e.Add(inside)
	}
	return e
}

// payAsk is what the page asks: a request of the protocol, none to learn what the link is about.
type payAsk struct {
	Token string   `json:"token"`
	Lang  string   `json:"lang"` // in which the page is shown (BCP 47)
	Set   bool     `json:"set"`
	Ask   *payTree `json:"ask"`
}

// ask answers with the payload of the result, or with an error as it stands in a stanza: 403 for a link that is not good any more.
func (p *payPage) ask(w http.ResponseWriter, r *http.Request) {
	guardPage(w.Header())
	w.Header().Set("Cache-Control", "no-store")
	var asked payAsk
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxPayAsk)).Decode(&asked); err != nil {
		http.Error(w, "malformed", http.StatusBadRequest)
		return
	}
	account, about, err := p.door.service.Opens(asked.Token)
	if err != nil {
		http.Error(w, err.Error(), http.StatusForbidden)
		return
	}
	if !p.often.Allow(asked.Token) { // each link by itself: whoever has one does not keep its owner from another
		http.Error(w, "too often", http.StatusTooManyRequests)
		return
	}
	p.door.speaks(r.Context(), account, asked.Lang)
	answer := xmpp.NewElement(pay.NS, "page").Set("account", account.String()).Set("about", about).Set("service", p.door.domain)
	if asked.Ask != nil {
		answer = p.carry(r.Context(), asked)
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(treeOf(answer, maxPayDepth)); err != nil {
		p.log.Debug("an answer was not taken", "err", err)
	}
}

// carry puts a request to the service, for whoever has the link.
func (p *payPage) carry(ctx context.Context, asked payAsk) *xmpp.Element {
	payload := asked.Ask.element(maxPayDepth)
	if payload == nil {
		return xmpp.BadRequest.Element()
	}
	answer, err := p.door.counted(payload, func() (*xmpp.Element, error) { return p.door.service.HandleLink(ctx, asked.Token, asked.Set, payload) })
	var told *xmpp.Error
	switch {
	case errors.As(err, &told):
		return told.Element()
	case err != nil:
		p.log.Error("a request of the page failed", "err", err)
		return xmpp.InternalServerError.Element()
	case answer == nil:
		return xmpp.NewElement(pay.NS, payload.Local)
	}
	return answer
}
