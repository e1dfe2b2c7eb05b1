package ledger

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Unit is what is counted: a currency of ISO 4217, or one of the operator's own.
type Unit struct {
	// Code is three capital letters for a currency; for a unit of one's own 4 to 12 capital letters and digits, so that it is never taken for a currency.
	Code string `toml:"code"`
	// Exponent is how many digits the minor unit is below the unit: 2 for cents, 0 for none (0–9).
	Exponent int `toml:"exponent"`
	// Name is what people call it.
	Name string `toml:"name"`
}

func (u Unit) validate() error {
	if len(u.Code) < 4 || len(u.Code) > 12 || strings.Trim(u.Code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != "" {
		return fmt.Errorf("unit %q: a code of one's own is 4 to 12 capital letters and digits", u.Code)
	}
	if u.Exponent < 0 || u.Exponent > 9 {
		return fmt.Errorf("unit %s: exponent must be from 0 to 9", u.Code)
	}
	return nil
}

// Currencies of ISO 4217 (list one, funds codes and metals left out), by their exponent.
var iso4217 = [...]string{
	0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF",
	2: `AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP
		GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR
		MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS
		UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG`,
	3: "BHD IQD JOD KWD LYD OMR TND",
	4: "UYW",
}

func currencies() (all []Unit) {
	for exponent, codes := range iso4217 {
		for code := range strings.FieldsSeq(codes) {
			all = append(all, Unit{Code: code, Exponent: exponent})
		}
	}
	return all
}

// Unit is the unit with a code; false if there is none.
func (l *Ledger) Unit(code string) (Unit, bool) {
	unit, ok := l.units[code]
	return unit, ok
}

// errUnitChanged means that amounts that were kept would mean something else.
var errUnitChanged = errors.New("a unit that was used has another exponent, or is no unit any more")

// checkUnits looks whether all units that were used are what they were.
func (l *Ledger) checkUnits(ctx context.Context) error {
	rows, err := l.db.Query(ctx, "select code, exponent from ledger_unit")
	if err != nil {
		return fmt.Errorf("ledger: read units: %w", err)
	}
	for rows.Next() {
		var code string
		var exponent int
		if err := rows.Scan(&code, &exponent); err != nil {
			return fmt.Errorf("ledger: read units: %w", err)
		}
		if unit, ok := l.units[code]; !ok || unit.Exponent != exponent {
			return fmt.Errorf("ledger: %s had %d digits: %w", code, exponent, errUnitChanged)
		}
	}
	return nil
}
