package status

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

const (
	maxListed = 1000 // statuses in one answer
	chunk     = 100  // contacts that are looked up at once
)

// told is one status as the list has it.
type told struct {
	author, name    string
	posted, expires int64
}

// list tells an account what its contacts, and it itself, have told that it may see (docs/protocol/status.md): ids and times, with which an app fetches what it does not have.
func (f *Feature) list(ctx context.Context, r *core.Request) (*xmpp.Element, error) {
	switch {
	case !r.Own():
		return nil, xmpp.Forbidden
	case r.Set:
		return nil, xmpp.BadRequest
	}
	contacts, err := f.contacts.Subscriptions(ctx, r.Account)
	if err != nil {
		return nil, err
	}
	authors := append([]xmpp.JID{r.Account.JID}, contacts...)
	list := xmpp.NewElement(NS, "statuses")
	for n := 0; len(authors) > 0; {
		some := authors[:min(chunk, len(authors))]
		authors = authors[len(some):]
		found, err := f.living(ctx, r.Account.JID, some)
		if err != nil {
			return nil, err
		}
		for _, one := range found {
			if n++; n > maxListed {
				return list, nil
			}
			list.Add(xmpp.NewElement(NS, "status").Set("jid", one.author).Set("id", one.name).
				Set("posted", xmpp.FormatTime(time.UnixMicro(one.posted))).Set("expires", xmpp.FormatTime(time.UnixMicro(one.expires))))
		}
	}
	return list.Set("complete", "true"), nil
}

// living are the statuses of some authors that a reader may see, those of one author together, oldest first.
func (f *Feature) living(ctx context.Context, reader xmpp.JID, authors []xmpp.JID) (found []told, err error) {
	sql, args := "select author, name, posted, expires, audience from status_item where expires > $1 and gone = 0 and author in (", []any{f.now().UnixMicro()}
	for i, author := range authors {
		sql += strings.Repeat(", ", min(i, 1)) + "$" + strconv.Itoa(i+2)
		args = append(args, author.String())
	}
	rows, err := f.db.Query(ctx, sql+") order by author, posted", args...)
	if err != nil {
		return nil, fmt.Errorf("list statuses: %w", err)
	}
	may := map[string]bool{}
	for rows.Next() {
		var one told
		var audience string
		if err := rows.Scan(&one.author, &one.name, &one.posted, &one.expires, &audience); err != nil {
			return nil, fmt.Errorf("list statuses: %w", err)
		}
		if one.author != reader.String() && !isFor(audience, reader) {
			continue
		}
		reads, known := may[one.author]
		if !known {
			if reads, err = f.mayRead(ctx, one.author, reader); err != nil {
				return nil, err
			}
			may[one.author] = reads
		}
		if reads {
			found = append(found, one)
		}
	}
	return found, nil
}

// mayRead reports whether somebody may read the node of an author.
func (f *Feature) mayRead(ctx context.Context, author string, reader xmpp.JID) (bool, error) {
	jid, err := xmpp.ParseJID(author)
	if err != nil {
		return false, fmt.Errorf("stored status: %w", err)
	}
	account, err := f.server.Account(ctx, jid)
	if errors.Is(err, core.ErrNoAccount) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return f.nodes.MayRead(ctx, account, Node, reader)
}
