package actors

import (
	"log/slog"
	"sync"
)

// lane runs callbacks one at a time, in the order of completion, on a goroutine
// that exists only while there are any. The router counts that goroutine as an
// attendant, so the end of the pool waits for it.
type lane struct {
	router *Router

	mu      sync.Mutex
	jobs    []laneJob
	current laneJob
	running bool
	opened  bool
}

type laneJob struct {
	run func()
	// task, if not nil, becomes ready after run.
	task *Task
}

func (l *lane) post(j laneJob) {
	l.mu.Lock()
	l.jobs = append(l.jobs, j)
	start, opened := !l.running, l.opened
	l.running = true
	l.mu.Unlock()
	if start {
		l.router.Attend(1)
		l.router.Spawn("callbacks", l.drain)
	}
	if opened && j.task != nil {
		j.task.makeReady(nil)
	}
}

// open ends the rule that a result becomes ready only after its callback: after
// a terminate no result waits for a callback that may never return.
func (l *lane) open() {
	l.mu.Lock()
	l.opened = true
	waiting := append([]laneJob{l.current}, l.jobs...)
	l.mu.Unlock()
	for _, j := range waiting {
		if j.task != nil {
			j.task.makeReady(nil)
		}
	}
}

func (l *lane) drain() {
	returned := false
	defer func() {
		if !returned { // a callback called Goexit
			l.router.Spawn("callbacks", l.drain)
		}
	}()
	for l.step() {
		l.router.Yield("next callback")
	}
	returned = true
	l.router.Attend(-1)
}

// step runs the next callback and reports false if there is none.
func (l *lane) step() bool {
	l.mu.Lock()
	l.current = laneJob{}
	if len(l.jobs) == 0 {
		l.jobs = nil
		l.running = false
		l.mu.Unlock()
		return false
	}
	j := l.jobs[0]
	l.jobs[0] = laneJob{}
	l.jobs = l.jobs[1:]
	l.current = j
	l.mu.Unlock()
	if j.task != nil {
		defer j.task.makeReady(nil)
	}
	l.call(j.run)
	return true
}

// call runs a callback and reports what it does wrong.
func (l *lane) call(f func()) {
	returned := false
	defer func() {
		if returned {
			return
		}
		failure := NewFailure(recover())
		l.router.log(slog.LevelError, "callback failed", "error", failure.Err)
	}()
	f()
	returned = true
}
