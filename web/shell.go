package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/text/language"
)

const (
	shellName   = "index.html"
	localesName = "locales.json" // which built file has the texts of a language: {"fr": "assets/fr-1a2b.js", …}
)

// cookieName is the cookie in which the client keeps the language that a person chose, so that the first answer is in it already.
const cookieName = "lang"

// shell is index.html in every language: with the direction of its script, and with its texts asked for together with the program. A chain
// of requests costs a round trip for each, which on a slow network is seconds.
type shell struct {
	tags    []language.Tag
	matcher language.Matcher
	pages   map[language.Tag]*file
}

func newShell(files map[string]*file) (*shell, error) {
	page := files[shellName].plain
	texts := map[string]string{}
	if f := files[localesName]; f != nil {
		if err := json.Unmarshal(f.plain, &texts); err != nil {
			return nil, fmt.Errorf("%s: %w", localesName, err)
		}
	}
	s := &shell{pages: map[language.Tag]*file{}}
	names := []string{"en"} // the first is for those who speak none of the others
	for name := range texts {
		if name != "en" {
			names = append(names, name)
		}
	}
	slices.Sort(names[1:])
	for _, name := range names {
		tag, err := language.Parse(name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", localesName, err)
		}
		localised, err := localise(page, name, texts[name])
		if err != nil {
			return nil, err
		}
		s.tags = append(s.tags, tag)
		s.pages[tag] = newFile(shellName, localised)
	}
	s.matcher = language.NewMatcher(s.tags)
	return s, nil
}

// localise sets the language of the page, and has its texts loaded at once.
func localise(page []byte, name, texts string) ([]byte, error) {
	start := bytes.Index(page, []byte("<html"))
	if start < 0 {
		return nil, errNoShell
	}
	end := bytes.IndexByte(page[start:], '>')
	if end < 0 {
		return nil, errNoShell
	}
	direction := "ltr"
	if name == "ar" {
		direction = "rtl"
	}
	var b bytes.Buffer
	b.Write(page[:start])
	fmt.Fprintf(&b, `<html lang="%s" dir="%s">`, name, direction)
	rest := page[start+end+1:]
	if texts == "" {
		b.Write(rest)
		return b.Bytes(), nil
	}
	head, body, found := bytes.Cut(rest, []byte("</head>"))
	if !found {
		return nil, fmt.Errorf("index.html has no </head>")
	}
	b.Write(head)
	fmt.Fprintf(&b, `<link rel="modulepreload" href="/%s"></head>`, texts)
	b.Write(body)
	return b.Bytes(), nil
}

func (s *shell) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-cache")
	h.Add("Vary", "Accept-Language, Cookie")
	f := s.pages[s.tags[s.choose(r)]]
	h.Set("Content-Type", f.kind)
	write(w, r, f.tag, f.plain, f.packed)
}

// choose returns the index of the language that a person chose, or else that the browser asks for.
func (s *shell) choose(r *http.Request) int {
	if c, err := r.Cookie(cookieName); err == nil {
		for i, tag := range s.tags {
			if strings.EqualFold(tag.String(), c.Value) {
				return i
			}
		}
	}
	wanted, _, err := language.ParseAcceptLanguage(r.Header.Get("Accept-Language"))
	if err != nil {
		return 0
	}
	_, i, confidence := s.matcher.Match(wanted...)
	if confidence == language.No {
		return 0
	}
	return i
}
