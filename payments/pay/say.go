package pay

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/language"

	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

// What notices say for people whose app does not know this protocol: in the language of who reads them, as far as it is known. All texts are in words/, a file for each language;
// {0}, {1} … stand for who, whom and what, in the same order in all languages.

//go:embed words/*.json
var wordFiles embed.FS

// Languages are those in which people are told, as of BCP 47.
var Languages = []string{"en", "fr", "pt-BR", "es", "hi", "ar", "it", "sw"}

var texts = readTexts()

// readTexts reads what is in the program.
func readTexts() map[string]map[string]string {
	all := map[string]map[string]string{}
	for _, name := range Languages {
		file, err := wordFiles.ReadFile("words/" + name + ".json")
		if err != nil {
			panic(err)
		}
		in := map[string]string{}
		if err := json.Unmarshal(file, &in); err != nil {
			panic(fmt.Errorf("words/%s.json: %w", name, err))
		}
		all[name] = in
	}
	return all
}

// maxLanguage is how many characters of a language somebody may name (BCP 47 recommends that much room).
const maxLanguage = 35

// spoken is the language out of Languages for one that somebody asks for; empty for one that is none of them.
func spoken(name string) string {
	if len(name) > maxLanguage {
		return ""
	}
	tag, err := language.Parse(name)
	if err != nil {
		return ""
	}
	base, _ := tag.Base()
	for _, one := range Languages {
		if before, _, _ := strings.Cut(one, "-"); before == base.String() {
			return one
		}
	}
	return ""
}

// said is something that people are told: a text and what stands in it, and what a link at its end shows.
type said struct {
	text string
	args []any // string, money, time.Time, int64
	link thing
}

func say(text string, args ...any) said { return said{text: text, args: args} }

// at is the same with a link.
func (w said) at(kind, id string) said {
	w.link = thing{kind, id}
	return w
}

// money is an amount that people are told, in minor units, and what it is for.
type money struct {
	amount      int64
	unit, about string
}

const (
	isolate = "\u2068" // what stands between them keeps its own direction (Unicode UAX #9 §2.7)
	apart   = "\u2069"
)

// in writes what is said in a language.
func (s *Service) in(lang string, w said) string {
	words := texts[lang]
	var put []string
	for i, arg := range w.args {
		part := ""
		switch arg := arg.(type) {
		case string:
			part = arg
		case int64:
			part = digits(arg)
		case time.Time:
			part = arg.UTC().Format("2006-01-02 15:04 UTC")
		case money:
			part = s.amountIn(words, arg)
		}
		if words["rtl"] != "" {
			part = isolate + part + apart
		}
		put = append(put, "{"+strconv.Itoa(i)+"}", part)
	}
	return strings.NewReplacer(put...).Replace(words[w.text])
}

// amountIn writes an amount as people of a language do: 1,250.00 MAD.
func (s *Service) amountIn(words map[string]string, m money) string {
	number, unit, _ := strings.Cut(s.Amount(m.amount, m.unit), " ")
	whole, parts, _ := strings.Cut(number, ".")
	text, size := "", 3
	for len(whole) > size {
		text, whole = words["group"]+whole[len(whole)-size:]+text, whole[:len(whole)-size]
		if words["lakh"] != "" {
			size = 2
		}
	}
	text = whole + text
	if parts != "" {
		text += words["point"] + parts
	}
	text += "\u00a0" + unit
	if m.about != "" {
		text += " (" + m.about + ")"
	}
	return text
}

// Speaks notes in which language (BCP 47) somebody is to be told things: that of what they have last sent. One that is none of Languages, or comes from somebody without a wallet
// here, changes nothing.
func (s *Service) Speaks(ctx context.Context, account xmpp.JID, name string) error {
	lang := ""
	if name != "" && s.ours(account) {
		lang = spoken(name)
	}
	if lang == "" {
		return nil
	}
	s.mu.Lock()
	known := s.speak[account] == lang
	s.mu.Unlock()
	if known {
		return nil
	}
	if left, err := s.gone(ctx, account); err != nil || left {
		return err
	}
	_, err := s.db.Exec(ctx, "insert into pay_language (account, language) values ($1, $2) on conflict (account) do update set language = excluded.language", account.String(), lang)
	if err != nil {
		return fmt.Errorf("note a language: %w", err)
	}
	s.mu.Lock()
	if len(s.speak) >= maxOpened {
		clear(s.speak)
	}
	s.speak[account] = lang
	s.mu.Unlock()
	return nil
}

// languageOf is the language in which somebody is told things.
func (s *Service) languageOf(ctx context.Context, account xmpp.JID) (lang string, err error) {
	err = s.db.QueryRow(ctx, "select language from pay_language where account = $1", account.String()).Scan(&lang)
	if err != nil && !errors.Is(err, store.ErrNoRows) {
		return "", fmt.Errorf("read a language: %w", err)
	}
	if texts[lang] == nil {
		lang = spoken(s.cfg.Language)
	}
	return orWord(lang, Languages[0]), nil
}
