//go:build interop

// Package omemo lets our end-to-end sessions talk with python-oldmemo and python-twomemo, which nobody here wrote.
// It needs the Debian packages python3-oldmemo and python3-twomemo:
//
//	go test -tags interop ./test/interop/omemo
package omemo

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"testing"

	"palabre.dev/palabre/omemo"
)

// peer is a device in a Python process of its own.
type peer struct {
	version omemo.Version
	jid     string
	id      uint32
	in      io.WriteCloser
	out     *bufio.Reader
}

// wirePreKey, wireBundle, wireKey and answer are the JSON of peer.py.
type wirePreKey struct {
	ID  uint32 `json:"id"`
	Key []byte `json:"key"`
}

type wireBundle struct {
	Identity  []byte       `json:"identity"`
	Signature []byte       `json:"signature"`
	Signed    wirePreKey   `json:"signed"`
	PreKeys   []wirePreKey `json:"prekeys"`
}

type request struct {
	Op       string      `json:"op"`
	JID      string      `json:"jid"`
	ID       uint32      `json:"id"`
	Bundle   *wireBundle `json:"bundle,omitempty"`
	Text     []byte      `json:"text"`
	Exchange bool        `json:"exchange"`
	Data     []byte      `json:"data"`
	IV       []byte      `json:"iv"`
	Payload  []byte      `json:"payload"`
}

type answer struct {
	wireBundle
	Error    string `json:"error"`
	Text     []byte `json:"text"`
	Exchange bool   `json:"exchange"`
	Data     []byte `json:"data"`
	IV       []byte `json:"iv"`
	Payload  []byte `json:"payload"`
}

// python is where Debian's packages are; PYTHON may name an interpreter of a virtual environment.
func python() string {
	if p := os.Getenv("PYTHON"); p != "" {
		return p
	}
	return "/usr/bin/python3"
}

func startPeer(t *testing.T, v omemo.Version, jid string, id uint32) *peer {
	t.Helper()
	cmd := exec.Command(python(), "peer.py", v.String())
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := in.Close(); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	})
	return &peer{version: v, jid: jid, id: id, in: in, out: bufio.NewReader(out)}
}

// ask sends one request; an answer with an error is returned, not fatal.
func (p *peer) ask(t *testing.T, r request) answer {
	t.Helper()
	line, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.in.Write(append(line, '\n')); err != nil {
		t.Fatal(err)
	}
	reply, err := p.out.ReadBytes('\n')
	if err != nil {
		t.Fatalf("no answer to %s: %v", r.Op, err)
	}
	var a answer
	if err := json.Unmarshal(reply, &a); err != nil {
		t.Fatal(err)
	}
	return a
}

func (p *peer) address() omemo.Address { return omemo.Address{JID: p.jid, Device: p.id} }

// bundle is what the peer publishes.
func (p *peer) bundle(t *testing.T) *omemo.Bundle {
	t.Helper()
	a := p.ask(t, request{Op: "bundle", JID: p.jid, ID: p.id})
	if a.Error != "" {
		t.Fatal(a.Error)
	}
	b := &omemo.Bundle{
		Version: p.version, Identity: a.Identity, Signature: a.Signature,
		SignedPreKey: omemo.PreKey{ID: a.Signed.ID, Key: a.Signed.Key},
	}
	for _, k := range a.PreKeys {
		b.PreKeys = append(b.PreKeys, omemo.PreKey{ID: k.ID, Key: k.Key})
	}
	return b
}

// encrypt makes the peer send; a nil text is an empty message, and a bundle begins a session.
func (p *peer) encrypt(t *testing.T, to *end, text []byte, b *omemo.Bundle) *omemo.Message {
	t.Helper()
	r := request{Op: "encrypt", JID: to.jid, ID: to.ID(), Text: text}
	if b != nil {
		r.Bundle = &wireBundle{Identity: b.Identity, Signature: b.Signature,
			Signed: wirePreKey{b.SignedPreKey.ID, b.SignedPreKey.Key}}
		for _, k := range b.PreKeys {
			r.Bundle.PreKeys = append(r.Bundle.PreKeys, wirePreKey{k.ID, k.Key})
		}
	}
	a := p.ask(t, r)
	if a.Error != "" {
		t.Fatalf("peer encrypts: %s", a.Error)
	}
	return &omemo.Message{
		Version: p.version, SID: p.id, IV: a.IV, Payload: a.Payload,
		Keys: []omemo.Key{{JID: to.jid, RID: to.ID(), Exchange: a.Exchange, Data: a.Data}},
	}
}

// decrypt makes the peer read a message of ours.
func (p *peer) decrypt(t *testing.T, from *end, m *omemo.Message) answer {
	t.Helper()
	k := m.Keys[0]
	return p.ask(t, request{Op: "decrypt", JID: from.jid, ID: m.SID,
		Exchange: k.Exchange, Data: k.Data, IV: m.IV, Payload: m.Payload})
}
