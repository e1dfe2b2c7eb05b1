package store_test

import (
	"context"
	"io"
	"net"
	"net/url"
	"sync/atomic"
	"testing"

	"palabre.dev/palabre/store/storetest"
)

// proxy stands between the store and the server. When it is told to, it passes the next request on, waits for the answer, and keeps it.
type proxy struct {
	target  *url.URL
	swallow atomic.Bool
}

func (p *proxy) serve(l net.Listener) {
	for {
		client, err := l.Accept()
		if err != nil {
			return
		}
		server, err := p.dial()
		if err != nil {
			client.Close()
			continue
		}
		go p.requests(client, server)
		go p.answers(client, server)
	}
}

func (p *proxy) requests(client, server net.Conn) {
	if _, err := io.Copy(server, client); err != nil {
		client.Close() // the other side has closed it
	}
	server.Close()
}

func (p *proxy) dial() (net.Conn, error) {
	host, port := p.target.Hostname(), p.target.Port()
	if folder := p.target.Query().Get("host"); folder != "" {
		host = folder
	}
	if q := p.target.Query().Get("port"); q != "" {
		port = q
	}
	if port == "" {
		port = "5432"
	}
	if len(host) > 0 && host[0] == '/' {
		return net.Dial("unix", host+"/.s.PGSQL."+port)
	}
	return net.Dial("tcp", net.JoinHostPort(host, port))
}

func (p *proxy) answers(client, server net.Conn) {
	defer client.Close()
	buffer := make([]byte, 64<<10)
	for {
		n, err := server.Read(buffer)
		if err != nil || p.swallow.CompareAndSwap(true, false) {
			server.Close()
			return
		}
		if _, err := client.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// TestLostAnswerToCommit loses the server's answer to a commit that was kept: the caller is told that it was, and it is there once.
func TestLostAnswerToCommit(t *testing.T) {
	cfg := storetest.Config(t, storetest.Postgres)
	target, err := url.Parse(cfg.URL)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	p := &proxy{target: target}
	go p.serve(l)
	through, query := *target, target.Query()
	query.Del("host")
	query.Del("port")
	through.Host, through.RawQuery = l.Addr().String(), query.Encode()
	cfg.URL = through.String()
	db := storetest.OpenConfig(t, cfg)
	makeNote(t, db)
	keep := func(id int, lose bool) error {
		return db.Tx(context.Background(), func(ctx context.Context) error {
			if err := db.Append(ctx, note, 1, id, "x"); err != nil {
				return err
			}
			db.Next()
			p.swallow.Store(lose)
			return nil
		})
	}
	if err := keep(1, false); err != nil { // prepares the statements
		t.Fatal(err)
	}
	if err := keep(2, true); err != nil {
		t.Errorf("kept, but the caller was told %v", err)
	}
	if n := count(t, db, "id = 2"); n != 1 {
		t.Errorf("%d rows", n)
	}
}
