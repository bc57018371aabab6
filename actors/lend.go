package actors

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
func (r *Router) Lend(t *Task) bool { return r.lend(t, nil) }

// LendPiece is Lend for the first piece of root, which is accepted in the same
// moment.
func (r *Router) LendPiece(t, root *Task) bool { return r.lend(t, root) }

func (r *Router) lend(t, root *Task) bool {
	r.mu.Lock()
	s := r.lingering
	if s == nil {
		s = r.idle.head
	}
	if s == nil || r.line.length > 0 || !r.takesAtOnce() || r.waits() {
		r.mu.Unlock()
		return false
	}
	r.idle.remove(s)
	r.expected(s)
	s.lent = t
	r.active++
	r.attendants++
	if root != nil {
		r.enterRoot(root)
	} else {
		r.enterPlain(t)
	}
	t.state.Store(stateRunning)
	r.mu.Unlock()

	t.place = s.number
	t.perform(func(failure *Failure, _ bool) { r.giveBack(s, failure) })
	return true
}

// giveBack ends the loan of a place. Its worker is idle, as it was before, unless
// it has failed or stopped meanwhile and has not come back.
func (r *Router) giveBack(s *slot, failure *Failure) {
	var fx effects
	r.mu.Lock()
	s.lent = nil
	r.active--
	r.attendants--
	r.report(s)
	switch {
	case failure != nil:
		s.failing = true
		defer s.box.PostUserMessage(failure)
	case !s.out:
		r.idle.push(s)
		if r.queue.ownOf(int(s.number)).length > 0 { // it came while the place was lent
			r.wake(s, &fx)
		}
	}
	r.rouse(&fx)
	r.admit(&fx)
	r.checkDrained(&fx)
	r.unlock(&fx)
}
