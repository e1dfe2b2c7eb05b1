package sasl

import (
	"crypto"
	_ "crypto/sha256" // for crypto.SHA256
	_ "crypto/sha512" // for crypto.SHA384 and crypto.SHA512
	"crypto/tls"
	"crypto/x509"
	"slices"
)

// The channel-binding types, by their registered names.
const (
	BindExporter = "tls-exporter"         // RFC 9266
	BindEndPoint = "tls-server-end-point" // RFC 5929 §4
)

// Bindings are the channel-binding data of one TLS connection; a nil field is a type that it does not have. The zero
// value means a connection without channel binding.
type Bindings struct {
	Exporter []byte // tls-exporter: 32 bytes
	EndPoint []byte // tls-server-end-point: a hash of the server's certificate
}

// TLSBindings returns the channel bindings of a connection whose handshake is complete. The certificate is the server's
// leaf on both sides: its own at the server, state.PeerCertificates[0] at the client; nil leaves EndPoint out. Exporter is
// left out for TLS 1.2 without extended master secret, where it would bind nothing (RFC 9266 §4.2).
func TLSBindings(state *tls.ConnectionState, certificate *x509.Certificate) Bindings {
	var bindings Bindings
	exported, err := state.ExportKeyingMaterial("EXPORTER-Channel-Binding", nil, 32)
	if err == nil {
		bindings.Exporter = exported
	}
	if certificate != nil {
		bindings.EndPoint = EndPoint(certificate)
	}
	return bindings
}

// EndPoint returns the tls-server-end-point data of a server certificate, or nil if the type is undefined for it
// because its signature names no single hash, as with Ed25519 (RFC 5929 §4.1). It is the same for every connection with
// that certificate, so a server may keep it.
func EndPoint(certificate *x509.Certificate) []byte {
	var hash crypto.Hash
	switch certificate.SignatureAlgorithm {
	case x509.MD5WithRSA, x509.SHA1WithRSA, x509.ECDSAWithSHA1, x509.DSAWithSHA1,
		x509.SHA256WithRSA, x509.SHA256WithRSAPSS, x509.ECDSAWithSHA256, x509.DSAWithSHA256:
		hash = crypto.SHA256 // RFC 5929 §4.1: SHA-256 stands in for MD5 and SHA-1.
	case x509.SHA384WithRSA, x509.SHA384WithRSAPSS, x509.ECDSAWithSHA384:
		hash = crypto.SHA384
	case x509.SHA512WithRSA, x509.SHA512WithRSAPSS, x509.ECDSAWithSHA512:
		hash = crypto.SHA512
	default:
		return nil
	}
	digest := hash.New()
	digest.Write(certificate.Raw)
	return digest.Sum(nil)
}

// Types returns the names of the types present, to advertise them (XEP-0440 §2), the strongest first.
func (b Bindings) Types() []string {
	switch {
	case b.Exporter != nil && b.EndPoint != nil:
		return []string{BindExporter, BindEndPoint}
	case b.Exporter != nil:
		return []string{BindExporter}
	case b.EndPoint != nil:
		return []string{BindEndPoint}
	}
	return nil
}

// Data returns the binding data of the named type, or nil if the connection does not have it.
func (b Bindings) Data(name string) []byte {
	switch name {
	case BindExporter:
		return b.Exporter
	case BindEndPoint:
		return b.EndPoint
	}
	return nil
}

// channel is how a client binds: by which type, or what it says instead in its first message (RFC 5802 §6).
type channel struct {
	kind string // the type, for a -PLUS mechanism; empty if none can be used
	flag byte   // 'n' or 'y', for a mechanism without -PLUS
	// mustProve: without a matching downgrade hash the client goes no further (XEP-0474 §7, new rule 6).
	mustProve bool
}

// chooseBinding applies the rules of XEP-0440 §3 and XEP-0474 §7 for clients.
func chooseBinding(offer *Offer, bindings Bindings) (channel, error) {
	own := bindings.Types()
	plus, types := offer.hasPlus(), offer.BindingTypes
	switch {
	case len(own) == 0:
		return channel{flag: 'n'}, nil
	case !plus && len(types) == 0:
		return channel{flag: 'y'}, nil
	case !plus, offer.SASL2 && len(types) == 0:
		return channel{}, ErrDowngrade
	case len(types) == 0:
		// XEP-0440 §3: plain RFC 6120 servers may not tell; every server must have the end point.
		return channel{kind: own[len(own)-1], flag: 'n'}, nil
	}
	for _, kind := range own {
		if slices.Contains(types, kind) {
			return channel{kind: kind, flag: 'n'}, nil
		}
	}
	return channel{flag: 'n', mustProve: !slices.Contains(types, BindEndPoint)}, nil
}
