package intent

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// OrderKind is what an order changes; the words are those of the text.
type OrderKind string

// The kinds of an order.
const (
	// AddKey lets another key pay at once; About is its id.
	AddKey OrderKind = "add-key"
	// DropKey takes away a key; About is its id.
	DropKey OrderKind = "drop-key"
	// Unfreeze opens a frozen wallet again; About is empty.
	Unfreeze OrderKind = "unfreeze"
	// SetLimits sets limits of the account's own, see Limits.
	SetLimits OrderKind = "limits"
	// AllowOffline lets a key pay from the pocket, see OfflineCap.
	AllowOffline OrderKind = "offline"
	// Agree sets what is asked of the account in a group against what others owe it there, see Agreement.
	Agree OrderKind = "agree"
)

// Order changes who may pay, or whom.
type Order struct {
	// Service is the domain of the service, ID is chosen by the signer, Account is the bare address that it is about.
	Service, ID string
	Kind        OrderKind
	Account     string
	// About is what it changes, in the writing of its kind.
	About   string
	Expires time.Time
	// Key is the id of the key that signs it.
	Key string
}

const orderTitle = "palabre pay 0 order"

// Text writes the order. It returns an error that wraps ErrText for what cannot be one.
func (o *Order) Text() (string, error) {
	if err := o.check(); err != nil {
		return "", err
	}
	return write(orderTitle, []field{{"service", o.Service}, {"id", o.ID}, {"kind", string(o.Kind)}, {"account", o.Account}, {"about", o.About},
		{"expires", FormatTime(o.Expires)}, {"key", o.Key}})
}

// ParseOrder reads an order. Its errors wrap ErrText.
func ParseOrder(text string) (*Order, error) {
	v, err := read(text, orderTitle, "service", "id", "kind", "account", "about", "expires", "key")
	if err != nil {
		return nil, err
	}
	o := &Order{Service: v[0], ID: v[1], Kind: OrderKind(v[2]), Account: v[3], About: v[4], Key: v[6]}
	if o.Expires, err = moment("expires", v[5]); err != nil {
		return nil, err
	}
	return o, o.check()
}

func (o *Order) check() error {
	if err := address("service", o.Service); err != nil {
		return err
	}
	if err := address("account", o.Account); err != nil {
		return err
	}
	if !ValidID(o.ID) || !ValidKeyID(o.Key) {
		return refuse("id or key of an order")
	}
	if o.Expires.IsZero() || !wholeSecond(o.Expires) {
		return refuse("expires is a time to the second")
	}
	switch o.Kind {
	case AddKey, DropKey:
		if !ValidKeyID(o.About) {
			return refuse("%s is about a key", o.Kind)
		}
	case Unfreeze:
		if o.About != "" {
			return refuse("%s is about nothing", o.Kind)
		}
	case SetLimits:
		_, err := o.Limits()
		return err
	case AllowOffline:
		_, err := o.OfflineCap()
		return err
	case Agree:
		_, err := o.Agreement()
		return err
	default:
		return refuse("kind %.32q is not known", o.Kind)
	}
	return nil
}

// Limits are those that an account sets for itself, in minor units of Unit, up to MaxAmount; 0 for none of its own.
type Limits struct {
	Unit             string
	Transaction, Day int64
}

// String writes limits as an order does: "MAD transaction=10000 day=50000".
func (l Limits) String() string {
	return l.Unit + " transaction=" + strconv.FormatInt(l.Transaction, 10) + " day=" + strconv.FormatInt(l.Day, 10)
}

// Limits reads what an order SetLimits is about.
func (o *Order) Limits() (l Limits, err error) {
	words := strings.Split(o.About, " ")
	if len(words) != 3 || !ValidUnit(words[0]) {
		return l, refuse("limits are not %.64q", o.About)
	}
	transaction, first := strings.CutPrefix(words[1], "transaction=")
	day, second := strings.CutPrefix(words[2], "day=")
	if !first || !second {
		return l, refuse("limits are not %.64q", o.About)
	}
	l.Unit = words[0]
	if l.Transaction, err = number("transaction", transaction, MaxAmount, false); err != nil {
		return l, err
	}
	l.Day, err = number("day", day, MaxAmount, false)
	return l, err
}

// OfflineCap is up to how much a key may pay without network, in minor units of Unit; 0 for nothing any more.
type OfflineCap struct {
	Key, Unit string
	Cap       int64
}

// String writes a cap as an order does: "KEY MAD 20000".
func (c OfflineCap) String() string { return c.Key + " " + c.Unit + " " + strconv.FormatInt(c.Cap, 10) }

// OfflineCap reads what an order AllowOffline is about.
func (o *Order) OfflineCap() (c OfflineCap, err error) {
	words := strings.Split(o.About, " ")
	if len(words) != 3 || !ValidKeyID(words[0]) || !ValidUnit(words[1]) {
		return c, refuse("a cap is not %.64q", o.About)
	}
	c.Key, c.Unit = words[0], words[1]
	c.Cap, err = number("cap", words[2], MaxAmount, false)
	return c, err
}

// Agreement is to what is asked of an account in a group, in one unit: so much to each, as its owner has seen it.
type Agreement struct {
	// Group is the group's address.
	Group, Unit string
	// Owed is the SHA-256 of OwedText.
	Owed [sha256.Size]byte
}

// OwedText is what an agreement is to: for each debt, in the order of its id, a line "ID AMOUNT" in minor units.
func OwedText(amounts map[string]int64) string {
	var b strings.Builder
	for _, id := range slices.Sorted(maps.Keys(amounts)) {
		b.WriteString(id + " " + strconv.FormatInt(amounts[id], 10) + "\n")
	}
	return b.String()
}

// String writes an agreement as an order does: "friends@groups.example MAD" and the hash in hexadecimal.
func (a Agreement) String() string {
	return a.Group + " " + a.Unit + " " + hex.EncodeToString(a.Owed[:])
}

// Agreement reads what an order Agree is about.
func (o *Order) Agreement() (a Agreement, err error) {
	words := strings.Split(o.About, " ")
	if len(words) != 3 || !ValidUnit(words[1]) {
		return a, refuse("an agreement is not %.64q", o.About)
	}
	if err := address("group", words[0]); err != nil {
		return a, err
	}
	a.Group, a.Unit = words[0], words[1]
	return a, digest(&a.Owed, "owed", words[2])
}
