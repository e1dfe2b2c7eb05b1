package omemo

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/vectors.json anew")

const vectorFile = "testdata/vectors.json"

// hexBytes is bytes as lower-case hex in JSON.
type hexBytes []byte

func (h hexBytes) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(h)), nil }

// drawn is a source of randomness that anyone can repeat, and remembers what was taken: SHA-256 of a name and a counter, joined.
type drawn struct {
	name  string
	block uint32
	left  []byte
	taken []byte
}

func (d *drawn) Read(p []byte) (int, error) {
	for len(d.left) < len(p) {
		next := sha256.Sum256(binary.BigEndian.AppendUint32([]byte(d.name), d.block))
		d.left, d.block = append(d.left, next[:]...), d.block+1
	}
	n := copy(p, d.left)
	d.left, d.taken = d.left[n:], append(d.taken, p...)
	return n, nil
}

// take returns what was drawn since it was last called.
func (d *drawn) take() hexBytes {
	out := d.taken
	d.taken = nil
	return out
}

// vectors is the file that the Go and the TypeScript implementation share. Its README says what everything means.
type vectors struct {
	About         string               `json:"about"`
	Signatures    []signatureVector    `json:"signatures"`
	LowOrder      []hexBytes           `json:"low_order"`
	Fingerprints  []fingerprintVector  `json:"fingerprints"`
	Payloads      []payloadVector      `json:"payloads"`
	Media         mediaVector          `json:"media"`
	Conversations []conversationVector `json:"conversations"`
}

type signatureVector struct {
	Private   hexBytes `json:"private,omitempty"`
	Curve     hexBytes `json:"curve_public"`
	Ed        hexBytes `json:"ed_public"`
	Message   hexBytes `json:"message"`
	Random    hexBytes `json:"random,omitempty"`
	Signature hexBytes `json:"signature"`
	Old       hexBytes `json:"signature_0.3"`
}

type fingerprintVector struct {
	Identity    hexBytes `json:"identity"`
	Fingerprint string   `json:"fingerprint"`
	Device      uint32   `json:"device"`
	TrustParam  string   `json:"trust_param"`
}

type payloadVector struct {
	Version   string   `json:"version"`
	Plaintext string   `json:"plaintext"`
	Random    hexBytes `json:"random"`
	KeyPart   hexBytes `json:"key_part"`
	IV        hexBytes `json:"iv,omitempty"`
	Payload   hexBytes `json:"payload"`
}

type mediaVector struct {
	Key    hexBytes `json:"key"`
	IV     hexBytes `json:"iv"`
	HTTPS  string   `json:"https"`
	URL    string   `json:"url"`
	Plain  string   `json:"plain"`
	Cipher hexBytes `json:"cipher"`
}

type conversationVector struct {
	Version string         `json:"version"`
	Devices []deviceVector `json:"devices"`
	Steps   []stepVector   `json:"steps"`
}

type deviceVector struct {
	JID       string         `json:"jid"`
	Device    uint32         `json:"device"`
	Private   hexBytes       `json:"identity_private"`
	Identity  hexBytes       `json:"identity"`
	Signed    preKeyVector   `json:"signed_prekey"`
	Signature hexBytes       `json:"signature"`
	PreKeys   []preKeyVector `json:"prekeys"`
}

type preKeyVector struct {
	ID      uint32   `json:"id"`
	Private hexBytes `json:"private"`
	Public  hexBytes `json:"public"`
}

type stepVector struct {
	Do        string       `json:"do"`
	By        string       `json:"by"`
	Peer      string       `json:"peer"`
	PreKey    uint32       `json:"prekey,omitempty"`
	Step      *int         `json:"step,omitempty"`
	Text      *string      `json:"text,omitempty"`
	Random    hexBytes     `json:"random"`
	Message   *messageJSON `json:"message,omitempty"`
	OwesReply bool         `json:"owes_reply,omitempty"`
	Error     string       `json:"error,omitempty"`
	original  *Message     // of an encrypt step, for the decrypt step that names it
}

type messageJSON struct {
	SID      uint32   `json:"sid"`
	RID      uint32   `json:"rid"`
	Exchange bool     `json:"exchange"`
	Data     hexBytes `json:"data"`
	IV       hexBytes `json:"iv,omitempty"`
	Payload  hexBytes `json:"payload,omitempty"`
}

// TestVectors makes every vector again and compares with the file, so that neither code nor file moves unseen.
func TestVectors(t *testing.T) {
	var v vectors
	v.About = "Test vectors of both OMEMO versions, shared by the Go and the TypeScript implementation; README.md beside this file explains them."
	v.Signatures = signatureVectors(t)
	for _, k := range lowOrder {
		v.LowOrder = append(v.LowOrder, bytes.Clone(k[:]))
	}
	for n := range 2 {
		id := Identity(sha256.Sum256([]byte{byte(n)}))
		v.Fingerprints = append(v.Fingerprints, fingerprintVector{id[:], id.Fingerprint(), MaxID, TrustParam(MaxID, id)})
	}
	v.Payloads = payloadVectors(t)
	v.Media = makeMediaVector(t)
	for _, version := range versions {
		v.Conversations = append(v.Conversations, makeConversation(t, version))
	}
	got, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(vectorFile, append(got, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(vectorFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(append(got, '\n'), want) {
		t.Fatalf("%s has changed; if that is meant, run go test ./omemo -run TestVectors -update and say so to everyone who reads it", vectorFile)
	}
}

// signatureVectors are ours, whose sign bit is 0, and one of an Ed25519 key whose sign bit is 1, as other implementations have.
func signatureVectors(t *testing.T) (out []signatureVector) {
	random := &drawn{name: "signatures"}
	for range 3 {
		pair, err := newKeyPair(random)
		if err != nil {
			t.Fatal(err)
		}
		_, ed, err := edKey(pair.private)
		if err != nil {
			t.Fatal(err)
		}
		random.take()
		message := []byte("signed by an X25519 key")
		signature, err := sign(pair.private, message, random)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, signatureVector{pair.private[:], pair.public[:], ed[:], message, random.take(), signature, signature})
	}
	for n := byte(0); ; n++ {
		seed := sha256.Sum256([]byte{n})
		private := ed25519.NewKeyFromSeed(seed[:])
		ed := private.Public().(ed25519.PublicKey)
		if ed[31]&0x80 == 0 {
			continue
		}
		u, err := curveOf(key(ed))
		if err != nil {
			t.Fatal(err)
		}
		message := []byte("signed by an Ed25519 key with sign bit 1")
		signature := ed25519.Sign(private, message)
		old := bytes.Clone(signature)
		old[63] |= 0x80
		return append(out, signatureVector{Curve: u[:], Ed: hexBytes(ed), Message: message, Signature: signature, Old: old})
	}
}

func payloadVectors(t *testing.T) (out []payloadVector) {
	random := &drawn{name: "payloads"}
	for _, p := range []*profile{&profile03, &profile2} {
		for _, text := range []string{"x", "sixteen letters.", "un message plus long que deux blocs: l'arbre à palabres"} {
			s, err := p.seal([]byte(text), random)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, payloadVector{p.version.String(), text, random.take(), s.keyPart, s.iv, s.payload})
		}
	}
	return out
}

func makeMediaVector(t *testing.T) mediaVector {
	k, err := newMediaKey(&drawn{name: "media"})
	if err != nil {
		t.Fatal(err)
	}
	v := mediaVector{Key: k.Key[:], IV: k.IV, HTTPS: "https://upload.example.org/1/photo.jpg", Plain: "not really a photo"}
	if v.URL, err = k.URL(v.HTTPS); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := k.Encrypt(&out, bytes.NewBufferString(v.Plain)); err != nil {
		t.Fatal(err)
	}
	v.Cipher = out.Bytes()
	return v
}

// errorName is how the file names an error.
func errorName(err error) string {
	for name, known := range map[string]error{"duplicate": ErrDuplicate, "decrypt": ErrDecrypt, "no prekey": ErrNoPreKey} {
		if errors.Is(err, known) {
			return name
		}
	}
	return err.Error()
}
