package qr

import (
	"encoding/base64"
	"regexp"
	"strings"
	"unicode/utf8"
)

// What a customer shows is EMVCo's customer-presented mode (EMV QRCPS CPM 1.1): base64 of BER-TLV, of which ours is an application template with an identifier and an
// address of our own.
const (
	customerHead    = "hQVDUFYwM" // tag 85, five bytes, CPV0
	customerFormat  = "CPV01"
	maxCustomer     = 512
	maxCustomerName = 26 // bytes, of the cardholder's name (5F20)

	tagFormat      = 0x85
	tagApplication = 0x61
	tagIdentifier  = 0x4f
	tagLabel       = 0x50
	tagName        = 0x5f20
	tagAddress     = 0x5f50
)

// customerApplication is F (not registered, proprietary) and our name.
const customerApplication = "\xf0PALABRE"

// Customer says who shows a code; it allows nothing. A shop asks them with a request, which they confirm.
type Customer struct {
	// Address is the customer's bare address.
	Address string
	// Name is what they call themselves, empty if they do not say; nobody has checked it.
	Name string

	text string
}

// NewCustomer makes the code of a customer; the name is cut to 26 bytes. It returns a *Fault for an address that cannot stand in one.
func NewCustomer(address, name string) (*Customer, error) {
	for len(name) > maxCustomerName {
		_, last := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-last]
	}
	inside := berObject(tagIdentifier, customerApplication) + berObject(tagLabel, "Palabre") + berObject(tagName, name) + berObject(tagAddress, customerURI+address)
	return parseCustomer(base64.StdEncoding.EncodeToString([]byte(berObject(tagFormat, customerFormat) + berObject(tagApplication, inside))))
}

const customerURI = "xmpp:"

var customerAddress = regexp.MustCompile(`^[^\pZ\s\x{feff}@/?]{1,64}@[^\pZ\s\x{feff}@/?]{1,253}$`)

func parseCustomer(text string) (*Customer, error) {
	if len(text) > maxCustomer {
		return nil, fault(TooLong, "customer")
	}
	data, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || strings.ContainsAny(text, "\r\n") {
		return nil, fault(Broken, "customer")
	}
	objects, err := readBER(string(data))
	switch {
	case err != nil:
		return nil, err
	case len(objects) == 0 || objects[0] != berPair{tagFormat, customerFormat}:
		return nil, fault(Unknown, "85")
	}
	for _, o := range objects[1:] {
		if o.tag != tagApplication {
			continue
		}
		c, err := readApplication(o.value)
		if err != nil {
			return nil, err
		}
		if c != nil {
			c.text = text
			return c, nil
		}
	}
	return nil, fault(Unknown, "61")
}

// readApplication is who an application template names, nil if it is of another network.
func readApplication(value string) (*Customer, error) {
	objects, err := readBER(value)
	if err != nil {
		return nil, err
	}
	inside := map[int]string{}
	for _, o := range objects {
		inside[o.tag] = o.value
	}
	if !strings.HasPrefix(inside[tagIdentifier], customerApplication) {
		return nil, nil
	}
	address, ok := strings.CutPrefix(inside[tagAddress], customerURI)
	if !ok || !utf8.ValidString(address) || !customerAddress.MatchString(address) {
		return nil, fault(Broken, "5F50")
	}
	if !utf8.ValidString(inside[tagName]) {
		return nil, fault(Broken, "5F20")
	}
	return &Customer{Address: address, Name: inside[tagName]}, nil
}

// Format is CustomerCode.
func (c *Customer) Format() Format { return CustomerCode }

// Text is the code, with what of other networks stands beside ours.
func (c *Customer) Text() string { return c.text }

// Order is empty.
func (c *Customer) Order() Order { return Order{} }

// berPair is one data object of BER-TLV (ISO/IEC 8825-1).
type berPair struct {
	tag   int
	value string
}

// readBER reads objects one behind the other: tags of one or two bytes, lengths of one to three.
func readBER(data string) (objects []berPair, err error) {
	at := 0
	next := func() int {
		if at >= len(data) {
			err = fault(Broken, "length")
			return 0
		}
		at++
		return int(data[at-1])
	}
	for at < len(data) {
		tag := next()
		if tag&0x1f == 0x1f {
			tag = tag<<8 | next()
		}
		size := next()
		switch {
		case size == 0x81:
			size = next()
		case size == 0x82:
			size = next()<<8 | next()
		case size >= 0x80:
			return nil, fault(Broken, "length")
		}
		if err != nil || at+size > len(data) {
			return nil, fault(Broken, "length")
		}
		objects = append(objects, berPair{tag, data[at : at+size]})
		at += size
	}
	return objects, nil
}

// berObject writes an object; nothing for an empty value.
func berObject(tag int, value string) string {
	if value == "" {
		return ""
	}
	var head []byte
	if tag > 0xff {
		head = append(head, byte(tag>>8))
	}
	head = append(head, byte(tag))
	switch size := len(value); {
	case size < 0x80:
		head = append(head, byte(size))
	case size < 0x100:
		head = append(head, 0x81, byte(size))
	default:
		head = append(head, 0x82, byte(size>>8), byte(size))
	}
	return string(head) + value
}
