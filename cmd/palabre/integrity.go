package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"palabre.dev/palabre/web"
)

var integrity = subcommand{
	name: "integrity", summary: "prints the digests of the web client in this program",
	help: `One line for each file, as sha256sum prints them, then one digest for all of them. The build is reproducible: build the same version
yourself and compare, or compare with what a client shows under Settings, About.`,
	flags: jsonFlag,
	run: func(_ context.Context, c *call, _ []string) error {
		site, err := web.New(web.Config{})
		if err != nil {
			return err
		}
		if !site.Built() {
			return errors.New("this program was built without the web client; make web, then make build")
		}
		return printDigests(c, site)
	},
}

func printDigests(c *call, site *web.Site) error {
	if c.json {
		return json.NewEncoder(c.out).Encode(struct {
			Sum   string       `json:"sum"`
			Files []web.Digest `json:"files"`
		}{site.Sum(), site.Digests()})
	}
	for _, d := range site.Digests() {
		if _, err := fmt.Fprintf(c.out, "%s  %s\n", d.SHA256, d.Path); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(c.out, "%s  all of them\n", site.Sum())
	return err
}
