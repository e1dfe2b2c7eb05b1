package intent

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write testdata/vectors.json anew")

// vectors are shared with the tests of the web client. Bytes are base64url without padding.
type vectors struct {
	Keys     []keyVector     `json:"keys"`
	Service  serviceVector   `json:"service"` // the service's Ed25519 key
	Intents  []textVector    `json:"intents"`
	Orders   []textVector    `json:"orders"`
	Receipts []textVector    `json:"receipts"`
	Promises []promiseVector `json:"promises"`
	Refused  []refusedVector `json:"refused"`
	Forged   []forgedVector  `json:"forged"`
}

type keyVector struct {
	Private string `json:"private"` // the JWK's d
	X       string `json:"x"`
	Y       string `json:"y"`
	Public  string `json:"public"` // the uncompressed point
	ID      string `json:"id"`
}

type serviceVector struct {
	Seed   string `json:"seed"`
	Public string `json:"public"`
}

type textVector struct {
	Fields    map[string]string `json:"fields"` // as values, not as they are written
	Text      string            `json:"text"`
	SHA256    string            `json:"sha256"` // hexadecimal
	Key       string            `json:"key,omitempty"`
	Signature string            `json:"signature"`
}

type promiseVector struct {
	Code string `json:"code"`
	Text string `json:"text"`
}

type refusedVector struct {
	What string `json:"what"` // intent, order or receipt
	Why  string `json:"why"`
	Text string `json:"text"`
}

type forgedVector struct {
	Why       string `json:"why"`
	Public    string `json:"public"`
	Text      string `json:"text"`
	Signature string `json:"signature"`
}

var b64 = base64.RawURLEncoding

// testKey is a payment key that everybody knows.
func testKey(t testing.TB, name string) *ecdsa.PrivateKey {
	t.Helper()
	d := sha256.Sum256([]byte("palabre test key " + name))
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), d[:])
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func point(t testing.TB, key *ecdsa.PrivateKey) []byte {
	t.Helper()
	b, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func serviceKey() ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("palabre test service"))
	return ed25519.NewKeyFromSeed(seed[:])
}

func fieldsOf(t testing.TB, text string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n")[1:] {
		name, written, _ := strings.Cut(line, "=")
		value, err := unescape(written)
		if err != nil {
			t.Fatal(err)
		}
		all[name] = value
	}
	return all
}

var at = time.Date(2026, 11, 22, 12, 5, 0, 0, time.UTC)

const anID = "N3vT0aPq9ZxKf81bYw-_Lg"

// samples are intents of all kinds.
func samples(key string) []*Intent {
	base := Intent{Service: "pay.example", Payer: "karim@example", Payee: "nadia@example", Amount: 12500, Unit: "MAD", Expires: at, Key: key}
	var all []*Intent
	add := func(id string, kind Kind, change func(i *Intent)) {
		i := base
		i.ID, i.Kind = id, kind
		if change != nil {
			change(&i)
		}
		all = append(all, &i)
	}
	add("send-aaaaaaaaaaaaaaaa", Send, func(i *Intent) { i.For = "Sardines" })
	add("send-bbbbbbbbbbbbbbbb", Send, func(i *Intent) { i.For, i.Of, i.Fee = "100 % café\n\tسردين 🐟 = \x7f", anID, 25 })
	add("send-cccccccccccccccc", Send, func(i *Intent) { i.Amount, i.Unit, i.Payee = MaxAmount, "POINTS24", "soukaïna@exämple" })
	add("tip-aaaaaaaaaaaaaaaaa", Tip, func(i *Intent) { i.Of = anID })
	add("hold-aaaaaaaaaaaaaaaa", Hold, func(i *Intent) { i.Until = at.AddDate(0, 0, 30) })
	add("mandate-aaaaaaaaaaaaa", Mandate, func(i *Intent) { i.Until, i.Total, i.Period = at.AddDate(0, 0, 60), 50000, "month" })
	add("capture-aaaaaaaaaaaaa", Capture, func(i *Intent) { i.Of = anID })
	add("void-aaaaaaaaaaaaaaaa", Void, func(i *Intent) { i.Of, i.Amount, i.Unit = anID, 0, "" })
	add("revoke-aaaaaaaaaaaaaa", Revoke, func(i *Intent) { i.Of, i.Amount, i.Unit = anID, 0, "" })
	add("refund-aaaaaaaaaaaaaa", Refund, func(i *Intent) { i.Of, i.Payer, i.Payee = anID, i.Payee, i.Payer })
	add("reserve-aaaaaaaaaaaaa", Reserve, func(i *Intent) { i.Payee = i.Payer })
	add("release-aaaaaaaaaaaaa", Release, func(i *Intent) { i.Payee = i.Payer })
	add("offline-aaaaaaaaaaaaa", Offline, func(i *Intent) { i.For = "Thé" })
	add("cashout-aaaaaaaaaaaaa", Cashout, func(i *Intent) { i.Payee, i.Fee = "rail:momo:+212600000000", 100 })
	add("take-back-aaaaaaaaaaa", Revoke, func(i *Intent) { i.Of, i.Amount, i.Unit, i.Payee = anID, 0, "", i.Payer })
	return all
}

func sampleOrders(key, other string) []*Order {
	base := Order{Service: "pay.example", ID: anID, Account: "karim@example", Expires: at, Key: key}
	var all []*Order
	for _, one := range []struct {
		kind  OrderKind
		about string
	}{{AddKey, other}, {DropKey, other}, {Unfreeze, ""}, {SetLimits, Limits{"MAD", 10000, 50000}.String()}, {AllowOffline, OfflineCap{other, "MAD", 20000}.String()},
		{Agree, Agreement{"friends@groups.example", "MAD", sha256.Sum256([]byte(OwedText(map[string]int64{"debt-bbbbbbbbbbbbbbbb": 300, anID: 12500})))}.String()}} {
		o := base
		o.Kind, o.About = one.kind, one.about
		all = append(all, &o)
	}
	return all
}

func sampleReceipts(texts []textVector) []*Receipt {
	hash := sha256.Sum256([]byte("a record"))
	var all []*Receipt
	for n, state := range []State{Done, Held, Ended} {
		r := &Receipt{Service: "pay.example", ID: "send-aaaaaaaaaaaaaaaa", Kind: Send, State: state, Payer: "karim@example", Payee: "nadia@example", Amount: 12500, Unit: "MAD", For: "Sardines",
			Number: 1795435500123456 + int64(n), Time: at, Hash: hash, Intent: sha256.Sum256([]byte(texts[0].Text))}
		if state == Held {
			r.Kind, r.Fee, r.Of = Hold, 25, anID
		}
		if state == Ended {
			r.Kind, r.Of, r.Amount, r.Unit = Void, anID, 0, ""
		}
		all = append(all, r)
	}
	return all
}

func makeVectors(t *testing.T) *vectors {
	var v vectors
	karim, nadia := testKey(t, "karim"), testKey(t, "nadia")
	for _, key := range []*ecdsa.PrivateKey{karim, nadia} {
		d, err := key.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		p := point(t, key)
		v.Keys = append(v.Keys, keyVector{b64.EncodeToString(d), b64.EncodeToString(p[1:33]), b64.EncodeToString(p[33:]), b64.EncodeToString(p), KeyID(p)})
	}
	v.Service = serviceVector{b64.EncodeToString(serviceKey().Seed()), b64.EncodeToString(serviceKey().Public().(ed25519.PublicKey))}
	signed := func(text string, err error) textVector {
		if err != nil {
			t.Fatal(err)
		}
		signature, err := Sign(karim, text)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256([]byte(text))
		return textVector{fieldsOf(t, text), text, hex.EncodeToString(sum[:]), v.Keys[0].ID, b64.EncodeToString(signature)}
	}
	for _, i := range samples(v.Keys[0].ID) {
		one := signed(i.Text())
		v.Intents = append(v.Intents, one)
		if i.Kind == Offline {
			signature, _ := b64.DecodeString(one.Signature)
			v.Promises = append(v.Promises, promiseVector{Promise{one.Text, signature, point(t, karim)}.String(), one.Text})
		}
	}
	for _, o := range sampleOrders(v.Keys[0].ID, v.Keys[1].ID) {
		v.Orders = append(v.Orders, signed(o.Text()))
	}
	for _, r := range sampleReceipts(v.Intents) {
		one := signed(r.Text())
		one.Key, one.Signature = "", b64.EncodeToString(SignReceipt(serviceKey(), one.Text))
		v.Receipts = append(v.Receipts, one)
	}
	v.Refused = refusedTexts(v.Intents, v.Orders[0].Text, v.Receipts[0].Text)
	v.Forged = []forgedVector{
		{"the amount is another", v.Keys[0].Public, strings.Replace(v.Intents[0].Text, "amount=12500", "amount=12501", 1), v.Intents[0].Signature},
		{"another key has signed", v.Keys[1].Public, v.Intents[0].Text, v.Intents[0].Signature},
		{"it is that of another text", v.Keys[0].Public, v.Intents[0].Text, v.Intents[1].Signature},
		{"it is too short", v.Keys[0].Public, v.Intents[0].Text, v.Intents[0].Signature[:84]},
		{"it is zero", v.Keys[0].Public, v.Intents[0].Text, b64.EncodeToString(make([]byte, 64))},
	}
	return &v
}

// refusedTexts are texts that say something, and not in the one way.
func refusedTexts(intents []textVector, order, receipt string) []refusedVector {
	first, second := intents[0].Text, intents[1].Text
	var all []refusedVector
	change := func(why, text, old, by string) {
		all = append(all, refusedVector{"intent", why, strings.Replace(text, old, by, 1)})
	}
	change("another title", first, "pay 0 intent", "pay 1 intent")
	change("a carriage return", first, "Sardines\n", "Sardines\r\n")
	change("no end", first, intents[0].Key+"\n", intents[0].Key)
	change("something after the end", first, intents[0].Key+"\n", intents[0].Key+"\nmore=1\n")
	change("a field is missing", first, "of=\n", "")
	change("a field is there twice", first, "of=\n", "of=\nof=\n")
	change("another order", first, "of=\nuntil=\n", "until=\nof=\n")
	change("a leading zero", first, "amount=12500", "amount=012500")
	change("a plus sign", first, "amount=12500", "amount=+12500")
	change("a point", first, "amount=12500", "amount=125.00")
	change("a negative amount", first, "amount=12500", "amount=-12500")
	change("nothing is paid", first, "amount=12500", "amount=0")
	change("no amount", first, "amount=12500", "amount=")
	change("more than can be counted", first, "amount=12500", "amount=9007199254740993")
	change("far more", first, "amount=12500", "amount=99999999999999999999")
	change("a negative fee", first, "fee=0", "fee=-1")
	change("no fee", first, "fee=0", "fee=")
	change("a unit in small letters", first, "unit=MAD", "unit=mad")
	change("no unit", first, "unit=MAD", "unit=")
	change("no kind", first, "kind=send", "kind=")
	change("another kind", first, "kind=send", "kind=steal")
	change("a capital kind", first, "kind=send", "kind=Send")
	change("an id that is too short", first, "id=send-aaaaaaaaaaaaaaaa", "id=send-a")
	change("an id with a blank", first, "id=send-aaaaaaaaaaaaaaaa", "id=send aaaaaaaaaaaaaaaa")
	change("fractions of a second", first, "12:05:00Z", "12:05:00.5Z")
	change("another zone", first, "12:05:00Z", "12:05:00+00:00")
	change("no such day", first, "2026-11-22", "2026-02-30")
	change("no expiry", first, "2026-11-22T12:05:00Z", "")
	change("the payer is paid", first, "payee=nadia@example", "payee=karim@example")
	change("a rail is paid by send", first, "payee=nadia@example", "payee=rail:momo:1")
	change("nobody pays", first, "payer=karim@example", "payer=")
	change("small hexadecimal digits", second, "%0A", "%0a")
	change("an escape that is not needed", second, "caf", "%63af")
	change("an escape that ends early", first, "Sardines", "Sardines%2")
	change("a control character as itself", first, "Sardines", "Sar\tdines")
	change("a send until a time", first, "until=", "until=2026-12-22T12:05:00Z")
	change("a send with a total", first, "total=", "total=5")
	change("a send with a period", first, "period=", "period=day")
	change("too many words", first, "Sardines", strings.Repeat("a", 257))
	change("no key", first, "key="+intents[0].Key, "key=")
	change("a tip for nothing", intents[3].Text, "of="+anID, "of=")
	change("a total below the amount", intents[5].Text, "total=50000", "total=12499")
	change("another period", intents[5].Text, "period=month", "period=year")
	change("a hold without an end", intents[4].Text, "until=2026-12-22T12:05:00Z", "until=")
	change("a cash-out to a person", intents[13].Text, "rail:momo:+212600000000", "nadia@example")
	all = append(all,
		refusedVector{"order", "an order about no key", strings.Replace(order, "kind=add-key", "kind=unfreeze", 1)},
		refusedVector{"order", "another kind of order", strings.Replace(order, "kind=add-key", "kind=add", 1)},
		refusedVector{"receipt", "another state", strings.Replace(receipt, "state=done", "state=paid", 1)},
		refusedVector{"receipt", "capital hexadecimal digits", strings.Replace(receipt, "intent="+intents[0].SHA256, "intent="+strings.ToUpper(intents[0].SHA256), 1)},
		refusedVector{"receipt", "no number", strings.Replace(receipt, "number=1795435500123456", "number=0", 1)})
	return all
}

const vectorsFile = "testdata/vectors.json"

// readVectors reads the shared vectors; with -update it writes them first.
func readVectors(t *testing.T) *vectors {
	t.Helper()
	if *update {
		b, err := json.MarshalIndent(makeVectors(t), "", " ")
		if err == nil {
			err = os.WriteFile(vectorsFile, append(b, '\n'), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(vectorsFile)
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	return &v
}

func bytesOf(t *testing.T, text string) []byte {
	t.Helper()
	b, err := b64.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// again reads a text and writes it.
func again(what, text string) (string, error) {
	switch what {
	case "intent":
		i, err := Parse(text)
		if err != nil {
			return "", err
		}
		return i.Text()
	case "order":
		o, err := ParseOrder(text)
		if err != nil {
			return "", err
		}
		return o.Text()
	default:
		r, err := ParseReceipt(text)
		if err != nil {
			return "", err
		}
		return r.Text()
	}
}

func TestVectors(t *testing.T) {
	v := readVectors(t)
	points := map[string][]byte{}
	for _, key := range v.Keys {
		points[key.ID] = bytesOf(t, key.Public)
		if KeyID(points[key.ID]) != key.ID {
			t.Errorf("%s is the id of another key", key.ID)
		}
	}
	for what, texts := range map[string][]textVector{"intent": v.Intents, "order": v.Orders, "receipt": v.Receipts} {
		for _, one := range texts {
			if text, err := again(what, one.Text); err != nil || text != one.Text {
				t.Errorf("%s %q: %v, written as %q", what, one.Text, err, text)
			}
			if sum := sha256.Sum256([]byte(one.Text)); hex.EncodeToString(sum[:]) != one.SHA256 {
				t.Errorf("%q has another hash", one.Text)
			}
			for name, value := range fieldsOf(t, one.Text) {
				if one.Fields[name] != value {
					t.Errorf("%q: %s is %q", one.Text, name, value)
				}
			}
			if what == "receipt" {
				if _, err := VerifyReceipt(bytesOf(t, v.Service.Public), one.Text, bytesOf(t, one.Signature)); err != nil {
					t.Errorf("%q: %v", one.Text, err)
				}
			} else if err := Verify(points[one.Key], one.Text, bytesOf(t, one.Signature)); err != nil {
				t.Errorf("%q: %v", one.Text, err)
			}
		}
	}
	for _, one := range v.Promises {
		if p, _, err := ReadPromise(one.Code); err != nil || p.Text != one.Text || p.String() != one.Code {
			t.Errorf("%q: %v", one.Code, err)
		}
	}
	if len(v.Intents) < 14 || len(v.Orders) < 5 || len(v.Receipts) < 3 || len(v.Promises) < 1 {
		t.Error("there are fewer vectors than kinds")
	}
}

func TestWhatIsNotWrittenInTheOneWayIsRefused(t *testing.T) {
	v := readVectors(t)
	seen := map[string]bool{}
	for _, one := range append(append(v.Intents, v.Orders...), v.Receipts...) {
		seen[one.Text] = true
	}
	for _, one := range v.Refused {
		if seen[one.Text] {
			t.Errorf("%s: the text was not changed", one.Why)
		}
		if _, err := again(one.What, one.Text); !errors.Is(err, ErrText) {
			t.Errorf("%s: %q: %v", one.Why, one.Text, err)
		}
	}
	for _, one := range v.Forged {
		if err := Verify(bytesOf(t, one.Public), one.Text, bytesOf(t, one.Signature)); !errors.Is(err, ErrSignature) {
			t.Errorf("%s: %v", one.Why, err)
		}
	}
	if len(v.Refused) < 40 {
		t.Errorf("%d refused texts", len(v.Refused))
	}
}
