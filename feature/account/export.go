package account

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strconv"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
	"palabre.dev/palabre/xmpp/sasl"
)

// Namespaces of XEP-0227 §4.
const (
	nsPortable = "urn:xmpp:pie:0"
	nsScram    = "urn:xmpp:pie:0#scram"
)

// nsAccount is the namespace of <disabled/>, our own beside XEP-0227: the account is closed for login. That an account may administer the
// service is not in an export: whoever brings a file does not say so of themselves.
const nsAccount = "urn:palabre:account:0"

// exportPage is how many accounts are looked up at once.
const exportPage = 200

// Export writes accounts with all that the features hold of them as a file of XEP-0227: one account, or all if only is nil. Each account is
// in memory as a whole for a moment. What changes meanwhile is in the file or not.
func (a *Accounts) Export(ctx context.Context, w io.Writer, only *core.Account) error {
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "<?xml version='1.0' encoding='UTF-8'?>\n<server-data xmlns='%s'>\n<host jid='%s'>\n", nsPortable, a.domain)
	if err := a.exportEach(ctx, out, only); err != nil {
		return err
	}
	fmt.Fprint(out, "</host>\n</server-data>\n")
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write export: %w", err)
	}
	return nil
}

func (a *Accounts) exportEach(ctx context.Context, out *bufio.Writer, only *core.Account) error {
	if only != nil {
		return a.exportOne(ctx, out, only)
	}
	for after := ""; ; {
		page, err := a.List(ctx, after, exportPage)
		if err != nil {
			return err
		}
		for _, e := range page {
			after = e.Name
			account, err := a.Lookup(ctx, e.Name)
			if err != nil {
				return fmt.Errorf("export %s: %w", e.Name, err)
			}
			if err := a.exportOne(ctx, out, account); err != nil {
				return err
			}
		}
		if len(page) < exportPage {
			return nil
		}
	}
}

func (a *Accounts) exportOne(ctx context.Context, out *bufio.Writer, account *core.Account) error {
	parts, err := a.server.Export(ctx, account)
	if err != nil {
		return fmt.Errorf("export %s: %w", account.JID, err)
	}
	user := xmpp.NewElement(nsPortable, "user", parts...).Set("name", account.JID.Local())
	if _, err := out.Write(append(user.Append(nil, nsPortable), '\n')); err != nil {
		return fmt.Errorf("write export: %w", err)
	}
	return nil
}

// exportCredentials gives the salted keys (XEP-0227 §4.3), and whether they are of use.
func (a *Accounts) exportCredentials(ctx context.Context, account *core.Account) ([]*xmpp.Element, error) {
	credentials, disabled, err := a.Credentials(ctx, account.JID.Local())
	if err != nil && !errors.Is(err, sasl.ErrUnknownUser) {
		return nil, err
	}
	var parts []*xmpp.Element
	if disabled {
		parts = append(parts, xmpp.NewElement(nsAccount, "disabled"))
	}
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
