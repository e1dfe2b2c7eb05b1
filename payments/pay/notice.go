package pay

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

const (
	noticePage    = 500              // notices that are read at once
	noticeLanes   = 32               // accounts that are told at the same time
	noticeTimeout = 30 * time.Second // for one to be handed over
	noticeFirst   = time.Second      // the pause after the first failure; it doubles
	noticeMost    = 10 * time.Minute
)

// notify writes a notice in the transaction of ctx: words for people in their language, with a link of their own, and what has happened for clients, in a conversation (empty for the wallet). Whose account was removed is told
// nothing, and so isn't who has the name now.
func (s *Service) notify(ctx context.Context, to xmpp.JID, chat string, words said, child *xmpp.Element) error {
	if left, err := s.gone(ctx, to); err != nil || left {
		return err
	}
	lang, err := s.languageOf(ctx, to)
	if err != nil {
		return err
	}
	n := s.db.Next()
	id := "n-" + digits(n)
	message := &xmpp.Stanza{Kind: xmpp.Message, Type: "chat", ID: id, Lang: lang, From: s.domain, To: to}
	message.Add(xmpp.NewText(xmpp.NSClient, "body", s.in(lang, words)+s.link(words.link, to)), element("notice", "id", id, "chat", chat).Add(child),
		xmpp.NewElement(xmpp.NSStanzaID, "origin-id").Set("id", id), xmpp.NewElement(xmpp.NSHints, "store"))
	if err := s.db.Append(ctx, insertNotice, n, to.String(), string(message.AppendAlone(nil)), int64(0), int64(0)); err != nil {
		return fmt.Errorf("keep notice: %w", err)
	}
	return nil
}

var insertNotice = store.NewInsert("pay_notice", "id", "account", "stanza", "tries", "due")

// wake makes the worker look for notices.
func (s *Service) wake() {
	select {
	case s.notices <- struct{}{}:
	default:
	}
}

// sendNotices sends what is written, in its order for each account, until ctx ends.
func (s *Service) sendNotices(ctx context.Context) error {
	for {
		next, err := s.sendDue(ctx)
		if err != nil && ctx.Err() == nil {
			s.log.Warn("notices of payments cannot be read", "err", err)
			next = noticeFirst
		}
		timer := time.NewTimer(next)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-s.notices:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// noticeRow is one notice that waits.
type noticeRow struct {
	id, tries, due int64
	account        string
	stanza         string
}

// sendDue sends what is due, and returns when to look again.
func (s *Service) sendDue(ctx context.Context) (time.Duration, error) {
	now := s.now()
	found, err := read(ctx, s.db, "notices", func(row *store.Rows) (n noticeRow, err error) {
		err = row.Scan(&n.id, &n.tries, &n.due, &n.account, &n.stanza)
		return n, err
	}, `select n.id, n.tries, n.due, n.account, n.stanza from pay_notice n
		where not exists (select 1 from pay_notice w where w.account = n.account and w.due > $1) order by n.id limit $2`, now.UnixMicro(), noticePage)
	if err != nil {
		return 0, err
	}
	byAccount := map[string][]noticeRow{}
	for _, n := range found {
		byAccount[n.account] = append(byAccount[n.account], n)
	}
	var all sync.WaitGroup
	lanes := make(chan struct{}, noticeLanes)
	for _, some := range byAccount {
		lanes <- struct{}{}
		all.Go(func() {
			defer func() { <-lanes }()
			s.sendInOrder(ctx, some)
		})
	}
	all.Wait()
	if len(found) == noticePage {
		return 0, nil
	}
	return s.nextDue(ctx, now)
}

// nextDue is when the first of those that failed is due.
func (s *Service) nextDue(ctx context.Context, now time.Time) (time.Duration, error) {
	var due *int64
	if err := s.db.QueryRow(ctx, "select min(due) from pay_notice where due > 0").Scan(&due); err != nil && !errors.Is(err, store.ErrNoRows) {
		return 0, fmt.Errorf("read notices: %w", err)
	}
	if due == nil {
		return noticeMost, nil
	}
	return max(time.UnixMicro(*due).Sub(now), time.Millisecond), nil
}

// sendInOrder sends the notices of one account until one fails.
func (s *Service) sendInOrder(ctx context.Context, some []noticeRow) {
	for _, n := range some {
		err := s.sendOne(ctx, n)
		if err == nil {
			continue
		}
		if ctx.Err() != nil {
			return
		}
		pause := noticeMost
		if n.tries < 10 {
			pause = min(noticeFirst<<n.tries, noticeMost)
		}
		_, keepErr := s.db.Exec(ctx, "update pay_notice set tries = tries + 1, due = $1 where id = $2", s.now().Add(pause).UnixMicro(), n.id)
		s.log.Debug("a notice waits", "account", n.account, "tries", n.tries+1, "err", errors.Join(err, keepErr))
		return
	}
}

// sendOne hands one notice over and forgets it; so does what can never be handed over.
func (s *Service) sendOne(ctx context.Context, n noticeRow) error {
	message, err := n.read()
	if err != nil {
		s.log.Error("a notice cannot be read, and is dropped", "account", n.account, "notice", n.id, "err", err)
	} else if err := s.handOver(ctx, n, message); err != nil {
		return err
	}
	_, err = s.db.Exec(ctx, "delete from pay_notice where id = $1", n.id)
	return err
}

// read is the message as it was written.
func (n *noticeRow) read() (*xmpp.Stanza, error) {
	e, err := xmpp.Parse(n.stanza, xmpp.Scope{})
	if err != nil {
		return nil, err
	}
	return xmpp.NewStanza(e, xmpp.NSClient)
}

// handOver gives a message to the network; what that refuses for good is no error.
func (s *Service) handOver(ctx context.Context, n noticeRow, message *xmpp.Stanza) error {
	ctx, cancel := context.WithTimeout(ctx, noticeTimeout)
	defer cancel()
	err := s.network.Send(ctx, message)
	var wire *xmpp.Error
	if errors.As(err, &wire) && wire.Type != "wait" {
		s.log.Warn("a notice cannot be delivered", "account", n.account, "err", err)
		return nil
	}
	return err
}
