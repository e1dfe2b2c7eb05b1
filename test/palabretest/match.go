package palabretest

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"maps"
	"regexp"
	"strconv"
	"strings"

	"palabre.dev/palabre/xmpp"
)

type element = xmpp.Element

// known are the values that a transcript has names for.
type known map[string]string

func (k known) clone() known { return maps.Clone(k) }

var (
	hole    = regexp.MustCompile(`\{([a-zA-Z][a-zA-Z0-9_]*)\}`)
	repeats = regexp.MustCompile(`(?s)\{repeat (\d+) (.*?)\}`)
	base64s = regexp.MustCompile(`\{base64 (.*?)\}`)
)

// fill puts values into what is sent.
func (k known) fill(text string) string {
	text = hole.ReplaceAllStringFunc(text, func(match string) string {
		name := match[1 : len(match)-1]
		if _, ok := k[name]; !ok {
			k[name] = name + "-" + rand.Text()[:8]
		}
		return k[name]
	})
	text = repeats.ReplaceAllStringFunc(text, func(match string) string {
		parts := repeats.FindStringSubmatch(match)
		n, err := strconv.Atoi(parts[1])
		if err != nil {
			return match
		}
		return strings.Repeat(parts[2], n)
	})
	return base64s.ReplaceAllStringFunc(text, func(match string) string {
		plain := strings.ReplaceAll(base64s.FindStringSubmatch(match)[1], `\0`, "\x00")
		return base64.StdEncoding.EncodeToString([]byte(plain))
	})
}

// parseElements reads the elements of a block as they stand in a stream.
func parseElements(block string) ([]*element, error) {
	header := "<stream:stream xmlns='" + xmpp.NSClient + "' xmlns:stream='" + xmpp.NSStream + "'>"
	open, err := xmpp.ParseOpen(header)
	if err != nil {
		return nil, err
	}
	var framer xmpp.Framer
	if _, _, err := framer.Next([]byte(header), len(header)); err != nil {
		return nil, err
	}
	var out []*element
	for rest := []byte(block); len(rest) > 0; {
		piece, n, err := framer.Next(rest, 1<<20)
		switch {
		case err != nil:
			return nil, err
		case piece == xmpp.More:
			return nil, fmt.Errorf("ends within an element: %s", rest)
		case piece == xmpp.Whole:
			e, err := xmpp.Parse(string(rest[:n]), open.Scope)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", rest[:n], err)
			}
			out = append(out, e)
		}
		rest = rest[n:]
	}
	return out, nil
}

// match compares what was received with what was expected, and says what differs; "" if nothing does. Names are learnt on the way.
func (k known) match(want, got *element) string {
	if want.Space != got.Space || want.Local != got.Local {
		return fmt.Sprintf("expected <%s xmlns='%s'>, not <%s xmlns='%s'>", want.Local, want.Space, got.Local, got.Space)
	}
	more := strings.Contains(want.Text(), "{...}")
	if why := k.matchAttrs(want, got, more); why != "" {
		return "<" + want.Local + ">: " + why
	}
	if why := k.matchNodes(want, got, more); why != "" {
		return "<" + want.Local + ">: " + why
	}
	return ""
}

func (k known) matchAttrs(want, got *element, more bool) string {
	for _, attr := range want.Attrs {
		value, ok := got.LookupAttr(attr.Space, attr.Local)
		switch {
		case attr.Value == "{?}":
		case !ok:
			return "no attribute " + attr.Local
		case !k.value(attr.Value, value):
			return fmt.Sprintf("attribute %s is %q, not %q", attr.Local, value, k.show(attr.Value))
		}
	}
	for _, attr := range got.Attrs {
		if _, ok := want.LookupAttr(attr.Space, attr.Local); !ok && !more {
			return fmt.Sprintf("attribute %s=%q was not expected", attr.Local, attr.Value)
		}
	}
	return ""
}

func (k known) matchNodes(want, got *element, more bool) string {
	wanted, wantText := content(want)
	received, gotText := content(got)
	if !more && !k.value(wantText, gotText) {
		return fmt.Sprintf("text is %q, not %q", gotText, k.show(wantText))
	}
	i := 0
	for _, w := range wanted {
		for more && i < len(received) && k.clone().match(w, received[i]) != "" {
			i++
		}
		if i == len(received) {
			return fmt.Sprintf("no (more) <%s>", w.Local)
		}
		if why := k.match(w, received[i]); why != "" {
			return why
		}
		i++
	}
	if i < len(received) && !more {
		return fmt.Sprintf("did not expect %s", received[i])
	}
	return ""
}

// content are the child elements, and the text, which is "" if it is only white space between elements.
func content(e *element) (children []*element, text string) {
	for child := range e.Children() {
		children = append(children, child)
	}
	text = e.Text()
	if len(children) > 0 && strings.TrimSpace(text) == "" {
		text = ""
	}
	return children, text
}

// value compares one value, in which holes stand for known or new ones.
func (k known) value(want, got string) bool {
	if !strings.Contains(want, "{") {
		return want == got
	}
	if strings.TrimSpace(want) == "{*}" {
		return true
	}
	pattern, names := "^", []string(nil)
	for rest := want; rest != ""; {
		at := hole.FindStringSubmatchIndex(rest)
		if at == nil {
			pattern += literal(rest)
			break
		}
		pattern += literal(rest[:at[0]])
		name := rest[at[2]:at[3]]
		if value, ok := k[name]; ok {
			pattern += regexp.QuoteMeta(value)
		} else {
			pattern += "(.+?)"
			names = append(names, name)
		}
		rest = rest[at[1]:]
	}
	found := regexp.MustCompile("(?s)" + pattern + "$").FindStringSubmatch(got)
	for i, name := range names {
		if found != nil {
			k[name] = found[i+1]
		}
	}
	return found != nil
}

// literal is a pattern for text in which {*} is anything.
func literal(text string) string {
	return strings.ReplaceAll(regexp.QuoteMeta(text), regexp.QuoteMeta("{*}"), ".*")
}

// show is what was expected, with the values that are known.
func (k known) show(want string) string {
	return hole.ReplaceAllStringFunc(want, func(match string) string {
		if value, ok := k[match[1:len(match)-1]]; ok {
			return value
		}
		return match
	})
}
