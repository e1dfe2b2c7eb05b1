// Package adapter makes networks of what an operator has configured: for each rail one of the adapters that there are.
package adapter

import (
	"errors"
	"fmt"

	"palabre.dev/palabre/payments/rail"
	"palabre.dev/palabre/payments/rail/momo"
	"palabre.dev/palabre/payments/rail/pix"
	"palabre.dev/palabre/payments/rail/sandbox"
	"palabre.dev/palabre/payments/rail/stripe"
)

// Config is one rail: exactly one of these.
type Config struct {
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
	return err
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
