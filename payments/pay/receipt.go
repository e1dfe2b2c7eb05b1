package pay

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"time"

	"palabre.dev/palabre/payments/intent"
	"palabre.dev/palabre/payments/ledger"
)

// receiptKey is the service's key; it is made at the first start and kept in the database, as all copies of the database must sign alike.
func (s *Service) receiptKey(ctx context.Context) (ed25519.PrivateKey, error) {
	fresh := make([]byte, ed25519.SeedSize)
	if _, err := rand.Read(fresh); err != nil {
		return nil, fmt.Errorf("make key: %w", err)
	}
	var seed []byte
	err := s.db.Tx(ctx, func(ctx context.Context) error {
		if _, err := s.db.Exec(ctx, "insert into pay_secret (name, value) values ('receipt', $1) on conflict (name) do nothing", fresh); err != nil {
			return err
		}
		return s.db.QueryRow(ctx, "select value from pay_secret where name = 'receipt'").Scan(&seed)
	})
	if err != nil {
		return nil, fmt.Errorf("read key: %w", err)
	}
	if len(seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("the key in pay_secret has %d bytes", len(seed))
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

// Key is the public key with which receipts are checked (Ed25519).
func (s *Service) Key() ed25519.PublicKey { return s.secret.Public().(ed25519.PublicKey) }

// sign makes the receipt of a payment as it is now. The number, time and hash are those of a record; a payment that moves nothing in the ledger has a number of its own
// and the hash of its intent.
func (s *Service) sign(p *payment, record *ledger.Record) error {
	r := intent.Receipt{Service: p.Service, ID: p.ID, Kind: p.Kind, State: intent.State(p.state), Payer: p.Payer, Payee: p.Payee, Amount: p.Amount, Unit: p.Unit, Fee: p.Fee, Of: p.Of, For: p.For,
		Number: p.number, Time: p.at.Truncate(time.Second), Hash: sha256.Sum256([]byte(p.text)), Intent: p.hash}
	if record != nil {
		r.Hash, r.Time = record.Hash, record.Time().Truncate(time.Second)
	}
	text, err := r.Text()
	if err != nil {
		return fmt.Errorf("write receipt: %w", err)
	}
	p.receipt = signedReceipt{text, intent.SignReceipt(s.secret, text)}
	return nil
}
