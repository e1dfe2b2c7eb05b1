package account

import (
	"context"
	"encoding/base64"
	"strconv"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// Namespaces of XEP-0227 §4.
const (
	nsPortable = "urn:xmpp:pie:0"
	nsScram    = "urn:xmpp:pie:0#scram"
)

// exportCredentials gives the salted keys (XEP-0227 §4.1).
func (a *Accounts) exportCredentials(ctx context.Context, account *core.Account) ([]*xmpp.Element, error) {
	credentials, _, err := a.Credentials(ctx, account.JID.Local())
	if err != nil {
		return nil, err
	}
	var parts []*xmpp.Element
	for _, c := range credentials {
		parts = append(parts, xmpp.NewElement(nsScram, "scram-credentials",
			xmpp.NewText(nsScram, "iter-count", strconv.Itoa(c.Iterations)),
			xmpp.NewText(nsScram, "salt", base64.StdEncoding.EncodeToString(c.Salt)),
			xmpp.NewText(nsScram, "server-key", base64.StdEncoding.EncodeToString(c.ServerKey)),
			xmpp.NewText(nsScram, "stored-key", base64.StdEncoding.EncodeToString(c.StoredKey)),
		).Set("mechanism", "SCRAM-"+string(c.Hash)))
	}
	return parts, nil
}
