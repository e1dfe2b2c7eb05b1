package app

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write docs/configuration.md anew")

const configurationDocument = "../docs/configuration.md"

// TestConfigurationDocument makes docs/configuration.md of the comments beside the settings, and compares.
func TestConfigurationDocument(t *testing.T) {
	made := describeConfig(t)
	if *update {
		if err := os.WriteFile(configurationDocument, made, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	there, err := os.ReadFile(configurationDocument)
	if err != nil || !bytes.Equal(there, made) {
		t.Errorf("docs/configuration.md is not what the code says: run make docs (%v)", err)
	}
}

const preface = `# Configuration

Palabre needs no configuration. What you want different goes into one file, in TOML: palabre.toml in the working folder,
/etc/palabre/palabre.toml, or the one that -config or PALABRE_CONFIG names. A key that does not exist is an error that names its line.
Times are written "30s", "5m", "2h" or "7d".

Every key can be set from the environment too, over the file: PALABRE_DOMAIN, PALABRE_STORE_URL and so on. With _FILE at the end the
variable names a file that holds the value: PALABRE_STORE_URL_FILE=/run/secrets/database keeps a password out of the file.

This page is made of the comments in the code.
`

func describeConfig(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	b.WriteString(preface)
	cfg := DefaultConfig()
	sections := map[string]string{}
	for i := range reflect.TypeFor[Config]().NumField() {
		f := reflect.TypeFor[Config]().Field(i)
		sections[keyOf(f)] = commentOf(t, reflect.TypeFor[Config](), f.Name)
	}
	b.WriteString("\n## At the top of the file\n\n")
	section := ""
	for _, s := range settings(reflect.ValueOf(&cfg).Elem(), "") {
		if s.section != section && s.section != "" {
			fmt.Fprintf(&b, "\n## [%s]\n\n", s.section)
			if about := sections[s.section]; about != "" {
				_, about, _ = strings.Cut(about, " ")
				fmt.Fprintf(&b, "This section %s\n\n", about)
			}
		}
		section = s.section
		about := commentOf(t, s.owner, s.field)
		if about == "" {
			t.Errorf("%s: the setting %s has no comment", s.owner, s.field)
		}
		for i := range s.owner.NumField() {
			if f := s.owner.Field(i); f.Name != strings.ToLower(f.Name) && len(f.Name) > 4 || f.Name == s.field {
				about = regexp.MustCompile(`\b`+f.Name+`\b`).ReplaceAllString(about, "`"+keyOf(f)+"`")
			}
		}
		fmt.Fprintf(&b, "- %s Default: `%s`.\n", about, shown(t, s))
	}
	return b.Bytes()
}

// shown is the default as it would stand in the file.
func shown(t *testing.T, s setting) string {
	t.Helper()
	if d, ok := s.value.Interface().(time.Duration); ok {
		return `"` + duration(d).String() + `"`
	}
	if s.name() == "store.url" {
		return `"sqlite:<data>/palabre.db"`
	}
	if s.value.Kind() == reflect.Slice && s.value.Len() == 0 {
		return "[]"
	}
	text, err := json.Marshal(s.value.Interface())
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), `","`, `", "`)
}

var comments = map[string]string{} // by package path, type and field

// commentOf is the comment of a field, in one line.
func commentOf(t *testing.T, owner reflect.Type, field string) string {
	t.Helper()
	key := func(name, field string) string { return owner.PkgPath() + "." + name + "." + field }
	if _, ok := comments[key("", "")]; !ok {
		comments[key("", "")] = "read"
		folder := filepath.Join("..", strings.TrimPrefix(owner.PkgPath(), "palabre.dev/palabre/"))
		names, err := filepath.Glob(filepath.Join(folder, "*.go"))
		if err != nil || len(names) == 0 {
			t.Fatalf("no code in %s: %v", folder, err)
		}
		for _, name := range names {
			parsed, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(parsed, func(n ast.Node) bool {
				spec, ok := n.(*ast.TypeSpec)
				if !ok {
					return true
				}
				if body, ok := spec.Type.(*ast.StructType); ok {
					for _, f := range body.Fields.List {
						for _, name := range f.Names {
							comments[key(spec.Name.Name, name.Name)] = strings.Join(strings.Fields(f.Doc.Text()), " ")
						}
					}
				}
				return true
			})
		}
	}
	return comments[key(owner.Name(), field)]
}

func TestEmptyFileRuns(t *testing.T) {
	path := filepath.Join(t.TempDir(), "palabre.toml")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := LoadConfig(path)
	if err != nil || cfg.Domain != "localhost" || cfg.Store.URL != "sqlite:data/palabre.db" {
		t.Errorf("%+v, %v", cfg.Store, err)
	}
}

func TestFileAndEnvironment(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "url")
	if err := os.WriteFile(secret, []byte("postgres://palabre:secret@db/palabre\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	environment := map[string]string{"PALABRE_STORE_URL_FILE": secret, "PALABRE_C2S_LISTEN": ":1, :2", "PALABRE_REGISTER_OPEN": "true",
		"PALABRE_REGISTER_INVITE_LIFE": "36h", "PALABRE_MAX_SESSIONS": "7",
		"PALABRE_PAY_RATES_ORDER": "2/1m"}
	cfg := DefaultConfig()
	if err := decode([]byte("domain = 'chat.example'\n[register]\ninvite_life = '3d'\nopen_per_day = 9\n[upload]\nexpiry = '0s'\n[pay.rates]\nkey = '3/1h'"), &cfg); err != nil {
		t.Fatal(err)
	}
	if cfg.Register.InviteLife != 72*time.Hour || cfg.Upload.Expiry != 0 || cfg.Register.InvitesPerDay != DefaultConfig().Register.InvitesPerDay {
		t.Errorf("file: %+v", cfg.Register)
	}
	if key := cfg.Pay.Rates.Key; key.AtOnce != 3 || key.Every != time.Hour || cfg.Pay.Rates.Pay != DefaultConfig().Pay.Rates.Pay {
		t.Errorf("file: %+v", cfg.Pay.Rates)
	}
	err := readEnvironment(&cfg, func(name string) (string, bool) { v, ok := environment[name]; return v, ok })
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Store.URL != "postgres://palabre:secret@db/palabre" || len(cfg.C2S.Listen) != 2 || cfg.C2S.Listen[1] != ":2" || !cfg.Register.Open ||
		cfg.Register.InviteLife != 36*time.Hour || cfg.MaxSessions != 7 || cfg.Pay.Rates.Order.AtOnce != 2 || cfg.Domain != "chat.example" || cfg.Register.OpenPerDay != 9 {
		t.Errorf("%+v", cfg)
	}
	for name, value := range map[string]string{"PALABRE_MAX_SESSIONS": "many", "PALABRE_REGISTER_INVITE_LIFE": "soon", "PALABRE_STORE_URL_FILE": "/does/not/exist"} {
		err := readEnvironment(&cfg, func(asked string) (string, bool) { return value, asked == name })
		if err == nil || !strings.Contains(err.Error(), strings.TrimSuffix(name, "_FILE")) {
			t.Errorf("%s=%s: %v", name, value, err)
		}
	}
}

func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{"30s": 30 * time.Second, "1.5d": 36 * time.Hour, "2h30m": 150 * time.Minute, "0s": 0} {
		var d duration
		if err := d.UnmarshalText([]byte(text)); err != nil || time.Duration(d) != want {
			t.Errorf("%s: %v, %v", text, d, err)
		}
	}
	for d, want := range map[time.Duration]string{365 * 24 * time.Hour: "365d", 90 * time.Minute: "1h30m", time.Hour: "1h", 500 * time.Millisecond: "500ms", 0: "0s", 48 * time.Hour: "2d"} {
		if got := duration(d).String(); got != want {
			t.Errorf("%v: %s", d, got)
		}
	}
	for _, bad := range []string{"", "5", "d", "1e9d", "NaNd"} {
		if err := new(duration).UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

// FuzzDecode wants an error or a configuration of any text, never a panic.
func FuzzDecode(f *testing.F) {
	f.Add("domain = 'x'\n[c2s]\nlisten = [':1']\nlogin_timeout = '1m'")
	f.Add("[store]\nurl = 5")
	f.Fuzz(func(t *testing.T, text string) {
		cfg := DefaultConfig()
		if decode([]byte(text), &cfg) == nil {
			_ = cfg.Validate()
		}
	})
}
