package main

import (
	"context"
	"flag"
	"fmt"
	"time"

	"palabre.dev/palabre/client"
	"palabre.dev/palabre/xmpp"
)

// backlog is the scenario: the device of the account u0 finds a long archive, in chats with c0, c1 and so on (see command seed).
type backlog struct {
	chats, last, pages int
}

type backlogResult struct {
	Chats        int     `json:"chats"`
	ChatSeconds  float64 `json:"chats_seconds"`
	ChatBytes    int64   `json:"chats_bytes"`
	ChatCPU      float64 `json:"chats_server_cpu_ms"`
	Paged        int     `json:"paged"`
	PageRequests int     `json:"page_requests"`
	PageSeconds  float64 `json:"pages_seconds"`
	PageBytes    int64   `json:"pages_bytes"`
	PageCPU      float64 `json:"pages_server_cpu_ms"`
}

func runBacklog(ctx context.Context, t target, args []string) (any, error) {
	b := &backlog{}
	flags := flag.NewFlagSet("backlog", flag.ContinueOnError)
	flags.IntVar(&b.chats, "chats", 200, "chats of which the last messages are read")
	flags.IntVar(&b.last, "last", 50, "messages of each")
	flags.IntVar(&b.pages, "pages", 10_000, "messages that are read in pages after that")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if err := warm(ctx, t, 0); err != nil {
		return nil, err
	}
	line := &meter{}
	device, err := client.New(metered(t, 0, line))
	if err != nil {
		return nil, err
	}
	defer device.Close()
	if err := device.Connect(ctx); err != nil {
		return nil, err
	}
	result := &backlogResult{Chats: b.chats}
	if err := b.readChats(ctx, t, device, line, result); err != nil {
		return nil, err
	}
	return result, b.readPages(ctx, t, device, line, result)
}

// readChats fetches the end of every chat, one after another, as a device does that opens its list.
func (b *backlog) readChats(ctx context.Context, t target, device *client.Client, line *meter, result *backlogResult) error {
	cost, err := startCost(t)
	if err != nil {
		return err
	}
	start, before := time.Now(), line.total()
	for i := range b.chats {
		with := xmpp.MustJID(fmt.Sprintf("c%d@%s", i, t.domain))
		page, err := device.Archive(ctx, client.ArchiveQuery{With: with, Last: true, Max: b.last})
		if err != nil {
			return fmt.Errorf("chat with %s: %w", with, err)
		}
		if len(page.Entries) != b.last {
			return fmt.Errorf("chat with %s: %d messages instead of %d", with, len(page.Entries), b.last)
		}
	}
	server, _, err := cost.since()
	result.ChatSeconds, result.ChatBytes, result.ChatCPU = time.Since(start).Seconds(), line.total()-before, micros(server)/1e3
	return err
}

// readPages fetches from the beginning of the archive, in the largest pages that the server gives.
func (b *backlog) readPages(ctx context.Context, t target, device *client.Client, line *meter, result *backlogResult) error {
	cost, err := startCost(t)
	if err != nil {
		return err
	}
	start, before := time.Now(), line.total()
	q := client.ArchiveQuery{Max: client.MaxPage}
	for result.Paged < b.pages {
		q.Max = min(client.MaxPage, b.pages-result.Paged)
		page, err := device.Archive(ctx, q)
		if err != nil {
			return fmt.Errorf("page after %q: %w", q.After, err)
		}
		if len(page.Entries) == 0 {
			return fmt.Errorf("the archive ends after %d messages", result.Paged)
		}
		result.Paged += len(page.Entries)
		result.PageRequests++
		q.After = page.Last
	}
	server, _, err := cost.since()
	result.PageSeconds, result.PageBytes, result.PageCPU = time.Since(start).Seconds(), line.total()-before, micros(server)/1e3
	return err
}
