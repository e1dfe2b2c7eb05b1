// Command peer is an OMEMO device that other implementations talk to in tests: a request in JSON on each line of standard input, an answer
// on each line of standard output. Bytes are base64. It keeps nothing.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"palabre.dev/palabre/omemo"
)

type request struct {
	Do      string
	JID     string
	Version omemo.Version
	To      omemo.Address
	Text    string
	Bundle  *omemo.Bundle
	Message *omemo.Message
}

type reply struct {
	Device   uint32         `json:",omitempty"`
	Identity []byte         `json:",omitempty"`
	Bundle   *omemo.Bundle  `json:",omitempty"`
	Message  *omemo.Message `json:",omitempty"`
	Text     *string        `json:",omitempty"`
	Owes     bool           `json:",omitempty"`
	Error    string         `json:",omitempty"`
}

func main() {
	if err := serve(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(ctx context.Context) error {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 4<<20)
	out := json.NewEncoder(os.Stdout)
	var d *omemo.Device
	for lines.Scan() {
		var r request
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return fmt.Errorf("read a request: %w", err)
		}
		answer, err := do(ctx, &d, r)
		if err != nil {
			answer = reply{Error: err.Error()}
		}
		if err := out.Encode(answer); err != nil {
			return fmt.Errorf("answer: %w", err)
		}
	}
	return lines.Err()
}

func do(ctx context.Context, d **omemo.Device, r request) (out reply, err error) {
	switch r.Do {
	case "create":
		if *d, err = omemo.Create(ctx, omemo.NewMemoryStore(), r.JID, nil, time.Now()); err != nil {
			return out, err
		}
		id := (*d).Identity()
		return reply{Device: (*d).ID(), Identity: id[:]}, nil
	case "bundle":
		out.Bundle, err = (*d).Bundle(ctx, r.Version)
	case "begin":
		err = (*d).Begin(ctx, r.To, r.Bundle)
	case "encrypt":
		out.Message, _, err = (*d).Encrypt(ctx, r.Version, []byte(r.Text), []omemo.Address{r.To})
	case "empty":
		out.Message, err = (*d).EncryptEmpty(ctx, r.Version, r.To)
	case "decrypt":
		var opened *omemo.Opened
		if opened, err = (*d).Decrypt(ctx, r.JID, r.Message); err != nil {
			return out, err
		}
		out.Owes = opened.OwesReply
		if !opened.Empty {
			text := string(opened.Plaintext)
			out.Text = &text
		}
	default:
		err = fmt.Errorf("request %q: %w", r.Do, omemo.ErrMalformed)
	}
	return out, err
}
