package account

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
	"palabre.dev/palabre/xmpp/sasl"
)

// Limits of an imported file.
const (
	maxDepth     = 128       // how deep elements may be nested
	maxPartBytes = 256 << 20 // of one part of an account's data
	maxLongBytes = 16 << 20  // of one child of a long part
	pieceBytes   = 1 << 20   // of a long part, or somewhat more, are taken at once
	pieceCount   = 200       // and at most so many children
)

// Imported is what became of a file.
type Imported struct {
	// Names are the accounts that were made.
	Names []string `json:"names"`
	// Skipped are those that exist already, or cannot be made, each with the reason.
	Skipped []string `json:"skipped"`
}

// Import makes the accounts of a file of XEP-0227 that are not there yet, with all that the features take of them. An account appears
// when all of it is there; should the process end before, Run removes the half of it. An account without credentials can log in after
// SetPassword alone. Long parts are read piece by piece, others have to be smaller than 256 MiB. Errors are those of reading and of the
// database.
func (a *Accounts) Import(ctx context.Context, r io.Reader) (Imported, error) {
	if a.server == nil {
		return Imported{}, errors.New("import: the features are not there")
	}
	in := &bounded{r: r}
	im := &importer{accounts: a, in: in, d: xml.NewDecoder(in)}
	err := im.file(ctx)
	return im.done, err
}

// importer reads one file.
type importer struct {
	accounts *Accounts
	in       *bounded
	d        *xml.Decoder
	done     Imported
}

// file takes the users of our own host.
func (im *importer) file(ctx context.Context) error {
	inHost := false
	for {
		im.in.allow(maxLongBytes)
		token, err := im.d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read import: %w", err)
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		switch {
		case start.Name.Local == "host":
			inHost = strings.EqualFold(attr(start, "jid"), im.accounts.domain.String())
		case start.Name.Local == "user" && inHost:
			if err := im.user(ctx, start); err != nil {
				return err
			}
		case start.Name.Local != "server-data":
			if err := im.skip(); err != nil {
				return err
			}
		}
	}
}

// skip reads to the end of the element that has begun.
func (im *importer) skip() error {
	for depth := 1; depth > 0; {
		im.in.allow(maxPartBytes)
		token, err := im.d.Token()
		if err != nil {
			return fmt.Errorf("read import: %w", err)
		}
		switch token.(type) {
		case xml.StartElement:
			depth++
		case xml.EndElement:
			depth--
		}
		if depth > maxDepth {
			return fmt.Errorf("read import: %w", errDepth)
		}
	}
	return nil
}

// user takes one <user/>, or notes why not.
func (im *importer) user(ctx context.Context, start xml.StartElement) error {
	typed := attr(start, "name")
	account, credentials, err := im.accounts.begin(ctx, typed, attr(start, "password"))
	if err == nil {
		err = im.adopt(ctx, account, credentials)
	}
	var told *refusal
	switch {
	case errors.As(err, &told):
		im.done.Skipped = append(im.done.Skipped, typed+": "+told.Error())
		return im.skip()
	case err != nil:
		return fmt.Errorf("import %s: %w", typed, err)
	}
	im.done.Names = append(im.done.Names, typed)
	return nil
}

// begin makes an account that nobody finds until all of it is there. The credentials are those of a password in the clear, none if there is
// no password.
func (a *Accounts) begin(ctx context.Context, typed, password string) (account *core.Account, credentials []sasl.Credential, err error) {
	name, err := a.Name(typed)
	if err != nil {
		return nil, nil, err
	}
	if password != "" {
		if credentials, err = a.hash(password); err != nil {
			return nil, nil, err
		}
	}
	account, err = a.insert(ctx, name, Member, nil, a.hide)
	return account, credentials, err
}

// hide makes a new account invisible, in the transaction that makes it.
func (a *Accounts) hide(ctx context.Context, account *core.Account) error {
	_, err := a.db.Exec(ctx, `update account set removing = true, importing = true where id = $1`, account.ID)
	return err
}

// adopt fills an account and lets it be found, or takes it back.
func (im *importer) adopt(ctx context.Context, account *core.Account, credentials []sasl.Credential) error {
	a := im.accounts
	found, disabled, err := im.parts(ctx, account)
	if len(credentials) == 0 {
		credentials = found
	}
	if err == nil {
		err = a.db.Tx(ctx, func(ctx context.Context) error {
			if err := a.putCredentials(ctx, account.ID, credentials); err != nil {
				return err
			}
			return a.touch(ctx, `update account set removing = false, importing = false, disabled = $2 where id = $1`, account, disabled)
		})
	}
	if err != nil {
		return errors.Join(err, a.takeBack(ctx, account))
	}
	a.cache.drop(account.JID.Local())
	return nil
}

// takeBack deletes an account that was half made. Nobody has found it, so nobody writes to it any more.
func (a *Accounts) takeBack(ctx context.Context, account *core.Account) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removalTime)
	defer cancel()
	return a.removeAll(ctx, account, true)
}

// parts hands the children of a user to the features, and keeps those that are ours. It reads to the end of the user, unless it returns an
// error.
func (im *importer) parts(ctx context.Context, account *core.Account) (credentials []sasl.Credential, disabled bool, err error) {
	a := im.accounts
	for {
		im.in.allow(maxPartBytes)
		token, err := im.d.Token()
		if err != nil {
			return nil, false, fmt.Errorf("read import: %w", err)
		}
		if _, end := token.(xml.EndElement); end {
			return credentials, disabled, nil
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		if around := a.longPartOf(start); around != nil {
			err = im.longPart(ctx, account, around)
		} else {
			var part *xmpp.Element
			if part, err = readElement(im.d, start, 0); err != nil {
				return nil, false, fmt.Errorf("read import: %w", err)
			}
			switch {
			case part.Is(nsScram, "scram-credentials"):
				credentials, err = addCredential(credentials, part)
			case part.Is(nsAccount, "disabled"):
				disabled = true
			default:
				err = a.importPart(ctx, account, part)
			}
		}
		if err != nil {
			return nil, false, err
		}
	}
}

func (a *Accounts) longPartOf(start xml.StartElement) *xmpp.Element {
	for _, long := range a.long {
		if long.around.Is(start.Name.Space, start.Name.Local) {
			return long.around
		}
	}
	return nil
}

func (a *Accounts) importPart(ctx context.Context, account *core.Account, part *xmpp.Element) error {
	if err := a.server.Import(ctx, account, part); err != nil {
		return fmt.Errorf("%s: %w", part.Local, err)
	}
	return nil
}

// longPart hands the children of a part that has begun to the features, some at a time.
func (im *importer) longPart(ctx context.Context, account *core.Account, around *xmpp.Element) error {
	piece, count, began := around.Clone(), 0, im.d.InputOffset()
	for {
		im.in.allow(maxLongBytes)
		token, err := im.d.Token()
		if err != nil {
			return fmt.Errorf("read import: %w", err)
		}
		_, end := token.(xml.EndElement)
		if start, ok := token.(xml.StartElement); ok {
			child, err := readElement(im.d, start, 1)
			if err != nil {
				return fmt.Errorf("read import: %w", err)
			}
			piece.Add(child)
			count++
		}
		if full := count == pieceCount || im.d.InputOffset()-began >= pieceBytes; count > 0 && (end || full) {
			if err := im.accounts.importPart(ctx, account, piece); err != nil {
				return err
			}
			piece, count, began = around.Clone(), 0, im.d.InputOffset()
		}
		if end {
			return nil
		}
	}
}

// addCredential reads salted keys; those of a hash that we do not know are left out.
func addCredential(found []sasl.Credential, e *xmpp.Element) ([]sasl.Credential, error) {
	c, err := readCredential(e)
	twice := slices.ContainsFunc(found, func(other sasl.Credential) bool { return other.Hash == c.Hash })
	if err != nil || twice || !slices.Contains(hashes, c.Hash) {
		return found, err
	}
	return append(found, c), nil
}
