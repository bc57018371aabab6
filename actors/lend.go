package actors

import "github.com/greenroom-go/greenroom/messages"

// Lend runs t on the calling goroutine, in the place of an idle worker, if there
// is one and nothing waits for it; else it reports false and does nothing. It is
// for a submitter who would wait for t in any case, without an end: then nobody
// has to be woken, which takes ten times as long as everything else.
//
// The task is one like any other. It is the worker's: its failure is the
// worker's, who is restarted. Only a Goexit, once the task has been given its
// end, ends the caller's goroutine, for that is where it happens.
//
// Who lent a place, or comes by while it is lent:
//
//	the worker's mailbox  handles messages, and takes no tasks
//	a worker that stops   is replaced; its successor takes no tasks either
//	Terminate             ends the task; the pool's end waits for the function
func (r *Router) Lend(t *Task) bool {
	r.mu.Lock()
	s := r.lingering
	if s == nil {
		s = r.idle.head
	}
	if s == nil || !r.mayLend() {
		r.mu.Unlock()
		return false
	}
	r.enterPlain(t)
	r.lend(s, t)
	r.mu.Unlock()
	t.perform(func(failure *Failure, _ bool) { r.giveBack(s, nil, failure) })
	return true
}

// LendMap is Lend for the first piece of a map, which is accepted in the same
// moment. The second piece, if there is one, is queued in that moment, too: it
// must be there before user code runs that may wait for it.
//
// Meanwhile the map is found at the place and is not among the roots: most maps
// are over when the place is given back. If its first piece is the last to end, it
// announces the outcome of the map with ConcludeMap.
func (r *Router) LendMap(root, first, second *Task) bool {
	var fx effects
	r.mu.Lock()
	s := r.idle.head // the one that lingers comes for the second piece
	if s == nil {
		s = r.lingering
	}
	if s == nil || !r.mayLend() {
		r.mu.Unlock()
		return false
	}
	r.enter(root)
	root.state.Store(stateRunning)
	s.lentTo = root
	r.lend(s, first)
	if second != nil {
		second.state.Store(stateQueued)
		r.uncounted++
		r.line.push(queued{task: second})
		r.rouse(&fx)
	}
	r.unlock(&fx)
	first.perform(func(failure *Failure, _ bool) { r.giveBack(s, second, failure) })
	return true
}

// ConcludeMap announces the outcome of the map that the place is lent to in which
// t runs, on the goroutine of t. It costs no lock of the router.
func (t *Task) ConcludeMap(root *Task, outcome messages.Outcome, err error) {
	root.announce(outcome, err, t.router.slot(t.place))
}

// mayLend reports whether nobody waits for the place of an idle worker. A worker that
// has to clean up keeps its own, and so does one that is restarted with others and has an
// initializer: it might do so while the caller is still at work.
func (r *Router) mayLend() bool {
	return r.line.length == 0 && r.lends && !r.paused.Load() && r.takesAtOnce() && !r.waits()
}

// Model: lend.
func (r *Router) lend(s *slot, t *Task) {
	r.idle.remove(s)
	r.expected(s)
	s.lent = t
	t.place = s.number
	r.occupy(s, 1)
	r.attendants++
	t.state.Store(stateRunning)
}

// giveBack ends the loan of a place. Its worker is idle, as it was before, unless
// it has failed or stopped meanwhile and has not come back. What is left of a map
// goes on without the place; if nothing is, its second piece need not come.
//
// Model: giveBack.
func (r *Router) giveBack(s *slot, second *Task, failure *Failure) {
	var fx effects
	r.mu.Lock()
	root := s.lentTo
	s.lent, s.lentTo = nil, nil
	r.occupy(s, -1)
	r.attendants--
	r.report(s)
	if root != nil && !root.Ready() { // else leave would not take it out again
		r.roots.add(root)
	}
	unneeded := second != nil && root.Decided() && second.state.CompareAndSwap(stateQueued, stateDeciding)
	if unneeded {
		r.leftPlace(second, &fx)
	}
	switch {
	case failure != nil:
		s.failing = true
		defer s.box.PostUserMessage(lentFailure{failure})
	case s.out:
	case s.closed.Load(): // it leaves
		r.wake(s, &fx)
	default:
		r.park(s)
		if r.queue.ownOf(int(s.number)).length() > 0 { // it came while the place was lent
			r.wake(s, &fx)
		}
	}
	r.rouse(&fx)
	r.admit(&fx)
	r.checkDrained(&fx)
	r.unlock(&fx)
	if unneeded {
		second.Announce(messages.Succeeded, nil)
	}
}
