package group

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"

	"palabre.dev/palabre/xmpp"
)

// occupantID is the same for all that somebody says and does in one group, and tells nothing about who they are elsewhere (XEP-0421).
func (r *room) occupantID(user xmpp.JID) *xmpp.Element {
	return xmpp.NewElement(nsWho, "occupant-id").Set("id", r.idOf(user))
}

func (r *room) idOf(user xmpp.JID) string {
	mac := hmac.New(sha256.New, r.secret)
	mac.Write([]byte(user.String()))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:18])
}
