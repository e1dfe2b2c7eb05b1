package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/feature/account"
	"palabre.dev/palabre/feature/admin"
	"palabre.dev/palabre/feature/blocking"
	"palabre.dev/palabre/feature/device"
	"palabre.dev/palabre/feature/register"
	"palabre.dev/palabre/feature/upload"
)

// Here the administrators' page meets the features that it tells of.

// deskPeople are the accounts as the page asks them.
type deskPeople struct{ *account.Accounts }

// Search is a page of accounts, and how many there are.
func (p deskPeople) Search(ctx context.Context, word, after string, max int) ([]admin.Person, int, error) {
	all, err := p.CountHolding(ctx, word)
	if err != nil {
		return nil, 0, err
	}
	found, err := p.Accounts.Search(ctx, word, after, max)
	page := make([]admin.Person, len(found))
	for i, e := range found {
		page[i] = personOf(e)
	}
	return page, all, err
}

// Person is one account.
func (p deskPeople) Person(ctx context.Context, one *core.Account) (admin.Person, error) {
	e, err := p.Entry(ctx, one)
	return personOf(e), err
}

func personOf(e account.Entry) admin.Person {
	return admin.Person{ID: e.ID, Name: e.Name, Role: string(e.Role), Created: e.Created, Seen: e.Seen, Disabled: e.Disabled}
}

// deskApps are the apps as the page asks them.
type deskApps struct{ *device.Feature }

// Of are the apps of an account.
func (d deskApps) Of(ctx context.Context, one *core.Account) ([]admin.App, error) {
	found, err := d.List(ctx, one)
	apps := make([]admin.App, len(found))
	for i, a := range found {
		apps[i] = admin.App{Software: a.Software, Name: a.Name, Since: a.Since, Used: a.Used, Connected: len(a.Sessions) > 0}
	}
	return apps, err
}

// deskFiles are the uploads as the page asks them.
type deskFiles struct {
	*upload.Upload
	quota int64
}

// QuotaBytes is how much one account may have.
func (d deskFiles) QuotaBytes() int64 { return d.quota }

// deskDoor are the invitations as the page asks them.
type deskDoor struct{ *register.Feature }

// Invite makes an invitation in the operator's name.
func (d deskDoor) Invite(ctx context.Context, wanted admin.Invitation) (admin.Invitation, error) {
	link, err := d.Feature.Invite(ctx, nil, register.Invite{Account: true, Name: wanted.Name, Admin: wanted.Admin, Desk: true, Uses: wanted.Uses, Expires: wanted.Expires})
	return admin.Invitation{Name: wanted.Name, Admin: wanted.Admin, Uses: wanted.Uses, Expires: link.Expires, URI: link.URI, Web: link.Web}, err
}

// Open are the invitations that can still be used.
func (d deskDoor) Open(ctx context.Context, max int) ([]admin.Invitation, error) {
	found, err := d.Feature.Open(ctx, max)
	all := make([]admin.Invitation, len(found))
	for i, one := range found {
		all[i] = admin.Invitation{ID: one.ID, By: one.From(), Name: one.Name, Admin: one.Admin, Uses: one.Uses, Expires: one.Expires}
	}
	return all, err
}

// PasswordLink makes a link for a new password.
func (d deskDoor) PasswordLink(ctx context.Context, by, one *core.Account) (admin.Invitation, error) {
	link, err := d.Feature.PasswordLink(ctx, by, one)
	return admin.Invitation{Web: link.Web, Expires: link.Expires}, err
}

// deskReports are the reports as the page asks them.
type deskReports struct {
	*blocking.Feature
	names *account.Accounts
}

// Page is a page of reports, and how many are open.
func (d deskReports) Page(ctx context.Context, handled bool, before int64, max int) ([]admin.Report, int, error) {
	open, err := d.Feature.Open(ctx)
	if err != nil {
		return nil, 0, err
	}
	found, err := d.Feature.Page(ctx, handled, before, max)
	if err != nil {
		return nil, 0, err
	}
	page := make([]admin.Report, len(found))
	for i, r := range found {
		by, err := reporter(ctx, d.names, r)
		if err != nil {
			return nil, 0, err
		}
		page[i] = admin.Report{ID: r.ID, At: r.At, JID: r.JID.String(), By: by, Kind: r.Kind(), Words: r.Words, Messages: len(r.Messages), Handled: !r.Handled.IsZero()}
	}
	return page, open, nil
}

// deskMachine is what the server stands on.
type deskMachine struct {
	app   *App
	files *upload.Upload
}

// Limits are the settings that people run into.
func (d deskMachine) Limits() []admin.Fact {
	c := d.app.cfg
	bytes := func(n int64) string { return strconv.FormatInt(n, 10) }
	count := strconv.Itoa
	seconds := func(d time.Duration) string { return strconv.FormatInt(int64(d/time.Second), 10) }
	return []admin.Fact{
		{Name: "domain", Value: c.Domain}, {Name: "max_sessions", Value: count(c.MaxSessions)},
		{Name: "register.open", Value: strconv.FormatBool(c.Register.Open)}, {Name: "register.open_per_day", Value: count(c.Register.OpenPerDay)},
		{Name: "register.members_invite", Value: strconv.FormatBool(c.Register.MembersInvite)},
		{Name: "register.invites_per_day", Value: count(c.Register.InvitesPerDay)}, {Name: "register.invite_life", Value: seconds(c.Register.InviteLife)},
		{Name: "upload.max_size_bytes", Value: bytes(c.Upload.MaxSizeBytes)}, {Name: "upload.quota_bytes", Value: bytes(c.Upload.QuotaBytes)},
		{Name: "upload.expiry", Value: seconds(c.Upload.Expiry)},
		{Name: "c2s.stanza_rate", Value: count(int(c.C2S.StanzaRate))}, {Name: "c2s.byte_rate", Value: count(int(c.C2S.ByteRate))},
		{Name: "c2s.max_stanza", Value: count(c.C2S.MaxStanza)}, {Name: "c2s.max_per_address", Value: count(c.C2S.MaxPerAddress)},
		{Name: "c2s.max_failures", Value: count(c.C2S.MaxFailures)}, {Name: "account.min_password_length", Value: count(c.Account.MinPasswordLength)},
		{Name: "account.name_rest", Value: seconds(c.Account.NameRest)}, {Name: "device.life", Value: seconds(c.Device.Life)},
	}
}

// Storage is what is kept, and how much room there is.
func (d deskMachine) Storage(ctx context.Context) ([]admin.Fact, error) {
	database, err := d.databaseBytes(ctx)
	if err != nil {
		return nil, err
	}
	uploads, files, err := d.files.Totals(ctx)
	if err != nil {
		return nil, err
	}
	out := []admin.Fact{{Name: "database.engine", Value: d.app.db.Engine()}, {Name: "database.bytes", Value: strconv.FormatInt(database, 10)},
		{Name: "uploads.bytes", Value: strconv.FormatInt(uploads, 10)}, {Name: "uploads.files", Value: strconv.Itoa(files)}}
	var disk syscall.Statfs_t
	if err := syscall.Statfs(d.app.cfg.Data, &disk); err != nil {
		return nil, fmt.Errorf("look at the disk: %w", err)
	}
	size := int64(disk.Bsize) // of another type on other systems
	return append(out, admin.Fact{Name: "disk.free", Value: strconv.FormatInt(int64(disk.Bavail)*size, 10)},
		admin.Fact{Name: "disk.bytes", Value: strconv.FormatInt(int64(disk.Blocks)*size, 10)}), nil
}

// databaseBytes is the size of the database: of its files where it is ours, as PostgreSQL says where it is not.
func (d deskMachine) databaseBytes(ctx context.Context) (total int64, err error) {
	path, ours := strings.CutPrefix(d.app.cfg.Store.URL, "sqlite:")
	if !ours {
		if err = d.app.db.QueryRow(ctx, `select pg_database_size(current_database())`).Scan(&total); err != nil {
			return 0, fmt.Errorf("size of the database: %w", err)
		}
		return total, nil
	}
	files, err := filepath.Glob(path + "*")
	if err != nil {
		return 0, err
	}
	for _, name := range files {
		info, err := os.Stat(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return 0, fmt.Errorf("size of the database: %w", err)
		}
		total += info.Size()
	}
	return total, nil
}

// aboutApp is the server as its health tells of it.
type aboutApp struct{ *App }

// Version is that of the program.
func (aboutApp) Version() string { return Version() }

// CertificateEnds is when the certificate in use ends.
func (a aboutApp) CertificateEnds() time.Time { return a.cert.Ends() }
