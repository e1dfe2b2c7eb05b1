package channel

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// maxMark is how many characters the reason for a mark may have.
const maxMark = 200

// NodeMark is that of the command with which administrators mark channels.
const NodeMark = NS + "#mark"

// Commands takes commands (XEP-0050).
type Commands interface {
	AddCommand(node, name string, permit func(ctx context.Context, account *core.Account) (bool, error),
		step func(ctx context.Context, r *core.Request, answers []*xmpp.Form) (form *xmpp.Form, note string, err error))
}

// AddCommands lets administrators mark channels, and take marks back by leaving the reason empty.
func (cs *Channels) AddCommands(commands Commands, isAdmin func(ctx context.Context, account *core.Account) (bool, error)) {
	commands.AddCommand(NodeMark, "Mark a channel as verified", isAdmin, func(ctx context.Context, _ *core.Request, answers []*xmpp.Form) (*xmpp.Form, string, error) {
		if len(answers) == 0 {
			form := xmpp.NewForm("form", NodeMark)
			form.Title = "Mark a channel as verified"
			form.Add("channel", "text-single", "Name of the channel").Add("reason", "text-single", "Why, as everybody sees it; empty takes the mark back")
			form.Fields[1].Required = true
			return form, "", nil
		}
		name, reason := strings.TrimSpace(answers[0].Get("channel")), strings.TrimSpace(answers[0].Get("reason"))
		if err := cs.Mark(ctx, name, reason); err != nil {
			return nil, "", err
		}
		if reason == "" {
			return nil, name + " is not marked", nil
		}
		return nil, name + " is marked", nil
	})
}

// Listed is a channel as operators see it.
type Listed struct {
	Name      string    `json:"name"`
	Title     string    `json:"title"`
	Private   bool      `json:"private"`
	Followers int       `json:"followers"`
	Owners    []string  `json:"owners"`
	Mark      string    `json:"mark,omitempty"` // why the operator vouches for it
	Made      time.Time `json:"made"`
}

// List gives at most limit (1–1000) channels whose names come after one, by name.
func (cs *Channels) List(ctx context.Context, after string, limit int) ([]Listed, error) {
	rows, err := cs.db.Query(ctx, `select id, name, settings, mark, (select count(*) from channel_follower where channel = n.id) from channel_node n
		where deleted = 0 and name > $1 order by name limit $2`, after, int64(min(max(limit, 1), 1000)))
	if err != nil {
		return nil, fmt.Errorf("list channels: %w", err)
	}
	var all []Listed
	for rows.Next() {
		var one Listed
		var id int64
		var text string
		if err := rows.Scan(&id, &one.Name, &text, &one.Mark, &one.Followers); err != nil {
			return nil, fmt.Errorf("list channels: %w", err)
		}
		s, err := readSettings(text)
		if err != nil {
			return nil, err
		}
		one.Title, one.Private, one.Made = s.Title, s.Private, time.UnixMicro(id)
		if one.Owners, err = cs.owners(ctx, id); err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

func (cs *Channels) owners(ctx context.Context, channel int64) (all []string, err error) {
	rows, err := cs.db.Query(ctx, "select jid from channel_person where channel = $1 and affiliation = $2 order by jid", channel, int64(owner))
	if err != nil {
		return nil, fmt.Errorf("list owners: %w", err)
	}
	for rows.Next() {
		var jid string
		if err := rows.Scan(&jid); err != nil {
			return nil, fmt.Errorf("list owners: %w", err)
		}
		all = append(all, jid)
	}
	return all, nil
}

// Mark says in the operator's name that a channel is whose it says it is, and why; an empty reason takes that back. It returns an error for a channel that is
// not there and for a reason of more than 200 characters.
func (cs *Channels) Mark(ctx context.Context, name, reason string) error {
	if utf8.RuneCountInString(reason) > maxMark {
		return xmpp.NotAcceptable.Because("a reason has at most %d characters", maxMark)
	}
	c, err := cs.loaded.get(ctx, name)
	if errors.Is(err, xmpp.ItemNotFound) {
		return xmpp.ItemNotFound.Because("there is no channel %.80q", name)
	}
	if err != nil {
		return err
	}
	var at int64
	p := cs.change(c, xmpp.JID{}, func(ctx context.Context, _ state) (string, error) {
		at = cs.now().UnixMicro()
		if _, err := cs.db.Exec(ctx, "update channel_node set mark = $1, marked = $2 where id = $3", reason, at, c.id); err != nil {
			return "", fmt.Errorf("mark channel: %w", err)
		}
		return changed("mark", "reason", reason), nil
	}, func() { c.mark, c.marked = reason, at })
	if err := cs.server.KeepIn(ctx, c.id, p.write, p.tell); err != nil {
		return fmt.Errorf("mark channel %s: %w", name, err)
	}
	return nil
}
