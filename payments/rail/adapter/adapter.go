// Package adapter makes networks of what an operator has configured: for each rail one of the adapters that there are.
package adapter

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"palabre.dev/palabre/payments/rail"
	"palabre.dev/palabre/payments/rail/momo"
	"palabre.dev/palabre/payments/rail/pix"
	"palabre.dev/palabre/payments/rail/sandbox"
	"palabre.dev/palabre/payments/rail/stripe"
)

// Config is one rail: exactly one of the networks.
type Config struct {
	// Title is what people call it, at most 40 bytes; empty for the name that it has here.
	Title string `toml:"title"`
	// Sandbox is a network that is none, for trying.
	Sandbox *sandbox.Config `toml:"sandbox"`
	// Momo is mobile money, by the GSMA Mobile Money API.
	Momo *momo.Config `toml:"momo"`
	// Stripe takes cards.
	Stripe *stripe.Config `toml:"stripe"`
	// Pix is the Brazilian central bank's.
	Pix *pix.Config `toml:"pix"`
}

// Validate reports the first setting that cannot work.
func (c Config) Validate() error {
	set := 0
	var err error
	if c.Sandbox != nil {
		set, err = set+1, errors.Join(err, c.Sandbox.Validate())
	}
	if c.Momo != nil {
		set, err = set+1, errors.Join(err, c.Momo.Filled().Validate())
	}
	if c.Stripe != nil {
		set, err = set+1, errors.Join(err, c.Stripe.Filled().Validate())
	}
	if c.Pix != nil {
		set, err = set+1, errors.Join(err, c.Pix.Filled().Validate())
	}
	if set != 1 {
		return errors.New("a rail is one of sandbox, momo, stripe and pix")
	}
	const maxTitle = 40
	if len(c.Title) > maxTitle || !utf8.ValidString(c.Title) {
		err = errors.Join(err, fmt.Errorf("title is text of at most %d bytes", maxTitle))
	}
	return err
}

// Kind is which of the adapters it is, by its name in the configuration.
func (c Config) Kind() string {
	switch {
	case c.Momo != nil:
		return "momo"
	case c.Stripe != nil:
		return "stripe"
	case c.Pix != nil:
		return "pix"
	}
	return "sandbox"
}

// Networks makes the networks of all rails, by name.
func Networks(rails map[string]Config) (map[string]rail.Network, error) {
	all := make(map[string]rail.Network, len(rails))
	for name, cfg := range rails {
		network, err := cfg.network()
		if err != nil {
			return nil, fmt.Errorf("rail %s: %w", name, err)
		}
		all[name] = network
	}
	return all, nil
}

func (c Config) network() (rail.Network, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	switch {
	case c.Momo != nil:
		return momo.New(c.Momo.Filled(), nil)
	case c.Stripe != nil:
		return stripe.New(c.Stripe.Filled(), nil)
	case c.Pix != nil:
		return pix.New(c.Pix.Filled(), nil)
	}
	return sandbox.New(*c.Sandbox, nil)
}
