package sasl

import (
	"bufio"
	"encoding/hex"
	"errors"
	"os"
	"strings"
	"testing"
)

// The cases in testdata/saslprep.txt, "input output" in hexadecimal or "input refused", were computed by Python's
// stringprep and unicodedata.ucd_3_2_0, which are the tables of RFC 3454.
func TestPreparePassword(t *testing.T) {
	file, err := os.Open("testdata/saslprep.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	cases := 0
	for lines := bufio.NewScanner(file); lines.Scan(); cases++ {
		input, want, _ := strings.Cut(lines.Text(), " ")
		raw, err := hex.DecodeString(input)
		if err != nil {
			t.Fatal(err)
		}
		got, err := PreparePassword(string(raw))
		switch {
		case want == "refused":
			if !errors.Is(err, ErrPassword) {
				t.Errorf("%+q: got %+q, %v, want a refusal", raw, got, err)
			}
		case err != nil || hex.EncodeToString([]byte(got)) != want:
			t.Errorf("%+q: got %+q, %v, want %s", raw, got, err, want)
		}
	}
	if cases < 200 {
		t.Errorf("only %d cases read", cases)
	}
}

func TestPasswordsBeyondUnicode32(t *testing.T) {
	for password, ok := range map[string]bool{
		"correct 🐎 battery":            true,
		"👩‍👩‍👧":                        true, // joiners go, as in every client
		"":                             false,
		"\xff":                         false,
		"a\xc3":                        false,
		strings.Repeat("a", maxName):   true,
		strings.Repeat("a", maxName+1): false,
		"\U0001FFFE":                   false,
		"a\U000E0001":                  false,
	} {
		if _, err := PreparePassword(password); (err == nil) != ok {
			t.Errorf("%+q: %v", password, err)
		}
	}
}

func FuzzPreparePassword(f *testing.F) {
	f.Add("I\u00adX")
	f.Add("\u0627\u0031")
	f.Fuzz(func(t *testing.T, password string) {
		once, err := PreparePassword(password)
		if err != nil || len(once) > maxName {
			return
		}
		twice, err := PreparePassword(once)
		if err != nil || twice != once {
			t.Errorf("%+q became %+q and then %+q, %v", password, once, twice, err)
		}
	})
}
