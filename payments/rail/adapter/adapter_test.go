package adapter

import (
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"

	"palabre.dev/palabre/payments/rail/momo"
	"palabre.dev/palabre/payments/rail/pix"
	"palabre.dev/palabre/payments/rail/railtest"
	"palabre.dev/palabre/payments/rail/sandbox"
	"palabre.dev/palabre/payments/rail/stripe"
)

// TestNetworks reads a configuration as an operator writes it, with secrets in files, and makes the networks.
func TestNetworks(t *testing.T) {
	secret := railtest.File(t, "secret")
	text := strings.ReplaceAll(`
[rail.try.sandbox]
units = ["MAD"]
seconds = 3
[rail.mpesa.momo]
url = "https://api.operator.example/v1.2/mm"
units = ["KES"]
identifier = "palabre"
user = "u"
secret_file = "FILE"
callback = "https://chat.example/pay/rail/mpesa"
callback_secret_file = "FILE"
[rail.card.stripe]
units = ["EUR", "USD"]
key_file = "FILE"
webhook_secret_file = "FILE"
return = "https://chat.example/wallet"
[rail.pix.pix]
url = "https://pix.psp.example/v2"
token_url = "https://pix.psp.example/oauth/token"
client_id = "c"
secret_file = "FILE"
pix_key = "key@example"
webhook_secret_file = "FILE"
`, "FILE", secret)
	var cfg struct {
		Rail map[string]Config `toml:"rail"`
	}
	if err := toml.NewDecoder(strings.NewReader(text)).DisallowUnknownFields().Decode(&cfg); err != nil {
		t.Fatal(err)
	}
	networks, err := Networks(cfg.Rail)
	if err != nil || len(networks) != 4 {
		t.Fatalf("%d networks: %v", len(networks), err)
	}
	if terms := networks["pix"].Terms(); terms.Out || !terms.In || !terms.Refunds {
		t.Errorf("pix: %+v", terms)
	}
	if terms := networks["card"].Terms(); len(terms.Units) != 2 {
		t.Errorf("card: %+v", terms)
	}
}

func TestBadRails(t *testing.T) {
	for name, cfg := range map[string]Config{"none": {}, "two": {Sandbox: &sandbox.Config{Units: []string{"MAD"}}, Pix: &pix.Config{}}, "bad": {Momo: &momo.Config{}},
		"no file": {Stripe: &stripe.Config{Units: []string{"EUR"}, KeyFile: "/nowhere/key", Return: "https://chat.example"}}} {
		if _, err := Networks(map[string]Config{name: cfg}); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}
