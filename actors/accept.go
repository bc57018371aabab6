package actors

// This file is about tasks that are accepted: how they get a place in the queue, and how
// they are counted until they have ended.

// accept files the task and sees to it that a worker comes for it.
//
// Model: submit.
func (r *Router) accept(t *Task, fx *effects) error {
	target, err := r.route(t)
	if err != nil {
		return err
	}
	if t.state.Load() == stateCreated { // else a held message, which others can see
		r.enter(t)
		t.state.Store(stateQueued)
	}
	resumed := t.spec().resumes
	switch {
	case resumed != nil:
		r.queue.putBack(t, target, r.line.taken(), resumed)
	case r.plain && target.Worker == 0 && !t.spec().routed: // those have a place in the order that can be resumed
		if t.exempt {
			r.uncounted++
		}
		r.line.push(queued{task: t})
	default:
		r.queue.put(t, target, r.line.pushed)
		if r.codel.isOn() {
			t.linked().put = sinceStart()
		}
	}
	if t.mayPark {
		t.body.(parker).Queued()
	}
	if resumed != nil {
		t.spec().resumes = nil // nor what that one resumed
	}
	if target.Worker > 0 {
		r.rouseWorker(target.Worker, fx)
	} else {
		r.rouse(fx)
	}
	return nil
}

// load is what a strategy asks for.
func (r *Router) load(worker int) int {
	number := r.numberOf(worker)
	load := r.queue.ownOf(number).length()
	if r.slot(int32(number)).running() != nil {
		load++
	}
	return load
}

// enter counts a task from its acceptance until leave.
func (r *Router) enter(t *Task) {
	if root := t.root(); root != nil {
		r.enterRoot(root)
	}
	if t.internal {
		return
	}
	t.entered = true
	r.accepted++
	r.outstanding++
	r.keep()
}

// enterPlain is enter for a task that is nothing special.
func (r *Router) enterPlain(t *Task) {
	t.entered = true
	t.state.Store(stateQueued)
	r.accepted++
	r.outstanding++
}

// EnterRoot accepts a map or a stream, which is never queued itself: its pieces
// are. It is running from here on.
func (r *Router) EnterRoot(t *Task) error {
	var fx effects
	r.mu.Lock()
	defer r.unlock(&fx)
	if err := r.refusal(t); err != nil {
		return err
	}
	r.enterRoot(t)
	return nil
}

func (r *Router) enterRoot(t *Task) {
	r.enter(t)
	r.roots.add(t)
	t.state.Store(stateRunning)
}

// keep keeps the pool from being collected until everything accepted has ended.
func (r *Router) keep() {
	if r.kept == nil && r.owner != nil && !r.paused.Load() {
		r.kept = r.owner()
	}
}

// settle counts n tasks or functions that have ended.
func (r *Router) settle(n int) {
	if r.outstanding -= n; r.outstanding == 0 {
		r.kept = nil
	}
}

// leave is called once for every task that entered, when its outcome can be
// read, unless the worker that ran it reports it.
//
// Model: leave.
func (r *Router) leave(t *Task) {
	var fx effects
	r.mu.Lock()
	r.settle(1)
	r.roots.remove(t)
	r.checkDrained(&fx)
	r.unlock(&fx)
}
