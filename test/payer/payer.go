// Package payer is a device that pays, for tests and drills: a payment key with a PIN, and what it says to the service of payments. How that travels is for its user.
package payer

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"time"

	"palabre.dev/palabre/payments/intent"
	"palabre.dev/palabre/xmpp"
)

// NS is the namespace of payments (docs/protocol/payments.md).
const NS = "urn:palabre:pay:0"

// Device is a device with a payment key.
type Device struct {
	Service, Account string
	key              *ecdsa.PrivateKey
	point            []byte
	verifier         []byte
}

// New makes a device of an account, with a key that the service does not know yet.
func New(service, account string) (*Device, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		return nil, err
	}
	d := &Device{Service: service, Account: account, key: key, point: point, verifier: make([]byte, 32)}
	rand.Read(d.verifier)
	return d, nil
}

func text(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }

// Register is the request that makes the key known.
func (d *Device) Register() *xmpp.Element {
	secret := make([]byte, 32)
	rand.Read(secret)
	return xmpp.NewElement(NS, "key", xmpp.NewText(NS, "public", text(d.point)), xmpp.NewText(NS, "salt", text(secret[:16])), xmpp.NewText(NS, "verifier", text(d.verifier)),
		xmpp.NewText(NS, "share", text(secret))).Set("kind", "pin").Set("name", "test")
}

// Unlock is the request for the share of the key, which shows that the PIN is known.
func (d *Device) Unlock() *xmpp.Element {
	return xmpp.NewElement(NS, "unlock").Set("key", intent.KeyID(d.point)).Set("verifier", text(d.verifier))
}

// NewID draws the id of an intent.
func NewID() string {
	draw := make([]byte, 18)
	rand.Read(draw)
	return text(draw)
}

// Send is an intent that pays somebody an amount in minor units.
func (d *Device) Send(payee string, amount int64, unit, what string) intent.Intent {
	return intent.Intent{Service: d.Service, ID: NewID(), Kind: intent.Send, Payer: d.Account, Payee: payee, Amount: amount, Unit: unit, For: what, Key: intent.KeyID(d.point),
		Expires: time.Now().Add(10 * time.Minute).UTC().Truncate(time.Second)}
}

// Pay is the request for an intent, signed. The same intent gives the same text, and another signature each time.
func (d *Device) Pay(i intent.Intent) (*xmpp.Element, error) {
	written, err := i.Text()
	if err != nil {
		return nil, err
	}
	signature, err := d.sign(written)
	if err != nil {
		return nil, err
	}
	return xmpp.NewElement(NS, "pay", xmpp.NewText(NS, "intent", written), signature), nil
}

// Agree is the request by which its account agrees to what is asked of it in a group: the debts with agree= that it was shown.
func (d *Device) Agree(group, unit string, debts *xmpp.Element) (*xmpp.Element, error) {
	amounts := map[string]int64{}
	for debt := range debts.Children() {
		if debt.Attr("agree") == "" {
			continue
		}
		amount, err := strconv.ParseInt(debt.Attr("agree"), 10, 64)
		if err != nil {
			return nil, err
		}
		amounts[debt.Attr("id")] = amount
	}
	about := intent.Agreement{Group: group, Unit: unit, Owed: sha256.Sum256([]byte(intent.OwedText(amounts)))}
	o := intent.Order{Service: d.Service, ID: NewID(), Kind: intent.Agree, Account: d.Account, About: about.String(), Key: intent.KeyID(d.point),
		Expires: time.Now().Add(10 * time.Minute).UTC().Truncate(time.Second)}
	written, err := o.Text()
	if err != nil {
		return nil, err
	}
	signature, err := d.sign(written)
	if err != nil {
		return nil, err
	}
	return xmpp.NewElement(NS, "order", xmpp.NewText(NS, "text", written), signature), nil
}

func (d *Device) sign(written string) (*xmpp.Element, error) {
	signature, err := intent.Sign(d.key, written)
	if err != nil {
		return nil, err
	}
	return xmpp.NewText(NS, "signature", text(signature)).Set("key", intent.KeyID(d.point)), nil
}
