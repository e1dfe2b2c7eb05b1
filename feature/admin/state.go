package admin

import (
	"context"
	"strconv"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// reports are those of abuse: the open ones, or those that somebody has dealt with.
func (d *Desk) reports(ctx context.Context, r *core.Request) (*xmpp.Element, error) {
	max, err := number(r.Payload, "max", defaultPage, 1, maxPage)
	if err != nil {
		return nil, err
	}
	before, err := number(r.Payload, "before", 1<<62, 1, 1<<62)
	if err != nil {
		return nil, err
	}
	page, open, err := d.Reports.Page(ctx, r.Payload.Attr("handled") == "true", before, int(max)+1)
	if err != nil {
		return nil, err
	}
	list := xmpp.NewElement(NSDesk, "reports").Set("open", strconv.Itoa(open))
	if len(page) > int(max) {
		page = page[:max]
		list.Set("more", "true")
	}
	for _, one := range page {
		e := xmpp.NewElement(NSDesk, "report").Set("id", strconv.FormatInt(one.ID, 10)).Set("at", stamp(one.At)).Set("jid", one.JID).
			Set("by", one.By).Set("kind", one.Kind).Set("messages", strconv.Itoa(one.Messages))
		flag(e, "handled", one.Handled)
		if one.Words != "" {
			e.AddText(one.Words)
		}
		list.Add(e)
	}
	return list, nil
}

// handled notes that somebody has dealt with a report; undo says that nobody has after all.
func (d *Desk) handled(ctx context.Context, r *core.Request) (*xmpp.Element, error) {
	id, err := number(r.Payload, "id", 0, 1, 1<<62)
	if err != nil || id == 0 {
		return nil, xmpp.BadRequest.Because("which report?")
	}
	return nil, d.Reports.Handle(ctx, id, r.Payload.Attr("undo") != "true")
}

func (d *Desk) limits(context.Context, *core.Request) (*xmpp.Element, error) {
	return facts("limits", d.Machine.Limits()), nil
}

func (d *Desk) storage(ctx context.Context, _ *core.Request) (*xmpp.Element, error) {
	found, err := d.Machine.Storage(ctx)
	if err != nil {
		return nil, err
	}
	return facts("storage", found), nil
}

// facts are figures with their names.
func facts(name string, all []Fact) *xmpp.Element {
	e := xmpp.NewElement(NSDesk, name)
	for _, one := range all {
		e.Add(xmpp.NewElement(NSDesk, "fact").Set("name", one.Name).Set("value", one.Value))
	}
	return e
}
