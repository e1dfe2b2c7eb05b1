package qr

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
)

// vector is one of testdata/vectors.json, which every reader of these codes is tested with.
type vector struct {
	Name  string `json:"name"`
	Text  string `json:"text"`
	Hex   string `json:"hex"` // the bytes, where they are not the text in UTF-8
	Error Reason `json:"error"`

	Format Format `json:"format"`
	Order  struct {
		Address, Name, City, Amount, Unit, Reference, About string
		Once                                                bool
		Tip                                                 struct {
			Ask            bool
			Fixed, Percent string
		}
	} `json:"order"`
	Minor     int64    `json:"minor"` // the amount in minor units, 0 if there is none or the unit's digits are not known
	Networks  []string `json:"networks"`
	Local     []string `json:"local"`
	Intent    string   `json:"intent"`
	Signature string   `json:"signature"`
	Key       string   `json:"key"`
	Customer  struct{ Address, Name string }
	Beside    bool `json:"beside"` // more stands in a customer's code than we write
}

func vectors(t testing.TB) []vector {
	t.Helper()
	text, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []vector
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	if len(all) < 100 {
		t.Fatalf("%d vectors", len(all))
	}
	return all
}

func TestVectors(t *testing.T) {
	for _, v := range vectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			code, err := Parse(v.Text)
			if v.Error != "" {
				if got := ReasonOf(err); got != v.Error {
					t.Fatalf("refused for %q (%v), expected %q", got, err, v.Error)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			v.compare(t, code)
			v.compareBytes(t, code)
		})
	}
}

func (v vector) compare(t *testing.T, code Code) {
	if code.Format() != v.Format {
		t.Errorf("it is %s, expected %s", code.Format(), v.Format)
	}
	if code.Text() != v.Text {
		t.Errorf("written again it is %q", code.Text())
	}
	o := v.Order
	expected := Order{Address: o.Address, Name: o.Name, City: o.City, Amount: o.Amount, Unit: o.Unit, Reference: o.Reference, About: o.About, Once: o.Once,
		Tip: Tip{Ask: o.Tip.Ask, Fixed: o.Tip.Fixed, Percent: o.Tip.Percent}}
	if got := code.Order(); got != expected {
		t.Errorf("it asks for %+v, expected %+v", got, expected)
	}
	if exponent, ok := Exponent(o.Unit); ok && o.Amount != "" {
		if minor, err := Minor(o.Amount, exponent); err != nil || minor != v.Minor {
			t.Errorf("%d minor units (%v), expected %d", minor, err, v.Minor)
		}
	}
	switch c := code.(type) {
	case *EMV:
		if !slices.Equal(c.Networks(), v.Networks) {
			t.Errorf("networks %q, expected %q", c.Networks(), v.Networks)
		}
		if language, name, city := c.Local(); v.Local != nil && !slices.Equal([]string{language, name, city}, v.Local) {
			t.Errorf("in another language %q %q %q", language, name, city)
		}
	case *Promise:
		if c.Intent != v.Intent || hex.EncodeToString(c.Signature) != v.Signature || hex.EncodeToString(c.Key) != v.Key {
			t.Errorf("promise %+v", c)
		}
	case *Customer:
		if c.Address != v.Customer.Address || c.Name != v.Customer.Name {
			t.Errorf("customer %+v", c)
		}
		if again, err := NewCustomer(c.Address, c.Name); err != nil || (again.Text() == v.Text) == v.Beside {
			t.Errorf("written anew: %v, %v", again, err)
		}
	}
}

func (v vector) compareBytes(t *testing.T, code Code) {
	expected := []byte(v.Text)
	if v.Hex != "" {
		var err error
		if expected, err = hex.DecodeString(v.Hex); err != nil {
			t.Fatal(err)
		}
	}
	data, err := Bytes(code)
	if err != nil || string(data) != string(expected) {
		t.Errorf("bytes %x (%v), expected %x", data, err, expected)
	}
	again, err := ParseBytes(expected)
	if err != nil || again.Text() != v.Text {
		t.Errorf("read from bytes: %v, %v", again, err)
	}
}

func TestWritten(t *testing.T) {
	byName := map[string]string{}
	for _, v := range vectors(t) {
		byName[v.Name] = v.Text
	}
	made := func(c Code, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return c.Text()
	}
	emv := func(e *EMV, err error) string { t.Helper(); return made(e, err) }
	transfer := func(e *EPC, err error) string { t.Helper(); return made(e, err) }
	for name, text := range map[string]string{
		"Pix, static, the manual's example": emv(NewPix(PixRequest{Key: "123e4567-e12b-12d1-a456-426655440000", Name: "Fulano de Tal", City: "BRASILIA"})),
		"Pix, dynamic, the manual's example": emv(NewPix(PixRequest{URL: "pix.example.com/8b3da2f39a4140d1a91abd93113bd441", Name: "Fulano de Tal",
			City: "BRASILIA"})),
		"a wallet, static": emv(NewWallet(WalletRequest{Address: "nadia@example.org", Name: "Chez Nadia", City: "Tanger", Country: "MA", Unit: "MAD"})),
		"a wallet, dynamic": emv(NewWallet(WalletRequest{Address: "nadia@example.org", Request: "Zk3v9QpL0aB7xT2mN5cR8w", Name: "Chez Nadia", City: "Tanger",
			Country: "MA", Unit: "MAD", Amount: "125.00", About: "Sardines"})),
		"a wallet in the unit of an operator": emv(NewWallet(WalletRequest{Address: "كريم@example.org", Name: "سوق السمك 🐟", City: "Tanger", Country: "MA",
			Unit: "MARCHE", Amount: "3"})),
		"a wallet with a fee in percent": emv(NewWallet(WalletRequest{Address: "nadia@example.org", Name: "Chez Nadia", City: "Tanger", Country: "MA", Unit: "MAD",
			Amount: "40", Tip: Tip{Percent: "2.5"}})),
		"SEPA, version 002 without BIC and amount": transfer(NewEPC(Transfer{Name: "Mairie de Saint-Malo", IBAN: "FR1420041010050500013M02606"})),
	} {
		if text != byName[name] {
			t.Errorf("%s: %q, expected %q", name, text, byName[name])
		}
	}
	link, err := NewUPI([2]string{"pa", "asha@okbank"}, [2]string{"pn", "Asha & Co"}, [2]string{"am", ""}, [2]string{"cu", "INR"})
	if err != nil || link.Text() != "upi://pay?pa=asha@okbank&pn=Asha%20%26%20Co&cu=INR" {
		t.Errorf("%v, %v", link, err)
	}
}

func TestNotWritten(t *testing.T) {
	long := WalletRequest{Address: strings.Repeat("a", 81) + "@example.org", Name: "x", City: "x", Country: "MA", Unit: "MAD"}
	if _, err := NewWallet(long); ReasonOf(err) != TooLong {
		t.Errorf("a long address: %v", err)
	}
	long.Address, long.Country = "nadia@example.org", "Maroc"
	if _, err := NewWallet(long); ReasonOf(err) != Value {
		t.Errorf("a country in words: %v", err)
	}
	if _, err := NewEPC(Transfer{Name: "x", IBAN: "FR1420041010050500013M02606", Amount: "0"}); ReasonOf(err) != Value {
		t.Errorf("nothing to pay: %v", err)
	}
	if _, err := NewEPC(Transfer{Name: "x\ny", IBAN: "FR1420041010050500013M02606"}); err == nil {
		t.Error("a name of two lines was written")
	}
	if _, err := NewCustomer("karim", "Karim"); ReasonOf(err) != Broken {
		t.Errorf("a customer without an address: %v", err)
	}
	for name, cut := range map[string]string{strings.Repeat("é", 14): strings.Repeat("é", 13), "a" + strings.Repeat("é", 13): "a" + strings.Repeat("é", 12)} {
		if c, err := NewCustomer("karim@example.org", name); err != nil || c.Name != cut {
			t.Errorf("a long name: %+v, %v", c, err)
		}
	}
	if _, err := NewPromise("x", make([]byte, 63), nil); ReasonOf(err) != Value {
		t.Errorf("a short signature: %v", err)
	}
}

func TestMinor(t *testing.T) {
	for _, c := range []struct {
		text     string
		exponent int
		minor    int64
		ok       bool
	}{{"98.73", 2, 9873, true}, {"5", 2, 500, true}, {"5.100", 1, 51, true}, {"0.01", 2, 1, true}, {"1.005", 2, 0, false}, {"", 2, 0, false}, {".5", 2, 0, false},
		{"5.", 2, 0, false}, {"+5", 2, 0, false}, {"9007199254740992", 0, MaxAmount, true}, {"9007199254740993", 0, 0, false},
		{"99999999999999999999999", 0, 0, false}, {"1e3", 0, 0, false}, {"٣", 0, 0, false}} {
		minor, err := Minor(c.text, c.exponent)
		if (err == nil) != c.ok || minor != c.minor {
			t.Errorf("%q with %d digits: %d, %v", c.text, c.exponent, minor, err)
		}
	}
	for minor, text := range map[int64]string{9873: "98.73", 1: "0.01", 0: "0.00", 100: "1.00"} {
		if got := Decimal(minor, 2); got != text {
			t.Errorf("%d is %q, expected %q", minor, got, text)
		}
	}
}

// FuzzParse looks for texts that are read and are another text when they are written, or that bring a reader down.
func FuzzParse(f *testing.F) {
	for _, v := range vectors(f) {
		f.Add(v.Text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		code, err := Parse(text)
		if err != nil {
			if ReasonOf(err) == "" {
				t.Fatalf("an error without a reason: %v", err)
			}
			return
		}
		if code.Text() != text {
			t.Fatalf("%q is written as %q", text, code.Text())
		}
		if order := code.Order(); order.Amount != "" {
			if _, err := Minor(order.Amount, 9); err != nil && len(order.Amount) < 7 {
				t.Fatalf("amount %q", order.Amount)
			}
		}
	})
}

// FuzzParseBytes does the same with bytes, in all character sets.
func FuzzParseBytes(f *testing.F) {
	for _, v := range vectors(f) {
		if data, err := hex.DecodeString(v.Hex); err == nil && v.Hex != "" {
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		code, err := ParseBytes(data)
		if err != nil {
			return
		}
		if again, err := Bytes(code); err != nil || string(again) != string(data) {
			t.Fatalf("%x is written as %x (%v)", data, again, err)
		}
	})
}

// FuzzTamper changes one character of a good code: no EMVCo code may be read then, unless the change is one that the checksum cannot see.
func FuzzTamper(f *testing.F) {
	good := vectors(f)[0].Text
	f.Add(17, byte('9'))
	f.Fuzz(func(t *testing.T, at int, to byte) {
		if at < 0 || at >= len(good) || good[at] == to {
			return
		}
		changed := good[:at] + string(rune(to&0x7f)) + good[at+1:]
		if changed == good {
			return
		}
		if _, err := Parse(changed); err == nil {
			t.Fatalf("%q was read", changed)
		}
	})
}
