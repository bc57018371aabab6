package pooltest

import (
	"fmt"
	"runtime"
	"time"

	"github.com/greenroom-go/greenroom/actors"
)

// WorkerRule is a fault of workers in the making. InTask, InInitializer or InCleanup says
// when; without Nth, Every and Once it strikes each time. A rule without an effect fails
// the test.
//
// It counts the calls of the worker at its place, whichever actor that is: those of one
// that was restarted go on where those of the one before ended.
type WorkerRule struct {
	rule   *rule
	pool   string
	worker int // 0: any
	moment actors.Moment
	told   bool   // the moment
	task   string // the name of the task; "": any
	does   func() error
}

// OnWorker begins a fault of a worker: that with the number, from 1, of the pools with the
// name ([pool.WithName], [pool.Pool.Name]) in the system of the test. To strike in
// initializers, which may be called as soon as there is a pool, it is placed before. The
// test fails if the name is empty or the number less than 1.
func (f *Faults) OnWorker(pool string, number int) *WorkerRule {
	f.kit.Helper()
	if number < 1 {
		f.kit.Fatalf("Faults.OnWorker(%q, %d): workers are counted from 1", pool, number)
	}
	r := f.OnWorkers(pool)
	r.worker = number
	r.rule.place = fmt.Sprintf("worker %d of pool %s", number, pool)
	return r
}

// OnWorkers begins a fault of all workers of the pools with a name, which counts their
// calls together. The test fails if it is empty.
func (f *Faults) OnWorkers(pool string) *WorkerRule {
	f.kit.Helper()
	if pool == "" {
		f.kit.Fatalf("Faults.OnWorkers was given no name of a pool; see pool.WithName")
	}
	return &WorkerRule{rule: f.begin("workers of pool " + pool), pool: pool}
}

// InTask has the fault strike when the worker begins the function of a task: nothing of it
// has been done, and the task ends with the failure, as if its function had begun with
// that. For what fails in the middle there is [Controlled]. A chunk of a map, and what a
// worker takes of a stream at once, is a task here: its first item fails.
func (r *WorkerRule) InTask() *WorkerRule { return r.in(actors.InTask, "in a task") }

// InTaskNamed is InTask for tasks with a name ([pool.WithTaskName]). The test fails if it
// is empty.
func (r *WorkerRule) InTaskNamed(name string) *WorkerRule {
	r.rule.faults.kit.Helper()
	if name == "" {
		r.rule.refuse("InTaskNamed was given no name")
	}
	r.task = name
	return r.in(actors.InTask, fmt.Sprintf("in a task named %q", name))
}

// InInitializer has the fault strike in the place of the worker's initializer, which is
// then not called unless the effect is Delay. A pool without one has nothing to strike.
func (r *WorkerRule) InInitializer() *WorkerRule {
	return r.in(actors.InInitializer, "in the initializer")
}

// InCleanup has the fault strike in the place of the worker's clean-up hook, which is then
// not called unless the effect is Delay. A pool without one has nothing to strike.
func (r *WorkerRule) InCleanup() *WorkerRule { return r.in(actors.InCleanup, "in the clean-up") }

func (r *WorkerRule) in(m actors.Moment, place string) *WorkerRule {
	r.rule.faults.kit.Helper()
	if r.told {
		r.rule.refuse("it has a moment already; place another fault")
	}
	r.moment, r.told = m, true
	r.rule.place += " " + place
	return r
}

// Nth has the fault strike the nth call at its place, counted from 1 and from when the
// fault was placed, and no other. The test fails if n is less than 1.
func (r *WorkerRule) Nth(n int) *WorkerRule {
	r.rule.faults.kit.Helper()
	r.rule.setNth(n)
	return r
}

// Once is Nth(1).
func (r *WorkerRule) Once() *WorkerRule {
	r.rule.faults.kit.Helper()
	return r.Nth(1)
}

// Every has the fault strike each nth call at its place. The test fails if n is less than
// 1.
func (r *WorkerRule) Every(n int) *WorkerRule {
	r.rule.faults.kit.Helper()
	r.rule.setEvery(n)
	return r
}

// Panic has the worker panic with a value, of which the supervision of the pool decides.
// The test fails if it is nil.
func (r *WorkerRule) Panic(value any) *Fault {
	r.rule.faults.kit.Helper()
	if value == nil {
		r.rule.refuse("Panic was given nil")
	}
	return r.place(fmt.Sprintf("panic(%v)", value), func() error { panic(value) })
}

// Goexit has the worker's goroutine end with runtime.Goexit.
func (r *WorkerRule) Goexit() *Fault {
	r.rule.faults.kit.Helper()
	return r.place("Goexit", func() error { runtime.Goexit(); return nil })
}

// Delay has the worker wait for a virtual time before it goes on. The test fails if d is
// not positive.
func (r *WorkerRule) Delay(d time.Duration) *Fault {
	k := r.rule.faults.kit
	k.Helper()
	if d <= 0 {
		r.rule.refuse("Delay(%v): it must be positive", d)
	}
	return r.place(fmt.Sprintf("delay by %v", d), func() error {
		time.Sleep(d)
		k.yield("goes on after a delay")
		return nil
	})
}

// Fail has an initializer or a clean-up hook return an error. The test fails if it is nil,
// and in tasks: there it would be their error, and not that of a worker; see [Controlled].
func (r *WorkerRule) Fail(err error) *Fault {
	r.rule.faults.kit.Helper()
	switch {
	case err == nil:
		r.rule.refuse("Fail was given no error")
	case r.told && r.moment == actors.InTask:
		r.rule.refuse("Fail: an error of a task is no failure of a worker; use Panic or Goexit, or a controlled task")
	}
	return r.place(fmt.Sprintf("fail with %q", err), func() error { return err })
}

func (r *WorkerRule) place(effect string, does func() error) *Fault {
	f := r.rule.faults
	f.kit.Helper()
	if !r.told {
		r.rule.refuse("it has no moment; call InTask, InInitializer or InCleanup")
	}
	return f.place(r.rule, effect, func() {
		r.does = does
		f.workers = append(f.workers, r)
	})
}

// injector is the faults of a test as its pools see them.
type injector struct{ *Faults }

// Inject does what the fault that strikes, if any, has the worker do.
func (i injector) Inject(at actors.Call) error {
	if !i.some.Load() {
		return nil
	}
	i.mu.Lock()
	rules := i.workers
	i.mu.Unlock()
	for _, r := range rules {
		if r.strikes(at) {
			return r.does()
		}
	}
	return nil
}

func (r *WorkerRule) strikes(at actors.Call) bool {
	return r.pool == at.Pool && r.moment == at.Moment &&
		(r.worker == 0 || r.worker == at.Worker) && (r.task == "" || r.task == at.Task) &&
		r.rule.sees(fmt.Sprintf("%s/worker-%d", at.Pool, at.Worker))
}
