package pay

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"

	"palabre.dev/palabre/payments/ledger"
	"palabre.dev/palabre/xmpp"
)

// The accounts of the ledger that this package opens. All hold one unit.

// WalletAccount is what an account has.
func WalletAccount(unit string, account xmpp.JID) string {
	return "wallet/" + unit + "/" + visible(account)
}

// PocketAccount is what it has set aside for payments without network.
func PocketAccount(unit string, account xmpp.JID) string {
	return "pocket/" + unit + "/" + visible(account)
}

// FeesAccount is where fees go.
func FeesAccount(unit string) string { return "fees/" + unit }

// IssueAccount is the other side of money that the operator has issued: it owes what is in circulation without a rail. Its floor is the operator's matter.
func IssueAccount(unit string) string { return "issue/" + unit }

// maxVisible is how long an address may be in the name of an account.
const maxVisible = 220

// visible writes an address in visible ASCII; one that is too long by its hash.
func visible(account xmpp.JID) string {
	text := account.String()
	b := make([]byte, 0, len(text))
	for i := range len(text) {
		if c := text[i]; c < '!' || c > '~' || c == '%' {
			b = append(b, '%')
			b = append(b, hex.EncodeToString([]byte{c})...)
		} else {
			b = append(b, c)
		}
	}
	if len(b) > maxVisible {
		sum := sha256.Sum256([]byte(text))
		return "%" + base64.RawURLEncoding.EncodeToString(sum[:])
	}
	return string(b)
}

// maxOpened is of how many accounts it is remembered that they are open.
const maxOpened = 100_000

// open makes sure that accounts of the ledger are there.
func (s *Service) open(ctx context.Context, unit string, names ...string) error {
	for _, name := range names {
		if s.isOpen(name) {
			continue
		}
		floor := int64(0)
		if name == IssueAccount(unit) {
			floor = ledger.Unbounded
		}
		sum := sha256.Sum256([]byte(name))
		_, err := s.ledger.Post(ctx, nil, ledger.Operation{ID: "open:" + base64.RawURLEncoding.EncodeToString(sum[:]), Kind: ledger.Opening, From: name, Unit: unit, Floor: floor})
		if err != nil && !errors.Is(err, ledger.HasAccount) {
			return fmt.Errorf("open account %s: %w", name, err)
		}
		s.mu.Lock()
		if len(s.opened) >= maxOpened {
			clear(s.opened)
		}
		s.opened[name] = true
		s.mu.Unlock()
	}
	return nil
}

func (s *Service) isOpen(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opened[name]
}

// stands is where an account of the ledger stands, zero if it was never used.
func (s *Service) stands(ctx context.Context, name string) (ledger.Account, error) {
	a, err := s.ledger.Account(ctx, name)
	if errors.Is(err, ledger.NoAccount) {
		return ledger.Account{Name: name}, nil
	}
	return a, err
}
