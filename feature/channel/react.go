package channel

import (
	"context"
	"errors"
	"fmt"
	"unicode"
	"unicode/utf8"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
	"palabre.dev/palabre/xmpp/fault"
)

// Limits of reactions.
const (
	maxEmoji      = 48 // bytes
	maxEmojis     = 30 // different ones for a post
	maxPerMinute  = 60 // reactions, reports of views, or times to follow, by one account
	keycap        = '\u20e3'
	manySumsAsked = 100
)

// isEmoji reports whether a text is one emoji, as far as can be told without the tables of UTS 51: symbols and what joins them, no letters and no words.
func isEmoji(text string) bool {
	if text == "" || len(text) > maxEmoji || !utf8.ValidString(text) {
		return false
	}
	symbols, digits, capped := 0, 0, false
	for _, r := range text {
		switch {
		case r == keycap:
			capped = true
		case r == '#' || r == '*' || r >= '0' && r <= '9':
			digits++
		case unicode.In(r, unicode.So, unicode.Sm) || r == '\u203c' || r == '\u2049' || r == '\u3030' || r == '\u303d':
			symbols++
		case !unicode.In(r, unicode.Sk, unicode.Mn, unicode.Cf):
			return false
		}
	}
	return symbols > 0 && digits == 0 && !capped || symbols == 0 && digits == 1 && capped
}

// react decides about the one reaction of an account to a post (docs/protocol/channels.md).
func (cs *Channels) react(ctx context.Context, t *core.Transit, payload *xmpp.Element) (*plan, error) {
	c, err := cs.readable(ctx, t, payload)
	if err != nil {
		return nil, err
	}
	item, emoji := payload.Attr("item"), payload.Text()
	switch {
	case item == "" || len(item) > maxItem:
		return nil, fault.ItemRequired
	case emoji != "" && !isEmoji(emoji):
		return nil, xmpp.NotAcceptable.Because("a reaction is one emoji")
	case !cs.reacts.Allow(t.Sender.ID):
		return nil, xmpp.ResourceConstraint.Because("at most %d reactions in a minute", maxPerMinute)
	}
	return (&plan{write: func(ctx context.Context) error { return cs.writeReaction(ctx, c, t.Sender, item, emoji) }}).answered(t, nil), nil
}

// writeReaction keeps a reaction and the sums within the transaction of ctx.
func (cs *Channels) writeReaction(ctx context.Context, c *channel, account *core.Account, item, emoji string) error {
	s, err := cs.read(ctx, c)
	if err != nil {
		return err
	}
	as, err := cs.stands(ctx, c, account.JID)
	if err != nil {
		return err
	}
	if as == outcast || s.settings.Private && as < member {
		return xmpp.Forbidden
	}
	if s.settings.Silent && emoji != "" {
		return xmpp.NotAllowed.Because("this channel takes no reactions")
	}
	if _, err := cs.post(ctx, c, item); err != nil {
		return err
	}
	var was string
	err = cs.db.QueryRow(ctx, "select emoji from channel_reaction where channel = $1 and item = $2 and account = $3", c.id, item, account.ID).Scan(&was)
	if err != nil && !errors.Is(err, store.ErrNoRows) {
		return fmt.Errorf("read reaction: %w", err)
	}
	if was == emoji {
		return nil
	}
	if was != "" {
		if _, err := cs.db.Exec(ctx, "delete from channel_reaction where channel = $1 and item = $2 and account = $3", c.id, item, account.ID); err != nil {
			return err
		}
		if err := cs.count(ctx, c.id, item, was, -1); err != nil {
			return err
		}
	}
	if emoji == "" {
		return nil
	}
	if err := cs.notTooManyKinds(ctx, c, item, emoji); err != nil {
		return err
	}
	if _, err := cs.db.Exec(ctx, "insert into channel_reaction (channel, item, account, emoji) values ($1, $2, $3, $4)", c.id, item, account.ID, emoji); err != nil {
		return fmt.Errorf("keep reaction: %w", err)
	}
	return cs.count(ctx, c.id, item, emoji, 1)
}

// notTooManyKinds refuses an emoji that nobody has used when many others were.
func (cs *Channels) notTooManyKinds(ctx context.Context, c *channel, item, emoji string) error {
	var n int
	if err := cs.db.QueryRow(ctx, "select count(*) from channel_sum where channel = $1 and item = $2 and what <> '' and what <> $3 and count > 0", c.id, item, emoji).Scan(&n); err != nil {
		return fmt.Errorf("count kinds of reactions: %w", err)
	}
	if n >= maxEmojis {
		return xmpp.ResourceConstraint.Because("a post has at most %d kinds of reactions", maxEmojis)
	}
	return nil
}

// count adds to a sum within the transaction of ctx.
func (cs *Channels) count(ctx context.Context, channel int64, item, what string, n int64) error {
	_, err := cs.db.Exec(ctx, `insert into channel_sum (channel, item, what, count) values ($1, $2, $3, $4)
		on conflict (channel, item, what) do update set count = channel_sum.count + excluded.count`, channel, item, what, n)
	if err != nil {
		return fmt.Errorf("count: %w", err)
	}
	return nil
}

// itemsIn are the ids of the posts that a request of ours names.
func itemsIn(payload *xmpp.Element) (items []string, err error) {
	for child := range payload.Children() {
		if item := child.Attr("item"); child.Is(NS, "post") && item != "" && len(item) <= maxItem {
			items = append(items, item)
		}
	}
	if len(items) == 0 || len(items) > manySumsAsked {
		return nil, xmpp.NotAcceptable.Because("1 to %d posts at a time", manySumsAsked)
	}
	return items, nil
}

// sums tells how many have reacted to posts and how, how many have seen them, and how the asker has reacted.
func (cs *Channels) sums(ctx context.Context, t *core.Transit, payload *xmpp.Element) (*plan, error) {
	c, err := cs.readable(ctx, t, payload)
	if err != nil {
		return nil, err
	}
	items, err := itemsIn(payload)
	if err != nil {
		return nil, err
	}
	list := xmpp.NewElement(NS, "sums").Set("node", c.name)
	for _, item := range items {
		post, err := cs.sumsOf(ctx, c, item, t.Sender.ID)
		if err != nil {
			return nil, err
		}
		list.Add(post)
	}
	return answer(t, list), nil
}

func (cs *Channels) sumsOf(ctx context.Context, c *channel, item string, account int64) (*xmpp.Element, error) {
	post := xmpp.NewElement(NS, "post").Set("item", item).Set("views", "0")
	rows, err := cs.db.Query(ctx, `select what, count, (select emoji from channel_reaction where channel = $1 and item = $2 and account = $3) from channel_sum
		where channel = $1 and item = $2 and count > 0 order by count desc, what`, c.id, item, account)
	if err != nil {
		return nil, fmt.Errorf("read sums: %w", err)
	}
	for rows.Next() {
		var what, count string
		var n int64
		var mine *string
		if err := rows.Scan(&what, &n, &mine); err != nil {
			return nil, fmt.Errorf("read sums: %w", err)
		}
		count = fmt.Sprint(n)
		if mine != nil {
			post.Set("mine", *mine)
		}
		if what == "" {
			post.Set("views", count)
			continue
		}
		post.Add(xmpp.NewElement(NS, "reaction").Set("emoji", what).Set("count", count))
	}
	return post, nil
}
