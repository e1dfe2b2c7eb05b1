package linkcard

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"time"

	"golang.org/x/net/html/charset"

	"palabre.dev/palabre/transport/outside"
)

// What is read of a site at most, and how.
const (
	maxAddress   = 2048
	maxPage      = 512 << 10
	maxImage     = 1 << 20
	maxRedirects = 3
	maxHeaders   = 64 << 10
	dialTime     = 4 * time.Second
	maxDials     = 2 // addresses of one name that are tried
)

// agent is all that a site is told of who reads it.
const agent = "Palabre (link card)"

var (
	errInside  = errors.New("an address that is not on the internet")
	errNoCard  = errors.New("nothing to make a card of")
	errKind    = errors.New("not of the kind that was asked for")
	errTooLong = errors.New("too long")
)

// site reads pages and pictures of other sites. It sends no cookies, keeps no connections, and looks at each address that it is about to call, so
// that nobody reaches through it what only this machine can reach. Tests give it names and ways of their own.
type site struct {
	allowPrivate bool
	lookup       func(ctx context.Context, host string) ([]netip.Addr, error)
	dial         func(ctx context.Context, network, address string) (net.Conn, error)
	own          func() ([]net.Addr, error) // this machine's addresses
	http         *http.Client
	pictures     chan struct{} // holds a token while a picture is decoded: one at a time, for the memory that it takes
}

func newSite(allowPrivate bool) *site {
	s := &site{allowPrivate: allowPrivate, own: net.InterfaceAddrs, pictures: make(chan struct{}, 1)}
	s.dial = (&net.Dialer{Timeout: dialTime}).DialContext
	s.lookup = func(ctx context.Context, host string) ([]netip.Addr, error) {
		return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	}
	s.http = &http.Client{
		Transport: &http.Transport{DialContext: s.connect, DisableKeepAlives: true, TLSHandshakeTimeout: dialTime, MaxResponseHeaderBytes: maxHeaders},
		CheckRedirect: func(next *http.Request, before []*http.Request) error {
			next.Header.Del("Referer")
			if len(before) > maxRedirects {
				return errors.New("too many redirects")
			}
			return checkAddress(next.URL, s.allowPrivate)
		},
	}
	return s
}

// parseAddress reads the address of a page. What follows # is not the site's to know.
func parseAddress(text string, allowPrivate bool) (*url.URL, error) {
	if len(text) > maxAddress {
		return nil, errTooLong
	}
	u, err := url.Parse(text)
	if err != nil {
		return nil, errors.New("not an address")
	}
	u.Fragment, u.RawFragment = "", ""
	return u, checkAddress(u, allowPrivate)
}

// checkAddress refuses what is not a page of the web.
func checkAddress(u *url.URL, allowPrivate bool) error {
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return errors.New("neither http nor https")
	case u.Hostname() == "" || u.User != nil || u.Opaque != "":
		return errors.New("not the address of a page")
	case !allowPrivate && !slices.Contains([]string{"", "80", "443"}, u.Port()):
		return errors.New("neither port 80 nor 443")
	}
	return nil
}

// find makes the card of a page. It fails for every reason in the same way.
func (s *site) find(ctx context.Context, address string) finding {
	made, err := s.card(ctx, address)
	return finding{card: made, failed: err != nil}
}

// card reads a page and its picture. A picture that cannot be had is left out.
func (s *site) card(ctx context.Context, address string) (made card, err error) {
	response, err := s.get(ctx, address, "text/html, application/xhtml+xml;q=0.9", "text/html", "application/xhtml+xml")
	if err != nil {
		return made, err
	}
	text, err := charset.NewReader(io.LimitReader(response.Body, maxPage), response.Header.Get("Content-Type"))
	if err != nil {
		return made, errors.Join(err, response.Body.Close())
	}
	made, picture := readPage(text)
	if err := response.Body.Close(); err != nil {
		return made, err
	}
	if made.title == "" {
		return made, errNoCard
	}
	if at, err := response.Request.URL.Parse(picture); err == nil && picture != "" {
		made.picture = s.picture(ctx, at)
	}
	return made, nil
}

// picture fetches a picture and makes it small; nil if that cannot be done.
func (s *site) picture(ctx context.Context, at *url.URL) []byte {
	if len(at.String()) > maxAddress || checkAddress(at, s.allowPrivate) != nil {
		return nil
	}
	response, err := s.get(ctx, at.String(), "image/jpeg, image/png, image/gif;q=0.5", "image/jpeg", "image/jpg", "image/png", "image/gif")
	if err != nil {
		return nil
	}
	defer response.Body.Close()
	bytes, err := io.ReadAll(io.LimitReader(response.Body, maxImage+1))
	if err != nil || len(bytes) > maxImage {
		return nil
	}
	select {
	case s.pictures <- struct{}{}:
		defer func() { <-s.pictures }()
	case <-ctx.Done():
		return nil
	}
	small, err := shrink(bytes)
	if err != nil {
		return nil
	}
	return small
}

// get asks for something of one of these kinds. The caller closes the body.
func (s *site) get(ctx context.Context, address, accept string, kinds ...string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("User-Agent", agent)
	request.Header.Set("Accept", accept)
	response, err := s.http.Do(request)
	if err != nil {
		return nil, err
	}
	kind, _, err := mime.ParseMediaType(response.Header.Get("Content-Type"))
	if err != nil || response.StatusCode != http.StatusOK || !slices.Contains(kinds, kind) {
		return nil, errors.Join(errKind, response.Body.Close())
	}
	return response, nil
}

// connect is how every connection is made: the name is resolved once, what it gives is looked at, and that very address is called. A name that says
// something else the next time gains nothing by it.
func (s *site) connect(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	found, err := s.resolve(ctx, host)
	if err != nil {
		return nil, err
	}
	err = errInside
	for _, ip := range found {
		var conn net.Conn
		if conn, err = s.dial(ctx, network, net.JoinHostPort(ip.String(), port)); err == nil {
			return conn, nil
		}
	}
	return nil, fmt.Errorf("connect to a site: %w", err)
}

// resolve gives the addresses of a host that may be called, at most maxDials.
func (s *site) resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	found := []netip.Addr{}
	if ip, err := netip.ParseAddr(host); err == nil {
		found = append(found, ip)
	} else if found, err = s.lookup(ctx, host); err != nil {
		return nil, err
	}
	if !s.allowPrivate {
		own, err := s.own()
		if err != nil {
			return nil, fmt.Errorf("this machine's addresses: %w", err)
		}
		found = slices.DeleteFunc(found, func(ip netip.Addr) bool { return !outside.Is(ip) || isOwn(own, ip) })
	}
	found = found[:min(len(found), maxDials)]
	for i, ip := range found {
		found[i] = ip.Unmap().WithZone("")
	}
	return found, nil
}

// isOwn reports whether an address is one of this machine's.
func isOwn(own []net.Addr, ip netip.Addr) bool {
	return slices.ContainsFunc(own, func(one net.Addr) bool {
		network, ok := one.(*net.IPNet)
		if !ok {
			return false
		}
		mine, ok := netip.AddrFromSlice(network.IP)
		return ok && mine.Unmap() == ip.Unmap().WithZone("")
	})
}
