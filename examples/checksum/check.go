package main

import (
	"context"
	"errors"
	"io"

	"github.com/greenroom-go/greenroom/pool"
)

// verdict is an entry of a list with what was found.
type verdict struct {
	entry
	got digest
	err error
}

// tally counts what the summary tells.
type tally struct{ proper, malformed, unread, mismatched int }

// check compares files with a list of checksums.
func (p *program) check(ctx context.Context, name string) {
	list := io.Reader(p.stdin)
	if name != "-" {
		file, err := p.open(name)
		if err != nil {
			p.fail(name, err)
			return
		}
		defer file.Close()
		list = file
	}
	parser := parser{list: list, stdin: p.stdin}
	if name == "-" {
		name, parser.stdin = "standard input", nil
	}
	var t tally
	report := func(v verdict) { p.report(&t, v) }
	err := inOrder(ctx, p.workers, pool.Fallible(parser.entries()), p.examine, report)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		p.fail(name, err)
	case t.proper == 0:
		p.fail(name, errors.New("no properly formatted checksum lines found"))
	default:
		p.summarize(t)
	}
}

func (p *program) examine(ctx context.Context, e entry) verdict {
	v := verdict{entry: e}
	switch {
	case e.malformed:
	case e.input != nil:
		v.got, v.err = p.digest(ctx, e.input)
	default:
		v.got, v.err = p.hash(ctx, e.name)
	}
	return v
}

func (p *program) report(t *tally, v verdict) {
	if v.malformed {
		t.malformed++
		return
	}
	t.proper++
	outcome := "OK"
	switch {
	case v.err != nil:
		t.unread++
		p.fail(v.name, v.err)
		outcome = "FAILED open or read"
	case v.got != v.want:
		t.mismatched++
		p.failed = true
		outcome = "FAILED"
	}
	mark, name := escape(v.name)
	p.line(mark + name + ": " + outcome)
}

// summarize warns as sha256sum does. Lines that are no entries are no failure.
func (p *program) summarize(t tally) {
	warn := func(n int, one, many string) {
		switch {
		case n == 1:
			p.warn("WARNING: 1 %s", one)
		case n > 1:
			p.warn("WARNING: %d %s", n, many)
		}
	}
	warn(t.malformed, "line is improperly formatted", "lines are improperly formatted")
	warn(t.unread, "listed file could not be read", "listed files could not be read")
	warn(t.mismatched, "computed checksum did NOT match", "computed checksums did NOT match")
}
