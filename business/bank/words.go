package bank

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Language is one that the bank speaks.
type Language string

// The languages.
const (
	French     Language = "fr"
	English    Language = "en"
	Portuguese Language = "pt"
)

// Languages are all of them.
var Languages = []Language{French, English, Portuguese}

// wish is what somebody wants.
type wish int

const (
	nothing wish = iota // it was not understood
	askHelp
	askBalance
	askLines
	askSend
	sayYes
	sayNo
	sayCode
)

// understood is what was made of a message.
type understood struct {
	wish     wish
	language Language // "" if the words are of none
	count    int      // of lines
	// amount, unit, payee and about are as they were written.
	amount, unit, payee, about string
	code                       string
}

const (
	maxText  = 500 // characters of a message that is looked at
	maxLines = 20
)

// vocabulary is what the bank understands in one language, without accents and capitals.
type vocabulary struct {
	send                 *regexp.Regexp
	balance, lines, help []string // a word of them is in the text
	yes, no              []string // the text is one of them
	numbers              []string // the words for 1 to 10
	words                []string // those that tell the language, and nothing else
}

// number is an amount, perhaps with its unit before or after it.
const number = `(?P<before>[a-z$€£]{1,3}\$? ?)?(?P<amount>[0-9](?:[0-9.,' \x{a0}\x{202f}]*[0-9])?) ?(?P<unit>[a-z$€£]{1,9}\$?)?`

func sending(verbs, to, purpose string) *regexp.Regexp {
	return regexp.MustCompile(`^(?:` + verbs + `) ` + number + ` (?:` + to + `)(?P<payee>\S.*?)(?: (?:` + purpose + `) (?P<about>.+))?$`)
}

var vocabularies = map[Language]vocabulary{
	French: {
		send: sending(`(?:je (?:veux|voudrais) |peux-tu |merci d')?(?:envoie|envoyer|envoyez|envoi de|vire|virer|virement de|verse|verser|transfere|transferer|transferez|paie|paye|payer|donne)`,
			`a l'|(?:a la|a|au|aux|vers) `, `pour|motif`),
		balance: []string{"solde", "combien"}, lines: []string{"derniers", "dernieres", "dernier", "historique", "operations", "mouvements", "releve"},
		help: []string{"aide", "aider", "menu", "bonjour", "salut", "bonsoir"}, yes: []string{"oui", "d'accord", "je confirme", "confirmer", "oui merci"},
		no: []string{"non", "annule", "annuler", "non merci"}, numbers: []string{"un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix"},
		words: []string{"merci", "je", "mon", "compte", "svp", "est", "le", "les", "veux"},
	},
	English: {
		send: sending(`(?:please |i want to |can you )?(?:send|transfer|pay|wire|give)`, `to `, `for`), balance: []string{"balance", "how much"},
		lines: []string{"last", "history", "statement", "transactions"}, help: []string{"help", "menu", "hello", "hi", "hey"},
		yes: []string{"yes", "i confirm", "confirm", "yes please"}, no: []string{"no", "cancel", "no thanks", "stop"},
		numbers: []string{"one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"},
		words:   []string{"thanks", "please", "my", "account", "the", "is", "what", "want"},
	},
	Portuguese: {
		send:    sending(`(?:quero |por favor |pode )?(?:envie|envia|enviar|mande|manda|mandar|transfira|transfere|transferir|pague|paga|pagar)`, `(?:para a|para o|para|ao|a) `, `por|referente a`),
		balance: []string{"saldo", "quanto"}, lines: []string{"ultimos", "ultimas", "extrato", "movimentos", "historico", "transacoes"},
		help: []string{"ajuda", "menu", "ola", "oi", "bom dia", "boa tarde", "boa noite"}, yes: []string{"sim", "confirmo", "confirmar", "sim por favor"},
		no: []string{"nao", "cancela", "cancelar"}, numbers: []string{"um", "dois", "tres", "quatro", "cinco", "seis", "sete", "oito", "nove", "dez"},
		words: []string{"obrigado", "obrigada", "meu", "minha", "conta", "quero", "por", "favor", "qual", "o", "os"},
	},
}

var isCode = regexp.MustCompile(`^[0-9]{3} ?[0-9]{3}$`)

// understand reads a message. kept is the language of the conversation so far: words that are of two languages are taken for that one.
func understand(text string, kept Language) understood {
	text = strings.Join(strings.Fields(text), " ")
	if text == "" || utf8.RuneCountInString(text) > maxText {
		return understood{}
	}
	folded := fold(text)
	if isCode.MatchString(folded) {
		return understood{wish: sayCode, code: strings.ReplaceAll(folded, " ", "")}
	}
	for _, language := range inOrder(kept) {
		if u := vocabularies[language].understand(text, folded); u.wish != nothing {
			u.language = language
			return u
		}
	}
	return understood{language: guess(folded, kept)}
}

// inOrder are the languages, that of the conversation first.
func inOrder(kept Language) []Language {
	order := slices.Clone(Languages)
	slices.SortStableFunc(order, func(a, b Language) int {
		if a == kept {
			return -1
		}
		if b == kept {
			return 1
		}
		return 0
	})
	return order
}

func (v vocabulary) understand(text, folded string) understood {
	bare := strings.Trim(folded, " .!?…")
	switch {
	case slices.Contains(v.yes, bare):
		return understood{wish: sayYes}
	case slices.Contains(v.no, bare):
		return understood{wish: sayNo}
	}
	if u, ok := v.sending(text, folded); ok {
		return u
	}
	switch {
	case has(bare, v.balance):
		return understood{wish: askBalance}
	case has(bare, v.lines):
		return understood{wish: askLines, count: v.count(bare)}
	case has(bare, v.help):
		return understood{wish: askHelp}
	}
	return understood{}
}

// sending reads an order; payee and purpose are taken from the text as it was written.
func (v vocabulary) sending(text, folded string) (understood, bool) {
	end := len(strings.TrimRight(folded, " .!…"))
	match := v.send.FindStringSubmatchIndex(folded[:end])
	if match == nil {
		return understood{}, false
	}
	part := func(name string) string {
		at := 2 * v.send.SubexpIndex(name)
		if match[at] < 0 {
			return ""
		}
		return strings.TrimSpace(original(text, folded, match[at], match[at+1]))
	}
	u := understood{wish: askSend, amount: part("amount"), unit: part("unit"), payee: part("payee"), about: part("about")}
	if u.unit == "" {
		u.unit = part("before")
	}
	return u, true
}

// count is how many lines are asked for, 5 if it is not said.
func (v vocabulary) count(folded string) int {
	for word := range strings.FieldsSeq(folded) {
		if n, err := strconv.Atoi(word); err == nil && n >= 1 {
			return min(n, maxLines)
		}
		if at := slices.Index(v.numbers, word); at >= 1 { // one is also the article
			return at + 1
		}
	}
	return 5
}

// has reports whether one of some words, or pairs of them, is in a text.
func has(folded string, words []string) bool {
	padded := " " + strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return ' '
	}, folded) + " "
	return slices.ContainsFunc(words, func(word string) bool { return strings.Contains(padded, " "+word+" ") })
}

// guess tells the language of a text that was not understood, kept if nothing tells.
func guess(folded string, kept Language) Language {
	for _, language := range inOrder(kept) {
		if has(folded, vocabularies[language].words) {
			return language
		}
	}
	return kept
}

// accents are letters with marks, and what they are without; one letter each, so that places in both texts correspond.
var accents = map[rune]rune{'à': 'a', 'á': 'a', 'â': 'a', 'ã': 'a', 'ä': 'a', 'ç': 'c', 'è': 'e', 'é': 'e', 'ê': 'e', 'ë': 'e', 'ì': 'i', 'í': 'i', 'î': 'i', 'ï': 'i',
	'ñ': 'n', 'ò': 'o', 'ó': 'o', 'ô': 'o', 'õ': 'o', 'ö': 'o', 'ù': 'u', 'ú': 'u', 'û': 'u', 'ü': 'u', 'ý': 'y', 'ÿ': 'y', '’': '\''}

func fold(text string) string {
	return strings.Map(func(r rune) rune {
		r = unicode.ToLower(r)
		if plain, ok := accents[r]; ok {
			return plain
		}
		return r
	}, text)
}

// original is what stands in a text where its folded form has the bytes from to to.
func original(text, folded string, from, to int) string {
	first := utf8.RuneCountInString(folded[:from])
	return string([]rune(text)[first : first+utf8.RuneCountInString(folded[from:to])])
}

// units are what people call a currency.
var units = map[string]string{"€": "EUR", "eur": "EUR", "euro": "EUR", "euros": "EUR", "dh": "MAD", "dhs": "MAD", "dirham": "MAD", "dirhams": "MAD", "r$": "BRL", "reais": "BRL",
	"real": "BRL", "$": "USD", "usd": "USD", "dollar": "USD", "dollars": "USD", "£": "GBP", "pounds": "GBP", "fcfa": "XOF", "cfa": "XOF", "francs": "XOF"}

// isUnit reports whether what somebody wrote beside an amount means this unit; nothing does.
func isUnit(written, unit string) bool {
	written = fold(written)
	if code, ok := units[written]; ok {
		return code == unit
	}
	return written == "" || strings.EqualFold(written, unit)
}
