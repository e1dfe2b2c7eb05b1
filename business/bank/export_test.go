package bank

import "time"

// Code is the code of an authenticator at a time.
func Code(secret []byte, at time.Time) string { return totp(secret, at.Unix()/30) }

// AtStep has fn told where the bot is.
func (b *Bot) AtStep(fn func(string)) { b.step = fn }
