package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"palabre.dev/palabre/omemo"
	"palabre.dev/palabre/transport"
	"palabre.dev/palabre/xmpp"
)

const nsUpload = "urn:xmpp:http:upload:0" // XEP-0363

// ErrNoUpload means that the server takes no files.
var ErrNoUpload = errors.New("server takes no files")

// slot is where a file goes to and can be had from (XEP-0363 §4).
type slot struct {
	put, get string
	header   http.Header
}

// Upload stores size bytes of a file and returns the URL to have it from.
func (c *Client) Upload(ctx context.Context, name, contentType string, size int64, file io.Reader) (string, error) {
	service, err := c.uploadService(ctx)
	if err != nil {
		return "", err
	}
	request := xmpp.NewElement(nsUpload, "request").Set("filename", name).Set("size", strconv.FormatInt(size, 10))
	if contentType != "" {
		request.Set("content-type", contentType)
	}
	answer, err := c.Get(ctx, service, request)
	if err != nil {
		return "", fmt.Errorf("ask for a place for %d bytes: %w", size, err)
	}
	s, err := slotOf(answer)
	if err != nil {
		return "", err
	}
	return s.get, c.store(ctx, s, contentType, size, file)
}

// UploadEncrypted encrypts a file and stores it; the returned aesgcm URL is the body of the message to send encrypted (XEP-0454).
func (c *Client) UploadEncrypted(ctx context.Context, name string, file io.Reader) (string, error) {
	key, err := omemo.NewMediaKey()
	if err != nil {
		return "", err
	}
	var sealed bytes.Buffer
	if err := key.Encrypt(&sealed, file); err != nil {
		return "", err
	}
	at, err := c.Upload(ctx, name, "application/octet-stream", int64(sealed.Len()), &sealed)
	if err != nil {
		return "", err
	}
	return key.URL(at)
}

// Download writes the file at a URL that a peer has sent: https, or aesgcm, which it decrypts. More than limit bytes are an error.
func (c *Client) Download(ctx context.Context, address string, limit int64, to io.Writer) error {
	at, key, err := omemo.ParseMediaURL(address)
	encrypted := err == nil
	if !encrypted {
		at = address
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil || !mayVisit(request.URL) {
		return fmt.Errorf("download: not an address to fetch: %w", errors.Join(err, ErrUnexpected))
	}
	response, err := c.httpClient().Do(request)
	if err != nil {
		return fmt.Errorf("download: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("download: server says %s", response.Status)
	}
	body := &bounded{r: response.Body, left: limit}
	if encrypted {
		return key.Decrypt(to, body)
	}
	_, err = io.Copy(to, body)
	return err
}

// bounded fails, rather than ends, beyond its limit.
type bounded struct {
	r    io.Reader
	left int64
}

// Read implements io.Reader.
func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.r.Read(p[:min(int64(len(p)), b.left+1)])
	if b.left -= int64(n); b.left < 0 {
		return n, xmpp.ErrTooLarge
	}
	return n, err
}

// uploadService finds the service among the server's (XEP-0363 §3).
func (c *Client) uploadService(ctx context.Context) (xmpp.JID, error) {
	host := c.Account().Host()
	list, err := c.Get(ctx, host, xmpp.NewElement(nsDiscoItems, "query"))
	if err != nil {
		return xmpp.JID{}, fmt.Errorf("look for upload: %w", err)
	}
	candidates := []xmpp.JID{host}
	for item := range list.Children() {
		if jid, err := xmpp.ParseJID(item.Attr("jid")); err == nil && len(candidates) < 50 {
			candidates = append(candidates, jid)
		}
	}
	for _, at := range candidates {
		features, err := c.Features(ctx, at)
		if err == nil && features[nsUpload] {
			return at, nil
		}
	}
	return xmpp.JID{}, ErrNoUpload
}

// Features are what an address says that it can do (XEP-0030 §3).
func (c *Client) Features(ctx context.Context, at xmpp.JID) (map[string]bool, error) {
	info, err := c.Get(ctx, at, xmpp.NewElement(nsDiscoInfo, "query"))
	if err != nil {
		return nil, err
	}
	features := map[string]bool{}
	for e := range info.Children() {
		if e.Is(nsDiscoInfo, "feature") {
			features[e.Attr("var")] = true
		}
	}
	return features, nil
}

func slotOf(e *xmpp.Element) (slot, error) {
	put, get := e.Child(nsUpload, "put"), e.Child(nsUpload, "get")
	s := slot{put: put.Attr("url"), get: get.Attr("url"), header: http.Header{}}
	for _, address := range []string{s.put, s.get} {
		u, err := url.Parse(address)
		if err != nil || !mayVisit(u) {
			return slot{}, fmt.Errorf("slot at %.200q: %w", address, ErrUnexpected)
		}
	}
	for header := range put.Children() {
		switch name := header.Attr("name"); strings.ToLower(name) {
		case "authorization", "cookie", "expires": // XEP-0363 §4: no others, no line breaks
			s.header.Set(name, strings.NewReplacer("\r", "", "\n", "").Replace(header.Text()))
		}
	}
	return s, nil
}

// mayVisit allows https, and http on the loopback interface for tests.
func mayVisit(u *url.URL) bool {
	if u.Scheme == "https" {
		return true
	}
	ip := net.ParseIP(u.Hostname())
	return u.Scheme == "http" && (ip != nil && ip.IsLoopback() || u.Hostname() == "localhost")
}

func (c *Client) store(ctx context.Context, s slot, contentType string, size int64, file io.Reader) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, s.put, io.LimitReader(file, size))
	if err != nil {
		return fmt.Errorf("upload: %w", err)
	}
	request.ContentLength, request.Header = size, s.header
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	response, err := c.httpClient().Do(request)
	if err != nil {
		return fmt.Errorf("upload: %w", err)
	}
	if err := response.Body.Close(); err != nil {
		return fmt.Errorf("upload: %w", err)
	}
	if response.StatusCode != http.StatusCreated && response.StatusCode != http.StatusOK {
		return fmt.Errorf("upload: server says %s", response.Status)
	}
	return nil
}

// httpClient trusts the same authorities as the stream does.
func (c *Client) httpClient() *http.Client {
	tlsConfig := transport.ClientTLS("", c.cfg.Roots)
	tlsConfig.NextProtos = nil
	return &http.Client{Timeout: c.cfg.Timeout, Transport: &http.Transport{TLSClientConfig: tlsConfig, DialContext: c.cfg.Dial, DisableKeepAlives: true}}
}
