package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"

	"net/http"
	"strings"

	"github.com/gobwas/ws"

	"palabre.dev/palabre/xmpp/sasl"
)

// webProtocol is the name of RFC 7395 §3.1.
const webProtocol = "xmpp"

// AcceptWebSocket upgrades a request to the server's end of a stream (RFC 7395). It answers the request itself, also when it returns an
// error. Messages may come compressed at once (RFC 7692); what is sent is compressed only after Compress.
//
// The frames are read and written by github.com/gobwas/ws, which leaves the connection and its buffers to its caller: a stream that
// waits costs no more than over TCP, several stanzas go out in one write, and each message is compressed or not as its sender likes. The
// two other libraries considered hold a reader of their own for each connection, write each message by itself, and compress all
// messages or none.
func AcceptWebSocket(w http.ResponseWriter, r *http.Request, cfg Config) (*Stream, error) {
	if !offersProtocol(r.Header.Values("Sec-WebSocket-Protocol")) {
		http.Error(w, "this is an XMPP endpoint: the subprotocol must be xmpp (RFC 7395)", http.StatusBadRequest)
		return nil, errors.New("websocket without the subprotocol xmpp")
	}
	compression := &compression{}
	upgrader := ws.HTTPUpgrader{Protocol: func(name string) bool { return name == webProtocol }, Negotiate: compression.negotiate}
	conn, buffered, _, err := upgrader.Upgrade(r, w)
	if err != nil {
		return nil, fmt.Errorf("websocket upgrade: %w", err)
	}
	s := newStream(conn, cfg, true)
	s.framing = &webFraming{state: ws.StateServerSide, compression: compression}
	if r.TLS != nil {
		s.encrypted, s.bindings = true, sasl.TLSBindings(r.TLS, nil)
	}
	return s, s.takeBuffered(buffered.Reader, buffered.Reader.Buffered())
}

func offersProtocol(headers []string) bool {
	for _, header := range headers {
		for name := range strings.SplitSeq(header, ",") {
			if strings.TrimSpace(name) == webProtocol {
				return true
			}
		}
	}
	return false
}

// DialWebSocket opens the client's end of a stream at a ws:// or wss:// address. It does not compress.
func DialWebSocket(ctx context.Context, url string, tlsConfig *tls.Config, cfg Config) (*Stream, error) {
	dialer := ws.Dialer{Protocols: []string{webProtocol}, TLSConfig: webTLS(tlsConfig)}
	conn, buffered, shake, err := dialer.Dial(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("open websocket %s: %w", url, err)
	}
	if shake.Protocol != webProtocol {
		return nil, errors.Join(fmt.Errorf("open websocket %s: not an XMPP endpoint", url), conn.Close())
	}
	s := newStream(conn, cfg, false)
	s.framing = &webFraming{state: ws.StateClientSide, compression: &compression{}}
	if t, ok := conn.(*tls.Conn); ok {
		state := t.ConnectionState()
		s.encrypted, s.bindings = true, sasl.TLSBindings(&state, state.PeerCertificates[0])
	}
	if buffered == nil {
		return s, nil
	}
	err = s.takeBuffered(buffered, buffered.Buffered())
	ws.PutReader(buffered)
	return s, err
}

// webTLS is the configuration without the ALPN of XMPP: this is HTTP.
func webTLS(cfg *tls.Config) *tls.Config {
	if cfg == nil {
		return nil
	}
	cfg = cfg.Clone()
	cfg.NextProtos = []string{"http/1.1"}
	return cfg
}

// takeBuffered takes the bytes that were read beyond the upgrade.
func (s *Stream) takeBuffered(r io.Reader, n int) error {
	for n > 0 {
		got, err := s.in.fill(io.LimitReader(r, int64(n)))
		if err != nil {
			return fmt.Errorf("websocket upgrade: %w", err)
		}
		n -= got
	}
	return nil
}
