package pubsub

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

// maxAnswerBytes is about how many bytes of payload one answer holds at most.
const maxAnswerBytes = 512 << 10

// readChunk is how many items are read from the database at once.
const readChunk = 100

// maxNamed is the most items that one request may name.
const maxNamed = 100

const readItems = "select name, id, publisher, payload from pubsub_item where node = $1 and id > $2 and id < $3 order by id"

// retrieve gives the items of a node, oldest first (XEP-0060 §6.5).
func (f *Feature) retrieve(ctx context.Context, r *core.Request, e *xmpp.Element) (*xmpp.Element, error) {
	n, err := f.need(ctx, r.Account, e.Attr("node"))
	if err != nil {
		return nil, err
	}
	if err := f.mayRead(ctx, r.Account, n, asker(r)); err != nil {
		return nil, err
	}
	see := f.sightOf(r.Account, n, asker(r))
	if named := namesIn(e); len(named) > 0 {
		return f.retrieveNamed(ctx, n, named, see)
	}
	page, err := f.parsePage(r.Payload, e)
	if err != nil {
		return nil, err
	}
	found, complete, err := f.page(ctx, n, page, see)
	if err != nil {
		return nil, err
	}
	answer, err := itemsElement(n, found)
	if err != nil {
		return nil, err
	}
	pubsub := xmpp.NewElement(NS, "pubsub", answer)
	if asked := r.Payload.Child(xmpp.NSRSM, "set") != nil; asked || !complete {
		set, err := f.paged(ctx, n, found, see == nil)
		if err != nil {
			return nil, err
		}
		pubsub.Add(set)
	}
	return pubsub, nil
}

func namesIn(e *xmpp.Element) []string {
	var names []string
	for child := range e.Children() {
		if child.Is(NS, "item") {
			names = append(names, child.Attr("id"))
		}
	}
	return names
}

func itemsElement(n *node, found []item) (*xmpp.Element, error) {
	items := xmpp.NewElement(NS, "items").Set("node", n.name)
	for i := range found {
		e, err := found[i].element(NS, true)
		if err != nil {
			return nil, err
		}
		items.Add(e)
	}
	return items, nil
}

// retrieveNamed gives the items that a request names (XEP-0060 §6.5.8): item-not-found if none of them is there.
func (f *Feature) retrieveNamed(ctx context.Context, n *node, names []string, see sight) (*xmpp.Element, error) {
	if len(names) > maxNamed {
		return nil, xmpp.PolicyViolation.Because("at most %d items at a time", maxNamed)
	}
	var found []item
	for _, name := range names {
		i, err := f.item(ctx, n, name)
		if err != nil {
			return nil, err
		}
		seen := i != nil
		if seen && see != nil {
			if seen, err = see(i); err != nil {
				return nil, err
			}
		}
		if seen {
			found = append(found, *i)
		}
	}
	if len(found) == 0 {
		return nil, xmpp.ItemNotFound
	}
	items, err := itemsElement(n, found)
	if err != nil {
		return nil, err
	}
	return xmpp.NewElement(NS, "pubsub", items), nil
}

// item reads one item, or the last one if name is empty; nil if it is not there.
func (f *Feature) item(ctx context.Context, n *node, name string) (*item, error) {
	i := &item{}
	const columns = "select name, id, publisher, payload from pubsub_item where node = $1 and id > $2 "
	row := f.db.QueryRow(ctx, columns+"order by id desc limit 1", n.id, n.oldest())
	if name != "" {
		row = f.db.QueryRow(ctx, columns+"and name = $3", n.id, n.oldest(), name)
	}
	err := row.Scan(&i.name, &i.id, &i.publisher, &i.payload)
	if errors.Is(err, store.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read item: %w", err)
	}
	return i, nil
}

// parsePage joins the two ways in which a request bounds its answer: max_items (the newest) and a result set (XEP-0060 §6.5.4, §6.5.7).
func (f *Feature) parsePage(pubsub, e *xmpp.Element) (xmpp.Page, error) {
	page, err := xmpp.ParsePage(pubsub)
	if err != nil {
		return page, xmpp.BadRequest.Because("%v", err)
	}
	if page.Index >= 0 {
		return page, xmpp.FeatureNotImplemented.Because("ask with after or before (XEP-0059)")
	}
	bounded := pubsub.Child(xmpp.NSRSM, "set") != nil
	if given := e.Attr("max_items"); given != "" {
		n, err := strconv.ParseUint(given, 10, 31)
		if err != nil || n == 0 {
			return page, xmpp.BadRequest.Because("max_items must be a positive number")
		}
		if page.Max < 0 || int(n) < page.Max {
			page.Max = int(n)
		}
	}
	if !bounded { // an app that cannot page gets the newest
		page.Last = true
	}
	if page.Max < 0 || page.Max > f.cfg.MaxPage {
		page.Max = f.cfg.MaxPage
	}
	return page, nil
}

// page reads the items of a page, oldest first, and whether these are all that there are from where it begins.
func (f *Feature) page(ctx context.Context, n *node, page xmpp.Page, see sight) (found []item, complete bool, err error) {
	after, before := n.oldest(), int64(1<<63-1)
	if page.After != "" {
		if after, err = f.position(ctx, n, page.After); err != nil {
			return nil, false, err
		}
	}
	if page.Before != "" {
		if before, err = f.position(ctx, n, page.Before); err != nil {
			return nil, false, err
		}
	}
	if page.Max == 0 {
		return nil, false, nil
	}
	found, complete, err = f.walk(ctx, n, after, before, page.Max, page.Last, see)
	if page.Last {
		slices.Reverse(found)
	}
	return found, complete, err
}

// walk reads at most limit items between two ids, from either end, as many as an answer holds but at least one. complete means that
// there are no more.
func (f *Feature) walk(ctx context.Context, n *node, after, before int64, limit int, backwards bool, see sight) (found []item, complete bool, err error) {
	sql, bytes := readItems, 0
	if backwards {
		sql += " desc"
	}
	for {
		some, err := f.read(ctx, sql+" limit $4", n.id, after, before, int64(readChunk))
		if err != nil {
			return nil, false, err
		}
		for _, i := range some {
			place := i.id
			if see != nil {
				seen, err := see(&i)
				if err != nil {
					return nil, false, err
				}
				if !seen {
					after, before = beyond(place, after, before, backwards)
					continue
				}
			}
			bytes += len(i.payload)
			if len(found) == limit || len(found) > 0 && bytes > maxAnswerBytes {
				return found, false, nil
			}
			found = append(found, i)
			after, before = beyond(place, after, before, backwards)
		}
		if len(some) < readChunk {
			return found, true, nil
		}
	}
}

// beyond is what is left between two ids when the one at a place was read.
func beyond(place, after, before int64, backwards bool) (int64, int64) {
	if backwards {
		return after, place
	}
	return place, before
}

// position is the place of an item in its node: item-not-found if it is not there (XEP-0059 §2.2).
func (f *Feature) position(ctx context.Context, n *node, name string) (int64, error) {
	i, err := f.item(ctx, n, name)
	if err == nil && i == nil {
		return 0, xmpp.ItemNotFound
	}
	if err != nil {
		return 0, err
	}
	return i.id, nil
}

func (f *Feature) read(ctx context.Context, sql string, args ...any) ([]item, error) {
	rows, err := f.db.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("read items: %w", err)
	}
	var found []item
	for rows.Next() {
		var i item
		if err := rows.Scan(&i.name, &i.id, &i.publisher, &i.payload); err != nil {
			return nil, fmt.Errorf("read items: %w", err)
		}
		found = append(found, i)
	}
	return found, nil
}

// paged says which part of the node an answer holds (XEP-0060 §6.5.4); its place and the number of items only to who sees all of them.
func (f *Feature) paged(ctx context.Context, n *node, found []item, all bool) (*xmpp.Element, error) {
	paged := xmpp.Paged{Index: -1, Count: -1}
	if !all { // how many there are for others is not told
		if len(found) > 0 {
			paged.First, paged.Last = found[0].name, found[len(found)-1].name
		}
		return paged.Element(), nil
	}
	err := f.db.QueryRow(ctx, "select count(*) from pubsub_item where node = $1 and id > $2", n.id, n.oldest()).Scan(&paged.Count)
	if err != nil {
		return nil, fmt.Errorf("count items: %w", err)
	}
	if len(found) > 0 {
		paged.First, paged.Last = found[0].name, found[len(found)-1].name
		err := f.db.QueryRow(ctx, "select count(*) from pubsub_item where node = $1 and id > $2 and id < $3", n.id, n.oldest(), found[0].id).Scan(&paged.Index)
		if err != nil {
			return nil, fmt.Errorf("count items: %w", err)
		}
	}
	return paged.Element(), nil
}
