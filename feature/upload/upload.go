// Package upload gives people a place for pictures, voice and files: a slot by XMPP (XEP-0363), the bytes by HTTP, to the blob store.
// What was answered with 201 is on disk. Uploads are never a page: they are sandboxed, and only pictures, sound and video show in
// place. Left out: reading what was uploaded (clients encrypt it, XEP-0454).
package upload

import (
	"context"
	"crypto/rand"
	"embed"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"palabre.dev/palabre/blob"
	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

// Namespaces.
const (
	NS      = "urn:xmpp:http:upload:0"
	nsInfo  = "http://jabber.org/protocol/disco#info"
	nsItems = "http://jabber.org/protocol/disco#items"
)

const (
	maxName  = 255
	maxType  = 127
	slotLife = 30 * time.Minute // an unused place is given up after this
	maxFiles = 20_000           // of one account, however small
	maxSlots = 100              // of one account that nothing was sent to yet
)

//go:embed migrations
var migrations embed.FS

// Config is what an operator can set.
type Config struct {
	// Domain is the service's own address; empty means "upload." before the server's domain.
	Domain string `toml:"domain"`
	// URL is where uploads are reached, without the path, such as https://media.example.org. A host of their own keeps them apart from
	// the web client. Empty means the server's own web address.
	URL string `toml:"url"`
	// MaxSizeBytes is the largest file.
	MaxSizeBytes int64 `toml:"max_size_bytes"`
	// QuotaBytes is how much one account may have here at once.
	QuotaBytes int64 `toml:"quota_bytes"`
	// Expiry is how long files are kept; 0 keeps them until their account is removed.
	Expiry time.Duration `toml:"expiry"`
}

// DefaultConfig suits a machine with 1 GB of memory and a small disk.
func DefaultConfig() Config {
	return Config{MaxSizeBytes: 100 << 20, QuotaBytes: 2 << 30, Expiry: 365 * 24 * time.Hour}
}

// Validate reports the first setting that cannot work.
func (c Config) Validate() error {
	if c.MaxSizeBytes < 1 || c.QuotaBytes < c.MaxSizeBytes {
		return errors.New("max_size_bytes must be at least 1, and quota_bytes at least that")
	}
	if c.Expiry != 0 && c.Expiry < time.Hour {
		return errors.New("expiry must be 0 or at least an hour")
	}
	if _, err := xmpp.ParseJID(c.Domain); c.Domain != "" && err != nil {
		return err
	}
	u, err := url.Parse(c.URL)
	if err != nil || c.URL != "" && (u.Scheme != "https" && u.Scheme != "http" || u.Host == "") {
		return fmt.Errorf("url %q is no web address", c.URL)
	}
	return nil
}

// Blobs keeps the bytes; *blob.Disk is one, and an object store can be.
type Blobs interface {
	// Put keeps exactly size bytes under key, durably.
	Put(ctx context.Context, key string, r io.Reader, size int64) error
	// Open gives them back; blob.ErrNotFound if there are none.
	Open(ctx context.Context, key string) (blob.Blob, error)
	// Remove deletes them; it is no error if there are none.
	Remove(ctx context.Context, key string) error
}

// Upload is the feature.
type Upload struct {
	cfg    Config
	db     *store.DB
	blobs  Blobs
	log    *slog.Logger
	server *core.Server
	domain xmpp.JID
	began  int64 // when this process began, as an id
	counts counts
	parts  parts

	released chan struct{} // holds a token when an account has lost files
}

// New makes the feature and its table. cfg.URL must be set.
func New(ctx context.Context, cfg Config, db *store.DB, blobs Blobs, log *slog.Logger) (*Upload, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg.URL = strings.TrimSuffix(cfg.URL, "/")
	if err := db.Migrate(ctx, "upload", migrations); err != nil {
		return nil, err
	}
	return &Upload{cfg: cfg, db: db, blobs: blobs, log: log.With("part", "upload"), began: db.Next(), counts: newCounts(), parts: parts{active: map[string]*active{}}, released: make(chan struct{}, 1)}, nil
}

// Attach puts the service at its address.
func (u *Upload) Attach(s *core.Server) {
	u.server = s
	domain := u.cfg.Domain
	if domain == "" {
		domain = "upload." + s.Domain().String()
	}
	u.domain = xmpp.MustJID(domain)
	s.AddService(domain, u)
	s.OnRemove(u.remove)
}

// Handle answers what is sent to the service.
func (u *Upload) Handle(ctx context.Context, t *core.Transit) error {
	if !t.Stanza.IsRequest() {
		return nil
	}
	payload := t.Stanza.First()
	if payload == nil {
		return xmpp.BadRequest
	}
	var answer *xmpp.Element
	var err error
	switch {
	case t.Stanza.Type == "get" && payload.Is(NS, "request"):
		answer, err = u.request(ctx, t, payload)
		u.counts.slot(err)
	case t.Stanza.Type == "get" && payload.Is(nsInfo, "query"):
		answer = u.info()
	case t.Stanza.Type == "get" && payload.Is(nsItems, "query"):
		answer = xmpp.NewElement(nsItems, "query")
	case t.Stanza.Type == "get" && payload.Is("urn:xmpp:ping", "ping"):
	default:
		err = xmpp.ServiceUnavailable
	}
	if err != nil {
		return err
	}
	return u.server.Answer(ctx, t, t.Stanza.Reply(answer))
}

func (u *Upload) info() *xmpp.Element {
	info := xmpp.NewElement(nsInfo, "query", xmpp.NewElement(nsInfo, "identity").Set("category", "store").Set("type", "file").Set("name", "Files"))
	for _, feature := range []string{nsInfo, nsItems, NS, "urn:xmpp:ping"} {
		info.Add(xmpp.NewElement(nsInfo, "feature").Set("var", feature))
	}
	form := xmpp.NewForm("result", NS).Add("max-file-size", "", "", strconv.FormatInt(u.cfg.MaxSizeBytes, 10))
	return info.Add(form.Element())
}

// request gives a slot (XEP-0363 §4).
func (u *Upload) request(ctx context.Context, t *core.Transit, e *xmpp.Element) (*xmpp.Element, error) {
	if t.Sender == nil {
		return nil, xmpp.NotAllowed.Because("only accounts of this server may upload")
	}
	file, err := u.parse(e)
	if err != nil {
		return nil, err
	}
	if file.token, err = newToken(); err != nil {
		return nil, err
	}
	if err := u.reserve(ctx, t.Sender, file); err != nil {
		return nil, err
	}
	at := u.cfg.URL + file.path()
	return xmpp.NewElement(NS, "slot", xmpp.NewElement(NS, "put").Set("url", at), xmpp.NewElement(NS, "get").Set("url", at)), nil
}

// file is one row.
type file struct {
	token, name, kind string
	size              int64
	kept              bool
	digest            string
	created           time.Time
	blob              string
}

// key is where the bytes are.
func (f file) key() string {
	if f.blob == "" {
		return f.token
	}
	return f.blob
}

// read fills in the file with a token; store.ErrNoRows if there is none.
func (u *Upload) read(ctx context.Context, f *file) error {
	var kept, created int64
	err := u.db.QueryRow(ctx, "select name, type, size, kept, digest, created, blob from upload_file where token = $1 and account <> 0", f.token).
		Scan(&f.name, &f.kind, &f.size, &kept, &f.digest, &created, &f.blob)
	f.kept, f.created = kept != 0, time.UnixMicro(created)
	return err
}

func (f file) path() string { return "/upload/" + f.token + "/" + url.PathEscape(f.name) }

func (u *Upload) parse(e *xmpp.Element) (file, error) {
	f := file{name: e.Attr("filename"), kind: e.Attr("content-type")}
	size, err := strconv.ParseInt(e.Attr("size"), 10, 64)
	if err != nil || size <= 0 {
		return f, xmpp.BadRequest.Because("size must be a number of bytes above 0")
	}
	if f.size = size; size > u.cfg.MaxSizeBytes {
		limit := strconv.FormatInt(u.cfg.MaxSizeBytes, 10)
		return f, xmpp.NotAcceptable.Because("the largest file is %s bytes", limit).
			With(xmpp.NewElement(NS, "file-too-large", xmpp.NewText(NS, "max-file-size", limit)))
	}
	if !goodName(f.name) {
		return f, xmpp.BadRequest.Because("filename must be 1 to %d bytes without /", maxName)
	}
	if f.kind == "" {
		f.kind = "application/octet-stream"
	}
	if _, _, err := mime.ParseMediaType(f.kind); err != nil || len(f.kind) > maxType {
		return f, xmpp.BadRequest.Because("content-type is no media type")
	}
	return f, nil
}

func goodName(name string) bool {
	return name != "" && len(name) <= maxName && utf8.ValidString(name) && !strings.ContainsAny(name, "/\\\x00\r\n") && name != "." && name != ".."
}

// newToken is an address that nobody can guess: 192 random bits.
func newToken() (string, error) {
	var bytes [24]byte
	if _, err := rand.Read(bytes[:]); err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(bytes[:]), nil
}

// reserve notes the file against the account's quota.
func (u *Upload) reserve(ctx context.Context, account *core.Account, f file) error {
	return u.db.Tx(ctx, func(ctx context.Context) error {
		used, files, slots, err := u.held(ctx, account)
		switch {
		case err != nil:
			return err
		case files >= maxFiles:
			return xmpp.ResourceConstraint.Because("at most %d files; old ones make room as they expire", maxFiles)
		case slots >= maxSlots:
			return xmpp.ResourceConstraint.Because("use the %d slots that you have been given first", slots)
		case used+f.size > u.cfg.QuotaBytes:
			return xmpp.ResourceConstraint.Because("%d of %d bytes are in use; old files make room as they expire", used, u.cfg.QuotaBytes)
		}
		_, err = u.db.Exec(ctx, "insert into upload_file (token, account, name, type, size, created, kept, digest) values ($1, $2, $3, $4, $5, $6, 0, '')",
			f.token, account.ID, f.name, f.kind, f.size, u.db.Next())
		return err
	})
}

// Used is how many bytes an account has here, promised ones included.
func (u *Upload) Used(ctx context.Context, account *core.Account) (sizeBytes int64, err error) {
	sizeBytes, _, _, err = u.held(ctx, account)
	return sizeBytes, err
}

// Totals is how many bytes and files all accounts have here, promised ones included.
func (u *Upload) Totals(ctx context.Context) (sizeBytes int64, files int, err error) {
	err = u.db.QueryRow(ctx, `select cast(coalesce(sum(size), 0) as bigint), count(*) from upload_file where account <> 0`).Scan(&sizeBytes, &files)
	if err != nil {
		return 0, 0, fmt.Errorf("sum uploads: %w", err)
	}
	return sizeBytes, files, nil
}

// held is what an account has here: bytes, promised ones included, files, and how many of these are slots that wait for their bytes.
func (u *Upload) held(ctx context.Context, account *core.Account) (sizeBytes int64, files, slots int, err error) {
	err = u.db.QueryRow(ctx, `select cast(coalesce(sum(size), 0) as bigint), count(*), count(case when kept = 0 then 1 end)
		from upload_file where account = $1`, account.ID).Scan(&sizeBytes, &files, &slots)
	if err != nil {
		return 0, 0, 0, fmt.Errorf("sum uploads: %w", err)
	}
	return sizeBytes, files, slots, nil
}

// maxReleased is how many files are taken from a removed account at once.
const maxReleased = 500

// RemovePiece takes an account that is being removed away from some of its files, and reports whether there may be more.
func (u *Upload) RemovePiece(ctx context.Context, account *core.Account) (more bool, err error) {
	n, err := u.db.Exec(ctx, "update upload_file set account = 0 where token in (select token from upload_file where account = $1 limit $2)", account.ID, maxReleased)
	if err != nil {
		return true, fmt.Errorf("release files: %w", err)
	}
	u.wake()
	return n == maxReleased, nil
}

// remove takes the account away from the rest of its files; Run deletes the bytes.
func (u *Upload) remove(ctx context.Context, account *core.Account) error {
	_, err := u.db.Exec(ctx, "update upload_file set account = 0 where account = $1", account.ID)
	u.wake()
	return err
}
