package omemo

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

const (
	specFragment = "8c3d050e9386ec173861778f68e9af38a97aaf82faa4063b4d0878a61261534410c8a84331eaac851759f587"
	specPath     = "download.montague.tld/4a771ac1-f0b2-4a4a-9700-f2a26fa2bb67/tr%C3%A8s%20cool.jpg"
)

// TestMediaURL is the example of XEP-0454 §3.
func TestMediaURL(t *testing.T) {
	https, k, err := ParseMediaURL("aesgcm://" + specPath + "#" + specFragment)
	if err != nil || https != "https://"+specPath || len(k.IV) != 12 || k.IV[0] != 0x8c || k.Key[0] != 0x68 {
		t.Fatalf("%s %x %x %v", https, k.IV, k.Key, err)
	}
	back, err := k.URL(https)
	if err != nil || back != "aesgcm://"+specPath+"#"+specFragment {
		t.Fatalf("%s %v", back, err)
	}
	for _, body := range []string{
		back + "\ndata:image/jpeg,/9j/4AAQ",
		"aesgcm://h/p#" + "00112233" + specFragment, // 16-byte IV
		"aesgcm://h/p#" + strings.ToUpper(specFragment),
	} {
		if _, _, err := ParseMediaURL(body); err != nil {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestMediaURLRefuses(t *testing.T) {
	for _, body := range []string{
		"", "hello", "https://h/p#" + specFragment, "aesgcm://h/p", "aesgcm://h/p#", "aesgcm:///p#" + specFragment,
		"aesgcm://h/p#" + specFragment[1:], "aesgcm://h/p#" + specFragment[2:], "aesgcm://h/p#zz" + specFragment[2:],
		"aesgcm://h/p#" + specFragment + "\n", "aesgcm://h/p#" + specFragment + "\nhello", "look: aesgcm://h/p#" + specFragment,
		"aesgcm://h/a b#" + specFragment, "aesgcm://h/p#" + specFragment + "\ndata:image/jpeg,x\ny",
	} {
		if _, _, err := ParseMediaURL(body); !errors.Is(err, ErrMalformed) {
			t.Errorf("%q: %v", body, err)
		}
	}
	k, err := NewMediaKey()
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{"http://h/p", "https://h/p#x", "aesgcm://h/p", "", "https:p"} {
		if _, err := k.URL(address); !errors.Is(err, ErrMalformed) {
			t.Errorf("%q: %v", address, err)
		}
	}
}

func TestMedia(t *testing.T) {
	k, err := NewMediaKey()
	if err != nil {
		t.Fatal(err)
	}
	old := MediaKey{Key: k.Key, IV: append(k.IV, 1, 2, 3, 4)}
	for _, k := range []MediaKey{k, old} {
		for _, plain := range []string{"", "x", strings.Repeat("0123456789abcdef", 10000)} {
			var secret, back bytes.Buffer
			if err := k.Encrypt(&secret, strings.NewReader(plain)); err != nil {
				t.Fatal(err)
			}
			if secret.Len() != len(plain)+MediaOverhead {
				t.Fatalf("%d bytes became %d", len(plain), secret.Len())
			}
			broken := bytes.Clone(secret.Bytes())
			broken[len(broken)/2] ^= 1
			if err := k.Decrypt(&back, &secret); err != nil || back.String() != plain {
				t.Fatalf("decrypted %d bytes of %d: %v", back.Len(), len(plain), err)
			}
			back.Reset()
			if err := k.Decrypt(&back, bytes.NewReader(broken)); !errors.Is(err, ErrDecrypt) || back.Len() > 0 {
				t.Fatalf("a broken file gave %d bytes: %v", back.Len(), err)
			}
		}
	}
	if err := (MediaKey{}).Encrypt(&bytes.Buffer{}, strings.NewReader("x")); !errors.Is(err, ErrMalformed) {
		t.Fatalf("without an iv: %v", err)
	}
}
