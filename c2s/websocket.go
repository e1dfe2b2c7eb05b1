package c2s

import (
	"encoding/json"
	"encoding/xml"
	"net"
	"net/http"
	"net/netip"

	"palabre.dev/palabre/transport"
)

// relWebSocket is the kind of link that points to the WebSocket endpoint (XEP-0156 §3).
const relWebSocket = "urn:xmpp:alt-connections:websocket"

// Routes adds the WebSocket endpoint (RFC 7395) and the documents by which a client finds it (XEP-0156).
func (d *Door) Routes(mux *http.ServeMux) {
	mux.HandleFunc("GET /ws", d.serveWeb)
	mux.HandleFunc("GET /.well-known/host-meta", d.hostMeta)
	mux.HandleFunc("GET /.well-known/host-meta.json", d.hostMetaJSON)
}

// serveWeb takes over one WebSocket. The goroutine of the HTTP server ends, and with it all that it holds.
func (d *Door) serveWeb(w http.ResponseWriter, r *http.Request) {
	stream, err := transport.AcceptWebSocket(w, r, transport.Config{MaxSize: d.cfg.MaxGuestStanza, WriteTimeout: d.cfg.WriteTimeout})
	if err != nil {
		d.log.Debug("websocket", "err", err)
		return
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	address, err := netip.ParseAddr(host)
	if err != nil {
		d.log.Debug("websocket", "err", err)
	}
	d.begin(&connection{door: d, stream: stream, web: true, address: address.Unmap(), secureWeb: isSecure(address, stream)})
}

// isSecure reports whether nobody can listen on the way: TLS, or a way within this machine. What a header says of it anybody can say.
func isSecure(address netip.Addr, stream *transport.Stream) bool {
	return stream.Encrypted() || address.IsLoopback()
}

// webURL is where the endpoint is, as the client sees it.
func (d *Door) webURL(r *http.Request) string {
	if d.cfg.WebSocketURL != "" {
		return d.cfg.WebSocketURL
	}
	scheme := "wss://"
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil && r.TLS == nil {
		if address, err := netip.ParseAddr(host); err == nil && address.IsLoopback() {
			scheme = "ws://"
		}
	}
	return scheme + r.Host + "/ws"
}

// link is an endpoint in a host-meta document (XEP-0156 §3).
type link struct {
	Rel  string `xml:"rel,attr" json:"rel"`
	Href string `xml:"href,attr" json:"href"`
}

// links are all endpoints of the service, this server's first.
func (d *Door) links(r *http.Request) []link {
	links := []link{{relWebSocket, d.webURL(r)}}
	for _, url := range d.cfg.Alternatives {
		links = append(links, link{relWebSocket, url})
	}
	return links
}

func (d *Door) hostMeta(w http.ResponseWriter, r *http.Request) {
	body, err := xml.Marshal(struct {
		XMLName xml.Name `xml:"http://docs.oasis-open.org/ns/xri/xrd-1.0 XRD"`
		Links   []link   `xml:"Link"`
	}{Links: d.links(r)})
	d.answerMeta(w, "application/xrd+xml", body, err)
}

func (d *Door) hostMetaJSON(w http.ResponseWriter, r *http.Request) {
	body, err := json.Marshal(map[string][]link{"links": d.links(r)})
	d.answerMeta(w, "application/json", body, err)
}

// answerMeta lets pages of any origin read the document (XEP-0156 §3.1).
func (d *Door) answerMeta(w http.ResponseWriter, kind string, body []byte, err error) {
	if err != nil {
		d.log.Error("host-meta", "err", err)
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Access-Control-Allow-Origin", "*")
	if _, err := w.Write(body); err != nil {
		d.log.Debug("host-meta", "err", err)
	}
}
