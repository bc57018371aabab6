package pooltest

import "testing"

// TraceOf is the trace of one run of a body, and whether it failed.
func TraceOf(t *testing.T, s Strategy, seed uint64, body func(*Kit)) (Trace, bool) {
	o := Options{Strategy: s, First: seed}
	o.defaults()
	e := &explorer{t: t, options: o, body: body, length: defaultLength}
	defer e.leave()
	out := e.run(e.plan(seed))
	for _, f := range out.failures {
		t.Log(f)
	}
	return out.trace, out.failed()
}
