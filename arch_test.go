// Package palabre holds the rules of the house that a machine can check: which part may import which, who owns which table, how long a
// file may be, and how a specification is cited.
package palabre

import (
	"bufio"
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "palabre.dev/palabre/"

// floors are the folders by height: a package imports lower floors only, never a sibling. A name with /* stands for each folder below it,
// which are siblings; a folder's own subfolders belong to it.
var floors = [][]string{
	{"xmpp", "omemo", "web", "payments/intent", "payments/qr"},
	{"store", "bus", "blob", "transport"},
	{"jobs", "client", "payments/ledger", "e2e"},
	{"core"},
	{"feature/*", "c2s", "s2s", "component", "httpd"},
	{"payments/pay", "payments/rail", "business/*"},
	{"app"},
	{"cmd/*", "bench", "test"},
}

// alone are packages that import nothing of ours but these.
var alone = map[string][]string{"core": {"xmpp"}, "payments/ledger": {"store"}}

const (
	maxLines     = 600
	maxTestLines = 1000
	maxFunction  = 70
)

// file is one Go file of ours.
type file struct {
	path string // from the root, with slashes
	text []byte
	ast  *ast.File
	set  *token.FileSet
}

func (f *file) test() bool { return strings.HasSuffix(f.path, "_test.go") }

// files reads all Go files once.
func files(t *testing.T) []*file {
	t.Helper()
	var all []*file
	walk(t, ".go", func(name string, text []byte) {
		f := &file{path: name, text: text, set: token.NewFileSet()}
		var err error
		if f.ast, err = parser.ParseFile(f.set, name, text, parser.ParseComments); err != nil {
			t.Fatal(err)
		}
		all = append(all, f)
	})
	if len(all) < 50 {
		t.Fatalf("%d files found", len(all))
	}
	return all
}

// walk calls fn for the files with these endings.
func walk(t *testing.T, ending string, fn func(name string, text []byte)) {
	t.Helper()
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && name != "." && (strings.HasPrefix(entry.Name(), ".") || slices.Contains([]string{"node_modules", "data", "testdata"}, entry.Name())) {
			return filepath.SkipDir
		}
		if entry.IsDir() || !strings.HasSuffix(name, ending) {
			return nil
		}
		text, err := os.ReadFile(name)
		if err == nil {
			fn(filepath.ToSlash(name), text)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// part is the folder that a package belongs to, and its floor; -1 if it has none.
func part(folder string) (name string, floor int) {
	for i, names := range floors {
		for _, one := range names {
			if parent, each := strings.CutSuffix(one, "/*"); each {
				if rest, ok := strings.CutPrefix(folder, parent+"/"); ok {
					child, _, _ := strings.Cut(rest, "/")
					return parent + "/" + child, i
				}
			} else if folder == one || strings.HasPrefix(folder, one+"/") {
				return one, i
			}
		}
	}
	return "", -1
}

func TestImportsPointDown(t *testing.T) {
	for _, f := range files(t) {
		if f.test() || strings.HasPrefix(f.path, "test/") || strings.HasPrefix(f.path, "web/test/") || strings.HasPrefix(f.path, "store/storetest/") || strings.HasSuffix(path.Dir(f.path), "test") {
			continue // tests put parts together
		}
		own, floor := part(path.Dir(f.path))
		if floor < 0 && path.Dir(f.path) != "." {
			t.Errorf("%s: its folder is on no floor", f.path)
		}
		for _, spec := range f.ast.Imports {
			target, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			target, ours := strings.CutPrefix(target, module)
			if !ours {
				continue
			}
			other, below := part(target)
			if other != own && below >= floor {
				t.Errorf("%s imports %s, which is not below it", f.path, target)
			}
			if only, ok := alone[own]; ok && other != own && !slices.Contains(only, other) {
				t.Errorf("%s imports %s: it may import %v alone", f.path, target, only)
			}
		}
	}
}

var createTable = regexp.MustCompile(`(?i)create table (?:if not exists )?([a-z0-9_]+)`)

// TestTablesHaveOneOwner wants the name of a table to begin with the name of its folder, and no other folder's Go or SQL to name it.
func TestTablesHaveOneOwner(t *testing.T) {
	owners := map[string]string{} // table to folder
	walk(t, ".sql", func(name string, text []byte) {
		folder := path.Dir(strings.TrimSuffix(path.Dir(name), "/migrations") + "/x")
		for _, match := range createTable.FindAllSubmatch(text, -1) {
			table := string(match[1])
			if !strings.HasPrefix(table, path.Base(folder)) {
				t.Errorf("%s: table %s does not begin with %s", name, table, path.Base(folder))
			}
			owners[table] = folder
		}
	})
	if len(owners) < 5 {
		t.Fatalf("tables found: %v", owners)
	}
	for _, f := range files(t) {
		if f.test() {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			literal, ok := n.(*ast.BasicLit)
			if !ok || literal.Kind != token.STRING || !looksLikeSQL(literal.Value) {
				return true
			}
			for table, folder := range owners {
				named := regexp.MustCompile(`(?i)\b(from|into|update|join|table)\s+` + table + `\b`).MatchString(literal.Value)
				if named && !strings.HasPrefix(f.path, folder+"/") {
					t.Errorf("%s: names the table %s of %s", f.set.Position(literal.Pos()), table, folder)
				}
			}
			return true
		})
	}
}

func looksLikeSQL(text string) bool {
	text = strings.ToLower(text)
	return slices.ContainsFunc([]string{"select ", "insert ", "update ", "delete ", "create table"}, func(word string) bool { return strings.Contains(text, word) })
}

func TestFilesAndFunctionsAreShort(t *testing.T) {
	for _, f := range files(t) {
		limit := maxLines
		if f.test() {
			limit = maxTestLines
		}
		if lines := bytes.Count(f.text, []byte("\n")); lines > limit {
			t.Errorf("%s has %d lines, allowed are %d", f.path, lines, limit)
		}
		for _, decl := range f.ast.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || f.test() {
				continue
			}
			if lines := f.set.Position(fn.End()).Line - f.set.Position(fn.Pos()).Line + 1; lines > maxFunction {
				t.Errorf("%s: %s has %d lines, allowed are %d", f.path, fn.Name.Name, lines, maxFunction)
			}
		}
	}
}

// TestNobodySleepsInTests allows time.Sleep in tests within testing/synctest, where no time passes.
func TestNobodySleepsInTests(t *testing.T) {
	for _, f := range files(t) {
		if f.test() && bytes.Contains(f.text, []byte("time.Sleep(")) && !bytes.Contains(f.text, []byte(`"testing/synctest"`)) && f.path != "arch_test.go" {
			t.Errorf("%s sleeps: wait for the event, or use testing/synctest", f.path)
		}
	}
}

func TestNoForbiddenPackageNames(t *testing.T) {
	for _, f := range files(t) {
		if slices.Contains([]string{"util", "utils", "common", "helpers", "helper", "types", "models", "misc"}, f.ast.Name.Name) {
			t.Errorf("%s: a package is named for what it does, not %s", f.path, f.ast.Name.Name)
		}
		if regexp.MustCompile(`^(xep|rfc)\d`).MatchString(f.ast.Name.Name) {
			t.Errorf("%s: a package is named for what it does, not for a number", f.path)
		}
	}
}

func TestPackagesSayWhatTheyAreFor(t *testing.T) {
	told, folders := map[string]bool{}, map[string]bool{}
	for _, f := range files(t) {
		if f.test() {
			continue
		}
		folders[path.Dir(f.path)] = true
		told[path.Dir(f.path)] = told[path.Dir(f.path)] || f.ast.Doc != nil
	}
	for folder := range folders {
		if !told[folder] {
			t.Errorf("%s: no file has a package comment", folder)
		}
	}
}

var (
	citation = regexp.MustCompile(`\b(XEP|xep|RFC|rfc)[ -]?(\d+)`)
	badWay   = regexp.MustCompile(`\b(?:XEP[ ]\d+|XEP-\d{1,3}\b|XEP-\d{5,}|xep-?\d{4}\b|RFC\d+|RFC-\d+)`)
	todo     = regexp.MustCompile(`\b(TODO|FIXME|XXX)\b`)
)

// TestSpecificationsAreCitedExactly wants `XEP-nnnn §x` or `RFC nnnn §x` in comments, so that a tool can list them, and no unfinished work.
func TestSpecificationsAreCitedExactly(t *testing.T) {
	found := 0
	for _, f := range files(t) {
		if f.path == "arch_test.go" {
			continue
		}
		for _, group := range f.ast.Comments {
			for _, comment := range group.List {
				found += len(citation.FindAllString(comment.Text, -1))
				if bad := badWay.FindString(comment.Text); bad != "" {
					t.Errorf("%s: %q: write XEP-nnnn or RFC nnnn", f.set.Position(comment.Pos()), bad)
				}
				if todo.MatchString(comment.Text) && !regexp.MustCompile(`TODO #\d+`).MatchString(comment.Text) {
					t.Errorf("%s: unfinished work without the number of an issue", f.set.Position(comment.Pos()))
				}
			}
		}
	}
	if found < 100 {
		t.Errorf("%d citations found", found)
	}
}

// TestMigrationsRunOnBothEngines looks for words that one engine alone knows, outside of sections marked for it.
func TestMigrationsRunOnBothEngines(t *testing.T) {
	alone := regexp.MustCompile(`(?i)\b(autoincrement|serial|bigserial|jsonb|without rowid|references|trigger)\b`)
	walk(t, ".sql", func(name string, text []byte) {
		skip := false
		for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
			line := lines.Text()
			if strings.HasPrefix(line, "-- only:") {
				skip = !strings.Contains(line, "end")
			}
			code, _, _ := strings.Cut(line, "--")
			if word := alone.FindString(code); word != "" && !skip {
				t.Errorf("%s: %q is not for both engines", name, word)
			}
		}
	})
}
