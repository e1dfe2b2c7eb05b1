package channel

import (
	"context"
	"errors"
	"fmt"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

// pieceRows is how many rows of a channel that is no more, or of a closed account, are deleted at once.
const pieceRows = 1000

// RemovePiece takes an account that is being closed out of one channel, and reports whether there may be more. Where nobody else owns a channel it is handed
// on to who has published there for longest; one that has nobody left is deleted with its log. Posts stay in channels that go on.
func (cs *Channels) RemovePiece(ctx context.Context, account *core.Account) (more bool, err error) {
	for _, step := range []func(context.Context, *core.Account) (bool, error){cs.removeFollowed, cs.removeStanding, cs.removeReactions, cs.clearAway} {
		more, err := step(ctx, account)
		if errors.Is(err, xmpp.Gone) || errors.Is(err, xmpp.ItemNotFound) { // it has ended, or was cleared away, meanwhile
			return true, nil
		}
		if more || err != nil {
			return true, err
		}
	}
	return false, nil
}

// theOne is the channel that a statement names for an account that is being closed, nil if there is none.
func (cs *Channels) theOne(ctx context.Context, sql string, arg any) (*channel, error) {
	var name string
	err := cs.db.QueryRow(ctx, sql, arg).Scan(&name)
	if errors.Is(err, store.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look for channels of a closed account: %w", err)
	}
	return cs.loaded.get(ctx, name)
}

func (cs *Channels) removeFollowed(ctx context.Context, account *core.Account) (bool, error) {
	c, err := cs.theOne(ctx, `select n.name from channel_follower f join channel_node n on n.id = f.channel where f.account = $1 and n.deleted = 0 limit 1`, account.ID)
	if c == nil || err != nil {
		return false, err
	}
	p := cs.setFollowing(c, account, func(following) (following, error) { return following{}, nil })
	return true, cs.server.KeepIn(ctx, c.id, p.write, p.tell)
}

func (cs *Channels) removeStanding(ctx context.Context, account *core.Account) (bool, error) {
	c, err := cs.theOne(ctx, `select n.name from channel_person p join channel_node n on n.id = p.channel where p.jid = $1 and n.deleted = 0 limit 1`, account.JID.String())
	if c == nil || err != nil {
		return false, err
	}
	var heir wish
	deserted := false
	p := cs.change(c, xmpp.JID{}, func(ctx context.Context, _ state) (string, error) {
		heir, deserted = wish{}, false
		as, err := cs.stands(ctx, c, account.JID)
		if err != nil {
			return "", err
		}
		if err := cs.writePerson(ctx, c, wish{account.JID, none}); err != nil {
			return "", err
		}
		if _, err := cs.db.Exec(ctx, "update channel_node set maker = 0 where id = $1 and maker = $2", c.id, account.ID); err != nil {
			return "", fmt.Errorf("forget who made a channel: %w", err)
		}
		if _, err := cs.db.Exec(ctx, "delete from channel_scheduled where channel = $1 and author = $2", c.id, account.JID.String()); err != nil {
			return "", fmt.Errorf("forget what waits for its time: %w", err)
		}
		if as < owner {
			return "", nil
		}
		if heir, deserted, err = cs.heir(ctx, c); err != nil || heir.who.IsZero() && !deserted {
			return "", err
		}
		if deserted {
			return "", cs.end(ctx, c)
		}
		return "", cs.writePerson(ctx, c, heir)
	}, func() {
		delete(c.people, account.JID)
		if !heir.who.IsZero() {
			c.nowStands(heir)
		}
		c.gone = c.gone || deserted
	}).then(func() {
		if deserted {
			cs.tellDeleted(c)
		}
	})
	return true, cs.server.KeepIn(ctx, c.id, p.write, p.tell)
}

// removeReactions forgets how an account has reacted. What was counted stays counted.
func (cs *Channels) removeReactions(ctx context.Context, account *core.Account) (bool, error) {
	n, err := cs.db.Exec(ctx, `delete from channel_reaction where account = $1 and (channel, item) in
		(select channel, item from channel_reaction where account = $1 limit $2)`, account.ID, int64(pieceRows))
	if err != nil {
		return false, fmt.Errorf("forget reactions: %w", err)
	}
	return n > 0, nil
}

// heir is who owns a channel from now on whose owner has gone: nobody new where somebody else owns it, too. deserted means that nobody is left who could.
func (cs *Channels) heir(ctx context.Context, c *channel) (next wish, deserted bool, err error) {
	var text string
	var as affiliation
	err = cs.db.QueryRow(ctx, "select jid, affiliation from channel_person where channel = $1 and affiliation >= $2 order by affiliation desc, since, jid limit 1", c.id, int64(publisher)).
		Scan(&text, &as)
	if errors.Is(err, store.ErrNoRows) {
		return wish{}, true, nil
	}
	if err != nil {
		return wish{}, false, fmt.Errorf("look for an heir: %w", err)
	}
	if as == owner {
		return wish{}, false, nil
	}
	who, err := xmpp.ParseJID(text)
	return wish{who, owner}, false, err
}

// parts are the tables that hold parts of a channel, each with a column to divide them by.
var parts = map[string]string{"channel_entry": "id", "channel_follower": "account", "channel_person": "jid", "channel_scheduled": "id", "channel_sum": "item", "channel_reaction": "item"}

// clearAway deletes a piece of a channel that is no more, and reports whether there was one.
func (cs *Channels) clearAway(ctx context.Context, _ *core.Account) (more bool, err error) {
	var id int64
	var name string
	err = cs.db.QueryRow(ctx, "select id, name from channel_node where deleted > 0 order by deleted limit 1").Scan(&id, &name)
	if errors.Is(err, store.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for deleted channels: %w", err)
	}
	done := false
	err = cs.db.Tx(ctx, func(ctx context.Context) error {
		done = false
		for table, key := range parts {
			n, err := cs.deletePiece(ctx, table, key, id)
			if n > 0 || err != nil {
				return err
			}
		}
		done = true
		_, err := cs.db.Exec(ctx, "delete from channel_node where id = $1", id)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("clear away a deleted channel: %w", err)
	}
	if done {
		cs.loaded.forget(name, id)
	}
	return true, nil
}

// deletePiece deletes some rows of a channel.
func (cs *Channels) deletePiece(ctx context.Context, table, key string, id int64) (int64, error) {
	return cs.db.Exec(ctx, "delete from "+table+" where channel = $1 and "+key+" in (select "+key+" from "+table+" where channel = $1 order by "+key+" limit $2)", id, int64(pieceRows))
}

// errStillThere keeps an account from being gone that has just followed a channel, or become somebody there.
var errStillThere = errors.New("the account is still in a channel")

// remove makes certain that nothing of a closed account is left, within the transaction that removes it. What it is still in is taken by RemovePiece, for
// which the removal is tried again.
func (cs *Channels) remove(ctx context.Context, account *core.Account) error {
	var n int
	err := cs.db.QueryRow(ctx, `select (select count(*) from channel_follower where account = $1) + (select count(*) from channel_person where jid = $2)
		+ (select count(*) from channel_reaction where account = $1)`, account.ID, account.JID.String()).Scan(&n)
	if err != nil {
		return fmt.Errorf("look for channels of a closed account: %w", err)
	}
	if n > 0 {
		return errStillThere
	}
	return nil
}
