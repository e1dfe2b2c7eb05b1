package channel

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/language"

	"palabre.dev/palabre/xmpp"
	"palabre.dev/palabre/xmpp/fault"
)

const configType = nsPubSub + "#node_config"

// Limits of settings.
const (
	maxName        = 64
	maxTitle       = 100  // characters
	maxDescription = 2048 // characters
	maxAddress     = 1023 // bytes of a picture's or a room's address
	maxSegments    = 50
	maxSegmentName = 32  // bytes
	maxLabel       = 100 // characters of what a segment is called
)

// Settings are what the owners of a channel have decided.
type Settings struct {
	Title       string `json:"title,omitempty"`
	Description string `json:"description,omitempty"`
	// Private lets only those read whom the channel names.
	Private bool `json:"private,omitempty"`
	// Picture is the https address of its picture.
	Picture string `json:"picture,omitempty"`
	// Language is that of its posts, as of BCP 47.
	Language string `json:"language,omitempty"`
	// Segments are the languages or areas that posts may be for.
	Segments []Segment `json:"segments,omitempty"`
	// Comments is the address of the group or node where people talk about the posts.
	Comments string `json:"comments,omitempty"`
	// Silent takes no reactions.
	Silent bool `json:"silent,omitempty"`
}

// Segment is a part of those who follow: who has chosen some gets posts for these, and posts for all.
type Segment struct {
	Name  string `json:"name"`
	Label string `json:"label,omitempty"`
}

func (s *Settings) text() (string, error) {
	b, err := json.Marshal(s)
	return string(b), err
}

func readSettings(text string) (s Settings, err error) {
	err = json.Unmarshal([]byte(text), &s)
	return s, err
}

// isName reports whether a channel may be called so: what is an address, a path and a node without being written otherwise, and looks like no other
// channel's name in another script.
func isName(name string) bool { return isWord(name, maxName) }

func isWord(text string, most int) bool {
	if text == "" || len(text) > most || strings.Trim(text, "._-") != text {
		return false
	}
	for i := range len(text) {
		c := text[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '.' && c != '-' && c != '_' {
			return false
		}
	}
	return !strings.HasSuffix(text, ".atom") && !strings.HasSuffix(text, ".rss")
}

// has reports whether all of these are segments of the channel.
func (s *Settings) has(names []string) bool {
	for _, name := range names {
		if !slices.ContainsFunc(s.Segments, func(one Segment) bool { return one.Name == name }) {
			return false
		}
	}
	return true
}

// form are the settings as a form (XEP-0060 §16.4.4, docs/protocol/channels.md).
func (s *Settings) form(kind, formType string) *xmpp.Form {
	form := xmpp.NewForm(kind, formType)
	form.Add("pubsub#title", "text-single", "Title", s.Title)
	form.Add("pubsub#description", "text-single", "Description", s.Description)
	form.Add("pubsub#type", "text-single", "Namespace of the profile", nsFeed)
	form.Add("pubsub#access_model", "list-single", "Who may read", map[bool]string{true: "whitelist", false: "open"}[s.Private])
	form.Fields[len(form.Fields)-1].Options = []xmpp.Option{{Label: "Everybody", Value: "open"}, {Label: "Members", Value: "whitelist"}}
	for _, fixed := range fixedFields {
		form.Add(fixed.name, fixed.kind, "", fixed.value)
	}
	form.Add("pubsub#language", "text-single", "Language", s.Language)
	form.Add(NS+"#picture", "text-single", "Address of the picture", s.Picture)
	form.Add(NS+"#comments", "text-single", "Where people talk about it", s.Comments)
	form.Add(NS+"#reactions", "boolean", "Takes reactions", map[bool]string{true: "0", false: "1"}[s.Silent])
	var segments []string
	for _, one := range s.Segments {
		segments = append(segments, strings.TrimSpace(one.Name+" "+one.Label))
	}
	form.Add(NS+"#segments", "text-multi", "Languages or areas, each as a word and what it is called", segments...)
	return form
}

// fixedFields are settings that are the same for all channels (XEP-0472 §6.1.1): apps that ask for the same are content.
var fixedFields = []struct{ name, kind, value string }{
	{"pubsub#publish_model", "list-single", "publishers"}, {"pubsub#persist_items", "boolean", "1"}, {"pubsub#max_items", "text-single", "max"},
	{"pubsub#item_expire", "text-single", "max"}, {"pubsub#send_last_published_item", "list-single", "never"}, {"pubsub#deliver_payloads", "boolean", "1"},
	{"pubsub#deliver_notifications", "boolean", "1"}, {"pubsub#notify_retract", "boolean", "1"}, {"pubsub#notify_delete", "boolean", "1"},
	{"pubsub#notify_config", "boolean", "1"}, {"pubsub#notification_type", "list-single", "headline"},
}

// take reads the settings that an owner has sent; what is not in the form stays. What cannot be otherwise is passed over.
func (s *Settings) take(form *xmpp.Form) error {
	for _, f := range form.Fields {
		value := ""
		if len(f.Values) > 0 {
			value = f.Values[0]
		}
		if f.Var == NS+"#segments" {
			if err := s.takeSegments(f.Values); err != nil {
				return err
			}
			continue
		}
		if err := s.takeField(f.Var, value); err != nil {
			return err
		}
	}
	return nil
}

func (s *Settings) takeField(name, value string) error {
	switch name {
	case "pubsub#title":
		return takeText(&s.Title, value, maxTitle, "a title")
	case "pubsub#description":
		return takeText(&s.Description, value, maxDescription, "a description")
	case "pubsub#language":
		if _, err := language.Parse(value); err != nil && value != "" {
			return xmpp.NotAcceptable.Because("a language is written like fr or pt-BR")
		}
		return takeText(&s.Language, value, maxSegmentName, "a language")
	case "pubsub#type":
		if value != nsFeed && value != "" {
			return xmpp.NotAcceptable.Because("a channel holds %s", nsFeed)
		}
	case "pubsub#access_model":
		if value != "open" && value != "whitelist" {
			return fault.AccessModel
		}
		s.Private = value == "whitelist"
	case NS + "#picture":
		if u, err := url.Parse(value); value != "" && (err != nil || u.Scheme != "https" || u.Host == "" || len(value) > maxAddress) {
			return xmpp.NotAcceptable.Because("a picture has an https address of at most %d bytes", maxAddress)
		}
		s.Picture = value
	case NS + "#comments":
		if u, err := url.Parse(value); value != "" && (err != nil || u.Scheme != "xmpp" || u.Opaque == "" || len(value) > maxAddress) {
			return xmpp.NotAcceptable.Because("the place for comments has an xmpp: address of at most %d bytes", maxAddress)
		}
		s.Comments = value
	case NS + "#reactions":
		on, ok := xmpp.Bool(value)
		if !ok {
			return xmpp.NotAcceptable.Because("%s is yes or no", name)
		}
		s.Silent = !on
	}
	return nil
}

func (s *Settings) takeSegments(lines []string) error {
	var all []Segment
	for _, line := range lines {
		name, label, _ := strings.Cut(strings.TrimSpace(line), " ")
		if name == "" {
			continue
		}
		if !isWord(name, maxSegmentName) || utf8.RuneCountInString(label) > maxLabel {
			return xmpp.NotAcceptable.Because("a segment is a word of at most %d small letters and digits, and what it is called in at most %d characters", maxSegmentName, maxLabel)
		}
		if slices.ContainsFunc(all, func(one Segment) bool { return one.Name == name }) {
			return xmpp.NotAcceptable.Because("the segment %s is there twice", name)
		}
		all = append(all, Segment{name, label})
	}
	if len(all) > maxSegments {
		return xmpp.NotAcceptable.Because("a channel has at most %d segments", maxSegments)
	}
	s.Segments = all
	return nil
}

func takeText(to *string, value string, most int, what string) error {
	if utf8.RuneCountInString(value) > most {
		return xmpp.NotAcceptable.Because("%s has at most %d characters", what, most)
	}
	*to = value
	return nil
}

// parseForm reads a submitted form of this FORM_TYPE.
func parseForm(x *xmpp.Element, formType string) (*xmpp.Form, error) {
	form, err := xmpp.ParseForm(x)
	if err != nil || form.Type != "submit" {
		return nil, xmpp.BadRequest.Because("there is no data form of type submit")
	}
	if given := form.FormType(); given != "" && given != formType {
		return nil, xmpp.BadRequest.Because("FORM_TYPE must be %s", formType)
	}
	return form, nil
}

// unmet is the name of the first option of a publication that the settings do not meet, "" if they meet all (XEP-0060 §7.1.5).
func (s *Settings) unmet(options *xmpp.Form) string {
	have := s.form("result", configType)
	for _, wanted := range options.Fields {
		is := have.Field(wanted.Var)
		if wanted.Var == "FORM_TYPE" {
			continue
		}
		if is == nil || len(wanted.Values) == 0 || !sameValues(is, wanted.Values) {
			return wanted.Var
		}
	}
	return ""
}

func sameValues(is *xmpp.Field, wanted []string) bool {
	if is.Type == "boolean" && len(wanted) == 1 {
		want, ok := xmpp.Bool(wanted[0])
		have, _ := xmpp.Bool(is.Values[0])
		return ok && want == have
	}
	return slices.Equal(is.Values, wanted)
}
