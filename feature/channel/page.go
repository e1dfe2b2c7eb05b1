package channel

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"palabre.dev/palabre/xmpp"
)

//go:embed pages/*.html
var pageFiles embed.FS

var pages = template.Must(template.ParseFS(pageFiles, "pages/*.html"))

// pageStyle is how the page looks; its hash is in the page's policy.
const pageStyle = `:root{color-scheme:light dark}body{font:1.05rem/1.5 system-ui,sans-serif;max-width:38rem;margin:0 auto;padding:1rem;overflow-wrap:anywhere}` +
	`h1,h2{line-height:1.2}article{border-top:1px solid;padding-top:.5rem;margin-top:1.5rem}header img{border-radius:50%;object-fit:cover}.when{opacity:.75;margin:0}.mark{font-weight:600}`

// pageHeaders go with all that browsers get.
var pageHeaders = map[string]string{
	"Content-Security-Policy": "default-src 'none'; style-src 'sha256-" + hash64(pageStyle) + "'; img-src 'self' https:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
	"X-Content-Type-Options":  "nosniff",
	"X-Frame-Options":         "DENY",
	"Referrer-Policy":         "no-referrer",
	"Cache-Control":           "public, max-age=60",
}

func hash64(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// Limits of pages.
const (
	pagePosts    = 20
	maxMaking    = 8    // pages made at once
	maxPageText  = 4000 // characters of one post that are shown
	maxPageLinks = 10   // of one post
	makingTime   = 10 * time.Second
	maxFeedBytes = 1 << 20 // about, of posts in a feed
)

// Routes shows public channels to browsers (/channel/NAME) and to readers of feeds (/channel/NAME.atom, RFC 4287; /channel/NAME.rss, RSS 2.0). All may be kept by
// caches for a minute.
func (cs *Channels) Routes(mux *http.ServeMux) { mux.HandleFunc("GET /channel/{name}", cs.show) }

// shown is a channel as pages and feeds show it.
type shown struct {
	Title, Description, Picture, Mark, Language string
	Name, Self, ID                              string
	Words                                       words
	URI                                         template.URL // follows it in an app (XEP-0060 §16.7)
	Style                                       template.CSS
	Followers                                   int
	Posts                                       []shownPost
	Updated                                     time.Time
	entries                                     []entry
}

type shownPost struct {
	Title, Anchor, Updated, When string
	Paragraphs                   []string
	Links                        []shownLink
	at                           time.Time
	id                           string // of the Atom entry
	media                        []shownLink
}

type shownLink struct{ Address, Name, kind, length string }

func (cs *Channels) show(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	render, kind := cs.makePage, "text/html; charset=utf-8"
	if base, ok := strings.CutSuffix(name, ".atom"); ok {
		name, render, kind = base, cs.makeAtom, "application/atom+xml; charset=utf-8"
	} else if base, ok := strings.CutSuffix(name, ".rss"); ok {
		name, render, kind = base, cs.makeRSS, "application/rss+xml; charset=utf-8"
	}
	for header, value := range pageHeaders {
		w.Header().Set(header, value)
	}
	var release func()
	select {
	case cs.making <- struct{}{}:
		release = sync.OnceFunc(func() { <-cs.making })
		defer release()
	default:
		w.Header().Set("Retry-After", "5")
		w.Header().Set("Cache-Control", "no-store")
		http.Error(w, "busy; try again in a moment", http.StatusServiceUnavailable)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), makingTime)
	defer cancel()
	c, tag, err := cs.public(ctx, name)
	switch {
	case errors.Is(err, xmpp.ItemNotFound):
		http.Error(w, "there is no such channel, or it is not for everybody", http.StatusNotFound)
		return
	case err != nil:
		cs.failed(w, err)
		return
	}
	w.Header().Set("ETag", tag)
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	s, err := cs.shown(ctx, c)
	var body []byte
	if err == nil {
		body, err = render(s)
	}
	if err != nil {
		cs.failed(w, err)
		return
	}
	w.Header().Set("Content-Type", kind)
	release() // who reads slowly keeps nobody else from reading
	if _, err := w.Write(body); err != nil {
		cs.log.Debug("page not sent", "err", err)
	}
}

func (cs *Channels) failed(w http.ResponseWriter, err error) {
	cs.log.Error("page of a channel failed", "err", err)
	w.Header().Del("ETag")
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, "something went wrong on our side; try again in a minute", http.StatusInternalServerError)
}

// public is a channel that everybody may read, with what its page is known by: xmpp.ItemNotFound for all others.
func (cs *Channels) public(ctx context.Context, name string) (*channel, string, error) {
	c, err := cs.loaded.get(ctx, name)
	if err != nil {
		return nil, "", err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone || c.settings.Private {
		return nil, "", xmpp.ItemNotFound
	}
	return c, fmt.Sprintf(`"%x-%x-%x"`, c.told, c.marked, c.followers), nil
}

// shown reads what a page or a feed shows: the newest posts, newest first.
func (cs *Channels) shown(ctx context.Context, c *channel) (*shown, error) {
	c.mu.Lock()
	s := &shown{Title: c.settings.Title, Description: c.settings.Description, Picture: c.settings.Picture, Mark: c.mark, Language: c.settings.Language, Name: c.name,
		Self: cs.web + "/channel/" + c.name, ID: "xmpp:" + cs.domain.String() + "?;node=" + c.name,
		URI: template.URL("xmpp:" + cs.domain.String() + "?pubsub;action=subscribe;node=" + c.name), Style: pageStyle, Followers: c.followers, Updated: time.UnixMicro(c.id)}
	c.mu.Unlock()
	s.Words = wordsFor(s.Language)
	if s.Title == "" {
		s.Title = s.Name
	}
	found, _, err := cs.readLog(ctx, c, span{until: 1<<63 - 1, last: true, posts: true}, pagePosts)
	if err != nil {
		return nil, err
	}
	s.entries = found
	for i := range found {
		payload, err := parsePayload(found[i].payload)
		if err != nil {
			return nil, err
		}
		post := showPost(payload)
		post.Anchor = fmt.Sprint("p", found[i].id)
		s.Posts = append(s.Posts, post)
		if i == 0 {
			s.Updated = time.UnixMicro(found[i].id)
		}
	}
	return s, nil
}

// showPost is what is shown of an Atom entry: text alone, and links to the web.
func showPost(entry *xmpp.Element) shownPost {
	p := shownPost{Title: strings.TrimSpace(deepText(entry.Child(nsAtom, "title"))), id: strings.TrimSpace(entry.ChildText(nsAtom, "id"))}
	p.at, _ = xmpp.ParseTime(entry.ChildText(nsAtom, "updated")) // it was looked at when it was published
	p.Updated, p.When = p.at.UTC().Format(time.RFC3339), p.at.UTC().Format("2006-01-02 15:04 UTC")
	text := ""
	for child := range entry.Children() {
		switch {
		case child.Is(nsAtom, "content") && (text == "" || child.Attr("type") != "xhtml"):
			text = deepText(child)
		case child.Is(nsAtom, "summary") && text == "":
			text = deepText(child)
		case child.Is(nsAtom, "link"):
			p.addLink(child)
		}
	}
	if runes := []rune(text); len(runes) > maxPageText {
		text = string(runes[:maxPageText]) + "…"
	}
	for paragraph := range strings.SplitSeq(text, "\n") {
		if paragraph = strings.TrimSpace(paragraph); paragraph != "" {
			p.Paragraphs = append(p.Paragraphs, paragraph)
		}
	}
	return p
}

func (p *shownPost) addLink(e *xmpp.Element) {
	u, err := url.Parse(e.Attr("href"))
	rel := e.Attr("rel")
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || len(p.Links) >= maxPageLinks || rel != "" && rel != "enclosure" && rel != "related" && rel != "alternate" {
		return
	}
	one := shownLink{Address: u.String(), Name: e.Attr("title"), kind: e.Attr("type"), length: e.Attr("length")}
	if one.Name == "" {
		one.Name = u.Host + u.Path
	}
	p.Links = append(p.Links, one)
	if rel == "enclosure" {
		p.media = append(p.media, one)
	}
}

// deepText is all text within an element.
func deepText(e *xmpp.Element) string {
	if e == nil {
		return ""
	}
	var b strings.Builder
	for _, node := range e.Nodes {
		if node.Element != nil {
			b.WriteString(deepText(node.Element))
			if node.Element.Local == "p" || node.Element.Local == "br" {
				b.WriteByte('\n')
			}
			continue
		}
		b.WriteString(node.Text)
	}
	return b.String()
}

func (cs *Channels) makePage(s *shown) ([]byte, error) {
	var b bytes.Buffer
	err := pages.ExecuteTemplate(&b, "channel.html", s)
	return b.Bytes(), err
}

// makeAtom is the feed of a channel, with its posts as they were published (RFC 4287 §4.1.1).
func (cs *Channels) makeAtom(s *shown) ([]byte, error) {
	text := func(name, value string) *xmpp.Element { return xmpp.NewText(nsAtom, name, value) }
	link := func(rel, kind, address string) *xmpp.Element {
		return xmpp.NewElement(nsAtom, "link").Set("rel", rel).Set("type", kind).Set("href", address)
	}
	feed := xmpp.NewElement(nsAtom, "feed", text("id", s.ID), text("title", s.Title), text("updated", s.Updated.UTC().Format(time.RFC3339)),
		link("self", "application/atom+xml", s.Self+".atom"), link("alternate", "text/html", s.Self), xmpp.NewElement(nsAtom, "author", text("name", s.Title)))
	if s.Description != "" {
		feed.Add(text("subtitle", s.Description))
	}
	size := 0
	for i := range s.entries {
		if size += len(s.entries[i].payload); size > maxFeedBytes && i > 0 {
			break
		}
		payload, err := parsePayload(s.entries[i].payload)
		if err != nil {
			return nil, err
		}
		feed.Add(payload)
	}
	return feed.Append([]byte(xml.Header), ""), nil
}

// rss is a feed in RSS 2.0.
type rss struct {
	XMLName xml.Name   `xml:"rss"`
	Version string     `xml:"version,attr"`
	Channel rssChannel `xml:"channel"`
}

type rssChannel struct {
	Title       string    `xml:"title"`
	Link        string    `xml:"link"`
	Description string    `xml:"description"`
	Language    string    `xml:"language,omitempty"`
	Items       []rssItem `xml:"item"`
}

type rssItem struct {
	Title       string        `xml:"title"`
	Link        string        `xml:"link"`
	GUID        rssGUID       `xml:"guid"`
	PubDate     string        `xml:"pubDate"`
	Description string        `xml:"description,omitempty"`
	Enclosure   *rssEnclosure `xml:"enclosure"`
}

type rssGUID struct {
	Permanent bool   `xml:"isPermaLink,attr"`
	ID        string `xml:",chardata"`
}

type rssEnclosure struct {
	URL    string `xml:"url,attr"`
	Length string `xml:"length,attr"`
	Type   string `xml:"type,attr"`
}

// makeRSS is the feed of a channel for readers that know RSS alone.
func (cs *Channels) makeRSS(s *shown) ([]byte, error) {
	feed := rss{Version: "2.0", Channel: rssChannel{Title: s.Title, Link: s.Self, Description: s.Description, Language: s.Language}}
	for _, p := range s.Posts {
		item := rssItem{Title: p.Title, Link: s.Self + "#" + p.Anchor, GUID: rssGUID{ID: p.id}, PubDate: p.at.UTC().Format(time.RFC1123Z), Description: template.HTMLEscapeString(strings.Join(p.Paragraphs, "\n"))}
		if len(p.media) > 0 {
			m := p.media[0]
			if m.length == "" {
				m.length = "0"
			}
			item.Enclosure = &rssEnclosure{URL: m.Address, Length: m.length, Type: m.kind}
		}
		feed.Channel.Items = append(feed.Channel.Items, item)
	}
	b, err := xml.Marshal(feed)
	return append([]byte(xml.Header), b...), err
}
