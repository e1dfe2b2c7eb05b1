package pay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

var (
	insertSplit = store.NewInsert("pay_split", "id", "made", "content", "maker", "payee", "within", "total", "unit", "about", "way")
	insertShare = store.NewInsert("pay_share", "split", "place", "account", "amount", "parts", "items", "request")
)

// addSplit writes a new split with its shares, and a request for each of them but the payee's own.
func (s *Service) addSplit(ctx context.Context, p *split, content []byte) error {
	p.made = s.db.Next()
	if err := s.db.Append(ctx, insertSplit, p.id, p.made, content, p.maker, p.payee, p.within, p.total, p.unit, p.about, p.way); err != nil {
		return err
	}
	for i := range p.shares {
		one := &p.shares[i]
		text, err := itemsText(one.items)
		if err != nil {
			return fmt.Errorf("keep items: %w", err)
		}
		if err := s.db.Append(ctx, insertShare, p.id, int64(i), one.account, one.amount, one.parts, text, one.request); err != nil {
			return err
		}
		if one.request == "" {
			continue
		}
		one.state = p.requestOf(*one)
		if err := s.addRequest(ctx, one.state, []byte{}); err != nil {
			return err
		}
	}
	return nil
}

// splits reads splits that a condition picks, with their shares and what has become of those.
func (s *Service) splits(ctx context.Context, where string, args ...any) (found []*split, err error) {
	found, err = read(ctx, s.db, "splits", func(row *store.Rows) (*split, error) {
		p := &split{}
		return p, row.Scan(&p.id, &p.made, &p.maker, &p.payee, &p.within, &p.total, &p.unit, &p.about, &p.way)
	}, "select id, made, maker, payee, within, total, unit, about, way from pay_split where "+where, args...)
	for _, p := range found {
		if err = s.readShares(ctx, p); err != nil {
			return nil, err
		}
	}
	return found, err
}

func (s *Service) readShares(ctx context.Context, p *split) error {
	requests, err := s.requests(ctx, "split = $1 and split <> ''", p.id)
	if err != nil {
		return err
	}
	states := map[string]*request{}
	for _, r := range requests {
		states[r.id] = r
	}
	p.shares, err = read(ctx, s.db, "shares", func(row *store.Rows) (one share, err error) {
		var items string
		err = row.Scan(&one.account, &one.amount, &one.parts, &items, &one.request)
		if err == nil && items != "" {
			err = json.Unmarshal([]byte(items), &one.items)
		}
		one.state = states[one.request]
		return one, err
	}, "select account, amount, parts, items, request from pay_share where split = $1 order by place", p.id)
	return err
}

// split reads a split; item-not-found if there is none.
func (s *Service) split(ctx context.Context, id string) (*split, error) {
	found, err := s.splits(ctx, "id = $1", id)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, xmpp.ItemNotFound
	}
	return found[0], nil
}

// splitIf reads the split of an id, nil if there is none.
func (s *Service) splitIf(ctx context.Context, id string) (*split, error) {
	p, err := s.split(ctx, id)
	if errors.Is(err, xmpp.ItemNotFound) {
		return nil, nil
	}
	return p, err
}
