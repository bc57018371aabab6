package actors

import (
	"maps"
	"slices"
	"time"
)

// links is a task's place in a list. Guarded by the router's mutex.
type links struct {
	prev, next *Task
	in         *queueList
	late       int           // its place in a heap there, from 1; 0: it is in none
	order      uint64        // position in the order of submission, among those that got one
	after      uint64        // how many places of the line come before it
	moves      uint64        // queue.moves when that was so
	assigned   int           // the worker that will take it, from 1; 0: any
	chain      *chain        // the tasks with the same key, if routing orders keys
	older      *Task         // the one before it that counts towards the limit, in whichever list
	newer      *Task         // the one after it
	held       bool          // came as a message and waits for room
	put        time.Duration // when it came, if tasks are shed
	keepsKey   bool          // what has the same key waits though it has left its place
}

// isLinked reports whether t waits in a list.
func (t *Task) isLinked() bool {
	l := t.hasLinks()
	return l != nil && l.in != nil
}

// chain holds the tasks of one key in a pool that orders keys. Its holder is
// the only one that may be taken or run; the others wait behind it.
type chain struct {
	key    string
	holder *Task
	behind queueList
	nudges Nudges // of those who look again when the holder changes
}

// queue holds the tasks that nobody has started: those that any worker may take,
// those for one worker, and those behind another task with their key. Guarded
// by the router's mutex.
type queue struct {
	shared ranks
	own    []*ranks // by worker number; [0] is unused; made when first needed
	chains map[string]*chain
	order  uint64
	all    int    // tasks, of all kinds
	after  uint64 // links.after of the latest
	moves  uint64 // how often links.after was corrected
	ageing int64  // see ranks

	// The tasks that count towards the limit, in the order of submission.
	length         int
	oldest, newest *Task // nil: there are none
}

// put files t where target says, after so many tasks that were put into the line.
func (q *queue) put(t *Task, target Target, after uint64) {
	q.number(t, after)
	at := t.linked()
	q.all++
	q.count(t)
	at.assigned = target.Worker
	switch {
	case target.Worker > 0:
		q.ownFor(target.Worker).of(t.priority()).push(t)
	case target.InOrder:
		key := t.key()
		c := q.chains[key]
		if c == nil {
			c = &chain{key: key, holder: t}
			q.chains[key] = c
			q.shared.of(t.priority()).push(t)
		} else {
			c.behind.push(t)
		}
		at.chain = c
	default:
		q.shared.of(t.priority()).push(t)
	}
}

// number gives t the last place in the order of submission.
func (q *queue) number(t *Task, after uint64) {
	q.order++
	q.after = after
	at := t.linked()
	at.order, at.after, at.moves = q.order, after, q.moves
}

// movedUp follows on places of the line that were taken out.
func (q *queue) movedUp(gone []uint64) {
	q.moves++
	q.after = movedUp(q.after, gone)
	correct := func(t *Task) {
		at := t.linked()
		at.after, at.moves = movedUp(at.after, gone), q.moves
	}
	q.lists(func(l *queueList) { l.walk(correct) })
}

// count notes that t waits, if it counts towards the limit: it is the newest of those.
func (q *queue) count(t *Task) {
	if t.exempt {
		return
	}
	q.length++
	if t.linked().older = q.newest; q.newest == nil {
		q.oldest = t
	} else {
		q.newest.linked().newer = t
	}
	q.newest = t
}

func (q *queue) uncount(t *Task) {
	if t.exempt {
		return
	}
	q.length--
	at := t.linked()
	if at.older == nil {
		q.oldest = at.newer
	} else {
		at.older.linked().newer = at.newer
	}
	if at.newer == nil {
		q.newest = at.older
	} else {
		at.newer.linked().older = at.older
	}
	at.older, at.newer = nil, nil
}

// putBack is put for a task that resumes another one, whose place in the order it gets. It
// does not count towards the limit.
//
// If that was taken before its turn, to run in the place of another, and places of the line
// were taken out since, it is not known any more how many of those were before it. Then t
// comes before all that are left.
func (q *queue) putBack(t *Task, target Target, taken uint64, resumed *Task) {
	was, at := resumed.linked(), t.linked()
	at.order, at.after, at.moves = was.order, was.after, q.moves
	if was.moves != q.moves {
		at.after = min(was.after, taken)
	}
	q.all++
	q.after = max(q.after, at.after)
	at.assigned = target.Worker
	list := &q.shared
	if target.Worker > 0 {
		list = q.ownFor(target.Worker)
	}
	if c := was.chain; c != nil && c.holder == resumed {
		at.chain, c.holder = c, t
		was.chain, was.keepsKey = nil, false
		c.nudges.Give()
	}
	list.of(t.priority()).insert(t)
}

// next returns the task that the worker should start first, without taking it.
func (q *queue) next(worker int) *Task {
	if q.all == 0 { // all tasks of most pools wait in the line (BenchmarkApply in package pool)
		return nil
	}
	return earlier(q.shared.head(q.ageing), q.nextOwn(worker), q.ageing)
}

// nextOwn is next among those that only this worker may take.
func (q *queue) nextOwn(worker int) *Task { return q.ownOf(worker).head(q.ageing) }

// ownOf are the tasks for one worker, to be read.
func (q *queue) ownOf(worker int) *ranks {
	if worker >= len(q.own) || q.own[worker] == nil {
		return &noTasks
	}
	return q.own[worker]
}

// ownFor is where the tasks for one worker wait; it is made if there is none.
func (q *queue) ownFor(worker int) *ranks {
	if missing := worker + 1 - len(q.own); missing > 0 {
		q.own = append(q.own, make([]*ranks, missing)...)
	}
	if q.own[worker] == nil {
		q.own[worker] = new(ranks)
	}
	return q.own[worker]
}

var noTasks ranks

// disown gives what waits for one worker to all, except what only that one may run.
//
// Model: disown.
func (q *queue) disown(worker int) {
	q.ownOf(worker).each(func(priority int, own *queueList) {
		shared := q.shared.of(priority)
		for _, t := range own.all() {
			if t.fixed() == 0 {
				own.remove(t)
				t.linked().assigned = 0
				shared.insert(t)
			}
		}
	})
}

// reassign gives what only one worker may take to another one.
func (q *queue) reassign(from, to int) {
	q.ownOf(from).each(func(priority int, own *queueList) {
		for _, t := range own.all() {
			own.remove(t)
			t.reassign(to)
			q.ownFor(to).of(priority).insert(t)
		}
	})
}

// take removes t from where it waits. A holder that is taken to be run keeps
// its chain until release.
func (q *queue) take(t *Task) {
	t.linked().in.remove(t)
	q.all--
	q.uncount(t)
}

// chained is the chain that t is part of, or nil.
func (t *Task) chained() *chain {
	if l := t.hasLinks(); l != nil {
		return l.chain
	}
	return nil
}

// release lets the next task with the key of t go ahead, if t held the others
// back, and returns it, or nil. Called when t has run or was removed.
func (q *queue) release(t *Task) *Task {
	c := t.chained()
	if c == nil || t.linked().keepsKey {
		return nil
	}
	t.linked().chain = nil // also of one that left from behind: the chain may end before it does
	if c.holder != t {
		return nil
	}
	c.nudges.Give()
	next := c.behind.first()
	c.holder = next
	if next == nil {
		delete(q.chains, c.key)
		return nil
	}
	c.behind.remove(next)
	q.shared.of(next.priority()).insert(next)
	return next
}

// each calls f for every task in the queue, list by list, each in order. It takes n·log n.
func (q *queue) each(f func(*Task)) {
	q.lists(func(l *queueList) {
		for _, t := range l.all() {
			f(t)
		}
	})
}

// lists calls f for every list in the queue, in the same order each time.
func (q *queue) lists(f func(*queueList)) {
	ofRank := func(_ int, l *queueList) { f(l) }
	q.shared.each(ofRank)
	for i := range q.own {
		q.ownOf(i).each(ofRank)
	}
	for _, key := range slices.Sorted(maps.Keys(q.chains)) {
		f(&q.chains[key].behind)
	}
}
