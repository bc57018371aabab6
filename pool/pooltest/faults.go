package pooltest

import (
	"fmt"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"
)

// Faults are what goes wrong in a test because the test says so. A fault has a place, a
// trigger and an effect, given in this order:
//
//	k.Faults().On(store).Nth(2).Drop()
//	k.Faults().OnType(&messages.Task{}).Every(3).Delay(time.Second)
//	pooltest.OnMessage[order](k).When(isLarge).Duplicate()
//	k.Faults().OnWorker("kitchen", 2).InTask().Once().Panic("on fire")
//
// The effect places the fault. Of several faults at one place the first that was placed
// strikes, and those behind it do not see what it has struck. A fault that strikes is
// logged; all are listed, with how often they struck, when the test fails.
//
// Nothing is drawn at random: a run that is repeated meets the same faults.
type Faults struct {
	kit  *Kit
	some atomic.Bool // for a look without the lock

	mu       sync.Mutex
	rules    []*rule        // those that were begun, in order
	messages []*MessageRule // those that were placed, in order
	workers  []*WorkerRule  // the same
	late     []*lateMessage
	over     bool // messages come as they are sent
}

// Faults is where faults are placed, at any time.
func (k *Kit) Faults() *Faults {
	k.inUse("Faults")
	return k.faults
}

// Fault is one that was placed.
type Fault struct{ rule *rule }

// Struck is how often the fault has struck.
func (f *Fault) Struck() int {
	f.rule.faults.mu.Lock()
	defer f.rule.faults.mu.Unlock()
	return f.rule.struck
}

// Seen is how many messages or calls came by at its place, up to now.
func (f *Fault) Seen() int {
	f.rule.faults.mu.Lock()
	defer f.rule.faults.mu.Unlock()
	return f.rule.seen
}

// Lift takes the fault away: it strikes no more. What it delays comes as it would have.
func (f *Fault) Lift() {
	f.rule.faults.mu.Lock()
	defer f.rule.faults.mu.Unlock()
	f.rule.lifted = true
}

// String says what it is, and how often it struck.
func (f *Fault) String() string {
	f.rule.faults.mu.Lock()
	defer f.rule.faults.mu.Unlock()
	return f.rule.stringLocked()
}

// rule is a fault, or what will be one. Its fields but the last are not changed once it
// has an effect.
type rule struct {
	faults *Faults
	where  string // the line that began it
	place  string
	nth    int // 0: any
	every  int // 0: any
	effect string

	seen, struck int  // guarded by faults.mu, like what follows
	placed       bool // it has an effect
	lifted       bool
}

// begin makes a rule at a place.
func (f *Faults) begin(place string) *rule {
	r := &rule{faults: f, where: f.kit.callerLine(), place: place}
	f.mu.Lock()
	first := len(f.rules) == 0
	f.rules = append(f.rules, r)
	f.mu.Unlock()
	if first {
		f.kit.Cleanup(f.stop)
	}
	return r
}

// refuse fails the test for what cannot be.
func (r *rule) refuse(format string, args ...any) {
	r.faults.kit.Helper()
	r.faults.kit.Fatalf("fault on %s: %s", r.place, fmt.Sprintf(format, args...))
}

func (r *rule) setNth(n int) {
	r.faults.kit.Helper()
	r.setTrigger("Nth", n)
	r.nth = n
}

func (r *rule) setEvery(n int) {
	r.faults.kit.Helper()
	r.setTrigger("Every", n)
	r.every = n
}

func (r *rule) setTrigger(method string, n int) {
	r.faults.kit.Helper()
	switch {
	case n < 1:
		r.refuse("%s(%d): it is counted from 1", method, n)
	case r.nth > 0 || r.every > 0:
		r.refuse("%s(%d): it has a number already; place another fault", method, n)
	}
}

// place has the fault strike from now on. add is called with mu held.
func (f *Faults) place(r *rule, effect string, add func()) *Fault {
	f.kit.Helper()
	f.mu.Lock()
	if r.placed {
		f.mu.Unlock()
		r.refuse("it is a fault already: %s; begin another one", r.effect)
	}
	defer f.mu.Unlock()
	r.effect, r.placed = effect, true
	add()
	f.some.Store(true)
	return &Fault{r}
}

// sees counts what comes by at the place of a fault, and reports whether it strikes.
func (r *rule) sees(what string) bool {
	f := r.faults
	f.mu.Lock()
	if !r.placed || r.lifted {
		f.mu.Unlock()
		return false
	}
	r.seen++
	n := r.seen
	strikes := (r.nth == 0 || n == r.nth) && (r.every == 0 || n%r.every == 0)
	if strikes {
		r.struck++
	}
	f.mu.Unlock()
	if strikes {
		f.kit.Logf("fault: %s: %s, number %d at %s", r.effect, what, n, r.place)
	}
	return strikes
}

func (r *rule) stringLocked() string {
	trigger := ""
	switch {
	case r.nth > 0:
		trigger = fmt.Sprintf(", number %d", r.nth)
	case r.every > 0:
		trigger = fmt.Sprintf(", every %d", r.every)
	}
	struck := "never struck"
	if r.struck > 0 {
		struck = fmt.Sprintf("struck %d times", r.struck)
	}
	return fmt.Sprintf("%s: %s%s (%s): %s, %d seen", r.effect, r.place, trigger, r.where, struck, r.seen)
}

// stop is called when the body has ended: what is late does not come any more. Faults of
// workers go on, so that they strike clean-ups.
func (f *Faults) stop() {
	f.mu.Lock()
	late := f.late
	f.late, f.over = nil, true
	f.mu.Unlock()
	for _, l := range late {
		l.timer.Stop()
		f.kit.Logf("fault: %s for %s was still under way at the end of the test", describe(l.message), l.to.Id)
	}
}

// conclude logs all faults at the end of the test, which fails for those that have no
// effect.
func (f *Faults) conclude() {
	f.mu.Lock()
	rules := slices.Clone(f.rules)
	f.mu.Unlock()
	for _, r := range rules {
		f.mu.Lock()
		placed := r.placed
		f.mu.Unlock()
		if !placed {
			f.kit.failAt(r.where, fmt.Sprintf("a fault on %s was begun and has no effect: call Drop, Delay, Panic or another one", r.place))
		}
	}
	for _, line := range f.list() {
		f.kit.Logf("%s", line)
	}
}

// list is a line for each fault that was placed.
func (f *Faults) list() (lines []string) {
	f.mu.Lock()
	for _, r := range f.rules {
		if r.placed {
			lines = append(lines, "fault placed: "+r.stringLocked())
		}
	}
	f.mu.Unlock()
	f.kit.mu.Lock()
	remotes := f.kit.remotes
	f.kit.mu.Unlock()
	for _, r := range remotes {
		r.mu.Lock()
		losses, told := r.losses, r.told
		r.mu.Unlock()
		if losses > 0 {
			lines = append(lines, fmt.Sprintf("fault placed: the address %s was lost %d times, %d watches ended", r.address, losses, told))
		}
	}
	return lines
}

// On begins a fault on the messages that are sent to an address: that of an actor under
// the kit, or of a pool. The test fails if it is nil.
//
// Messages to a future or to the address of a result are not struck, nor are those of
// which Proto.Actor makes an actor's life: Started, Terminated, a poison pill.
func (f *Faults) On(pid *actor.PID) *MessageRule {
	f.kit.Helper()
	if pid == nil {
		f.kit.Fatalf("Faults.On was given no PID")
	}
	return &MessageRule{rule: f.begin("messages to " + pid.Id), to: pid}
}

// OnType begins a fault on messages of the type of an example, to whatever actor under the
// kit or pool. The test fails if that is nil.
func (f *Faults) OnType(example any) *MessageRule {
	f.kit.Helper()
	if example == nil {
		f.kit.Fatalf("Faults.OnType was given nil, which has no type")
	}
	is := reflect.TypeOf(example)
	return &MessageRule{rule: f.begin("messages of type " + is.String()), is: func(m any) bool { return reflect.TypeOf(m) == is }}
}

// OnMessage is [Faults.OnType] for T, which may be an interface, too.
func OnMessage[T any](k *Kit) *MessageRule {
	f := k.Faults()
	return &MessageRule{rule: f.begin("messages of type " + reflect.TypeFor[T]().String()), is: func(m any) bool { _, ok := m.(T); return ok }}
}
