package c2s

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// Config is what an operator can set.
type Config struct {
	// Listen are the addresses for clients that begin in plain text and must go over to TLS (STARTTLS).
	Listen []string `toml:"listen"`
	// ListenTLS are the addresses for clients that begin with TLS.
	ListenTLS []string `toml:"listen_tls"`
	// Mechanisms are the ways to prove a password or a token that are offered, in order.
	Mechanisms []string `toml:"mechanisms"`
	// WebSocketURL is the public address of the WebSocket endpoint, such as wss://example.org/ws; empty means wss:// and the name that
	// the client asked for.
	WebSocketURL string `toml:"websocket_url"`
	// Alternatives are the public addresses of the WebSocket endpoints of servers that take over when this one is away (palabre serve
	// -standby), such as wss://second.example.org/ws. Clients are told of them (XEP-0156) and may connect to them.
	Alternatives []string `toml:"alternatives"`

	// MaxStanza is the size in bytes of the largest stanza of a client that has logged in (10000 to 16777216).
	MaxStanza int `toml:"max_stanza"`
	// MaxGuestStanza is the same before login (10000 to 1048576).
	MaxGuestStanza int `toml:"max_guest_stanza"`
	// StanzaRate is how many stanzas a second a session may send for long; it is then read more slowly. 0 means no limit.
	StanzaRate int `toml:"stanza_rate"`
	// ByteRate is the same for bytes a second.
	ByteRate int `toml:"byte_rate"`

	// LoginTimeout is how long a client may take from its connection to the end of its login.
	LoginTimeout time.Duration `toml:"login_timeout"`
	// MaxAttempts is how many logins may fail on one connection.
	MaxAttempts int `toml:"max_attempts"`
	// MaxFailures is how many logins from one address (IPv6: one /64) may fail within FailureWindow; then all are refused there.
	MaxFailures int `toml:"max_failures"`
	// FailureWindow is how long failures are remembered.
	FailureWindow time.Duration `toml:"failure_window"`
	// FailureDelay is how long the answer to a failed login is held back.
	FailureDelay time.Duration `toml:"failure_delay"`
	// MaxPerAddress is how many connections one address (IPv6: one /64) may have.
	MaxPerAddress int `toml:"max_per_address"`
	// MaxGuests is how many connections may be there that have not logged in. A newcomer beyond that takes the place of the one that
	// has been there longest.
	MaxGuests int `toml:"max_guests"`

	// IdleTimeout is after how long a silence the server looks whether the client is still there.
	IdleTimeout time.Duration `toml:"idle_timeout"`
	// AnswerTimeout is how long the client may take to answer that.
	AnswerTimeout time.Duration `toml:"answer_timeout"`
	// WriteTimeout is how long a client may take to receive what is written to it; then its connection is closed.
	WriteTimeout time.Duration `toml:"write_timeout"`
	// MaxQueue is how many stanzas may wait for one session, those included that it has not acknowledged.
	MaxQueue int `toml:"max_queue"`
	// MaxQueueBytes is the same in bytes.
	MaxQueueBytes int `toml:"max_queue_bytes"`
	// MaxQueueTotal is how many bytes may wait for all sessions together, those without a connection included; less than 8 KiB of a session
	// does not count. With more, the sessions for which most waits end, until an eighth of it is free; their messages come from the archive
	// when the clients are back.
	MaxQueueTotal int `toml:"max_queue_total"`
	// MaxDormant is how many stanzas may wait for a session whose connection broke, those included that it has not acknowledged. With more
	// it ends; its messages come from the archive when the client is back.
	MaxDormant int `toml:"max_dormant"`
	// MaxDormantBytes is the same in bytes.
	MaxDormantBytes int `toml:"max_dormant_bytes"`
	// MaxDormantTotal is how many bytes may wait for all such sessions together. The one that would go beyond ends.
	MaxDormantTotal int `toml:"max_dormant_total"`

	// ResumeTime is how long a session whose connection broke waits to be resumed if the client names no time.
	ResumeTime time.Duration `toml:"resume_time"`
	// MaxResumeTime is the longest that a client may ask for; 0 turns resumption off.
	MaxResumeTime time.Duration `toml:"max_resume_time"`
	// Location is where clients are asked to resume, as host:port; empty for where they were.
	Location string `toml:"location"`
	// TokenLife is how long a token for quick return (FAST) is good for; it is replaced after half of that.
	TokenLife time.Duration `toml:"token_life"`
	// StopTimeout is how long a stop waits for sessions to end in order.
	StopTimeout time.Duration `toml:"stop_timeout"`
}

// DefaultConfig suits a machine with 1 GB of memory.
func DefaultConfig() Config {
	return Config{
		Listen: []string{":5222"}, ListenTLS: []string{":5223"},
		Mechanisms: []string{"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-1", "PLAIN", "HT-SHA-256-EXPR",
			"HT-SHA-256-ENDP", "HT-SHA-256-NONE"},
		MaxStanza: 1 << 20, MaxGuestStanza: 16 << 10, StanzaRate: 1000, ByteRate: 2 << 20,
		LoginTimeout: time.Minute, MaxAttempts: 5, MaxFailures: 100, FailureWindow: 10 * time.Minute, FailureDelay: 500 * time.Millisecond,
		MaxPerAddress: 1000, MaxGuests: 2000,
		IdleTimeout: 5 * time.Minute, AnswerTimeout: time.Minute, WriteTimeout: 30 * time.Second, MaxQueue: 5000, MaxQueueBytes: 16 << 20, MaxQueueTotal: 128 << 20,
		MaxDormant: 500, MaxDormantBytes: 512 << 10, MaxDormantTotal: 64 << 20,
		ResumeTime: 5 * time.Minute, MaxResumeTime: time.Hour, TokenLife: 30 * 24 * time.Hour, StopTimeout: 10 * time.Second,
	}
}

// Validate reports every setting that cannot work.
func (c Config) Validate() error {
	var errs []error
	within := func(name string, v, low, high int) {
		if v < low || v > high {
			errs = append(errs, fmt.Errorf("%s: %d is not within %d–%d", name, v, low, high))
		}
	}
	within("max_stanza", c.MaxStanza, 10_000, 16<<20) // RFC 6120 §13.12: no less than 10000
	within("max_guest_stanza", c.MaxGuestStanza, 10_000, 1<<20)
	within("stanza_rate", c.StanzaRate, 0, 1<<30)
	within("byte_rate", c.ByteRate, 0, 1<<40)
	within("max_attempts", c.MaxAttempts, 1, 100)
	within("max_failures", c.MaxFailures, 1, 1<<20)
	within("max_per_address", c.MaxPerAddress, 1, 1<<24)
	within("max_guests", c.MaxGuests, 1, 1<<24)
	within("max_queue", c.MaxQueue, 1, 1<<20)
	within("max_queue_bytes", c.MaxQueueBytes, 1<<16, 1<<30)
	within("max_queue_total", c.MaxQueueTotal, c.MaxQueueBytes, 1<<40)
	within("max_dormant", c.MaxDormant, 1, 1<<20)
	within("max_dormant_bytes", c.MaxDormantBytes, 1<<12, 1<<30)
	within("max_dormant_total", c.MaxDormantTotal, 1<<16, 1<<40)
	if err := checkAlternatives(c.Alternatives); err != nil {
		errs = append(errs, err)
	}
	positive := func(name string, d time.Duration) {
		if d <= 0 {
			errs = append(errs, fmt.Errorf("%s: must be more than 0", name))
		}
	}
	positive("login_timeout", c.LoginTimeout)
	positive("failure_window", c.FailureWindow)
	positive("idle_timeout", c.IdleTimeout)
	positive("answer_timeout", c.AnswerTimeout)
	positive("write_timeout", c.WriteTimeout)
	positive("token_life", c.TokenLife)
	positive("stop_timeout", c.StopTimeout)
	if c.FailureDelay < 0 || c.ResumeTime < 0 || c.MaxResumeTime < 0 {
		errs = append(errs, errors.New("failure_delay, resume_time and max_resume_time: must not be negative"))
	}
	return errors.Join(errs...)
}

// maxAlternatives bounds the other servers that are told to clients.
const maxAlternatives = 8

func checkAlternatives(addresses []string) error {
	if len(addresses) > maxAlternatives {
		return fmt.Errorf("alternatives: at most %d", maxAlternatives)
	}
	for _, address := range addresses {
		u, err := url.Parse(address)
		if err != nil || u.Host == "" || strings.ContainsAny(u.Host, " ;,") || u.Scheme != "wss" && !(u.Scheme == "ws" && u.Hostname() == "localhost") {
			return fmt.Errorf("alternatives: %q is not like wss://second.example.org/ws", address)
		}
	}
	return nil
}
