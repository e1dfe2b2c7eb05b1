package qr

import "strings"

// walletNetwork names our wallets in an EMVCo code.
const walletNetwork = "dev.palabre.pay"

// Ids within our merchant account information. A value has at most 99 characters in all, so an address may have 50 beside a request's id of 22, and 76
// alone: the unit is named there only if it is none of ISO 4217.
const (
	walletAddress = "01"
	walletUnit    = "02"
	walletRequest = "03"
)

// WalletRequest is what a merchant's code of ours says.
type WalletRequest struct {
	// Address is the bare address of the wallet.
	Address string
	// Request is the id of a request to pay (docs/protocol/payments.md), empty for the code that stays on the counter.
	Request string
	// Name, City and Country (two letters) of the merchant; Name and City are cut to 25 and 15 characters. Category is ISO 18245, "0000" if empty.
	Name, City, Country, Category string
	// Amount is a decimal number, empty if the payer says how much; Unit a currency of ISO 4217 or a unit of the operator.
	Amount, Unit string
	// About is what is paid, at most 25 characters.
	About string
	// Tip is what is asked for besides.
	Tip Tip
}

// NewWallet makes the code of a wallet: static without a request, dynamic with one. It returns a *Fault for what cannot stand in one.
func NewWallet(r WalletRequest) (*EMV, error) {
	account := []Object{{ID: "00", Value: walletNetwork}, {ID: walletAddress, Value: r.Address}}
	number := noCurrency
	if c, ok := byCode[r.Unit]; ok {
		number = c.number
	} else {
		account = append(account, Object{ID: walletUnit, Value: r.Unit})
	}
	method := static
	if r.Request != "" {
		method = dynamic
		account = append(account, Object{ID: walletRequest, Value: r.Request})
	}
	objects := []Object{{ID: idFormat, Value: "01"}, {ID: idMethod, Value: method}, {ID: "26", Objects: account},
		{ID: idCategory, Value: or(r.Category, "0000")}, {ID: idCurrency, Value: number}}
	if r.Amount != "" {
		objects = append(objects, Object{ID: idAmount, Value: r.Amount})
	}
	objects = append(objects, tipObjects(r.Tip)...)
	objects = append(objects, Object{ID: idCountry, Value: r.Country}, Object{ID: idName, Value: cut(r.Name, 25)}, Object{ID: idCity, Value: cut(r.City, 15)})
	if r.About != "" {
		objects = append(objects, Object{ID: idMore, Objects: []Object{{ID: morePurpose, Value: r.About}}})
	}
	return written(&EMV{Objects: objects})
}

func tipObjects(t Tip) []Object {
	switch {
	case t.Fixed != "":
		return []Object{{ID: idTip, Value: "02"}, {ID: idFixed, Value: t.Fixed}}
	case t.Percent != "":
		return []Object{{ID: idTip, Value: "03"}, {ID: idPercent, Value: t.Percent}}
	case t.Ask:
		return []Object{{ID: idTip, Value: "01"}}
	}
	return nil
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// cut keeps the first characters of a text.
func cut(s string, characters int) string {
	if at := bytesOf(s, characters); at >= 0 {
		return strings.TrimRight(s[:at], " ")
	}
	return s
}

func (e *EMV) checkWallet() error {
	account := e.account(walletNetwork)
	address, unit, request := find(account.Objects, walletAddress), find(account.Objects, walletUnit), find(account.Objects, walletRequest)
	_, known := currencyByNumber(e.get(idCurrency))
	switch {
	case address == nil:
		return fault(Missing, account.ID+".01")
	case !bare(address.Value):
		return fault(Value, account.ID+".01")
	case unit == nil && !known:
		return fault(Missing, account.ID+".02")
	case unit != nil && (e.get(idCurrency) != noCurrency || len(unit.Value) < 4 || len(unit.Value) > 12 || !only(unit.Value, letters+digits)):
		return fault(Value, account.ID+".02")
	case request != nil && (len(request.Value) < 16 || len(request.Value) > 40 || !only(request.Value, letters+strings.ToLower(letters)+digits+"-_")):
		return fault(Value, account.ID+".03")
	case request != nil && e.get(idMethod) != dynamic:
		return fault(Value, idMethod)
	}
	return nil
}

// bare reports whether a text has the form of a bare address (RFC 7622 §3.1); whether it is one, the server says.
func bare(s string) bool {
	name, domain, ok := strings.Cut(s, "@")
	return ok && name != "" && domain != "" && !strings.ContainsAny(s, " /\"&'<>") && !strings.ContainsAny(domain, "@")
}

func (e *EMV) walletOrder(order *Order) {
	account := e.account(walletNetwork)
	order.Address = find(account.Objects, walletAddress).Value
	if unit := find(account.Objects, walletUnit); unit != nil {
		order.Unit = unit.Value
	}
	if request := find(account.Objects, walletRequest); request != nil {
		order.Reference = request.Value
	}
}
