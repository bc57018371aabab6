package main

import (
	"context"
	"fmt"
	"iter"
)

// summed is a file with its checksum, or with why it has none.
type summed struct {
	name   string
	digest digest
	err    error
}

// sum prints the checksums of the targets.
func (p *program) sum(ctx context.Context, targets iter.Seq[target]) {
	work := func(ctx context.Context, t target) summed {
		if t.err != nil {
			return summed{name: t.path, err: t.err}
		}
		digest, err := p.hash(ctx, t.path)
		return summed{t.path, digest, err}
	}
	report := func(s summed) {
		if s.err != nil {
			p.fail(s.name, s.err)
			return
		}
		mark, name := escape(s.name)
		p.line(fmt.Sprintf("%s%x  %s", mark, s.digest, name))
	}
	if err := inOrder(ctx, p.workers, targets, work, report); err != nil {
		p.fail("stopped early", err)
	}
}
