package app

import (
	"strings"
	"testing"
	"time"

	"palabre.dev/palabre/feature/admin"
	"palabre.dev/palabre/payments/rail/adapter"
	"palabre.dev/palabre/payments/rail/sandbox"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/test/payer"
)

// TestRailsAtTheDesk: administrators see how rails stand, what has become of each transfer, and what the lists of a day differ in; nobody else does.
func TestRailsAtTheDesk(t *testing.T) {
	cfg := railConfig(t, storetest.SQLite)
	cfg.Pay.Rail["away"] = adapter.Config{Title: "Away", Sandbox: &sandbox.Config{Units: []string{"MAD"}, URL: "http://127.0.0.1:1"}} // nobody answers there
	r := start(t, cfg)
	romeo, juliet := r.test.Login(t, "romeo/home"), r.test.Login(t, "juliet/home")
	juliet.Send(`<presence/>`)
	ids := map[string]string{}
	for _, name := range []string{"try", "away"} {
		ids[name] = payer.NewID()
		if got := request(t, juliet, "set", ask1("cashin").Set("id", ids[name]).Set("rail", name).Set("amount", "5000").Set("unit", "MAD").Set("address", "+212600000001")); got.Attr("type") != "result" {
			t.Fatalf("cash-in: %s", got)
		}
	}
	if got := request(t, juliet, "get", ask1("lookup").Set("id", ids["try"])); got.First().Attr("state") == "waiting" {
		told(juliet, ids["try"])
	}
	get := func(name string, attributes ...string) string {
		t.Helper()
		got := officer(t, romeo, "get", deskElement(name, attributes...))
		if got.Attr("type") != "result" {
			t.Fatalf("%s: %s", name, got)
		}
		return got.String()
	}
	all := officer(t, romeo, "get", deskElement("rails")).Child(admin.NSDesk, "rails")
	for one := range all.Children() {
		name := one.Attr("name")
		if up := one.Attr("up") == "true"; one.Local == "rail" && (up != (name == "try") || (one.Attr("why") != "") != (name == "away") || (one.Attr("unknown") == "1") != (name == "away")) {
			t.Errorf("a rail: %s", one)
		}
	}
	if unknown := all.Child(admin.NSDesk, "unknown"); unknown == nil || unknown.Attr("id") != ids["away"] || unknown.Attr("since") == "" || unknown.Attr("account") != "" {
		t.Errorf("unknown: %s", all)
	}
	if page := get("transfers", "rail", "try"); !strings.Contains(page, ids["try"]) || strings.Contains(page, ids["away"]) || strings.Contains(page, "juliet") {
		t.Errorf("transfers: %s", page)
	}
	if one := get("transfer", "id", ids["away"]); !strings.Contains(one, "account='juliet@localhost'") || !strings.Contains(one, "address='+212600000001'") || strings.Count(one, "<step") < 3 {
		t.Errorf("a transfer: %s", one)
	}
	if got := officer(t, romeo, "set", deskElement("ask", "id", ids["away"])); got.Attr("type") != "result" {
		t.Errorf("asked: %s", got)
	}
	day := time.Now().UTC().AddDate(0, 0, -1).Format(time.DateOnly)
	compared := officer(t, romeo, "set", deskElement("compare", "rail", "try", "day", day)).Child(admin.NSDesk, "comparison")
	if compared == nil || compared.Attr("lines") != "0" || compared.Attr("differences") != "0" {
		t.Fatalf("compared: %s", compared)
	}
	if page := get("comparisons", "rail", "try"); !strings.Contains(page, "number='"+compared.Attr("number")+"'") {
		t.Errorf("comparisons: %s", page)
	}
	get("differences", "number", compared.Attr("number"))
	for _, bad := range [][]string{{"rail", "other", "day", day}, {"rail", "away", "day", day}, {"rail", "try", "day", time.Now().UTC().Format(time.DateOnly)}, {"rail", "try", "day", "2999-01-01"}, {"rail", "try"}} {
		if got := officer(t, romeo, "set", deskElement("compare", bad...)); got.Attr("type") != "error" {
			t.Errorf("compared %v: %s", bad, got)
		}
	}
	for _, name := range []string{"rails", "transfers", "transfer", "comparisons", "differences"} {
		if got := officer(t, juliet, "get", deskElement(name, "id", ids["try"], "rail", "try")); got.Attr("type") != "error" {
			t.Errorf("anybody may see %s: %s", name, got)
		}
	}
}
