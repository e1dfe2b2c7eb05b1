package c2s

import (
	"context"
	"crypto/rand"
	"embed"
	"encoding/base64"
	"strconv"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
	"palabre.dev/palabre/xmpp/sasl"
)

//go:embed migrations
var migrations embed.FS

// tokens keeps what clients return with (FAST, XEP-0484), two for each installation of a client: the one in use, and a fresh one that it
// may not have received. The mechanisms need the token itself to verify, so it is kept as it is: it is random, good for one account and
// one installation, for a limited time, and only at this server.
type tokens struct {
	db   *store.DB
	life time.Duration
}

type token struct {
	account   int64
	client    string
	fresh     bool
	mechanism string
	secret    []byte
	count     int64
	created   int64 // microseconds, as are all times
	expires   int64
	used      int64
}

func newTokens(ctx context.Context, db *store.DB, cfg Config) (*tokens, error) {
	if err := db.Migrate(ctx, "c2s", migrations); err != nil {
		return nil, err
	}
	return &tokens{db: db, life: cfg.TokenLife}, nil
}

// loadSecret is what credentials and resources are invented from: the same for ever.
func loadSecret(ctx context.Context, db *store.DB) (secret []byte, err error) {
	fresh := make([]byte, 32)
	rand.Read(fresh)
	err = db.Tx(ctx, func(ctx context.Context) error {
		if _, err := db.Exec(ctx, `insert into c2s_secret (id, secret) values (1, $1) on conflict do nothing`, fresh); err != nil {
			return err
		}
		return db.QueryRow(ctx, `select secret from c2s_secret where id = 1`).Scan(&secret)
	})
	return secret, err
}

// find are the tokens of one installation for a mechanism that are still good, the fresh one first.
func (t *tokens) find(ctx context.Context, account int64, client, mechanism string) ([]token, error) {
	rows, err := t.db.Query(ctx, `select fresh, secret, count, created, expires, used from c2s_token
		where account = $1 and client = $2 and mechanism = $3 and expires > $4 order by fresh desc`,
		account, client, mechanism, time.Now().UnixMicro())
	if err != nil {
		return nil, err
	}
	var out []token
	for rows.Next() {
		one := token{account: account, client: client, mechanism: mechanism}
		if err := rows.Scan(&one.fresh, &one.secret, &one.count, &one.created, &one.expires, &one.used); err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

// usedEvery is how exactly the last use of a token is known: not each return writes to the disk.
const usedEvery = time.Hour

// used notes that a client has proved to have a token. A fresh token takes the place of the one before. A count must grow
// (XEP-0484 §3.5); it returns NotAuthorized if it did not.
func (t *tokens) used(ctx context.Context, one token, count string) error {
	now := time.Now().UnixMicro()
	next := one.count
	if count != "" {
		n, err := strconv.ParseInt(count, 10, 64)
		if err != nil || n <= one.count {
			return sasl.NotAuthorized
		}
		next = n
	}
	if !one.fresh && next == one.count && now-one.used < usedEvery.Microseconds() {
		return nil
	}
	return t.db.Tx(ctx, func(ctx context.Context) error {
		if one.fresh {
			if _, err := t.db.Exec(ctx, `delete from c2s_token where account = $1 and client = $2 and not fresh`, one.account, one.client); err != nil {
				return err
			}
		}
		n, err := t.db.Exec(ctx, `update c2s_token set fresh = false, count = $5, used = $6
			where account = $1 and client = $2 and fresh = $3 and secret = $4 and (count < $5 or $7)`,
			one.account, one.client, one.fresh, one.secret, next, now, count == "")
		if err == nil && n == 0 { // somebody else used it meanwhile
			return sasl.NotAuthorized
		}
		return err
	})
}

// due reports whether a token has lived for half of its time.
func (t *tokens) due(one token) bool {
	return time.Now().UnixMicro() > one.expires-(t.life/2).Microseconds()
}

// issue makes a fresh token for an installation and returns the <token/> that tells it.
func (t *tokens) issue(ctx context.Context, account int64, c client, mechanism string) (*xmpp.Element, error) {
	secret, expires, err := t.draw(ctx, account, c, mechanism, t.life)
	if err != nil {
		return nil, err
	}
	return xmpp.NewElement(nsFast, "token").Set("token", secret).Set("expiry", expires.UTC().Format("2006-01-02T15:04:05Z")), nil
}

// draw makes and keeps a fresh token for an installation, good for so long.
func (t *tokens) draw(ctx context.Context, account int64, c client, mechanism string, life time.Duration) (secret string, expires time.Time, err error) {
	random := make([]byte, 24)
	rand.Read(random)
	secret = base64.RawURLEncoding.EncodeToString(random)
	now := time.Now()
	expires = now.Add(life)
	err = t.db.Tx(ctx, func(ctx context.Context) error {
		if err := t.tidy(ctx, account, now); err != nil {
			return err
		}
		_, err := t.db.Exec(ctx, `insert into c2s_token
			(account, client, fresh, mechanism, secret, count, created, expires, used, software, device)
			values ($1, $2, true, $3, $4, 0, $5, $6, $5, $7, $8)
			on conflict (account, client, fresh) do update set mechanism = excluded.mechanism, secret = excluded.secret, count = 0,
			created = excluded.created, expires = excluded.expires, used = excluded.used, software = excluded.software, device = excluded.device`,
			account, c.id, mechanism, []byte(secret), now.UnixMicro(), expires.UnixMicro(), c.software, c.device)
		return err
	})
	return secret, expires, err
}

// maxDevices bounds the installations of one account that may return without a password; those used longest ago make room.
const maxDevices = 100

// tidy makes room for one more token of an account: those that are over go, and those beyond the limit.
func (t *tokens) tidy(ctx context.Context, account int64, now time.Time) error {
	_, err := t.db.Exec(ctx, `delete from c2s_token where account = $1 and (expires <= $2 or used <=
		(select used from c2s_token where account = $1 order by used desc limit 1 offset $3))`, account, now.UnixMicro(), 2*maxDevices-1)
	return err
}

func (t *tokens) forget(ctx context.Context, account int64, client string) error {
	_, err := t.db.Exec(ctx, `delete from c2s_token where account = $1 and client = $2`, account, client)
	return err
}

func (t *tokens) removeAccount(ctx context.Context, account *core.Account) error {
	_, err := t.db.Exec(ctx, `delete from c2s_token where account = $1`, account.ID)
	return err
}
