package client

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net"
	"time"

	"palabre.dev/palabre/xmpp"
	"palabre.dev/palabre/xmpp/sasl"
)

// Method is how to reach the server.
type Method uint8

// The methods.
const (
	// Auto looks the server up in DNS: TLS from the first byte (XEP-0368) and STARTTLS by their SRV records, else STARTTLS at port 5222.
	Auto Method = iota
	StartTLS
	DirectTLS
	WebSocket // RFC 7395; the address comes from Config.Server or from host-meta (XEP-0156)
	// Plain is for tests: no encryption, and only to an address on the loopback interface.
	Plain
)

// Token is a FAST token (XEP-0484): it logs in without the password until it expires.
type Token struct {
	Mechanism string
	Secret    string
	Expires   time.Time // zero if not said
}

// Config is what a client needs. JID and one of Password, Keys and Token are required.
type Config struct {
	// JID is the account; with a resource, that one is asked for.
	JID xmpp.JID
	// Password of the account.
	Password string
	// Keys are from an earlier login (OnKeys) and save the slow derivation of SCRAM.
	Keys sasl.Keys
	// Token is from an earlier login (OnToken).
	Token Token
	// AllowPassword lets the password itself be sent, under TLS (PLAIN), to a server that knows nothing better.
	AllowPassword bool

	// Method is how to reach the server.
	Method Method
	// Server is host:port, or for WebSocket a URL; "" means to look it up.
	Server string
	// Dial opens connections; nil means TCP.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Roots are the certificate authorities that the server's certificate is checked against; nil means those of the system.
	Roots *x509.CertPool
	// TLS overrides what Roots would give; clients of one server may share it.
	TLS *tls.Config

	// AgentID is a UUID that names this installation to the server (XEP-0388 §3.1.1); FAST needs it. Software and Device are for people.
	AgentID, Software, Device string
	// Carbons asks for copies of what other devices send and receive (XEP-0280).
	Carbons bool
	// NoResume leaves out resumption: after a lost connection a new session begins.
	NoResume bool
	// Lean handles stanzas on the goroutine that reads them: one goroutine per client, less memory. Handlers must then be quick,
	// and must not wait for answers, nor for room in the queue of Send.
	Lean bool

	// MaxUnacked is the most stanzas that wait for their acknowledgement; then Send waits. 0 means 1000.
	MaxUnacked int
	// MaxSize is the size in bytes of the largest stanza that is read; 0 means 1 MiB.
	MaxSize int
	// Timeout bounds one attempt to connect and, where ctx has no earlier deadline, one Ask. 0 means 60 seconds.
	Timeout time.Duration
	// KeepAlive is how long a silent connection is believed before the server is asked for a sign of life; 0 means 5 minutes.
	KeepAlive time.Duration
	// MaxBackoff bounds the wait between attempts to reconnect, which begins at MinBackoff and doubles; 0 means one minute and one second.
	MinBackoff, MaxBackoff time.Duration

	// Name and Category describe the client in service discovery; "" means "palabre" and "client/bot". Features are announced too.
	Name, Category string
	Features       []string

	// Handlers must not call Close or Kill, which wait for them.

	// OnMessage gets every message that is not an answer from the archive, in order.
	OnMessage func(ctx context.Context, message *xmpp.Stanza)
	// OnPresence gets every presence, in order.
	OnPresence func(ctx context.Context, presence *xmpp.Stanza)
	// OnRoster is told of changes of the roster, once Roster was called.
	OnRoster func(contact Contact)
	// OnState is told about the connection.
	OnState func(state State)
	// OnResend is told when a message is sent again in a new session (see the package comment).
	OnResend func(message *xmpp.Stanza)
	// OnKeys and OnToken get what the next login of this account can use: secrets. An empty token means that the old one is void.
	OnKeys  func(keys sasl.Keys)
	OnToken func(token Token)

	// Log gets life-cycle lines; nil means none.
	Log *slog.Logger
}

// State is what OnState is told.
type State struct {
	// Online says that there is a session and a connection.
	Online bool
	// Resumed says that it is the session of before; otherwise presence and the like have begun anew.
	Resumed bool
	// Err is why the connection was lost.
	Err error
}

// Validate reports the first setting that cannot work.
func (cfg *Config) Validate() error {
	switch {
	case cfg.JID.Local() == "":
		return errors.New("client: the address of an account is needed")
	case cfg.Password == "" && len(cfg.Keys.ClientKey) == 0 && cfg.Token.Secret == "":
		return errors.New("client: a password, keys or a token is needed")
	case cfg.Method > Plain:
		return errors.New("client: unknown method")
	case cfg.MaxUnacked < 1 || cfg.MaxSize < 10000:
		return errors.New("client: MaxUnacked must be at least 1 and MaxSize at least 10000") // RFC 6120 §13.12
	}
	return nil
}

func (cfg *Config) fill() {
	set(&cfg.MaxUnacked, 1000)
	set(&cfg.MaxSize, 1<<20)
	set(&cfg.Timeout, time.Minute)
	set(&cfg.KeepAlive, 5*time.Minute)
	set(&cfg.MinBackoff, time.Second)
	set(&cfg.MaxBackoff, time.Minute)
	set(&cfg.Name, "palabre")
	set(&cfg.Category, "client/bot")
	if cfg.Dial == nil {
		cfg.Dial = (&net.Dialer{}).DialContext
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
}

// set gives an unset value its default.
func set[T comparable](value *T, otherwise T) {
	var unset T
	if *value == unset {
		*value = otherwise
	}
}
