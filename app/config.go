package app

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"palabre.dev/palabre/app/certificate"
	"palabre.dev/palabre/c2s"
	"palabre.dev/palabre/component"
	"palabre.dev/palabre/core"
	"palabre.dev/palabre/feature/account"
	"palabre.dev/palabre/feature/archive"
	"palabre.dev/palabre/feature/blocking"
	"palabre.dev/palabre/feature/caps"
	"palabre.dev/palabre/feature/channel"
	"palabre.dev/palabre/feature/device"
	"palabre.dev/palabre/feature/disco"
	"palabre.dev/palabre/feature/group"
	"palabre.dev/palabre/feature/health"
	"palabre.dev/palabre/feature/linkcard"
	"palabre.dev/palabre/feature/private"
	"palabre.dev/palabre/feature/pubsub"
	"palabre.dev/palabre/feature/push"
	"palabre.dev/palabre/feature/register"
	"palabre.dev/palabre/feature/roster"
	"palabre.dev/palabre/feature/status"
	"palabre.dev/palabre/feature/upload"
	"palabre.dev/palabre/feature/vcard"
	"palabre.dev/palabre/httpd"
	"palabre.dev/palabre/payments/ledger"
	"palabre.dev/palabre/payments/pay"
	"palabre.dev/palabre/payments/rail/adapter"
	"palabre.dev/palabre/store"
)

// Config is the whole configuration file. Every part owns its section; an empty file is a configuration that works.
type Config struct {
	core.Config
	// Data is the folder for everything that Palabre keeps: the database, certificates, uploads. It is made if it is missing.
	Data string `toml:"data"`
	// Log is how the server tells what it does.
	Log LogConfig `toml:"log"`
	// TLS is where certificates come from.
	TLS certificate.Config `toml:"tls"`
	// Store is the database.
	Store store.Config `toml:"store"`
	// HTTP is the door for browsers and for the operator's tools.
	HTTP httpd.Config `toml:"http"`
	// C2S is the door for apps.
	C2S c2s.Config `toml:"c2s"`
	// Account is about accounts.
	Account account.Config `toml:"account"`
	// Device is about the apps that have access to accounts.
	Device device.Config `toml:"device"`
	// Register is about how people get in.
	Register register.Config `toml:"register"`
	// Roster is about contacts and presence.
	Roster roster.Config `toml:"roster"`
	// Archive is about what is kept of conversations.
	Archive archive.Config `toml:"archive"`
	// Blocking is about whom people shut out.
	Blocking blocking.Config `toml:"blocking"`
	// Caps is about what apps can do.
	Caps caps.Config `toml:"caps"`
	// PubSub is about what people publish of themselves: keys for encryption, avatars, bookmarks.
	PubSub pubsub.Config `toml:"pubsub"`
	// Status is about what people tell for a day.
	Status status.Config `toml:"status"`
	// VCard is about who people say they are.
	VCard vcard.Config `toml:"vcard"`
	// Private is about what older apps store for themselves.
	Private private.Config `toml:"private"`
	// Disco is about what the server tells of itself.
	Disco disco.Config `toml:"disco"`
	// Push wakes sleeping apps.
	Push push.Config `toml:"push"`
	// Group is about groups.
	Group group.Config `toml:"group"`
	// Channel is about channels.
	Channel channel.Config `toml:"channel"`
	// Upload is about files that people share.
	Upload upload.Config `toml:"upload"`
	// LinkCard is about cards of links, for which the server reads web pages.
	LinkCard linkcard.Config `toml:"linkcard"`
	// Health is about what administrators are shown of the server.
	Health health.Config `toml:"health"`
	// Component lets components of others in, which live at domains beside the server's (XEP-0114).
	Component component.DoorConfig `toml:"component"`
	// Ledger is about the books in which money is kept (docs/ledger.md).
	Ledger ledger.Config `toml:"ledger"`
	// Pay is about payments between accounts (docs/payments.md). They are offered when there is a unit.
	Pay PayConfig `toml:"pay"`
}

// LogConfig is how the server tells what it does. It never writes what people say.
type LogConfig struct {
	// Format is text or json.
	Format string `toml:"format"`
	// Level is debug, info, warn or error.
	Level string `toml:"level"`
}

// DefaultConfig is what an empty file means.
func DefaultConfig() Config {
	return Config{
		Config:  core.DefaultConfig(),
		Data:    "data",
		Log:     LogConfig{Format: "text", Level: "info"},
		TLS:     certificate.DefaultConfig(),
		Store:   storeDefaults(),
		HTTP:    httpd.DefaultConfig(),
		C2S:     c2s.DefaultConfig(),
		Account: account.DefaultConfig(),
		Device:  device.DefaultConfig(),

		Register: register.DefaultConfig(),
		Roster:   roster.DefaultConfig(),
		Archive:  archive.DefaultConfig(),
		Blocking: blocking.DefaultConfig(),
		Caps:     caps.DefaultConfig(),
		PubSub:   pubsub.DefaultConfig(),
		Status:   status.DefaultConfig(),
		VCard:    vcard.DefaultConfig(),
		Private:  private.DefaultConfig(),
		Disco:    disco.DefaultConfig(),
		Push:     push.DefaultConfig(),
		Group:    group.DefaultConfig(),
		Channel:  channel.DefaultConfig(),
		Upload:   upload.DefaultConfig(),
		LinkCard: linkcard.DefaultConfig(),
		Health:   health.DefaultConfig(),
		Ledger:   ledger.DefaultConfig(),

		Component: component.DefaultDoorConfig(),
		Pay:       PayConfig{map[string]adapter.Config{}, pay.DefaultConfig(), component.DefaultConfig()},
	}
}

// storeDefaults leaves the address empty: the database is a file in the data folder unless the operator names one.
func storeDefaults() store.Config {
	cfg := store.DefaultConfig()
	cfg.URL = ""
	return cfg
}

// LoadConfig reads a configuration file over the defaults, then the environment over both: PALABRE_DOMAIN, PALABRE_STORE_URL and so on
// set one key each, and with _FILE at the end name a file that holds the value, which suits secrets. An empty path reads no file. Errors
// name the line or the key.
func LoadConfig(path string) (Config, error) {
	cfg := DefaultConfig()
	if path != "" {
		text, err := os.ReadFile(path)
		if err != nil {
			return cfg, fmt.Errorf("read configuration: %w", err)
		}
		if err := decode(text, &cfg); err != nil {
			return cfg, fmt.Errorf("configuration %s: %w", path, err)
		}
	}
	if err := readEnvironment(&cfg, os.LookupEnv); err != nil {
		return cfg, err
	}
	if cfg.Store.URL == "" {
		cfg.Store.URL = "sqlite:" + filepath.Join(cfg.Data, "palabre.db")
	}
	return cfg, cfg.Validate()
}

// Validate asks every part about its section and reports all that cannot work.
func (c Config) Validate() error {
	var errs []error
	sections := reflect.ValueOf(c)
	for i := range sections.NumField() {
		part, ok := sections.Field(i).Interface().(interface{ Validate() error })
		if !ok {
			continue
		}
		if err := part.Validate(); err != nil {
			name := keyOf(sections.Type().Field(i))
			errs = append(errs, fmt.Errorf("configuration: %s", strings.TrimPrefix(fmt.Sprintf("[%s] %s", name, err), "[] ")))
		}
	}
	if c.paying() {
		if err := c.payments().Validate(); err != nil {
			errs = append(errs, fmt.Errorf("configuration: [pay] %w", err))
		}
		for name, cfg := range c.Pay.Rail {
			if err := cfg.Validate(); err != nil {
				errs = append(errs, fmt.Errorf("configuration: [pay.rail.%s] %w", name, err))
			}
		}
	}
	if c.Data == "" {
		errs = append(errs, errors.New("configuration: data: must not be empty"))
	}
	return errors.Join(errs...)
}

// Validate reports an unknown format or level.
func (c LogConfig) Validate() error {
	if c.Format != "text" && c.Format != "json" {
		return fmt.Errorf("format: %q is not text or json", c.Format)
	}
	if err := new(slog.Level).UnmarshalText([]byte(c.Level)); err != nil {
		return fmt.Errorf("level: %q is not debug, info, warn or error", c.Level)
	}
	return nil
}

// Logger writes to standard error, which the service manager keeps.
func (c LogConfig) Logger() *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Level)); err != nil {
		level = slog.LevelInfo
	}
	options := &slog.HandlerOptions{Level: level}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(os.Stderr, options))
	}
	return slog.New(slog.NewTextHandler(os.Stderr, options))
}

// hosts are the names of services that live beside the domain and that browsers reach.
func (c Config) hosts() []string {
	hosts := []string{"upload." + c.Domain}
	if c.Upload.Domain != "" {
		hosts[0] = c.Upload.Domain
	}
	for _, address := range []string{c.HTTP.URL, c.Upload.URL} {
		if u, err := url.Parse(address); err == nil && u.Hostname() != "" && u.Hostname() != c.Domain && !slices.Contains(hosts, u.Hostname()) {
			hosts = append(hosts, u.Hostname())
		}
	}
	return hosts
}

// uploads is the section with the address of the web door in place of none.
func (c Config) uploads() upload.Config {
	cfg := c.Upload
	if cfg.URL == "" {
		cfg.URL = c.HTTP.Public(c.Domain)
	}
	return cfg
}

// web is the address at which browsers reach the server.
func (a *App) web() string { return a.cfg.HTTP.Public(a.cfg.Domain) }
