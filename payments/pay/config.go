package pay

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"palabre.dev/palabre/payments/intent"
	"palabre.dev/palabre/payments/ledger"
	"palabre.dev/palabre/xmpp"
)

// Config is what an operator can set.
type Config struct {
	// Service is the domain of the service; empty for pay. before the server's.
	Service string `toml:"service"`
	// Accounts is the domain whose accounts have a wallet; empty for the server's.
	Accounts string `toml:"accounts"`
	// Link is the address of the page behind links in notices, to which an id is added; empty for that of the server's own.
	Link string `toml:"link"`
	// Origins are those of pages whose passkeys sign here; none for https:// and Accounts.
	Origins []string `toml:"origins"`
	// RelyingParty is the domain for which passkeys are made; empty for Accounts.
	RelyingParty string `toml:"relying_party"`
	// Units are those that can be paid, each a table of its own: [[pay.units]] with its limits, fees and step-up, which docs/payments.md explains (Limits and fees). Without one there are no payments.
	Units []Unit `toml:"units"`
	// Levels are the names of the levels of identification, the lowest first; it holds for whom the operator has said nothing about.
	Levels []string `toml:"levels"`
	// Language is in which people are told things whose own language is not known: en, fr, pt-BR, es, hi, ar, it or sw.
	Language string `toml:"language"`
	// NewDevice is after how long a further key works that no other key has allowed.
	NewDevice time.Duration `toml:"new_device"`
	// FirstKey is after how long the first key of an account works whose wallet holds money already: who has taken over a session must not get at it at once.
	FirstKey time.Duration `toml:"first_key"`
	// Rates are how often one account may ask for something.
	Rates Rates `toml:"rates"`
}

// Unit is a unit that can be paid. Amounts are in minor units, 0 for no limit where nothing else is said.
type Unit struct {
	Code string `toml:"code"`
	// Closed says that it is money of this service alone: it does not leave by a rail.
	Closed bool `toml:"closed"`
	// StepUp is the amount from which a payment needs the PIN or the user's verification anew, together with what the same key has signed since its PIN was last given.
	StepUp int64 `toml:"step_up"`
	// Offline is how much a pocket for payments without network holds at most; 0 for none.
	Offline int64 `toml:"offline"`
	// Limits are those of the levels. A level without one pays nothing in this unit, unless there is no limit at all.
	Limits []Limit `toml:"limits"`
	// Fees are what payments of a kind cost (send, tip, cashout); those of other kinds cost nothing.
	Fees []Fee `toml:"fees"`
}

// Limit is what a level allows to be spent, fees included.
type Limit struct {
	// Level is one of Config.Levels.
	Level string `toml:"level"`
	// Transaction is for one payment.
	Transaction int64 `toml:"transaction"`
	// Day is for a calendar day of UTC.
	Day int64 `toml:"day"`
}

// Fee is what the payer of a kind of payment pays besides: Fixed, and Share of the amount, at most Most.
type Fee struct {
	// Kind is one of those that may cost a fee (feeKinds).
	Kind  string `toml:"kind"`
	Fixed int64  `toml:"fixed"`
	// Share is in hundredths of a per cent.
	Share int64 `toml:"share"`
	// Most is for the whole fee; 0 for no maximum.
	Most int64 `toml:"most"`
}

// feeKinds are the kinds of payment that may cost a fee (rule.charged).
var feeKinds = []string{string(intent.Send), string(intent.Tip), string(intent.Cashout)}

const (
	maxUnits     = 32
	maxLevels    = 16
	maxNewDevice = 30 * 24 * time.Hour
	wholeShare   = 10_000 // hundredths of a per cent
)

// DefaultConfig has no unit and no domain: who offers payments says in what.
func DefaultConfig() Config {
	return Config{Levels: []string{"basic"}, Language: Languages[0], NewDevice: 24 * time.Hour, FirstKey: time.Hour, Rates: defaultRates()}
}

// Validate reports the first setting that cannot work.
func (c Config) Validate() error {
	for _, domain := range []string{c.Service, c.Accounts} {
		if j, err := xmpp.ParseJID(domain); err != nil || j.Domain() != domain || len(domain) > 255 {
			return fmt.Errorf("service and accounts are domains: %q", domain)
		}
	}
	if c.Service == c.Accounts {
		return errors.New("the service needs a domain of its own")
	}
	for _, address := range append([]string{c.Link}, c.Origins...) {
		if u, err := url.Parse(address); address != "" && (err != nil || u.Host == "") {
			return fmt.Errorf("link and origins are addresses of pages: %q", address)
		}
	}
	if len(c.Levels) == 0 || len(c.Levels) > maxLevels {
		return fmt.Errorf("levels: 1 to %d", maxLevels)
	}
	if c.Language != "" && !slices.Contains(Languages, c.Language) {
		return fmt.Errorf("language is one of %s", strings.Join(Languages, ", "))
	}
	if c.NewDevice < 0 || c.NewDevice > maxNewDevice || c.FirstKey < 0 || c.FirstKey > maxNewDevice {
		return fmt.Errorf("new_device and first_key are from 0 to %s", maxNewDevice)
	}
	if err := c.Rates.validate(); err != nil {
		return err
	}
	if len(c.Units) == 0 || len(c.Units) > maxUnits {
		return fmt.Errorf("units: 1 to %d", maxUnits)
	}
	for _, unit := range c.Units {
		if err := c.validateUnit(unit); err != nil {
			return fmt.Errorf("unit %s: %w", unit.Code, err)
		}
	}
	return nil
}

func (c Config) validateUnit(u Unit) error {
	amount := func(n int64) bool { return n >= 0 && n <= ledger.MaxAmount }
	if !intent.ValidUnit(u.Code) {
		return errors.New("code: 3 to 12 capital letters and digits")
	}
	if !amount(u.StepUp) || !amount(u.Offline) {
		return errors.New("step_up and offline are amounts")
	}
	seen := map[string]bool{}
	for _, l := range u.Limits {
		switch {
		case !slices.Contains(c.Levels, l.Level):
			return fmt.Errorf("limits: level %q is none of levels: %s", l.Level, strings.Join(c.Levels, ", "))
		case seen[l.Level]:
			return fmt.Errorf("limits: level %q is there twice", l.Level)
		case !amount(l.Transaction) || !amount(l.Day):
			return fmt.Errorf("limits: transaction and day of level %q are amounts", l.Level)
		}
		seen[l.Level] = true
	}
	return validateFees(u.Fees, amount)
}

func validateFees(fees []Fee, amount func(int64) bool) error {
	seen := map[string]bool{}
	for _, f := range fees {
		switch {
		case !slices.Contains(feeKinds, f.Kind):
			return fmt.Errorf("fees: kind %q costs no fee; those that may are %s", f.Kind, strings.Join(feeKinds, ", "))
		case seen[f.Kind]:
			return fmt.Errorf("fees: kind %q is there twice", f.Kind)
		case !amount(f.Fixed) || !amount(f.Most):
			return fmt.Errorf("fees: fixed and most of %q are amounts", f.Kind)
		case f.Share < 0 || f.Share > wholeShare:
			return fmt.Errorf("fees: share of %q is from 0 to %d hundredths of a per cent", f.Kind, wholeShare)
		}
		seen[f.Kind] = true
	}
	return nil
}

// unit is what is offered in a unit, nil if it is not.
func (c *Config) unit(code string) *Unit {
	for i := range c.Units {
		if c.Units[i].Code == code {
			return &c.Units[i]
		}
	}
	return nil
}

// fee is what a payment costs besides.
func (u *Unit) fee(kind intent.Kind, amount int64) int64 {
	for _, f := range u.Fees {
		if f.Kind != string(kind) {
			continue
		}
		part := amount/wholeShare*f.Share + amount%wholeShare*f.Share/wholeShare
		fee := f.Fixed + part
		if f.Most > 0 {
			fee = min(fee, f.Most)
		}
		return min(fee, ledger.MaxAmount)
	}
	return 0
}

// limit is what a level allows in a unit: 0 for anything, and false for nothing.
func (u *Unit) limit(level string) (Limit, bool) {
	for _, l := range u.Limits {
		if l.Level == level {
			return l, true
		}
	}
	return Limit{Level: level}, len(u.Limits) == 0
}
