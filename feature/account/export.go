package account

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

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

// longPart is a part of an account's data that has no bound: it is written and read piece by piece.
type longPart struct {
	around *xmpp.Element // without children
	each   func(ctx context.Context, account *core.Account, write func(*xmpp.Element) error) error
}

// OnExportLong adds a part of an account's data that may be too long for the memory. around is the element that holds it (XEP-0227), without
// children; each hands its children to write, one after another, and stops with the error of write. core.Server.OnImport is given the part
// in several elements of that name, with some of the children in each.
func (a *Accounts) OnExportLong(around *xmpp.Element, each func(ctx context.Context, account *core.Account, write func(*xmpp.Element) error) error) {
	a.long = append(a.long, longPart{around, each})
}

// Export writes accounts with all that the features hold of them as a file of XEP-0227: one account, or all if only is nil. Of an account, what
// has a limit is in memory as a whole for a moment; long parts are not. What changes meanwhile is in the file or not. It returns an error
// of w, or of the database: the file is broken off then.
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
			if errors.Is(err, core.ErrNoAccount) {
				continue // removed meanwhile
			}
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
	begin, end := tags(xmpp.NewElement(nsPortable, "user").Set("name", account.JID.Local()), nsPortable)
	parts, err := a.server.Export(ctx, account)
	if err != nil {
		return fmt.Errorf("export %s: %w", account.JID, err)
	}
	out.WriteString(begin) // a writer that fails says so at its next write, and at the end
	for i, part := range parts {
		if err := write(out, part, nsPortable); err != nil {
			return err
		}
		parts[i] = nil
	}
	for _, long := range a.long {
		if err := long.export(ctx, out, account); err != nil {
			return fmt.Errorf("export %s: %w", account.JID, err)
		}
	}
	out.WriteString(end)
	return out.WriteByte('\n')
}

// export writes the part, or nothing if it has no children.
func (p *longPart) export(ctx context.Context, out *bufio.Writer, account *core.Account) error {
	begin, end := tags(p.around, nsPortable)
	begun := false
	err := p.each(ctx, account, func(child *xmpp.Element) error {
		if !begun {
			begun = true
			out.WriteString(begin)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		return write(out, child, p.around.Space)
	})
	if begun && err == nil {
		out.WriteString(end)
	}
	return err
}

func write(out *bufio.Writer, e *xmpp.Element, context string) error {
	if _, err := out.Write(e.Append(nil, context)); err != nil {
		return fmt.Errorf("write export: %w", err)
	}
	return nil
}

// tags are the start tag and the end tag of an element without children, within a parent whose default namespace is context.
func tags(e *xmpp.Element, context string) (begin, end string) {
	return strings.TrimSuffix(string(e.Append(nil, context)), "/>") + ">", "</" + e.Local + ">"
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
