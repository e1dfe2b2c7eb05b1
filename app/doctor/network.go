package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"strconv"
	"strings"
	"time"
)

// soon is how long before its end a certificate that somebody else renews is worth a word.
const soon = 14 * 24 * time.Hour

// local reports whether the domain is one that only this machine knows.
func (d *Doctor) local() bool {
	return d.cfg.Domain == "localhost" || strings.HasSuffix(d.cfg.Domain, ".localhost") || net.ParseIP(d.cfg.Domain) != nil
}

func (d *Doctor) certificate(context.Context) []Finding {
	switch d.cfg.TLS.Source {
	case "own":
		if d.local() {
			return []Finding{ok("certificate of our own authority, which suits %s", d.cfg.Domain)}
		}
		return []Finding{note("set tls.source to acme for one that every device trusts, or lead people to "+d.cfg.HTTP.Public(d.cfg.Domain)+"/ca",
			"the certificate is signed by our own authority")}
	case "acme":
		if d.local() {
			return []Finding{bad("set domain to a name that the world knows, or tls.source to own", "no authority gives a certificate for %s", d.cfg.Domain)}
		}
		return []Finding{ok("certificates come from an ACME authority")}
	}
	cert, err := tls.LoadX509KeyPair(d.cfg.TLS.CertFile, d.cfg.TLS.KeyFile)
	if err != nil {
		return []Finding{bad("check tls.cert_file and tls.key_file, and that the server may read them", "certificate: %v", err)}
	}
	return d.examine(cert.Leaf)
}

func (d *Doctor) examine(leaf *x509.Certificate) []Finding {
	if err := leaf.VerifyHostname(d.cfg.Domain); err != nil {
		return []Finding{bad("get one that names "+d.cfg.Domain, "certificate: %v", err)}
	}
	left := time.Until(leaf.NotAfter)
	switch {
	case left < 0:
		return []Finding{bad("renew it", "the certificate ended on %s", leaf.NotAfter.Format(time.DateOnly))}
	case left < soon:
		return []Finding{note("see why it was not renewed", "the certificate ends on %s", leaf.NotAfter.Format(time.DateOnly))}
	}
	return []Finding{ok("certificate for %s until %s", d.cfg.Domain, leaf.NotAfter.Format(time.DateOnly))}
}

// addresses looks whether the names lead anywhere.
func (d *Doctor) addresses(ctx context.Context) []Finding {
	if d.local() {
		return nil
	}
	names := []string{d.cfg.Domain}
	if host := d.cfg.HTTP.Host(); host != "" && host != d.cfg.Domain {
		names = append(names, host)
	}
	var findings []Finding
	for _, name := range names {
		found, err := d.resolve.LookupHost(ctx, name)
		if err != nil || len(found) == 0 {
			findings = append(findings, bad("add an A or AAAA record for it", "the name %s leads nowhere", name))
			continue
		}
		findings = append(findings, ok("%s is %s", name, strings.Join(found, ", ")))
	}
	return findings
}

// services looks for the SRV records that lead apps to other ports or hosts (RFC 6120 §3.2.1, XEP-0368).
func (d *Doctor) services(ctx context.Context) []Finding {
	if d.local() {
		return nil
	}
	var findings []Finding
	for service, listen := range map[string][]string{"xmpp-client": d.cfg.C2S.Listen, "xmpps-client": d.cfg.C2S.ListenTLS} {
		if port, ok := portOf(listen); ok {
			findings = append(findings, d.service(ctx, service, port))
		}
	}
	return findings
}

func (d *Doctor) service(ctx context.Context, service string, port int) Finding {
	name := "_" + service + "._tcp." + d.cfg.Domain
	record := name + ". SRV 5 1 " + strconv.Itoa(port) + " " + d.cfg.Domain + "."
	_, found, err := d.resolve.LookupSRV(ctx, service, "tcp", d.cfg.Domain)
	var missing *net.DNSError
	switch {
	case errors.As(err, &missing) && missing.IsNotFound || err == nil && len(found) == 0:
		if service == "xmpp-client" && port != 5222 {
			return bad("add the record: "+record, "apps do not find port %d: there is no record %s", port, name)
		}
		return note("you may add the record: "+record, "there is no record %s", name)
	case err != nil:
		return note("", "%s: %v", name, err)
	}
	for _, one := range found {
		if int(one.Port) == port {
			return ok("%s leads to %s, port %d", name, strings.TrimSuffix(one.Target, "."), port)
		}
	}
	return note("check that something forwards it, or set the record to "+strconv.Itoa(port), "%s leads to port %d, the server listens on %d", name, found[0].Port, port)
}

func portOf(listen []string) (int, bool) {
	if len(listen) == 0 {
		return 0, false
	}
	_, text, err := net.SplitHostPort(listen[0])
	if err != nil {
		return 0, false
	}
	port, err := strconv.Atoi(text)
	return port, err == nil && port > 0
}

// ports looks whether the server's ports answer, or are free while it does not run.
func (d *Doctor) ports(ctx context.Context) []Finding {
	var findings []Finding
	groups := [][]string{d.cfg.C2S.Listen, d.cfg.C2S.ListenTLS, d.cfg.HTTP.Listen, {d.cfg.HTTP.Local}}
	if d.cfg.TLS.Source == "acme" {
		groups = append(groups, []string{d.cfg.TLS.ACMEListen})
	}
	for _, group := range groups {
		for _, address := range group {
			if port, ok := portOf([]string{address}); ok && port > 0 {
				findings = append(findings, d.port(ctx, address))
			}
		}
	}
	return findings
}

func (d *Doctor) port(ctx context.Context, address string) Finding {
	if !d.running {
		listener, err := net.Listen("tcp", address)
		if err != nil {
			return bad("stop what uses it, or choose another address; ports below 1024 need AmbientCapabilities=CAP_NET_BIND_SERVICE", "%s cannot be opened: %v", address, err)
		}
		if err := listener.Close(); err != nil {
			return bad("try again", "%s: %v", address, err)
		}
		return ok("%s is free", address)
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return bad("write it as host:port", "%s: %v", address, err)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(host, port))
	if err != nil {
		return bad("look at the server's log, and whether it was started with this configuration", "%s does not answer: %v", address, err)
	}
	if err := conn.Close(); err != nil {
		return bad("try again", "%s: %v", address, err)
	}
	return ok("%s answers", address)
}
