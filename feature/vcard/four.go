package vcard

import (
	"context"
	"slices"
	"strings"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// fact is something that both forms of a vCard can say in the same words (XEP-0292 §5). What only one form has, such as whether a number
// is for home or work, stays in that form as long as the facts agree.
type fact [2]field

// field is where a form holds a fact: the name of the element, and of the elements within it that hold the parts; none if it holds the
// text itself.
type field struct {
	name  string
	parts []string
}

// form is one of the two forms; index is its place in a fact.
type form struct {
	index       int
	space, root string
}

var (
	old  = form{0, NS, "vCard"}
	four = form{1, nsFour, "vcard"}
)

var facts = []fact{
	{{"FN", nil}, {"fn", []string{"text"}}},
	{{"N", []string{"FAMILY", "GIVEN", "MIDDLE", "PREFIX", "SUFFIX"}}, {"n", []string{"surname", "given", "additional", "prefix", "suffix"}}},
	{{"NICKNAME", nil}, {"nickname", []string{"text"}}},
	{{"BDAY", nil}, {"bday", []string{"date"}}},
	{{"URL", nil}, {"url", []string{"uri"}}},
	{{"TITLE", nil}, {"title", []string{"text"}}},
	{{"ROLE", nil}, {"role", []string{"text"}}},
	{{"DESC", nil}, {"note", []string{"text"}}},
	{{"EMAIL", []string{"USERID"}}, {"email", []string{"text"}}},
	{{"TEL", []string{"NUMBER"}}, {"tel", []string{"text"}}},
	{{"ORG", []string{"ORGNAME"}}, {"org", []string{"text"}}},
}

// maxValues is the most values of one fact that are carried over.
const maxValues = 50

// values reads a fact from a card; each value has all parts, some of which may be empty. clear says that there was nothing else: no value
// that is put another way, and not too many.
func (f form) values(card *xmpp.Element, at field) (found [][]string, clear bool) {
	for e := range card.Children() {
		if !e.Is(f.space, at.name) {
			continue
		}
		value := []string{e.Text()}
		if len(at.parts) > 0 {
			value = value[:0]
			for _, part := range at.parts {
				value = append(value, e.ChildText(f.space, part))
			}
		}
		if strings.Join(value, "") == "" && len(e.Nodes) > 0 || len(found) == maxValues {
			return nil, false
		}
		found = append(found, value)
	}
	return found, true
}

// replace is a copy of a card with other values of a fact.
func (f form) replace(card *xmpp.Element, at field, wanted [][]string) *xmpp.Element {
	out := xmpp.NewElement(f.space, f.root)
	for e := range card.Children() {
		if !e.Is(f.space, at.name) {
			out.Add(e)
		}
	}
	for _, value := range wanted {
		e := xmpp.NewElement(f.space, at.name)
		if len(at.parts) == 0 {
			e.AddText(value[0])
		}
		for i, part := range at.parts {
			if value[i] != "" {
				e.Add(xmpp.NewText(f.space, part, value[i]))
			}
		}
		out.Add(e)
	}
	return out
}

// adopt gives card the facts of source, a card in the other form, as far as they differ. It returns card itself if none does.
func (f form) adopt(card, source *xmpp.Element, other form) *xmpp.Element {
	for _, one := range facts {
		wanted, clear := other.values(source, one[other.index])
		have, _ := f.values(card, one[f.index])
		if clear && !slices.EqualFunc(wanted, have, slices.Equal[[]string]) {
			card = f.replace(card, one[f.index], wanted)
		}
	}
	return card
}

// convertedKey marks the context of a conversion, within which the rule for the other form has nothing to do.
type convertedKey struct{}

// publishFour brings the newer form up to date after the old one was set.
func (f *Feature) publishFour(ctx context.Context, account *core.Account, card *xmpp.Element) error {
	before, err := f.items.Item(ctx, account, nodeFour, "")
	if err != nil {
		return err
	}
	after := four.adopt(before, card, old)
	if after == before {
		return nil
	}
	if err := f.writer.Ensure(ctx, account, nodeFour, f.cfg.Access); err != nil {
		return err
	}
	return f.writer.Publish(context.WithValue(ctx, convertedKey{}, true), account, nodeFour, "current", after)
}

// adoptFour brings the old form up to date after an app has published the newer one.
func (f *Feature) adoptFour(ctx context.Context, account *core.Account, _ string, card *xmpp.Element) error {
	if ctx.Value(convertedKey{}) != nil {
		return nil
	}
	if !card.Is(nsFour, "vcard") {
		return xmpp.BadRequest.Because("this node holds <vcard/> of %s", nsFour)
	}
	before, err := f.card(ctx, account)
	if err != nil {
		return err
	}
	after := old.adopt(before, card, four)
	if after == before || len(after.Append(nil, "")) > f.cfg.MaxBytes {
		return nil
	}
	return f.write(ctx, account, after)
}
