package qr

import "strings"

// pixNetwork names Pix in an EMVCo code (Manual de Padrões para Iniciação do Pix).
const pixNetwork = "br.gov.bcb.pix"

// Ids within Pix's merchant account information.
const (
	pixKey   = "01"
	pixAbout = "02"
	pixURL   = "25"
)

// PixRequest is what a static Pix code says.
type PixRequest struct {
	// Key is the payee's: a phone number, e-mail address, tax number or random key, at most 77 characters.
	Key string
	// URL is where a dynamic code's charge is read, without "https://", at most 77 characters. Either Key or URL is set.
	URL string
	// About is for the payer; Key and About together are at most 72 characters.
	About string
	// Name and City of the payee, at most 25 and 15 characters.
	Name, City string
	// Amount is a decimal number of BRL, empty if the payer says how much.
	Amount string
	// TXID is letters and digits, at most 25; empty is written as "***".
	TXID string
}

// NewPix makes a BR Code. It returns a *Fault for what cannot stand in one.
func NewPix(r PixRequest) (*EMV, error) {
	account := []Object{{ID: "00", Value: pixNetwork}}
	for _, o := range []Object{{ID: pixKey, Value: r.Key}, {ID: pixAbout, Value: r.About}, {ID: pixURL, Value: r.URL}} {
		if o.Value != "" {
			account = append(account, o)
		}
	}
	e := &EMV{Objects: []Object{{ID: idFormat, Value: "01"}}}
	if r.URL != "" {
		e.Objects = append(e.Objects, Object{ID: idMethod, Value: dynamic})
	}
	e.Objects = append(e.Objects, Object{ID: "26", Objects: account}, Object{ID: idCategory, Value: "0000"}, Object{ID: idCurrency, Value: "986"})
	if r.Amount != "" {
		e.Objects = append(e.Objects, Object{ID: idAmount, Value: r.Amount})
	}
	txid := r.TXID
	if txid == "" {
		txid = "***"
	}
	e.Objects = append(e.Objects, Object{ID: idCountry, Value: "BR"}, Object{ID: idName, Value: r.Name}, Object{ID: idCity, Value: r.City},
		Object{ID: idMore, Objects: []Object{{ID: moreReference, Value: txid}}})
	return written(e)
}

// written is a code that was made, if what it is written as can be read.
func written(e *EMV) (*EMV, error) {
	if err := e.Validate(); err != nil {
		return nil, err
	}
	return parseEMV(e.Text())
}

func (e *EMV) checkPix() error {
	account := e.account(pixNetwork)
	key, url := find(account.Objects, pixKey), find(account.Objects, pixURL)
	txid := e.more(moreReference)
	switch {
	case key == nil && url == nil:
		return fault(Missing, account.ID+".01")
	case key != nil && url != nil:
		return fault(Twice, account.ID+".25")
	case e.get(idCurrency) != "986":
		return fault(Value, idCurrency)
	case e.get(idCountry) != "BR":
		return fault(Value, idCountry)
	case key != nil && length(key.Value) > 77:
		return fault(TooLong, account.ID+".01")
	case url != nil && (length(url.Value) > 77 || strings.Contains(url.Value, "://") || strings.ContainsAny(url.Value, " \\@")):
		return fault(Value, account.ID+".25")
	case txid == "":
		return fault(Missing, "62.05")
	case txid != "***" && !only(txid, digits+letters+strings.ToLower(letters)):
		return fault(Value, "62.05")
	}
	return nil
}

func (e *EMV) pixOrder(order *Order) {
	account := e.account(pixNetwork)
	if key := find(account.Objects, pixKey); key != nil {
		order.Address = key.Value
	} else if url := find(account.Objects, pixURL); url != nil {
		order.Address, order.Once = "https://"+url.Value, true
	}
	if about := find(account.Objects, pixAbout); about != nil {
		order.About = about.Value
	}
	if order.Reference == "***" {
		order.Reference = ""
	}
}
