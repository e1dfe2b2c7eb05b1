package xmpp

// Namespaces of the core protocol. A feature names its own beside its code.
const (
	NSXML       = "http://www.w3.org/XML/1998/namespace"
	NSClient    = "jabber:client"
	NSServer    = "jabber:server"
	NSComponent = "jabber:component:accept"
	NSStream    = "http://etherx.jabber.org/streams"
	NSStreams   = "urn:ietf:params:xml:ns:xmpp-streams" // conditions of stream errors
	NSStanzas   = "urn:ietf:params:xml:ns:xmpp-stanzas" // conditions of stanza errors
	NSTLS       = "urn:ietf:params:xml:ns:xmpp-tls"
	NSSASL      = "urn:ietf:params:xml:ns:xmpp-sasl"
	NSBind      = "urn:ietf:params:xml:ns:xmpp-bind"
	NSSession   = "urn:ietf:params:xml:ns:xmpp-session"
	NSFraming   = "urn:ietf:params:xml:ns:xmpp-framing" // RFC 7395
)

// Namespaces that several features share.
const (
	NSDelay    = "urn:xmpp:delay"     // XEP-0203
	NSForward  = "urn:xmpp:forward:0" // XEP-0297
	NSHints    = "urn:xmpp:hints"     // XEP-0334
	NSStanzaID = "urn:xmpp:sid:0"     // XEP-0359
	NSData     = "jabber:x:data"      // XEP-0004
	NSArchive  = "urn:xmpp:mam:2"     // XEP-0313
	NSRSM      = "http://jabber.org/protocol/rsm"
)
