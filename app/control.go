package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// operation is something that an operator can do. args are JSON, in and out are streams for those that move files; an operation with a
// result writes it to out as JSON.
type operation = func(ctx context.Context, a *App, args []byte, in io.Reader, out io.Writer) error

// errTrailer carries what went wrong after an answer has begun.
const errTrailer = "Palabre-Error"

// controlPath is the socket through which the command line reaches the server that runs.
func (c Config) controlPath() string { return filepath.Join(c.Data, "palabre.sock") }

// openControl listens on the socket. Its file is the owner's alone, which is all the authentication there is.
func (a *App) openControl(ctx context.Context) (*http.Server, error) {
	path := a.cfg.controlPath()
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("remove old control socket: %w", err)
	}
	short, release, err := shortPath(path)
	if err != nil {
		return nil, fmt.Errorf("listen for the command line: %w", err)
	}
	old := syscall.Umask(0o177) // nothing else makes files yet
	listener, err := net.Listen("unix", short)
	syscall.Umask(old)
	release()
	if err != nil {
		return nil, fmt.Errorf("listen for the command line: %w", err)
	}
	mux := http.NewServeMux()
	for name, run := range operations {
		if !a.offered(name) {
			continue
		}
		mux.HandleFunc("POST /"+name, a.controlled(name, run))
	}
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }}
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			a.log.Error("control socket ended", "err", err)
		}
	}()
	return server, nil
}

func (a *App) controlled(name string, run operation) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", errTrailer)
		w.WriteHeader(http.StatusOK)
		if err := run(r.Context(), a, []byte(r.URL.Query().Get("args")), r.Body, w); err != nil {
			a.log.Debug("operation refused", "operation", name, "err", err)
			w.Header().Set(errTrailer, url.QueryEscape(err.Error()))
			return
		}
		a.log.Info("operation done", "operation", name)
	}
}

// Operate does what an operator asks for: through the socket of the server that runs with this configuration, else on the database itself.
// in and out may be nil.
func Operate(ctx context.Context, cfg Config, name string, args any, in io.Reader, out io.Writer) error {
	encoded, err := json.Marshal(args)
	if err != nil {
		return fmt.Errorf("encode arguments: %w", err)
	}
	if in == nil {
		in = strings.NewReader("")
	}
	if out == nil {
		out = io.Discard
	}
	if Running(cfg) {
		return callServer(ctx, cfg, name, encoded, in, out)
	}
	run, ok := operations[name]
	if !ok {
		return fmt.Errorf("there is no operation %s", name)
	}
	quiet := cfg.Log
	quiet.Level = "warn"
	open := Open
	if cfg.alone() {
		open = OpenPay
	}
	a, err := open(ctx, cfg, quiet.Logger())
	if err != nil {
		return err
	}
	if !a.offered(name) {
		return errors.Join(fmt.Errorf("palabre pay has no %s", name), a.Close())
	}
	return errors.Join(run(ctx, a, encoded, in, out), a.Close())
}

// Running reports whether a server with this configuration listens on its socket.
func Running(cfg Config) bool {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	conn, err := dialControl(ctx, cfg)
	if err != nil {
		return false
	}
	return conn.Close() == nil
}

func dialControl(ctx context.Context, cfg Config) (net.Conn, error) {
	short, release, err := shortPath(cfg.controlPath())
	if err != nil {
		return nil, err
	}
	defer release()
	return new(net.Dialer).DialContext(ctx, "unix", short)
}

// maxSocketPath is what fits into the system's address of a socket everywhere.
const maxSocketPath = 100

// shortPath is a path to the same file that fits into a socket's address, good until release is called.
func shortPath(path string) (short string, release func(), err error) {
	if len(path) <= maxSocketPath {
		return path, func() {}, nil
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return "", nil, err
	}
	return fmt.Sprintf("/proc/self/fd/%d/%s", folder.Fd(), filepath.Base(path)), func() { folder.Close() }, nil
}

func callServer(ctx context.Context, cfg Config, name string, args []byte, in io.Reader, out io.Writer) error {
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return dialControl(ctx, cfg)
	}}
	defer transport.CloseIdleConnections()
	address := "http://palabre/" + name + "?args=" + url.QueryEscape(string(args))
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, in)
	if err != nil {
		return err
	}
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return fmt.Errorf("ask the server: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the server that runs does not know %s: it may be another version", name)
	}
	if _, err := io.Copy(out, response.Body); err != nil {
		return fmt.Errorf("read the server's answer: %w", err)
	}
	if text := response.Trailer.Get(errTrailer); text != "" {
		if plain, err := url.QueryUnescape(text); err == nil {
			text = plain
		}
		return errors.New(text)
	}
	return nil
}
