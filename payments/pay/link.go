package pay

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"palabre.dev/palabre/payments/intent"
	"palabre.dev/palabre/xmpp"
)

// linkLife is how long the link in a notice opens its page.
const linkLife = 24 * time.Hour

// ErrLink means that a link is not of this service, or that its time is over.
var ErrLink = errors.New("this link is not good any more")

// link is the address of the page about an id, after a blank; empty where there are no pages. It ends what is said in a notice, where it becomes personal.
func (s *Service) link(id string) string {
	if s.cfg.Link == "" {
		return ""
	}
	return " " + s.cfg.Link + "#" + id
}

// personal makes the link at the end of words that of one account: whoever has it may see what it is about and, with a payment key, pay that. It is in the fragment, which no
// server on the way sees.
func (s *Service) personal(words string, to xmpp.JID) string {
	begin := strings.LastIndex(words, " "+s.cfg.Link+"#")
	if s.cfg.Link == "" || begin < 0 {
		return words
	}
	end := begin + len(" "+s.cfg.Link+"#")
	return words[:end] + s.token(to, words[end:], s.now().Add(linkLife))
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
	err = s.db.Tx(ctx, func(ctx context.Context) error { return s.tellWallet(ctx, account, "Your wallet.") })
	s.wake()
	return err
}

// token is what a link has to show: account, id and end of its time, with an authentication code.
func (s *Service) token(account xmpp.JID, about string, until time.Time) string {
	text := base64.RawURLEncoding.EncodeToString([]byte(account.String())) + "." + about + "." + strconv.FormatInt(until.Unix(), 36)
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
	end := strings.LastIndexByte(token, '.')
	if end < 0 || len(token) > 8<<10 {
		return account, "", ErrLink
	}
	code, err := base64.RawURLEncoding.DecodeString(token[end+1:])
	parts := strings.Split(token[:end], ".")
	if err != nil || len(parts) != 3 || !hmac.Equal(code, s.linkCode(token[:end])) {
		return account, "", ErrLink
	}
	until, err := strconv.ParseInt(parts[2], 36, 64)
	if err != nil || s.now().Unix() > until {
		return account, "", ErrLink
	}
	who, err := base64.RawURLEncoding.DecodeString(parts[0])
	if err != nil {
		return account, "", ErrLink
	}
	if account, err = xmpp.ParseJID(string(who)); err != nil {
		return account, "", ErrLink
	}
	return account, parts[1], nil
}

// ByLink says whether whoever has a link about something may ask for this: to see it, to pay it, to make a key and to use it; with that of the wallet also to freeze it.
func ByLink(about string, set bool, payload *xmpp.Element) bool {
	if payload == nil || payload.Space != NS {
		return false
	}
	if !set {
		return slices.Contains([]string{"about", "wallet", "quote"}, payload.Local) || slices.Contains([]string{"lookup", "request", "split"}, payload.Local) && payload.Attr("id") == about
	}
	switch payload.Local {
	case "key":
		return payload.Child(NS, "text") == nil
	case "unlock":
		return true
	case "decline":
		return payload.Attr("id") == about
	case "freeze":
		return about == "wallet"
	case "pay":
		return about != "" && Pays(payload) == about
	}
	return false
}

// Pays is the id of the request that a payment pays, empty for anything else.
func Pays(payload *xmpp.Element) string {
	i, err := intent.Parse(payload.ChildText(NS, "intent"))
	if err != nil || payload.Local != "pay" || i.Kind != intent.Send {
		return ""
	}
	return i.Of
}
