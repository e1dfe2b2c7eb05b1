package xmpp

import "bytes"

// Piece is what a Framer found at the head of a byte stream.
type Piece uint8

// The pieces of a stream (RFC 6120 §4).
const (
	More   Piece = iota // nothing whole yet: read on
	Blank               // white space between elements, a keep-alive (RFC 6120 §4.6.1)
	Prolog              // the XML declaration
	Open                // the start tag of the stream
	Whole               // one complete element
	Close               // the end tag of the stream
)

// Framer cuts the bytes of one stream into pieces without copying them. It remembers how far it has looked, so bytes that arrive one
// by one are each looked at once. The zero Framer expects the stream's start tag.
type Framer struct {
	opened bool
	depth  int
	pos    int  // where the tag or section begins that is being looked at
	seen   int  // how much of it has been looked at
	quote  byte // the quote that is open there, 0 if none
}

// Reset makes the framer expect a new stream, as after STARTTLS (RFC 6120 §5.4.3.3).
func (f *Framer) Reset() { *f = Framer{} }

// Next looks at buf, which begins where the last piece ended, and returns the piece there and its length in bytes. A piece longer
// than limit bytes is refused with ErrTooLarge; DTDs, comments and processing instructions with ErrRestricted (RFC 6120 §11.1).
func (f *Framer) Next(buf []byte, limit int) (Piece, int, error) {
	if f.pos == 0 && f.depth == 0 {
		if n := leadingSpace(buf); n > 0 {
			return Blank, n, nil
		}
	}
	for {
		piece, n, err := f.step(buf)
		switch {
		case err != nil:
			return More, 0, err
		case n > limit || f.pos > limit || piece == More && n == 0 && len(buf) > limit:
			return More, 0, ErrTooLarge
		case piece != More || n == 0:
			return piece, n, nil
		}
	}
}

func leadingSpace(buf []byte) int {
	n := 0
	for n < len(buf) && isSpace(buf[n]) {
		n++
	}
	return n
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

// step looks at one tag or run of text. It returns More with 0 when bytes are missing, More with 1 when it went ahead.
func (f *Framer) step(buf []byte) (Piece, int, error) {
	rest := buf[f.pos:]
	if f.depth > 0 || f.pos > 0 {
		i := bytes.IndexByte(rest, '<')
		if i < 0 {
			f.pos = len(buf)
			return More, 0, nil
		}
		f.pos += i
		rest = rest[i:]
	}
	if len(rest) < 2 {
		if len(rest) == 1 && rest[0] != '<' {
			return More, 0, ErrNotWellFormed
		}
		return More, 0, nil
	}
	if rest[0] != '<' {
		return More, 0, ErrNotWellFormed
	}
	switch rest[1] {
	case '?':
		return f.prolog(rest)
	case '!':
		return f.cdata(rest)
	}
	return f.tag(rest)
}

func (f *Framer) prolog(rest []byte) (Piece, int, error) {
	const declaration = "<?xml"
	if f.opened || f.pos > 0 || !bytes.HasPrefix(rest, []byte(declaration)[:min(len(rest), len(declaration))]) {
		return More, 0, ErrRestricted
	}
	end := bytes.Index(rest, []byte("?>"))
	if end < 0 {
		return More, 0, nil
	}
	return Prolog, end + 2, nil
}

func (f *Framer) cdata(rest []byte) (Piece, int, error) {
	const open = "<![CDATA["
	if f.depth == 0 || !bytes.HasPrefix(rest, []byte(open)[:min(len(rest), len(open))]) {
		return More, 0, ErrRestricted
	}
	from := max(f.seen-2, len(open))
	if from > len(rest) {
		return More, 0, nil
	}
	end := bytes.Index(rest[from:], []byte("]]>"))
	if end < 0 {
		f.seen = len(rest)
		return More, 0, nil
	}
	f.pos, f.seen = f.pos+from+end+3, 0
	return More, 1, nil
}

func (f *Framer) tag(rest []byte) (Piece, int, error) {
	n, empty := f.tagEnd(rest)
	if n == 0 {
		return More, 0, nil
	}
	end := f.pos + n
	switch {
	case rest[1] == '/':
		f.depth--
		if f.depth < 0 {
			if !f.opened {
				return More, 0, ErrNotWellFormed
			}
			return Close, end, nil
		}
	case !f.opened && empty:
		return More, 0, ErrNotWellFormed
	case !f.opened:
		f.opened = true
		return Open, end, nil
	case !empty:
		f.depth++
	}
	if f.depth == 0 {
		f.pos = 0
		return Whole, end, nil
	}
	f.pos = end
	return More, 1, nil
}

// tagEnd is the length of the tag at the head of rest, 0 if it is not whole, and whether it closes itself.
func (f *Framer) tagEnd(rest []byte) (n int, empty bool) {
	for i := max(f.seen, 1); i < len(rest); i++ {
		c := rest[i]
		switch {
		case f.quote != 0:
			skip := bytes.IndexByte(rest[i:], f.quote)
			if skip < 0 {
				f.seen = len(rest)
				return 0, false
			}
			i += skip
			f.quote = 0
		case c == '\'' || c == '"':
			f.quote = c
		case c == '>':
			f.seen = 0
			return i + 1, rest[i-1] == '/'
		}
	}
	f.seen = len(rest)
	return 0, false
}
