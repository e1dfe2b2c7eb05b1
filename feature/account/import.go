package account

import (
	"context"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
	"palabre.dev/palabre/xmpp/sasl"
)

// maxDepth is how deep the elements of an imported file may be nested.
const maxDepth = 128

// Imported is what became of a file.
type Imported struct {
	// Names are the accounts that were made.
	Names []string `json:"names"`
	// Skipped are those that exist already, or cannot be made, each with the reason.
	Skipped []string `json:"skipped"`
}

// Import makes the accounts of a file of XEP-0227 that are not there yet, with all that the features take of them. An account appears
// when all of it is there; should the process end before, Run removes the half of it. An account without credentials can log in after
// SetPassword alone. Errors are those of reading and of the database.
func (a *Accounts) Import(ctx context.Context, r io.Reader) (Imported, error) {
	var done Imported
	if a.server == nil {
		return done, errors.New("import: the features are not there")
	}
	d := xml.NewDecoder(r)
	inHost := false
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return done, nil
		}
		if err != nil {
			return done, fmt.Errorf("read import: %w", err)
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		switch {
		case start.Name.Local == "host":
			inHost = strings.EqualFold(attr(start, "jid"), a.domain.String())
		case start.Name.Local == "user" && inHost:
			if err := a.importUser(ctx, d, start, &done); err != nil {
				return done, err
			}
		case start.Name.Local != "server-data":
			if err := d.Skip(); err != nil {
				return done, fmt.Errorf("read import: %w", err)
			}
		}
	}
}

func attr(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name && a.Name.Space == "" {
			return a.Value
		}
	}
	return ""
}

// importUser takes one <user/>.
func (a *Accounts) importUser(ctx context.Context, d *xml.Decoder, start xml.StartElement, done *Imported) error {
	user, err := readElement(d, start, 0)
	if err != nil {
		return fmt.Errorf("read import: %w", err)
	}
	err = a.adopt(ctx, user)
	var told *refusal
	if errors.As(err, &told) {
		done.Skipped = append(done.Skipped, user.Attr("name")+": "+told.Error())
		return nil
	}
	if err != nil {
		return fmt.Errorf("import %s: %w", user.Attr("name"), err)
	}
	done.Names = append(done.Names, user.Attr("name"))
	return nil
}

// adopt makes an account that nobody finds until all of it is there.
func (a *Accounts) adopt(ctx context.Context, user *xmpp.Element) error {
	name, err := a.Name(user.Attr("name"))
	if err != nil {
		return err
	}
	credentials, err := a.importCredentials(user)
	if err != nil {
		return err
	}
	account, err := a.insert(ctx, name, Member, credentials, a.hide)
	if err != nil {
		return err
	}
	for part := range user.Children() {
		if part.Space == nsScram || part.Space == nsAccount {
			continue
		}
		if err := a.server.Import(ctx, account, part); err != nil {
			return errors.Join(fmt.Errorf("%s: %w", part.Local, err), a.finishRemoval(ctx, account))
		}
	}
	disabled := user.Child(nsAccount, "disabled") != nil
	_, err = a.db.Exec(ctx, `update account set removing = false, disabled = $2 where id = $1`, account.ID, disabled)
	a.cache.drop(name)
	return err
}

// hide makes a new account invisible, in the transaction that makes it.
func (a *Accounts) hide(ctx context.Context, account *core.Account) error {
	_, err := a.db.Exec(ctx, `update account set removing = true where id = $1`, account.ID)
	return err
}

// importCredentials reads the salted keys of a user, or makes them of a password in the clear; none if there is neither.
func (a *Accounts) importCredentials(user *xmpp.Element) ([]sasl.Credential, error) {
	if password := user.Attr("password"); password != "" {
		return a.hash(password)
	}
	var found []sasl.Credential
	for e := range user.Children() {
		if !e.Is(nsScram, "scram-credentials") {
			continue
		}
		c, err := readCredential(e)
		if err != nil {
			return nil, err
		}
		if slices.Contains(hashes, c.Hash) {
			found = append(found, c)
		}
	}
	return found, nil
}

func readCredential(e *xmpp.Element) (c sasl.Credential, err error) {
	c.Hash = sasl.Hash(strings.TrimPrefix(e.Attr("mechanism"), "SCRAM-"))
	c.Iterations, err = strconv.Atoi(e.ChildText(nsScram, "iter-count"))
	if err != nil || c.Iterations < 1 || c.Iterations > sasl.MaxIterations {
		return c, unusable("the iteration count of its credentials is out of range")
	}
	for name, to := range map[string]*[]byte{"salt": &c.Salt, "server-key": &c.ServerKey, "stored-key": &c.StoredKey} {
		if *to, err = base64.StdEncoding.DecodeString(strings.TrimSpace(e.ChildText(nsScram, name))); err != nil || len(*to) == 0 {
			return c, unusable("its credentials have no readable " + name)
		}
	}
	return c, nil
}

// readElement reads the rest of an element that has begun.
func readElement(d *xml.Decoder, start xml.StartElement, depth int) (*xmpp.Element, error) {
	if depth > maxDepth {
		return nil, errors.New("elements are nested too deeply")
	}
	e := xmpp.NewElement(start.Name.Space, start.Name.Local)
	for _, a := range start.Attr {
		if a.Name.Local == "xmlns" && a.Name.Space == "" || a.Name.Space == "xmlns" {
			continue
		}
		space := a.Name.Space
		if space == "xml" {
			space = xmpp.NSXML
		}
		e.SetAttr(space, a.Name.Local, a.Value)
	}
	for {
		token, err := d.Token()
		if err != nil {
			return nil, err
		}
		switch token := token.(type) {
		case xml.StartElement:
			child, err := readElement(d, token, depth+1)
			if err != nil {
				return nil, err
			}
			e.Add(child)
		case xml.CharData:
			e.AddText(string(token))
		case xml.EndElement:
			return e, nil
		}
	}
}
