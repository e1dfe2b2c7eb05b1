package intent

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestAnIntentIsReadAsItWasWritten(t *testing.T) {
	for _, i := range samples(KeyID(point(t, testKey(t, "karim")))) {
		text, err := i.Text()
		if err != nil {
			t.Fatalf("%s: %v", i.Kind, err)
		}
		read, err := Parse(text)
		if err != nil || !reflect.DeepEqual(read, i) {
			t.Errorf("%q is read as %+v (%v)", text, read, err)
		}
	}
}

func TestWhoSigns(t *testing.T) {
	i := &Intent{Payer: "karim@example", Payee: "nadia@example"}
	for kind := range shapes {
		want := i.Payer
		if kind == Capture || kind == Void {
			want = i.Payee
		}
		if kind.Signer(i) != want {
			t.Errorf("%s is signed by %s", kind, kind.Signer(i))
		}
	}
}

func TestATextHasALimit(t *testing.T) {
	i := samples(KeyID(point(t, testKey(t, "karim"))))[0]
	i.Payee = strings.Repeat("a", 1000) + "@example"
	if _, err := i.Text(); err != nil {
		t.Errorf("a long address: %v", err)
	}
	i.Payer = strings.Repeat("b", 1000) + "@example"
	if _, err := i.Text(); !errors.Is(err, ErrText) {
		t.Errorf("more than %d bytes: %v", MaxText, err)
	}
	i.Payer, i.For = "karim@example", "\xff"
	if _, err := i.Text(); !errors.Is(err, ErrText) {
		t.Errorf("not UTF-8: %v", err)
	}
}

func TestOrdersSayWhatTheyChange(t *testing.T) {
	o := Order{About: "MAD transaction=0 day=9007199254740992"}
	if l, err := o.Limits(); err != nil || l != (Limits{"MAD", 0, MaxAmount}) || l.String() != o.About {
		t.Errorf("%+v %v", l, err)
	}
	for _, about := range []string{"", "MAD", "MAD transaction=1", "MAD day=1 transaction=1", "MAD transaction=01 day=1", "MAD transaction=1 day=-1", "MAD transaction=1  day=1", "MAD transaction=1 day=1 "} {
		if _, err := (&Order{About: about}).Limits(); !errors.Is(err, ErrText) {
			t.Errorf("limits %q: %v", about, err)
		}
	}
	for _, about := range []string{"", "aaaaaaaaaaaaaaaaaaaaaa MAD", "aaaaaaaaaaaaaaaaaaaaaa mad 1", "short MAD 1", "aaaaaaaaaaaaaaaaaaaaaa MAD 1 "} {
		if _, err := (&Order{About: about}).OfflineCap(); !errors.Is(err, ErrText) {
			t.Errorf("cap %q: %v", about, err)
		}
	}
}

func TestOnlyPointsOfTheCurveAreKeys(t *testing.T) {
	good := point(t, testKey(t, "karim"))
	compressed := append([]byte{2}, good[1:33]...)
	off := bytes.Clone(good)
	off[64] ^= 1
	for _, bad := range [][]byte{nil, {0}, compressed, off, make([]byte, 65), append(bytes.Clone(good), 0)} {
		if _, err := PublicKey(bad); !errors.Is(err, ErrKey) {
			t.Errorf("%x: %v", bad, err)
		}
	}
	if _, err := PublicKey(good); err != nil {
		t.Error(err)
	}
	other, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Sign(other, "text"); !errors.Is(err, ErrKey) {
		t.Errorf("a key of another curve: %v", err)
	}
}

func TestPromisesThatAreNone(t *testing.T) {
	v := readVectors(t)
	code := v.Promises[0].Code
	parts := strings.Split(strings.TrimPrefix(code, promisePrefix), ".")
	send := Promise{v.Intents[0].Text, bytesOf(t, v.Intents[0].Signature), bytesOf(t, v.Keys[0].Public)}
	for why, bad := range map[string]string{
		"nothing":         "",
		"another prefix":  strings.ToLower(code),
		"two parts":       promisePrefix + parts[0] + "." + parts[1],
		"padding":         code + "=",
		"a line break":    promisePrefix + parts[0] + "\n." + parts[1] + "." + parts[2],
		"another key":     promisePrefix + parts[0] + "." + parts[1] + "." + v.Keys[1].Public,
		"another text":    promisePrefix + b64.EncodeToString([]byte(strings.Replace(v.Promises[0].Text, "amount=12500", "amount=1", 1))) + "." + parts[1] + "." + parts[2],
		"no offline kind": send.String(),
		"too long":        code + strings.Repeat("A", 2*MaxText),
	} {
		if _, _, err := ReadPromise(bad); !errors.Is(err, ErrText) && !errors.Is(err, ErrSignature) && !errors.Is(err, ErrKey) {
			t.Errorf("%s: %v", why, err)
		}
	}
}

func TestReceiptsOfOthersAreRefused(t *testing.T) {
	v := readVectors(t)
	r := v.Receipts[0]
	key, signature := bytesOf(t, v.Service.Public), bytesOf(t, r.Signature)
	altered := strings.Replace(r.Text, "amount=12500", "amount=12501", 1)
	if _, err := VerifyReceipt(key, altered, signature); !errors.Is(err, ErrSignature) {
		t.Errorf("an altered receipt: %v", err)
	}
	if _, err := VerifyReceipt(bytesOf(t, v.Keys[0].X), r.Text, signature); !errors.Is(err, ErrSignature) {
		t.Errorf("another service: %v", err)
	}
	if _, err := VerifyReceipt(nil, r.Text, signature); !errors.Is(err, ErrSignature) {
		t.Errorf("no key: %v", err)
	}
}

func TestEvidenceIsCheckedLater(t *testing.T) {
	v := readVectors(t)
	first := Evidence{Text: v.Intents[0].Text, Public: bytesOf(t, v.Keys[0].Public), Signature: bytesOf(t, v.Intents[0].Signature)}
	if i, err := ReadEvidence(first.Bytes()); err != nil || i.ID != "send-aaaaaaaaaaaaaaaa" {
		t.Errorf("%+v: %v", i, err)
	}
	key := testKey(t, "karim")
	sum := sha256.Sum256([]byte(first.Text))
	a, c, s := assert(t, key, "example", 5, `{"type":"webauthn.get","challenge":"`+b64.EncodeToString(sum[:])+`","origin":"https://example"}`)
	passkey := Evidence{first.Text, first.Public, s, a, c}
	if _, err := ReadEvidence(passkey.Bytes()); err != nil {
		t.Errorf("of a passkey: %v", err)
	}
	other := first
	other.Public = bytesOf(t, v.Keys[1].Public)
	altered := first
	altered.Text = strings.Replace(first.Text, "amount=12500", "amount=1", 1)
	for why, data := range map[string][]byte{"nothing": nil, "no signature": []byte(first.Text), "another key": other.Bytes(), "another amount": altered.Bytes(), "more": append(first.Bytes(), "more=1\n"...),
		"a cut": first.Bytes()[:len(first.Bytes())-10]} {
		if _, err := ReadEvidence(data); !errors.Is(err, ErrText) && !errors.Is(err, ErrSignature) && !errors.Is(err, ErrKey) {
			t.Errorf("%s: %v", why, err)
		}
	}
}

// fuzzTexts feeds all texts of the vectors, and checks that what is read is written as it was.
func fuzzTexts(f *testing.F, what string) {
	for _, i := range samples("aaaaaaaaaaaaaaaaaaaaaa") {
		if text, err := i.Text(); err == nil {
			f.Add(text)
		}
	}
	for _, o := range sampleOrders("aaaaaaaaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbbbbbbbb") {
		if text, err := o.Text(); err == nil {
			f.Add(text)
		}
	}
	for _, r := range sampleReceipts([]textVector{{}}) {
		if text, err := r.Text(); err == nil {
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		written, err := again(what, text)
		if err == nil && written != text {
			t.Errorf("%q is written as %q", text, written)
		}
		if err != nil && !errors.Is(err, ErrText) {
			t.Errorf("%q: %v", text, err)
		}
	})
}

func FuzzIntent(f *testing.F)  { fuzzTexts(f, "intent") }
func FuzzOrder(f *testing.F)   { fuzzTexts(f, "order") }
func FuzzReceipt(f *testing.F) { fuzzTexts(f, "receipt") }

func FuzzPromise(f *testing.F) {
	f.Add("PALABREPAY0:YQ.YQ.YQ")
	f.Fuzz(func(t *testing.T, code string) {
		if p, _, err := ReadPromise(code); err == nil && p.String() != code {
			t.Errorf("%q is written as %q", code, p.String())
		}
	})
}

func FuzzEvidence(f *testing.F) {
	f.Add([]byte("palabre pay 0 intent\nsignature=YQ\npublic=YQ\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := ReadEvidence(data); err == nil {
			t.Errorf("%q is evidence that nobody has signed", data)
		}
	})
}
