package bank

import "time"

// Code is the code of an authenticator at a time.
func Code(secret []byte, at time.Time) string { return totp(secret, at.Unix()/30) }

// AtStep has fn told where the bot is.
func (b *Bot) AtStep(fn func(string)) { b.step = fn }

// SetClock has the bot tell the time by another clock.
func (b *Bot) SetClock(now func() time.Time) { b.now = now }

// OrderID is the id of the order that a kept message makes.
func OrderID(customer, id string, number int64) string {
	return orderID(&message{customer: customer, id: id, number: number})
}
