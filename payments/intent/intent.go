package intent

import (
	"strconv"
	"strings"
	"time"
)

// Kind is what an intent asks for; the words are those of the text.
type Kind string

// The kinds of an intent.
const (
	// Send moves the amount to the payee. Of may be the id of a request, or of a share of a split.
	Send Kind = "send"
	// Tip is Send; Of is the payment that it is for.
	Tip Kind = "tip"
	// Hold sets the amount aside for the payee until a time.
	Hold Kind = "hold"
	// Mandate lets the payee capture up to Amount each time and Total in a Period, until a time.
	Mandate Kind = "mandate"
	// Capture takes what a hold or a mandate allows; the payee signs it.
	Capture Kind = "capture"
	// Void ends a hold; the payee signs it.
	Void Kind = "void"
	// Revoke ends a mandate; the payer signs it. With the payer as payee it takes back what was promised without network.
	Revoke Kind = "revoke"
	// Refund gives back a payment, all or a part; who was paid signs it, and is its payer.
	Refund Kind = "refund"
	// Reserve moves the amount from the wallet into its pocket for payments without network; the payee is the payer.
	Reserve Kind = "reserve"
	// Release moves it back.
	Release Kind = "release"
	// Offline pays from the pocket; the payee may hand it in.
	Offline Kind = "offline"
	// Cashout leaves by a rail; the payee is rail:NAME:ADDRESS.
	Cashout Kind = "cashout"
)

// Signer is who signs an intent of this kind.
func (k Kind) Signer(i *Intent) string {
	if k == Capture || k == Void {
		return i.Payee
	}
	return i.Payer
}

// need says whether a field of a kind is there.
type need int

const (
	no need = iota
	may
	must
)

// shape is which fields a kind has beside those that all have.
type shape struct {
	amount, of, until, total need
	own                      need // the payee is the payer
}

var shapes = map[Kind]shape{
	Send:    {amount: must, of: may},
	Tip:     {amount: must, of: must},
	Hold:    {amount: must, of: may, until: must},
	Mandate: {amount: must, of: may, until: must, total: must},
	Capture: {amount: must, of: must},
	Void:    {of: must},
	Revoke:  {of: must, own: may},
	Refund:  {amount: must, of: must},
	Reserve: {amount: must, own: must},
	Release: {amount: must, own: must},
	Offline: {amount: must, of: may},
	Cashout: {amount: must},
}

// Periods are those in which a mandate has its total.
var periods = map[string]bool{"once": true, "day": true, "week": true, "month": true}

// Intent is what is to be paid.
type Intent struct {
	// Service is the domain of the service that it is for.
	Service string
	// ID is chosen by the signer: see ValidID.
	ID   string
	Kind Kind
	// Payer and Payee are bare addresses; the payee of a Cashout is rail:NAME:ADDRESS.
	Payer, Payee string
	// Amount and Fee are in minor units of Unit, 0 to MaxAmount. Amount is 0 and Unit empty for a Void and a Revoke, which have no fee either.
	Amount int64
	Unit   string
	Fee    int64
	// Expires is when it is not done any more, to the second.
	Expires time.Time
	// Of is the id of what it is about, empty for nothing.
	Of string
	// Until is when a Hold or a Mandate ends, to the second; zero for the other kinds.
	Until time.Time
	// Total and Period are of a Mandate: once, day, week or month.
	Total  int64
	Period string
	// For says what it is for, at most 256 bytes.
	For string
	// Key is the id of the key that signs it.
	Key string
}

const intentTitle = "palabre pay 0 intent"

// Text writes the intent. It returns an error that wraps ErrText for what cannot be one.
func (i *Intent) Text() (string, error) {
	if err := i.check(); err != nil {
		return "", err
	}
	return write(intentTitle, []field{{"service", i.Service}, {"id", i.ID}, {"kind", string(i.Kind)}, {"payer", i.Payer}, {"payee", i.Payee},
		{"amount", strconv.FormatInt(i.Amount, 10)}, {"unit", i.Unit}, {"fee", strconv.FormatInt(i.Fee, 10)}, {"expires", FormatTime(i.Expires)}, {"of", i.Of},
		{"until", FormatTime(i.Until)}, {"total", orEmpty(i.Total)}, {"period", i.Period}, {"for", i.For}, {"key", i.Key}})
}

func orEmpty(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

// Parse reads an intent. Its errors wrap ErrText.
func Parse(text string) (*Intent, error) {
	v, err := read(text, intentTitle, "service", "id", "kind", "payer", "payee", "amount", "unit", "fee", "expires", "of", "until", "total", "period", "for", "key")
	if err != nil {
		return nil, err
	}
	i := &Intent{Service: v[0], ID: v[1], Kind: Kind(v[2]), Payer: v[3], Payee: v[4], Unit: v[6], Of: v[9], Period: v[12], For: v[13], Key: v[14]}
	if i.Amount, err = number("amount", v[5], MaxAmount, false); err != nil {
		return nil, err
	}
	if i.Fee, err = number("fee", v[7], MaxAmount, false); err != nil {
		return nil, err
	}
	if i.Expires, err = moment("expires", v[8]); err != nil {
		return nil, err
	}
	if i.Until, err = moment("until", v[10]); err != nil {
		return nil, err
	}
	if i.Total, err = number("total", v[11], MaxAmount, true); err != nil {
		return nil, err
	}
	return i, i.check()
}

func (i *Intent) check() error {
	s, known := shapes[i.Kind]
	if !known {
		return refuse("kind %.32q is not known", i.Kind)
	}
	if !ValidID(i.ID) {
		return refuse("id %.64q is not 16 to 40 of A–Z a–z 0–9 - _", i.ID)
	}
	if !ValidKeyID(i.Key) {
		return refuse("key %.64q is not the id of one", i.Key)
	}
	if len(i.For) > MaxFor {
		return refuse("for has %d bytes", len(i.For))
	}
	if i.Expires.IsZero() || !wholeSecond(i.Expires) || !wholeSecond(i.Until) {
		return refuse("expires and until are times to the second")
	}
	if err := i.checkParties(s); err != nil {
		return err
	}
	if err := i.checkAmounts(s); err != nil {
		return err
	}
	return i.checkAbout(s)
}

func (i *Intent) checkParties(s shape) error {
	for _, f := range []field{{"service", i.Service}, {"payer", i.Payer}, {"payee", i.Payee}} {
		if err := address(f.name, f.value); err != nil {
			return err
		}
	}
	if own := i.Payer == i.Payee; own && s.own == no || !own && s.own == must {
		return refuse("payer and payee of %s", i.Kind)
	}
	if i.Kind == Cashout != strings.HasPrefix(i.Payee, "rail:") {
		return refuse("the payee of %s", i.Kind)
	}
	return nil
}

func (i *Intent) checkAmounts(s shape) error {
	if i.Amount < 0 || i.Amount > MaxAmount || i.Fee < 0 || i.Fee > MaxAmount || i.Total < 0 || i.Total > MaxAmount {
		return refuse("an amount is from 0 to %d", MaxAmount)
	}
	if (s.amount == must) != (i.Amount > 0) || (s.amount == must) != ValidUnit(i.Unit) || (s.amount == no && (i.Unit != "" || i.Fee != 0)) {
		return refuse("amount, unit and fee of %s", i.Kind)
	}
	if (s.total == must) != (i.Total > 0) || (s.total == must) != periods[i.Period] || (s.total == no && i.Period != "") {
		return refuse("total and period of %s", i.Kind)
	}
	if s.total == must && i.Total < i.Amount {
		return refuse("the total of a mandate is at least its amount")
	}
	return nil
}

func (i *Intent) checkAbout(s shape) error {
	if (s.of == must && i.Of == "") || (s.of == no && i.Of != "") || (i.Of != "" && !ValidID(i.Of)) {
		return refuse("of of %s", i.Kind)
	}
	if (s.until == must) != !i.Until.IsZero() {
		return refuse("until of %s", i.Kind)
	}
	return nil
}
