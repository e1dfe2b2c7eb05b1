package certificate

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"html/template"
	"net/http"
	"strings"
)

// Routes serves a page that helps people to install our own authority, when the source is that.
func (s *Source) Routes(mux *http.ServeMux, domain string) {
	if s.ca == nil {
		return
	}
	block, _ := pem.Decode(s.ca)
	ca, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		s.log.Error("our own authority cannot be read", "err", err)
		return
	}
	page := struct{ Domain, Fingerprint, Names, Until string }{
		domain, fingerprint(ca), strings.Join(ca.PermittedDNSDomains, ", "), ca.NotAfter.Format("2 January 2006"),
	}
	mux.HandleFunc("GET /ca", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if err := caPage.Execute(w, page); err != nil {
			s.log.Debug("page not sent", "err", err)
		}
	})
	mux.HandleFunc("GET /ca.crt", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-x509-ca-cert")
		w.Header().Set("Content-Disposition", `attachment; filename="palabre-`+domain+`.crt"`)
		if _, err := w.Write(s.ca); err != nil {
			s.log.Debug("certificate not sent", "err", err)
		}
	})
}

func fingerprint(ca *x509.Certificate) string {
	sum := sha256.Sum256(ca.Raw)
	return strings.ReplaceAll(strings.TrimSpace(fmt.Sprintf("% X", sum)), " ", ":")
}

var caPage = template.Must(template.New("ca").Parse(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>The certificate of {{.Domain}}</title>
<link rel="icon" href="/icons/palabre.svg" type="image/svg+xml">
<style>
:root { color-scheme: light dark; }
body { font: 1.05rem/1.5 system-ui, sans-serif; max-width: 38rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere; }
</style>
</head>
<body>
<main>
<h1>The certificate of {{.Domain}}</h1>
<p>This server has signed its certificate itself, so apps and browsers warn about it until your device trusts its authority. The authority
can vouch for these names alone: {{.Names}}. It is good until {{.Until}}.</p>
<p><a href="/ca.crt">Get the certificate of the authority</a></p>
<p>Ask the person who runs the server to read you its fingerprint, and compare before you trust it:</p>
<p><code>{{.Fingerprint}}</code></p>
<h2>Android</h2>
<p>Settings, Security, More security settings, Encryption and credentials, Install a certificate, CA certificate; then choose the file.
Conversations asks about the certificate when it first connects: compare the fingerprint there and accept.</p>
<h2>iPhone and iPad</h2>
<p>Open the file in Safari, then Settings, General, VPN and Device Management, and install the profile. Then Settings, General, About,
Certificate Trust Settings, and switch it on.</p>
<h2>Mac</h2>
<p>Open the file in Keychain Access, then open the certificate there, Trust, When using this certificate: Always Trust.</p>
<h2>Windows</h2>
<p>Open the file, Install Certificate, Current User, and place it in Trusted Root Certification Authorities.</p>
<h2>Linux</h2>
<p>Debian and Ubuntu: <code>sudo cp palabre-*.crt /usr/local/share/ca-certificates/ &amp;&amp; sudo update-ca-certificates</code>. Fedora:
<code>sudo cp palabre-*.crt /etc/pki/ca-trust/source/anchors/ &amp;&amp; sudo update-ca-trust</code>. Gajim, Dino and Profanity also ask when they
first connect.</p>
<h2>Firefox</h2>
<p>Settings, Privacy and Security, Certificates, View Certificates, Authorities, Import.</p>
</main>
</body>
</html>
`))
