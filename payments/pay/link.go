package pay

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"time"

	"palabre.dev/palabre/xmpp"
)

const (
	linkLife       = 24 * time.Hour // that the link in a notice opens its page
	linkCodeLength = 32             // characters at the end of its token
)

// ErrLink means that a link is not of this service, or that its time is over.
var ErrLink = errors.New("this link is not good any more")

// thing is what a link is about: payments, requests and splits have ids of their own each, so that an id alone does not say which.
type thing struct{ kind, id string }

// The kinds of what links are about. A mandate and a dispute are shown as their payment.
const (
	linkPayment = "payment"
	linkRequest = "request"
	linkSplit   = "split"
	linkWallet  = "wallet" // no single thing; its id is walletLink
)

// link is the address of the page about something, after a blank; empty where there are no pages, or there is nothing. It is that of one account: whoever has it may see what it is about
// and, with a payment key, pay that. That is in the fragment, which no server on the way sees.
func (s *Service) link(about thing, to xmpp.JID) string {
	if s.cfg.Link == "" || about.id == "" {
		return ""
	}
	return " " + s.cfg.Link + "#" + s.token(to, about, s.now().Add(linkLife))
}

// SendLink sends an account a notice of its wallet, with a link to it. It returns xmpp.Forbidden for an address without a wallet.
func (s *Service) SendLink(ctx context.Context, account xmpp.JID) error {
	left, err := s.gone(ctx, account)
	if err != nil {
		return err
	}
	if !s.ours(account) || left {
		return xmpp.Forbidden
	}
	err = s.db.Tx(ctx, func(ctx context.Context) error { return s.tellWallet(ctx, account, say("wallet")) })
	s.wake()
	return err
}

// token is what a link has to show: account, what it is about and end of its time, with an authentication code of all that.
func (s *Service) token(account xmpp.JID, about thing, until time.Time) string {
	text := base64.RawURLEncoding.EncodeToString([]byte(account.String())) + "." + about.kind + "." + about.id + "." + strconv.FormatInt(until.Unix(), 36)
	return text + "." + base64.RawURLEncoding.EncodeToString(s.linkCode(text))
}

func (s *Service) linkCode(text string) []byte {
	key := hmac.New(sha256.New, s.secret.Seed())
	key.Write([]byte("palabre pay links"))
	code := hmac.New(sha256.New, key.Sum(nil))
	code.Write([]byte(text))
	return code.Sum(nil)[:24]
}

// Opens says whose a link's token is and what it is about: the id of a payment, a request or something else, or "wallet". It returns ErrLink for what is not a token or is one no more.
func (s *Service) Opens(token string) (account xmpp.JID, about string, err error) {
	account, what, err := s.opens(token)
	return account, what.id, err
}

// opens is Opens, with the kind of what it is about.
func (s *Service) opens(token string) (account xmpp.JID, about thing, err error) {
	end := strings.LastIndexByte(token, '.')
	if end < 0 || len(token) > 8<<10 {
		return account, thing{}, ErrLink
	}
	code, err := base64.RawURLEncoding.DecodeString(token[end+1:])
	parts := strings.Split(token[:end], ".")
	if err != nil || len(parts) != 4 || len(token)-end-1 != linkCodeLength || !hmac.Equal(code, s.linkCode(token[:end])) {
		return account, thing{}, ErrLink
	}
	until, err := strconv.ParseInt(parts[3], 36, 64)
	if err != nil || s.now().Unix() > until {
		return account, thing{}, ErrLink
	}
	who, err := base64.RawURLEncoding.DecodeString(parts[0])
	if err != nil {
		return account, thing{}, ErrLink
	}
	if account, err = xmpp.ParseJID(string(who)); err != nil {
		return account, thing{}, ErrLink
	}
	return account, thing{parts[1], parts[2]}, nil
}
