package palabretest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"palabre.dev/palabre/store/storetest"
)

// step is one step of a transcript.
type step struct {
	line  int
	text  string
	block string
}

// Run plays every transcript that the pattern finds on both databases, each against a server of its own.
func Run(t *testing.T, pattern string, options ...Option) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts at %s: %v", pattern, err)
	}
	for _, engine := range []string{storetest.SQLite, storetest.Postgres} {
		t.Run(engine, func(t *testing.T) {
			for _, file := range files {
				t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
					t.Parallel()
					Play(t, Start(t, engine, options...), file)
				})
			}
		})
	}
}

// Play plays one transcript against a server that runs.
func Play(t *testing.T, s *Server, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	steps, err := parse(string(text))
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	p := &player{T: t, server: s, file: filepath.Base(file), people: map[string]*Person{}, known: known{"domain": Domain}}
	for _, one := range steps {
		p.step = one
		p.play()
	}
}

// parse reads a transcript.
func parse(text string) ([]step, error) {
	var steps []step
	for i, line := range strings.Split(text, "\n") {
		trimmed := strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "#"), trimmed == "":
		case line[0] == ' ' || line[0] == '\t':
			if len(steps) == 0 || !strings.HasSuffix(steps[len(steps)-1].text, ":") {
				return nil, fmt.Errorf("line %d: belongs to no step that ends in a colon", i+1)
			}
			steps[len(steps)-1].block += strings.TrimSuffix(line, "\r") + "\n"
		default:
			steps = append(steps, step{line: i + 1, text: trimmed})
		}
	}
	for i := range steps {
		steps[i].block = dedent(steps[i].block)
	}
	return steps, nil
}

// dedent takes the margin of the first line from all.
func dedent(block string) string {
	margin := block[:len(block)-len(strings.TrimLeft(block, " \t"))]
	lines := strings.Split(strings.TrimSuffix(block, "\n"), "\n")
	for i := range lines {
		lines[i] = strings.TrimPrefix(lines[i], margin)
	}
	return strings.Join(lines, "\n")
}

// player plays one transcript. Its Fatalf names the step.
type player struct {
	*testing.T
	server *Server
	file   string
	step   step
	people map[string]*Person
	known  known
}

// Fatalf names the place in the transcript.
func (p *player) Fatalf(format string, args ...any) {
	p.T.Helper()
	p.T.Fatalf("%s:%d: %s\n%s", p.file, p.step.line, p.step.text, fmt.Sprintf(format, args...))
}

// play takes one step.
func (p *player) play() {
	name, verb, _ := strings.Cut(strings.TrimSuffix(p.step.text, ":"), " ")
	person := p.people[name]
	if person == nil {
		person = p.server.Person(p, name)
		p.people[name] = person
	}
	if rest, ok := strings.CutPrefix(verb, "authenticates with "); ok {
		p.authenticate(person, rest)
		return
	}
	verbs := map[string]func(*Person){
		"connects": (*Person).Connect, "connects in plain text": (*Person).ConnectPlain, "connects with TLS": (*Person).ConnectDirect,
		"connects by WebSocket": (*Person).ConnectWeb, "opens": func(o *Person) { o.Open() }, "logs in": (*Person).Login,
		"sends": p.send, "receives": p.receive, "receives in any order": p.receiveAny, "receives nothing": (*Person).Silent,
		"forgets": func(o *Person) { o.Until() }, "is closed": (*Person).Closed, "closes": (*Person).Close, "drops": (*Person).Drop,
	}
	do := verbs[verb]
	switch {
	case do == nil:
		p.Fatalf("not a step")
	case strings.HasSuffix(p.step.text, ":") != (p.step.block != ""):
		p.Fatalf("a step with a block ends in a colon")
	case person.Stream == nil && !strings.HasPrefix(verb, "connects") && verb != "logs in":
		p.Fatalf("not connected")
	}
	do(person)
}

// authenticate reads "MECHANISM [as USER] [with password P] [with token T] [by SASL2]".
func (p *player) authenticate(person *Person, rest string) {
	words := strings.Fields(p.known.fill(rest))
	a := Auth{Mechanism: words[0], Inline: p.known.fill(p.step.block)}
	for i := 1; i < len(words); {
		two := strings.Join(words[i:min(i+2, len(words))], " ")
		switch {
		case words[i] == "as" && i+1 < len(words):
			a.User = words[i+1]
			i += 2
		case two == "with password" && i+2 < len(words):
			a.Password = words[i+2]
			i += 3
		case two == "with token" && i+2 < len(words):
			a.Token = words[i+2]
			i += 3
		case two == "by SASL2":
			a.SASL2 = true
			i += 2
		default:
			p.Fatalf("what is %q?", words[i])
		}
	}
	outcome := person.Authenticate(a)
	person.waiting = append([]*element{outcome}, person.waiting...)
}

func (p *player) send(person *Person) {
	text := p.known.fill(p.step.block)
	if !person.web {
		person.Send(text)
		return
	}
	for _, frame := range frames(text) {
		person.Send(frame)
	}
}

// frames cuts a block where a line begins at the margin with a start tag.
func frames(text string) []string {
	var out []string
	for _, line := range strings.Split(text, "\n") {
		if len(out) == 0 || strings.HasPrefix(line, "<") && !strings.HasPrefix(line, "</") {
			out = append(out, line)
		} else {
			out[len(out)-1] += "\n" + line
		}
	}
	return out
}

func (p *player) receive(person *Person) {
	for _, want := range p.expected() {
		got := person.Receive()
		if why := p.known.match(want, got); why != "" {
			p.Fatalf("%s\nwant %s\ngot  %s", why, want, got)
		}
	}
}

// receiveAny matches what comes with what is expected, the first that fits.
func (p *player) receiveAny(person *Person) {
	left := p.expected()
next:
	for len(left) > 0 {
		got := person.Receive()
		for i, want := range left {
			trial := p.known.clone()
			if trial.match(want, got) == "" {
				p.known = trial
				left = append(left[:i:i], left[i+1:]...)
				continue next
			}
		}
		p.Fatalf("did not expect %s\nwaiting for %s", got, left)
	}
}

func (p *player) expected() []*element {
	want, err := parseElements(p.step.block)
	if err != nil {
		p.Fatalf("the block: %v", err)
	}
	return want
}
