package transport

import (
	"bytes"
	"fmt"
	"io"
	"sync"

	"github.com/gobwas/httphead"
	"github.com/gobwas/ws/wsflate"
	"github.com/klauspost/compress/flate"

	"palabre.dev/palabre/xmpp"
)

// Sizes of compression: how much of what was sent is remembered for each stream, to refer back to, and below what a message is sent as
// it is.
const (
	historySize = 4 << 10
	minDeflate  = 48
)

// compression is permessage-deflate (RFC 7692). The client's messages are each compressed for themselves, so that nothing is kept for
// reading; the server's refer back to a short history, the only memory that compression costs a stream.
type compression struct {
	agreed    bool
	on        bool // compress what is sent
	noHistory bool
	history   []byte
}

// negotiate accepts the first offer that can be met (RFC 7692 §7.1).
func (c *compression) negotiate(offer httphead.Option) (httphead.Option, error) {
	if c.agreed || !bytes.Equal(offer.Name, wsflate.ExtensionNameBytes) {
		return httphead.Option{}, nil
	}
	var asked wsflate.Parameters
	if err := asked.Parse(offer); err != nil {
		return httphead.Option{}, nil // an offer with unknown parameters is declined (RFC 7692 §7)
	}
	if asked.ServerMaxWindowBits.Defined() && asked.ServerMaxWindowBits < 15 {
		return httphead.Option{}, nil
	}
	c.agreed, c.noHistory = true, asked.ServerNoContextTakeover
	return wsflate.Parameters{ServerNoContextTakeover: c.noHistory, ClientNoContextTakeover: true}.Option(), nil
}

// Compress begins to compress what is sent, where the peer has agreed to that. Call it after login: a compressed secret tells its
// length.
func (s *Stream) Compress() {
	if f, ok := s.framing.(*webFraming); ok {
		s.writing.Lock()
		defer s.writing.Unlock()
		f.compression.on = f.compression.agreed
	}
}

// deflate is the compressed message, nil if it is to be sent as it is.
func (c *compression) deflate(a, b []byte) []byte {
	if !c.on || len(a)+len(b) < minDeflate {
		return nil
	}
	plain := append(append(make([]byte, 0, len(a)+len(b)), a...), b...)
	worth := len(plain)
	if !c.noHistory { // the next one may refer to it, if it is sent compressed
		worth += 16
	}
	var out bytes.Buffer
	if err := flate.StatelessDeflate(&out, plain, false, c.history); err != nil || out.Len() > worth {
		return nil
	}
	if !c.noHistory {
		c.remember(plain)
	}
	return bytes.TrimSuffix(out.Bytes(), []byte{0, 0, 0xff, 0xff}) // RFC 7692 §7.2.1
}

func (c *compression) remember(plain []byte) {
	if len(plain) >= historySize {
		c.history = append(c.history[:0], plain[len(plain)-historySize:]...)
		return
	}
	if over := len(c.history) + len(plain) - historySize; over > 0 {
		c.history = append(c.history[:0], c.history[over:]...)
	}
	c.history = append(c.history, plain...)
}

var inflaters = sync.Pool{New: func() any { return flate.NewReader(bytes.NewReader(nil)) }}

// tail completes a message (RFC 7692 §7.2.2) and ends the compressed data.
var tail = []byte{0, 0, 0xff, 0xff, 1, 0, 0, 0xff, 0xff}

// inflate restores a compressed message of at most max bytes.
func inflate(message []byte, max int) ([]byte, error) {
	r := inflaters.Get().(io.ReadCloser)
	defer inflaters.Put(r)
	if err := r.(flate.Resetter).Reset(io.MultiReader(bytes.NewReader(message), bytes.NewReader(tail)), nil); err != nil {
		return nil, fmt.Errorf("%w: %w", errFrame, err)
	}
	out, err := io.ReadAll(io.LimitReader(r, int64(max)+1))
	switch {
	case len(out) > max:
		return nil, xmpp.ErrTooLarge
	case err != nil:
		return nil, fmt.Errorf("%w: %w", errFrame, err)
	}
	return out, nil
}
