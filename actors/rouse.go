package actors

// This file sees to it that workers come; dispatch.go says when one must.

// rouse sees to it that a worker comes for what any may take.
//
// Model: rouse.
func (r *Router) rouse(fx *effects) {
	if r.coming > 0 || r.paused.Load() || !r.waits() {
		return
	}
	if s := r.idle.head; s != nil {
		s.coming = true
		r.coming++
		r.wake(s, fx)
		return
	}
	if r.starting > 0 && r.starting >= r.line.length+r.queue.shared.length() {
		return
	}
	for ; r.known(r.unstarted); r.unstarted++ {
		if s := r.slot(int32(r.unstarted)); !s.started && !s.closed.Load() {
			s.starting = true
			r.starting++
			r.start(s, fx)
			return
		}
	}
}

// waits reports whether there is something that any worker may take.
func (r *Router) waits() bool {
	if r.line.length > 0 || r.queue.shared.length() > 0 {
		return true
	}
	for s := r.sharing.head; s != nil; s = r.sharing.head {
		if s.batch.rest() > 0 {
			return true
		}
		r.sharing.remove(s)
	}
	return false
}

// Model: wake, wakeOne.
func (r *Router) wake(s *slot, fx *effects) {
	r.idle.remove(s)
	if fx.wake == nil {
		fx.wake = s.box
	} else {
		fx.wakeToo = append(fx.wakeToo, s.box)
	}
}

// rouseWorker sees to it that one certain worker comes.
//
// Model: rouseWorker.
func (r *Router) rouseWorker(number int, fx *effects) {
	s := r.slot(int32(number))
	switch {
	case r.paused.Load():
	case s.in == &r.idle:
		r.wake(s, fx)
	case !s.started:
		r.start(s, fx)
	}
}

// Model: startOne.
func (r *Router) start(s *slot, fx *effects) {
	if r.stopped { // what is left there is about to be ended
		return
	}
	s.started = true
	r.watchIdleAgain() // one was kept as one of the minimum, and may go now
	r.want = append(r.want, int(s.number))
	fx.ask = true
}

// ask returns the workers that the supervisor is to be asked for, if it is not
// about to look for them anyhow.
func (r *Router) ask() (numbers []int) {
	if r.asked || r.supervisor == nil {
		return nil
	}
	r.asked = len(r.want) > 0
	numbers, r.want = r.want, nil
	return numbers
}

// wanted returns the workers that have come to be wanted since the supervisor was
// asked last. When there are none, it must be asked again.
func (r *Router) wanted() (numbers []int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	numbers, r.want = r.want, nil
	r.asked = len(numbers) > 0
	return numbers
}

// StartAll starts the workers that have not been needed so far.
func (r *Router) StartAll() {
	var fx effects
	r.mu.Lock()
	r.startAll(&fx)
	r.unlock(&fx)
}

func (r *Router) startAll(fx *effects) {
	if r.state == terminated || r.broken != nil { // there is nothing to do for them
		return
	}
	for ; r.known(r.unstarted); r.unstarted++ {
		if s := r.slot(int32(r.unstarted)); !s.started && !s.closed.Load() {
			r.start(s, fx)
		}
	}
}
