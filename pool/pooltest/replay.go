package pooltest

import (
	"flag"
	"fmt"
	"strconv"
	"strings"
)

var replayFlag = flag.String("pooltest.replay", "", "repeat one run of the test that -run selects, as Explore printed it: walk:SEED, pct:SEED.DEPTH.STEPS or steps:…")

// String is how a plan is given to the flag: "walk:7", "pct:8.3.100", or "steps:3.1-5.0": in
// step 3 the strand 1 goes on, in step 5 the strand 0.
func (p plan) String() string {
	switch p.strategy {
	case PCT:
		return fmt.Sprintf("%v:%d.%d.%d", p.strategy, p.seed, p.depth, p.steps)
	case RandomWalk:
		return fmt.Sprintf("%v:%d", p.strategy, p.seed)
	}
	var steps []string
	for _, step := range p.script.steps() {
		steps = append(steps, fmt.Sprintf("%d.%d", step, p.script[step]))
	}
	return "steps:" + strings.Join(steps, "-")
}

// parsePlan reads what String has written.
func parsePlan(text string) (p plan, err error) {
	kind, rest, ok := strings.Cut(text, ":")
	if !ok {
		return p, fmt.Errorf("%q is no replay; it is walk:SEED, pct:SEED.DEPTH.STEPS or steps:…", text)
	}
	switch kind {
	case "walk":
		p.strategy = RandomWalk
		if p.seed, err = strconv.ParseUint(rest, 10, 64); err != nil {
			return p, fmt.Errorf("%q has no seed: %w", text, err)
		}
		return p, nil
	case "pct":
		p.strategy = PCT
		if n, err := fmt.Sscanf(rest+"\n", "%d.%d.%d\n", &p.seed, &p.depth, &p.steps); err != nil || n != 3 || p.depth < 1 || p.depth >= maxDepth || p.steps < 1 {
			return p, fmt.Errorf("%q is not pct:SEED.DEPTH.STEPS", text)
		}
		return p, nil
	case "steps":
		p.script = script{}
		if rest == "" {
			return p, nil
		}
		for _, pair := range strings.Split(rest, "-") {
			step, number, _ := strings.Cut(pair, ".")
			s, err1 := strconv.Atoi(step)
			n, err2 := strconv.Atoi(number)
			if err1 != nil || err2 != nil || s < 0 || n < 0 {
				return p, fmt.Errorf("%q has a step %q, which is not STEP.NUMBER", text, pair)
			}
			p.script[s] = n
		}
		return p, nil
	}
	return p, fmt.Errorf("%q is no replay; it is walk:SEED, pct:SEED.DEPTH.STEPS or steps:…", text)
}

// replayed is the run to repeat, or nil.
func replayed(text string) (*plan, error) {
	where := "pooltest.Options.Replay"
	if *replayFlag != "" {
		where, text = "-pooltest.replay", *replayFlag
	}
	if text == "" {
		return nil, nil
	}
	p, err := parsePlan(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", where, err)
	}
	return &p, nil
}

// replay repeats one run, and shows it.
func (e *explorer) replay(p plan) *Finding {
	defer e.leave()
	o := e.run(p)
	if step, ok := p.script.misfit(o.trace); ok && o.stuck == "" {
		e.t.Logf("%v is no order of this test any more, for it or what it tests has changed: strand %d cannot go on in step %d of %d",
			p, p.script[step], step, len(o.trace))
	}
	if !o.failed() {
		e.t.Logf("%v passes:\n%v", p, o.trace)
		return nil
	}
	return e.finding(p, o, 0)
}
