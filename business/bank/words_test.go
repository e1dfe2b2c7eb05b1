package bank

import "testing"

func TestUnderstand(t *testing.T) {
	for _, c := range []struct {
		text string
		kept Language
		want understood
	}{
		{"balance", French, understood{wish: askBalance, language: English}},
		{"What is my balance?", French, understood{wish: askBalance, language: English}},
		{"Solde ?", English, understood{wish: askBalance, language: French}},
		{"Combien ai-je ?", English, understood{wish: askBalance, language: French}},
		{"qual é o meu saldo", English, understood{wish: askBalance, language: Portuguese}},
		{"last five", English, understood{wish: askLines, language: English, count: 5}},
		{"Last 3 please", English, understood{wish: askLines, language: English, count: 3}},
		{"les cinq dernières", English, understood{wish: askLines, language: French, count: 5}},
		{"les deux derniers", English, understood{wish: askLines, language: French, count: 2}},
		{"Últimos três", English, understood{wish: askLines, language: Portuguese, count: 3}},
		{"last 999999", English, understood{wish: askLines, language: English, count: maxLines}},
		{"help", French, understood{wish: askHelp, language: English}},
		{"Bonjour !", English, understood{wish: askHelp, language: French}},
		{"Bom dia", English, understood{wish: askHelp, language: Portuguese}},
		{"yes", French, understood{wish: sayYes, language: English}},
		{"OUI.", English, understood{wish: sayYes, language: French}},
		{"Não", English, understood{wish: sayNo, language: Portuguese}},
		{"123 456", English, understood{wish: sayCode, code: "123456"}},
		{"send 50 to Nadia", English, understood{wish: askSend, language: English, amount: "50", payee: "Nadia"}},
		{"Please send €1,250.00 to Chez Nadia for two crates of sardines", English,
			understood{wish: askSend, language: English, amount: "1,250.00", unit: "€", payee: "Chez Nadia", about: "two crates of sardines"}},
		{"Envoie 50 dh à Élodie Benaïssa pour le café.", English,
			understood{wish: askSend, language: French, amount: "50", unit: "dh", payee: "Élodie Benaïssa", about: "le café"}},
		{"je veux envoyer 1 250,50 au marché", English, understood{wish: askSend, language: French, amount: "1 250,50", payee: "marché"}},
		{"envie R$ 50 para João por pão", English, understood{wish: askSend, language: Portuguese, amount: "50", unit: "R$", payee: "João", about: "pão"}},
		{"send money", English, understood{language: English}},
		{"send 50", English, understood{language: English}},
		{"merci", English, understood{language: French}},
		{"obrigado!", French, understood{language: Portuguese}},
		{"qwerty", French, understood{language: French}},
		{"", French, understood{}},
	} {
		got := understand(c.text, c.kept)
		if got != c.want {
			t.Errorf("%q: %+v, expected %+v", c.text, got, c.want)
		}
	}
}

func TestAmount(t *testing.T) {
	for _, c := range []struct {
		language Language
		text     string
		exponent int
		minor    int64
		ok       bool
	}{
		{English, "50", 2, 5000, true}, {English, "50.5", 2, 5050, true}, {English, "1,250", 2, 125000, true}, {English, "1,250.75", 2, 125075, true},
		{French, "1 250,75", 2, 125075, true}, {French, "1250.75", 2, 125075, true}, {French, "1.250", 2, 0, false}, {French, "1,250", 2, 0, false},
		{Portuguese, "1.250", 2, 125000, true}, {Portuguese, "1.250.000,00", 2, 125000000, true}, {Portuguese, "1,250", 2, 0, false}, {English, "1.250", 2, 0, false},
		{English, "1.250", 3, 1250, true}, {English, "0", 2, 0, false}, {English, "0.00", 2, 0, false}, {English, "1,2,3", 2, 0, false}, {English, "12,50", 2, 1250, true},
		{English, "90071992547409.93", 2, 0, false}, {English, "90071992547409.92", 2, maxAmount, true}, {French, "500", 0, 500, true}, {French, "500,5", 0, 0, false},
		{English, "99999999999999999999", 2, 0, false}, {English, "1..5", 2, 0, false}, {English, "", 2, 0, false}, {English, "1,250,00", 2, 0, false},
	} {
		minor, ok := c.language.amount(c.text, c.exponent)
		if ok != c.ok || ok && minor != c.minor {
			t.Errorf("%s %q with %d: %d, %v", c.language, c.text, c.exponent, minor, ok)
		}
	}
	for _, c := range []struct {
		language Language
		minor    int64
		exponent int
		want     string
	}{{English, 125075, 2, "1,250.75 MAD"}, {French, 125075, 2, "1\u00a0250,75 MAD"}, {Portuguese, -100000000, 2, "−1.000.000,00 MAD"}, {French, 5, 2, "0,05 MAD"},
		{English, 2500, 0, "2,500 MAD"}} {
		if got := c.language.money(c.minor, "MAD", c.exponent); got != c.want {
			t.Errorf("%q, expected %q", got, c.want)
		}
	}
}

// TestTOTP is the table of RFC 6238 appendix B, with six digits.
func TestTOTP(t *testing.T) {
	secret := []byte("12345678901234567890")
	for second, code := range map[int64]string{59: "287082", 1111111109: "081804", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130"} {
		if got := totp(secret, second/30); got != code {
			t.Errorf("at %d: %s, expected %s", second, got, code)
		}
	}
}

// FuzzUnderstand looks for texts that bring the reader down.
func FuzzUnderstand(f *testing.F) {
	for _, text := range []string{"send 50 to Nadia", "envoie 1 250,50 dh à É pour ç", "envie R$ 5 para João", "last five", "İ send 5 to İ"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, language := range Languages {
			u := understand(text, language)
			if u.wish == askSend {
				language.amount(u.amount, 2)
			}
		}
	})
}
