package qr

import (
	"slices"
	"strings"
)

// EMV is a code of EMVCo's merchant-presented mode, without its checksum (object 63), which is computed.
type EMV struct {
	// Objects stand in this order; the first is 00.
	Objects []Object
}

// Ids of objects (EMV QRCPS MPM §4.1).
const (
	idFormat   = "00"
	idMethod   = "01"
	idCategory = "52"
	idCurrency = "53"
	idAmount   = "54"
	idTip      = "55"
	idFixed    = "56"
	idPercent  = "57"
	idCountry  = "58"
	idName     = "59"
	idCity     = "60"
	idPostal   = "61"
	idMore     = "62"
	idChecksum = "63"
	idLanguage = "64"
)

// Ids within the additional data (object 62).
const (
	moreBill      = "01"
	moreMobile    = "02"
	moreStore     = "03"
	moreLoyalty   = "04"
	moreReference = "05"
	moreCustomer  = "06"
	moreTerminal  = "07"
	morePurpose   = "08"
	moreAsk       = "09"
)

const (
	static  = "11"
	dynamic = "12"
)

func isTemplate(within, id string) bool {
	switch within {
	case "":
		return between(id, "26", "51") || id == idMore || id == idLanguage || between(id, "80", "99")
	case idMore + ".":
		return between(id, "50", "99")
	}
	return false
}

func between(id, first, last string) bool { return id >= first && id <= last }

func parseEMV(text string) (*EMV, error) {
	if length(text) > maxPayload {
		return nil, fault(TooLong, "code")
	}
	if len(text) < 8 || text[len(text)-8:len(text)-4] != "6304" {
		return nil, fault(Missing, idChecksum)
	}
	body := text[:len(text)-8]
	if checksum(text[:len(text)-4]) != text[len(text)-4:] {
		return nil, fault(Checksum, idChecksum)
	}
	objects, err := readObjects(body, "", 0, isTemplate)
	if err != nil {
		return nil, err
	}
	e := &EMV{Objects: objects}
	return e, e.Validate()
}

// Validate reports the first object that is not as the specification says, as a *Fault.
func (e *EMV) Validate() error {
	if err := e.checkPresence(); err != nil {
		return err
	}
	for _, o := range e.Objects {
		if err := e.check(o); err != nil {
			return err
		}
	}
	if err := e.checkTip(); err != nil {
		return err
	}
	if length(e.Text()) > maxPayload {
		return fault(TooLong, "code")
	}
	switch e.Format() {
	case Pix:
		return e.checkPix()
	case Wallet:
		return e.checkWallet()
	}
	return nil
}

func (e *EMV) checkPresence() error {
	if len(e.Objects) == 0 || e.Objects[0].ID != idFormat {
		return fault(Missing, idFormat)
	}
	for _, id := range []string{idCategory, idCurrency, idCountry, idName, idCity} {
		if find(e.Objects, id) == nil {
			return fault(Missing, id)
		}
	}
	if !slices.ContainsFunc(e.Objects, func(o Object) bool { return between(o.ID, "02", "51") }) {
		return fault(Missing, "26")
	}
	return nil
}

func (e *EMV) check(o Object) error {
	value := o.value()
	if value == "" || length(value) > maxValue {
		return fault(TooLong, o.ID)
	}
	ok := true
	switch o.ID {
	case idFormat:
		ok = value == "01"
	case idMethod:
		ok = value == static || value == dynamic
	case idCategory:
		ok = len(value) == 4 && only(value, digits)
	case idCurrency:
		ok = len(value) == 3 && only(value, digits)
	case idAmount:
		ok = len(value) <= 13 && e.amount(value) && (e.Format() == Pix || !zero(value))
	case idTip:
		ok = value == "01" || value == "02" || value == "03"
	case idFixed:
		ok = len(value) <= 13 && e.amount(value)
	case idPercent:
		ok = len(value) <= 5 && percent(value)
	case idCountry:
		ok = len(value) == 2 && only(value, letters)
	case idName:
		ok = length(value) <= 25
	case idCity:
		ok = length(value) <= 15
	case idPostal:
		ok = length(value) <= 10
	case idMore:
		return checkMore(o.Objects)
	case idLanguage:
		return checkLanguage(o.Objects)
	case idChecksum:
		ok = false
	default:
		if isTemplate("", o.ID) && find(o.Objects, "00") == nil {
			return fault(Missing, o.ID+".00")
		}
	}
	if !ok {
		return fault(Value, o.ID)
	}
	return nil
}

// amount reports whether a value is a decimal number that the code's currency can have.
func (e *EMV) amount(value string) bool {
	if !decimal(value) {
		return false
	}
	if c, ok := currencyByNumber(e.get(idCurrency)); ok {
		_, err := Minor(value, c.exponent)
		return err == nil
	}
	return true
}

func (e *EMV) checkTip() error {
	fixed, share := e.get(idFixed) != "", e.get(idPercent) != ""
	tip := e.get(idTip)
	switch {
	case tip == "02" && !fixed:
		return fault(Missing, idFixed)
	case tip == "03" && !share:
		return fault(Missing, idPercent)
	case fixed && tip != "02":
		return fault(Value, idFixed)
	case share && tip != "03":
		return fault(Value, idPercent)
	}
	return nil
}

func checkMore(objects []Object) error {
	for _, o := range objects {
		where := idMore + "." + o.ID
		switch {
		case o.ID == moreAsk && (len(o.Value) > 3 || strings.Trim(o.Value, "AME") != ""):
			return fault(Value, where)
		case between(o.ID, moreBill, morePurpose) && length(o.Value) > 25:
			return fault(Value, where)
		case between(o.ID, "50", "99") && find(o.Objects, "00") == nil:
			return fault(Missing, where+".00")
		}
	}
	return nil
}

func checkLanguage(objects []Object) error {
	language, name, city := find(objects, "00"), find(objects, "01"), find(objects, "02")
	switch {
	case language == nil || name == nil:
		return fault(Missing, idLanguage)
	case length(language.Value) != 2 || length(name.Value) > 25 || city != nil && length(city.Value) > 15:
		return fault(Value, idLanguage)
	}
	return nil
}

func (e *EMV) get(id string) string {
	if o := find(e.Objects, id); o != nil {
		return o.value()
	}
	return ""
}

func (e *EMV) more(id string) string {
	if o := find(e.Objects, idMore); o != nil {
		if inner := find(o.Objects, id); inner != nil {
			return inner.Value
		}
	}
	return ""
}

// account is the merchant account information (26 to 51) of a network, nil if there is none. Names of networks are compared without case.
func (e *EMV) account(network string) *Object {
	for i, o := range e.Objects {
		if between(o.ID, "26", "51") {
			if name := find(o.Objects, "00"); name != nil && strings.EqualFold(name.Value, network) {
				return &e.Objects[i]
			}
		}
	}
	return nil
}

// Format says whether it is of Pix, of a wallet of ours, or of another network.
func (e *EMV) Format() Format {
	switch {
	case e.account(pixNetwork) != nil:
		return Pix
	case e.account(walletNetwork) != nil:
		return Wallet
	}
	return EMVCo
}

// Text is the code with its checksum.
func (e *EMV) Text() string {
	text := join(e.Objects) + "6304"
	return text + checksum(text)
}

// Networks are the names of the networks that the code names (reverse domains or application ids), in their order.
func (e *EMV) Networks() []string {
	var names []string
	for _, o := range e.Objects {
		if name := find(o.Objects, "00"); name != nil && between(o.ID, "26", "51") {
			names = append(names, name.Value)
		}
	}
	return names
}

// Local is the payee's name and city in another language, and which; empty if there is none (object 64).
func (e *EMV) Local() (language, name, city string) {
	o := find(e.Objects, idLanguage)
	if o == nil {
		return "", "", ""
	}
	language, name = find(o.Objects, "00").Value, find(o.Objects, "01").Value
	if c := find(o.Objects, "02"); c != nil {
		city = c.Value
	}
	return language, name, city
}

// Order says what the code asks for.
func (e *EMV) Order() Order {
	order := Order{Name: e.get(idName), City: e.get(idCity), Amount: e.get(idAmount), Once: e.get(idMethod) == dynamic, About: e.more(morePurpose),
		Tip: Tip{Ask: e.get(idTip) == "01", Fixed: e.get(idFixed), Percent: e.get(idPercent)}}
	if zero(order.Amount) {
		order.Amount = ""
	}
	if c, ok := currencyByNumber(e.get(idCurrency)); ok {
		order.Unit = c.code
	}
	order.Reference = e.more(moreReference)
	if order.Reference == "" {
		order.Reference = e.more(moreBill)
	}
	switch e.Format() {
	case Pix:
		e.pixOrder(&order)
	case Wallet:
		e.walletOrder(&order)
	}
	return order
}
