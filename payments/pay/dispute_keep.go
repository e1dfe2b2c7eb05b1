package pay

import (
	"context"
	"errors"
	"fmt"
	"time"

	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

const disputeColumns = "id, made, payment, payer, payee, amount, refunded, unit, why, words, state, ended, decider, decided"

func scanDispute(row *store.Rows) (*dispute, error) {
	d := &dispute{}
	return d, row.Scan(&d.id, &d.made, &d.of, &d.payer, &d.payee, &d.amount, &d.refunded, &d.unit, &d.why, &d.text, &d.state, &d.ended, &d.decidedBy, &d.decidedWhy)
}

// dispute reads a dispute; item-not-found if there is none.
func (s *Service) dispute(ctx context.Context, id string) (*dispute, error) {
	found, err := s.disputes(ctx, "id = $1", id)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, xmpp.ItemNotFound
	}
	return found[0], nil
}

// disputeOf reads the dispute about a payment that has not ended, nil if there is none.
func (s *Service) disputeOf(ctx context.Context, payment string) (*dispute, error) {
	found, err := s.disputes(ctx, "payment = $1 and state in ('open', 'upheld')", payment)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

// disputes reads disputes that a condition picks.
func (s *Service) disputes(ctx context.Context, where string, args ...any) ([]*dispute, error) {
	return read(ctx, s.db, "disputes", scanDispute, "select "+disputeColumns+" from pay_dispute where "+where, args...)
}

var insertDispute = store.NewInsert("pay_dispute", "id", "made", "content", "payment", "payer", "payee", "amount", "refunded", "unit", "why", "words", "state", "ended", "decider",
	"decided")

func (s *Service) addDispute(ctx context.Context, d *dispute, content []byte) error {
	d.made, d.state = s.db.Next(), disputeOpen
	return s.db.Append(ctx, insertDispute, d.id, d.made, content, d.of, d.payer, d.payee, d.amount, d.refunded, d.unit, d.why, d.text, d.state, d.ended, d.decidedBy, d.decidedWhy)
}

// keepDispute writes what of a dispute changes.
func (s *Service) keepDispute(ctx context.Context, d *dispute) error {
	_, err := s.db.Exec(ctx, "update pay_dispute set refunded = $1, state = $2, ended = $3, decider = $4, decided = $5 where id = $6",
		d.refunded, d.state, d.ended, d.decidedBy, d.decidedWhy, d.id)
	if err != nil {
		return fmt.Errorf("keep dispute: %w", err)
	}
	return nil
}

// evidence is what a side of a dispute shows.
type evidence struct {
	author, hash, address, text string
	name                        string // of the file
	size                        int64  // of it, in bytes
	given                       time.Time
}

var insertEvidence = store.NewInsert("pay_evidence", "id", "dispute", "author", "hash", "address", "words", "name", "size")

// evidenceOf reads what the sides of a dispute have shown, the oldest first.
func (s *Service) evidenceOf(ctx context.Context, dispute string) ([]evidence, error) {
	return read(ctx, s.db, "evidence", func(row *store.Rows) (one evidence, err error) {
		var id int64
		err = row.Scan(&id, &one.author, &one.hash, &one.address, &one.text, &one.name, &one.size)
		one.given = atMicro(id)
		return one, err
	}, "select id, author, hash, address, words, name, size from pay_evidence where dispute = $1 order by id", dispute)
}

// gave looks whether somebody has shown the same before, and counts their pieces.
func (s *Service) gave(ctx context.Context, dispute string, one evidence) (same bool, pieces int64, err error) {
	var equal int64
	err = s.db.QueryRow(ctx, "select count(*), coalesce(sum(case when hash = $3 and address = $4 and words = $5 then 1 else 0 end), 0) from pay_evidence where dispute = $1 and author = $2",
		dispute, one.author, one.hash, one.address, one.text).Scan(&pieces, &equal)
	if err != nil && !errors.Is(err, store.ErrNoRows) {
		return false, 0, fmt.Errorf("count evidence: %w", err)
	}
	return equal > 0, pieces, nil
}
