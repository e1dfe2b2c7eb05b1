package pix

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"palabre.dev/palabre/payments/rail"
	"palabre.dev/palabre/payments/rail/remote"
)

const (
	page     = 100
	maxPages = 5000
	// returning is for how long a Pix can be given back.
	returning = 90 * 24 * time.Hour
)

// Statement reads what was received, what of that went back, and, where the provider has it, what was paid out.
func (c *Client) Statement(ctx context.Context, since, until time.Time, each func(rail.Line) error) error {
	received := func(all bool) func(remote.Answer) (int, error) {
		return func(answer remote.Answer) (int, error) {
			var list struct {
				Pix []pix `json:"pix"`
			}
			if err := answer.Into(&list); err != nil {
				return 0, fmt.Errorf("pix: %w", err)
			}
			for _, p := range list.Pix {
				if err := lines(p, all, each); err != nil {
					return 0, err
				}
			}
			return len(list.Pix), nil
		}
	}
	if err := c.pages(ctx, c.api, "/pix", url.Values{}, since, until, received(true)); err != nil {
		return err
	}
	// The list is by the time of the payment: what went back now may be of one that came long ago.
	if err := c.pages(ctx, c.api, "/pix", url.Values{"devolucaoPresente": {"true"}}, since.Add(-returning), since.Add(-time.Second), received(false)); err != nil || c.send == nil {
		return err
	}
	return c.pages(ctx, c.send, "/v2/gn/pix/enviados", url.Values{}, since, until, func(answer remote.Answer) (int, error) {
		var list struct {
			Pix []envio `json:"pix"`
		}
		if err := answer.Into(&list); err != nil {
			return 0, fmt.Errorf("pix: %w", err)
		}
		for _, e := range list.Pix {
			if e.Status != "REALIZADO" {
				continue
			}
			if err := each(rail.Line{Reference: e.reference(), Decimal: e.Value, Unit: unit, At: e.at()}); err != nil {
				return 0, err
			}
		}
		return len(list.Pix), nil
	})
}

// lines are those of one that was received (all), or of what of it went back. What went back by us is a transfer of its own; what the network took is a return.
func lines(p pix, all bool, each func(rail.Line) error) error {
	if all {
		if err := each(rail.Line{Reference: p.EndToEnd, Decimal: p.Value, Unit: unit, At: p.At}); err != nil {
			return err
		}
	}
	for _, d := range p.Returns {
		if d.Status != "DEVOLVIDO" {
			continue
		}
		line := rail.Line{Reference: d.Return, Decimal: d.Value, Unit: unit, At: d.Times.Settled}
		if d.Nature != "" && d.Nature != "ORIGINAL" && d.Nature != "RETIRADA" { // MED_…: the network's own
			line.Return, line.Reference = true, p.EndToEnd
		}
		if err := each(line); err != nil {
			return err
		}
	}
	return nil
}

// pages reads a list page by page.
func (c *Client) pages(ctx context.Context, from *remote.Remote, path string, query url.Values, since, until time.Time, read func(remote.Answer) (int, error)) error {
	for number := range maxPages {
		for name, value := range map[string]string{"inicio": since.UTC().Format(time.RFC3339), "fim": until.UTC().Format(time.RFC3339), "paginacao.paginaAtual": strconv.Itoa(number),
			"paginacao.itensPorPagina": strconv.Itoa(page)} {
			query.Set(name, value)
		}
		answer, err := from.Do(ctx, http.MethodGet, path+"?"+query.Encode(), nil, nil)
		if err != nil {
			return fmt.Errorf("pix: %w", err)
		}
		if answer.Code != http.StatusOK {
			return answer.Unclear()
		}
		n, err := read(answer)
		if err != nil || n < page {
			return err
		}
	}
	return fmt.Errorf("pix: the list has more than %d pages", maxPages)
}
