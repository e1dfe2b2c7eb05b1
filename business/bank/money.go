package bank

import (
	"strconv"
	"strings"
)

// maxAmount is the largest amount that is read, in minor units, as in the ledger.
const maxAmount = 1 << 53

// separators are how a language writes numbers: between thousands, and before the smaller part.
var separators = map[Language][2]string{French: {"\u00a0", ","}, English: {",", "."}, Portuguese: {".", ","}}

// money writes an amount: 1250.00 MAD as its language does.
func (l Language) money(minor int64, unit string, exponent int) string {
	sign := ""
	if minor < 0 {
		sign, minor = "−", -minor
	}
	digits := strconv.FormatInt(minor, 10)
	if missing := exponent + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	whole, part := digits[:len(digits)-exponent], digits[len(digits)-exponent:]
	for at := len(whole) - 3; at > 0; at -= 3 {
		whole = whole[:at] + separators[l][0] + whole[at:]
	}
	if exponent > 0 {
		whole += separators[l][1] + part
	}
	return sign + whole + " " + unit
}

// amount reads a number as people write it in a language. It reports false for what is none, and for what could mean two things: whoever writes 1.250 in
// French is asked again.
func (l Language) amount(text string, exponent int) (int64, bool) {
	text = strings.NewReplacer(" ", "", "\u00a0", "", "\u202f", "", "'", "").Replace(text)
	whole, part := text, ""
	if at := strings.LastIndexAny(text, ".,"); at >= 0 {
		whole, part = text[:at], text[at+1:]
		thousands := strings.ContainsAny(separators[l][0], text[at:at+1])
		if len(part) == 3 && thousands { // 1,250 in English
			whole, part = text, ""
		} else if len(part) == 0 || len(part) > exponent {
			return 0, false
		} else if strings.Contains(whole, text[at:at+1]) {
			return 0, false
		}
	}
	whole, ok := ungroup(whole)
	if !ok || strings.Trim(whole+part, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(whole+part+strings.Repeat("0", exponent-len(part)), 10, 64)
	return n, err == nil && n > 0 && n <= maxAmount
}

// ungroup takes out what stands between groups of three digits.
func ungroup(whole string) (string, bool) {
	groups := strings.FieldsFunc(whole, func(r rune) bool { return r == '.' || r == ',' })
	for i, group := range groups {
		if i > 0 && len(group) != 3 || len(group) == 0 || len(groups) > 1 && len(groups[0]) > 3 {
			return "", false
		}
	}
	return strings.Join(groups, ""), len(groups) > 0
}
