package qr

import (
	"net/url"
	"strings"
	"unicode/utf8"
)

const (
	upiHead      = "upi://pay?"
	maxUPI       = 2048
	maxUPIParams = 40
)

// UPI is a link that asks for a payment in India (NPCI UPI linking specification 1.6).
type UPI struct {
	// Head is "upi://pay?", in the case in which it was read.
	Head string
	// Params are in their order; each name is there once.
	Params []Param
}

// Param is one parameter, with its value as it is written in the link.
type Param struct{ Name, Raw string }

// Value is the parameter's value, decoded; "" if it cannot be.
func (p Param) Value() string {
	value, err := url.QueryUnescape(p.Raw)
	if err != nil {
		return ""
	}
	return value
}

// NewUPI makes a link out of names and values, in their order, values empty left out. It returns a *Fault for what cannot stand in one.
func NewUPI(pairs ...[2]string) (*UPI, error) {
	u := &UPI{Head: upiHead}
	for _, pair := range pairs {
		if pair[1] != "" {
			u.Params = append(u.Params, Param{Name: pair[0], Raw: strings.NewReplacer("+", "%20", "%40", "@").Replace(url.QueryEscape(pair[1]))})
		}
	}
	return parseUPI(u.Text())
}

func parseUPI(text string) (*UPI, error) {
	if len(text) > maxUPI {
		return nil, fault(TooLong, "link")
	}
	u := &UPI{Head: text[:len(upiHead)]}
	parts := strings.Split(text[len(upiHead):], "&")
	if len(parts) > maxUPIParams {
		return nil, fault(TooLong, "link")
	}
	seen := map[string]bool{}
	for _, part := range parts {
		name, raw, ok := strings.Cut(part, "=")
		if !ok || !only(name, letters+strings.ToLower(letters)) || len(name) > 20 || strings.ContainsAny(raw, "#") || !plain(raw) {
			return nil, fault(Broken, name)
		}
		if seen[name] {
			return nil, fault(Twice, name)
		}
		seen[name] = true
		p := Param{Name: name, Raw: raw}
		value, err := url.QueryUnescape(raw)
		if err != nil || !utf8.ValidString(value) || !plain(value) {
			return nil, fault(Broken, name)
		}
		u.Params = append(u.Params, p)
	}
	return u, u.check()
}

func (u *UPI) check() error {
	switch {
	case u.Get("pa") == "":
		return fault(Missing, "pa")
	case !virtualAddress(u.Get("pa")):
		return fault(Value, "pa")
	case length(u.Get("pn")) > 99:
		return fault(TooLong, "pn")
	case u.Get("cu") != "" && u.Get("cu") != "INR":
		return fault(Value, "cu")
	case length(u.Get("tn")) > 80:
		return fault(TooLong, "tn")
	case length(u.Get("tr")) > 35:
		return fault(TooLong, "tr")
	case u.Get("mc") != "" && (len(u.Get("mc")) != 4 || !only(u.Get("mc"), digits)):
		return fault(Value, "mc")
	}
	for _, name := range []string{"am", "mam"} {
		value := u.Get(name)
		if value == "" || name == "mam" && value == "null" {
			continue
		}
		if _, err := Minor(value, 2); err != nil {
			return fault(Value, name)
		}
	}
	return nil
}

// virtualAddress reports whether a text is one: a name of 2 to 256 letters, digits, dots, hyphens and low lines, and the handle of a bank or app.
func virtualAddress(s string) bool {
	name, handle, ok := strings.Cut(s, "@")
	both := letters + strings.ToLower(letters) + digits
	return ok && len(name) >= 2 && len(name) <= 256 && only(name, both+".-_") && len(handle) >= 2 && len(handle) <= 64 && only(handle, both+".")
}

// Get is the decoded value of a parameter, "" if it is not there.
func (u *UPI) Get(name string) string {
	for _, p := range u.Params {
		if p.Name == name {
			return p.Value()
		}
	}
	return ""
}

// Format is UPILink.
func (u *UPI) Format() Format { return UPILink }

// Text is the link.
func (u *UPI) Text() string {
	parts := make([]string, len(u.Params))
	for i, p := range u.Params {
		parts[i] = p.Name + "=" + p.Raw
	}
	return u.Head + strings.Join(parts, "&")
}

// Order says what the link asks for.
func (u *UPI) Order() Order {
	order := Order{Address: u.Get("pa"), Name: u.Get("pn"), Amount: u.Get("am"), Unit: "INR", Reference: u.Get("tr"), About: u.Get("tn"), Once: u.Get("tr") != ""}
	if zero(order.Amount) {
		order.Amount = ""
	}
	return order
}
