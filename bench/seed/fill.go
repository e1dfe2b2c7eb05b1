package main

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"log/slog"
	"strings"

	"palabre.dev/palabre/feature/account"
	"palabre.dev/palabre/feature/archive"
	"palabre.dev/palabre/feature/channel"
	"palabre.dev/palabre/store"
)

// chunk is how many rows share one transaction.
const chunk = 5000

// chats is in how many conversations a backlog is.
const chats = 200

type seeder struct {
	db                      *store.DB
	domain, password        string
	accounts, rows, backlog int
	followers               int
	first                   int64 // the id of u0; the others follow
}

// Tables of packages account, archive and channel.
var (
	insertAccount    = store.NewInsert("account", "id", "name", "role", "disabled", "removing", "seen")
	insertCredential = store.NewInsert("account_credential", "account", "hash", "salt", "iterations", "stored_key", "server_key")
	insertEntry      = store.NewInsert("archive_entry", "id", "account", "contact", "kind", "stanza")
	insertChannel    = store.NewInsert("channel_node", "id", "name", "maker", "settings", "mark", "marked", "deleted")
	insertPerson     = store.NewInsert("channel_person", "channel", "jid", "affiliation", "since")
	insertFollower   = store.NewInsert("channel_follower", "channel", "account", "jid", "segments")
)

func (s *seeder) fill(ctx context.Context) error {
	quiet := slog.New(slog.DiscardHandler)
	accounts, err := account.New(ctx, s.db, account.DefaultConfig(), s.domain, quiet)
	if err != nil {
		return err
	}
	entries, err := archive.New(ctx, archive.DefaultConfig(), s.db, nil, quiet)
	if err != nil {
		return err
	}
	first, err := accounts.Create(ctx, "u0", s.password, false, nil)
	if err != nil {
		return err
	}
	s.first = first.ID
	if err := s.addAccounts(ctx, accounts); err != nil {
		return fmt.Errorf("accounts: %w", err)
	}
	if err := s.inChunks(ctx, s.rows, s.addRow); err != nil {
		return fmt.Errorf("rows: %w", err)
	}
	if err := s.inChunks(ctx, s.backlog, s.addMissed); err != nil {
		return fmt.Errorf("backlog: %w", err)
	}
	if err := s.addChannel(ctx, quiet); err != nil {
		return fmt.Errorf("channel: %w", err)
	}
	return entries.FileAll(ctx)
}

// addChannel makes the channel bench with its followers.
func (s *seeder) addChannel(ctx context.Context, quiet *slog.Logger) error {
	if s.followers == 0 {
		return nil
	}
	if _, err := channel.New(ctx, channel.DefaultConfig(), s.db, nil, nil, "", quiet); err != nil {
		return err
	}
	id := s.db.Next()
	err := s.db.Tx(ctx, func(ctx context.Context) error {
		if err := s.db.Append(ctx, insertChannel, id, "bench", s.first, "{}", "", int64(0), int64(0)); err != nil {
			return err
		}
		return s.db.Append(ctx, insertPerson, id, "u0@"+s.domain, int64(3), id)
	})
	if err != nil {
		return err
	}
	return s.inChunks(ctx, s.followers, func(ctx context.Context, i int) error {
		return s.db.Append(ctx, insertFollower, id, s.first+int64(i), fmt.Sprintf("u%d@%s", i, s.domain), "")
	})
}

// addAccounts gives u1 and on the credentials of u0.
func (s *seeder) addAccounts(ctx context.Context, accounts *account.Accounts) error {
	credentials, _, err := accounts.Credentials(ctx, "u0")
	if err != nil {
		return err
	}
	return s.inChunks(ctx, s.accounts-1, func(ctx context.Context, i int) error {
		id := s.first + int64(i) + 1
		if err := s.db.Append(ctx, insertAccount, id, fmt.Sprintf("u%d", i+1), "member", false, false, int64(0)); err != nil {
			return err
		}
		for _, c := range credentials {
			if err := s.db.Append(ctx, insertCredential, id, string(c.Hash), c.Salt, c.Iterations, c.StoredKey, c.ServerKey); err != nil {
				return err
			}
		}
		return nil
	})
}

// inChunks calls add for 0 to n-1, many in one transaction.
func (s *seeder) inChunks(ctx context.Context, n int, add func(ctx context.Context, i int) error) error {
	for from := 0; from < n; from += chunk {
		err := s.db.Tx(ctx, func(ctx context.Context) error {
			for i := from; i < min(from+chunk, n); i++ {
				if err := add(ctx, i); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// addRow is one archived message of any account.
func (s *seeder) addRow(ctx context.Context, i int) error {
	owner := i * 7919 % s.accounts
	return s.entry(ctx, owner, fmt.Sprintf("u%d", (owner+1+i%50)%s.accounts))
}

// addMissed is one message of the backlog of u0.
func (s *seeder) addMissed(ctx context.Context, i int) error {
	return s.entry(ctx, 0, fmt.Sprintf("c%d", i%chats))
}

// entry is a message of 200 bytes as package archive keeps it.
func (s *seeder) entry(ctx context.Context, owner int, contact string) error {
	from := contact + "@" + s.domain
	stanza := fmt.Sprintf(`<message from='%s/phone' to='u%d@%s' type='chat' id='m%d'><body>%s</body></message>`,
		from, owner, s.domain, s.db.Next(), strings.Repeat("palabre ", 25))
	return s.db.Append(ctx, insertEntry, s.db.Next(), s.first+int64(owner), contactID(from), int64(1), stanza)
}

// contactID is what package archive makes of a bare address; a backlog of other numbers would not be found again.
func contactID(bare string) int64 {
	sum := sha256.Sum256([]byte(bare))
	return int64(binary.BigEndian.Uint64(sum[:8]))
}
