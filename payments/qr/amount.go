package qr

import (
	"strconv"
	"strings"
)

// MaxAmount is the largest amount in minor units, as in the ledger.
const MaxAmount = 1 << 53

// Minor turns a decimal number ("98.73") into minor units of a currency with that many digits (0–9), exactly. It returns a *Fault for what is no number,
// has more digits than there are (unless they are zeros), or is above MaxAmount.
func Minor(amount string, exponent int) (int64, error) {
	if !decimal(amount) || exponent < 0 || exponent > 9 {
		return 0, fault(Value, "amount")
	}
	whole, fraction, _ := strings.Cut(amount, ".")
	fraction = strings.TrimRight(fraction, "0")
	if len(fraction) > exponent {
		return 0, fault(Value, "amount")
	}
	n, err := strconv.ParseInt(whole+fraction+strings.Repeat("0", exponent-len(fraction)), 10, 64)
	if err != nil || n > MaxAmount {
		return 0, fault(Value, "amount")
	}
	return n, nil
}

// Decimal writes minor units as a decimal number with all digits of the currency: 9873 with 2 is "98.73".
func Decimal(minor int64, exponent int) string {
	text := strconv.FormatInt(minor, 10)
	if exponent == 0 {
		return text
	}
	if missing := exponent + 1 - len(text); missing > 0 {
		text = strings.Repeat("0", missing) + text
	}
	return text[:len(text)-exponent] + "." + text[len(text)-exponent:]
}

// decimal reports whether a text is digits, and if there is a point, digits after it.
func decimal(s string) bool {
	whole, fraction, point := strings.Cut(s, ".")
	return len(s) <= 32 && only(whole, digits) && (!point || only(fraction, digits))
}

func zero(s string) bool { return s != "" && strings.Trim(s, "0.") == "" }

// percent reports whether a text is above 0 and below 100, with at most two digits after the point (EMV QRCPS MPM, object 57).
func percent(s string) bool {
	whole, fraction, _ := strings.Cut(s, ".")
	return decimal(s) && !zero(s) && len(whole) <= 2 && len(fraction) <= 2
}

type currency struct {
	code     string
	number   string
	exponent int
}

// Currencies of ISO 4217 (list one, funds codes and metals left out) with their numbers, by their exponent.
var iso4217 = [...]string{
	0: "BIF108 CLP152 DJF262 GNF324 ISK352 JPY392 KMF174 KRW410 PYG600 RWF646 UGX800 VND704 VUV548 XAF950 XOF952 XPF953",
	2: `AED784 AFN971 ALL008 AMD051 AOA973 ARS032 AUD036 AWG533 AZN944 BAM977 BBD052 BDT050 BMD060 BND096 BOB068 BRL986 BSD044 BTN064 BWP072 BYN933 BZD084 CAD124
		CDF976 CHF756 CNY156 COP170 CRC188 CUP192 CVE132 CZK203 DKK208 DOP214 DZD012 EGP818 ERN232 ETB230 EUR978 FJD242 FKP238 GBP826 GEL981 GHS936 GIP292 GMD270
		GTQ320 GYD328 HKD344 HNL340 HTG332 HUF348 IDR360 ILS376 INR356 IRR364 JMD388 KES404 KGS417 KHR116 KPW408 KYD136 KZT398 LAK418 LBP422 LKR144 LRD430 LSL426
		MAD504 MDL498 MGA969 MKD807 MMK104 MNT496 MOP446 MRU929 MUR480 MVR462 MWK454 MXN484 MYR458 MZN943 NAD516 NGN566 NIO558 NOK578 NPR524 NZD554 PAB590 PEN604
		PGK598 PHP608 PKR586 PLN985 QAR634 RON946 RSD941 RUB643 SAR682 SBD090 SCR690 SDG938 SEK752 SGD702 SHP654 SLE925 SOS706 SRD968 SSP728 STN930 SVC222 SYP760
		SZL748 THB764 TJS972 TMT934 TOP776 TRY949 TTD780 TWD901 TZS834 UAH980 USD840 UYU858 UZS860 VED926 VES928 WST882 XCD951 XCG532 YER886 ZAR710 ZMW967 ZWG924`,
	3: "BHD048 IQD368 JOD400 KWD414 LYD434 OMR512 TND788",
	4: "UYW927",
}

// noCurrency is the number for a unit that is none of ISO 4217.
const noCurrency = "999"

var byNumber, byCode = currencies()

func currencies() (numbers, codes map[string]currency) {
	numbers, codes = map[string]currency{}, map[string]currency{}
	for exponent, list := range iso4217 {
		for entry := range strings.FieldsSeq(list) {
			c := currency{code: entry[:3], number: entry[3:], exponent: exponent}
			numbers[c.number], codes[c.code] = c, c
		}
	}
	return numbers, codes
}

func currencyByNumber(number string) (currency, bool) {
	c, ok := byNumber[number]
	return c, ok
}

// Exponent is how many digits the minor unit of a currency of ISO 4217 is below the unit; false for what is none.
func Exponent(code string) (int, bool) {
	c, ok := byCode[code]
	return c.exponent, ok
}
