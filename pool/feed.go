package pool

import (
	"context"
	"errors"
	"iter"
	"math"
	"runtime"
	"slices"

	"github.com/greenroom-go/greenroom/actors"
	"github.com/greenroom-go/greenroom/messages"
)

// streamJob is a stream under way, as its feeder and its runners see it. mu of
// the state guards these fields too.
type streamJob[T, R any] struct {
	streamState[R]
	fn      func(context.Context, T) (R, error) // nil once the stream has ended
	size    int                                 // of a chunk
	pending fifo[fedItem[T]]
	queued  int                              // runners in the queue or at work there
	busy    int                              // of those, the ones that have a chunk
	runners map[*streamRunner[T, R]]struct{} // all, those run in place included
}

type fedItem[T any] struct {
	index int
	item  T
}

func newStream[T, R any](ctx context.Context, name string, p *Pool, fn func(context.Context, T) (R, error),
	items iter.Seq[T], opts []MapOption, ordered bool,
) *Stream[R] {
	mustHave(p != nil, name, "pool")
	mustHave(fn != nil, name, "function")
	config := newMapConfig(opts)
	config.check(!config.failFast, "WithFailFast", "it is for maps; whoever reads a stream can stop at an error")
	config.check(!config.hasCallback, "WithCallback", "callbacks are for tasks and maps; a stream has a reader")
	err := config.err()
	switch {
	case ctx == nil:
		ctx, err = context.Background(), errors.Join(errNilContext(name), err)
	case items == nil:
		err = errors.Join(errNilItems(name), err)
	}
	j := &streamJob[T, R]{fn: fn, size: max(1, config.chunk), runners: map[*streamRunner[T, R]]struct{}{}}
	j.ctx, j.ordered, j.source, j.pool = ctx, ordered, j, p
	j.room = make(chan struct{}, 1)
	if j.window = config.window; j.window == 0 {
		j.window = int(min(math.MaxInt, max(64, 4*int64(p.Workers())*int64(j.size))))
	}
	parent, release := config.parent(ctx)
	j.root.Init(p.router, j, parent, config.options(nil, release))
	s := &Stream[R]{&j.streamState}
	if err == nil && parent.Err() != nil {
		_, err = actors.ContextOutcome(parent)
	}
	p.router.Attend(1) // for the feeder, before the stream is known and may be terminated
	if err == nil {
		err = p.router.EnterRoot(&j.root)
	}
	if err != nil {
		p.router.Attend(-1)
		j.end(err)
		j.root.Refuse(err)
		return s
	}
	j.root.WatchParent()
	go j.feed(items)
	runtime.AddCleanup(s, func(state *streamState[R]) { state.forsake() }, &j.streamState)
	return s
}

// feed runs the user's sequence. It ends with the sequence, or when the stream
// has ended and the sequence offers its next item.
func (j *streamJob[T, R]) feed(items iter.Seq[T]) {
	returned := false
	defer func() {
		if !returned {
			if r := recover(); r != nil {
				j.fedAll(iteratorError(r))
			} else {
				j.fedAll(errIteratorExited)
			}
		}
		j.root.Router().Attend(-1)
	}()
	for item := range items {
		if !j.push(item) {
			break
		}
	}
	returned = true
	j.fedAll(nil)
}

// push hands an item to the runners and waits until there is room for the next.
// It reports false when the stream has ended.
func (j *streamJob[T, R]) push(item T) bool {
	j.mu.Lock()
	if j.over != nil || j.feedEnded {
		j.mu.Unlock()
		return false
	}
	j.pending.push(fedItem[T]{j.fed, item})
	j.fed++
	if j.ordered && !j.discard {
		j.outcomes.push(outcome[R]{})
	}
	start := j.wantsRunner()
	signal(&j.changed) // for tasks that wait and could work
	room := j.hasRoom()
	j.mu.Unlock()
	if start {
		j.enqueue()
	}
	return room || j.awaitRoom()
}

// wantsRunner counts one more runner if there are items and no runner is on its
// way to them; when that one has come, it wants the next. Called with mu held;
// the caller then enqueues it.
func (j *streamJob[T, R]) wantsRunner() bool {
	if j.over != nil || j.queued >= j.root.Router().Workers() || j.queued > j.busy || j.pending.len() == 0 {
		return false
	}
	j.queued++
	return true
}

// awaitRoom ends with reads, Close, or the end of the stream. A feeder that has
// had to sleep is woken when a quarter of the window is free.
func (j *streamJob[T, R]) awaitRoom() bool {
	for looks := 0; ; looks++ {
		j.mu.Lock()
		if j.over != nil || j.feedEnded {
			j.mu.Unlock()
			return false
		}
		if j.hasRoom() {
			j.mu.Unlock()
			return true
		}
		j.waits = looks >= moreLooks
		sleep := j.waits
		j.mu.Unlock()
		if sleep {
			<-j.room
		} else {
			runtime.Gosched()
		}
	}
}

// hasRoom reports whether the window allows another item. Called with mu held.
func (j *streamJob[T, R]) hasRoom() bool { return j.unbounded || j.fed-j.read < j.window }

func (j *streamJob[T, R]) fedAll(err error) {
	j.mu.Lock()
	ended := j.endFeed(err)
	j.mu.Unlock()
	if ended {
		j.announceEnd()
	}
}

// CancelUnstarted drops the items that no runner has taken and stops the
// sequence when it next offers one.
func (j *streamJob[T, R]) CancelUnstarted() bool {
	j.mu.Lock()
	if j.over != nil || j.feedEnded && j.pending.len() == 0 {
		j.mu.Unlock()
		return false
	}
	for i := j.pending.len() - 1; i >= 0; i-- {
		j.drop(j.pending.at(i).index)
	}
	j.pending = fifo[fedItem[T]]{}
	j.feedEnded = false // an error of the sequence would have come after what was dropped
	ended := j.endFeed(ErrCancelled)
	j.wakeFeeder()
	j.mu.Unlock()
	if ended {
		j.announceEnd()
	}
	return true
}

// drop takes back an item, the latest first. One that a failing runner has left
// behind may have later ones before it that are being worked on: then it has its
// error in its place. Called with mu held.
func (j *streamJob[T, R]) drop(index int) {
	switch {
	case !j.ordered || j.discard:
		j.fed--
	case index == j.fed-1:
		j.fed--
		j.outcomes.truncate(1)
	default:
		*j.outcomes.at(index - j.read) = outcome[R]{err: &ItemError{index, ErrCancelled}, done: true}
		j.done++
	}
}

// Started reports whether a runner has taken an item.
func (j *streamJob[T, R]) Started() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.fed > j.pending.len()
}

// enqueue queues a runner, which counts as queued already.
func (j *streamJob[T, R]) enqueue() {
	m := j.newRunner()
	j.root.Router().SubmitPiece(&m.task, &j.root)
}

func (j *streamJob[T, R]) newRunner() *streamRunner[T, R] {
	m := &streamRunner[T, R]{job: j}
	m.task.Init(j.root.Router(), m, j.root.Context(), actors.TaskOptions{
		Name: j.root.Name(), Internal: true, Exempt: true, WaiterCancels: true,
	})
	j.mu.Lock()
	j.runners[m] = struct{}{}
	j.mu.Unlock()
	return m
}

// next gives the runner its next chunk. Without one the runner is gone from the
// books, in the same moment: an item fed later starts another.
func (j *streamJob[T, R]) next(m *streamRunner[T, R]) ([]fedItem[T], func(context.Context, T) (R, error)) {
	j.mu.Lock()
	return j.nextAndUnlock(m)
}

func (j *streamJob[T, R]) nextAndUnlock(m *streamRunner[T, R]) ([]fedItem[T], func(context.Context, T) (R, error)) {
	clear(m.chunk)
	m.chunk = m.chunk[:0]
	m.rest()
	if j.over == nil {
		for len(m.chunk) < j.size && j.pending.len() > 0 {
			m.chunk = append(m.chunk, j.pending.pop())
		}
	}
	if len(m.chunk) == 0 || j.over != nil {
		m.chunk = nil
		j.gone(m)
		if !m.once {
			j.queued--
		}
	} else if !m.once {
		m.busy = true
		j.busy++
	}
	chunk, fn, start := m.chunk, j.fn, j.wantsRunner()
	m.onTheWay = j.queued - j.busy
	j.mu.Unlock()
	if start {
		j.enqueue()
	}
	return chunk, fn
}

func (j *streamJob[T, R]) forget() {
	j.fn, j.pending = nil, fifo[fedItem[T]]{}
}

// rest is called with mu held when a runner is through with its chunk.
func (m *streamRunner[T, R]) rest() {
	if m.busy {
		m.busy = false
		m.job.busy--
	}
}

// piece gives a waiting task one chunk to work on.
func (j *streamJob[T, R]) piece() *actors.Task {
	j.mu.Lock()
	available := j.over == nil && j.pending.len() > 0
	j.mu.Unlock()
	if !available {
		return nil
	}
	m := j.newRunner()
	m.once = true
	m.task.Start()
	return &m.task
}

// blockers are the runner that has the item a reader waits for, or, if none has
// it or the order is free, any of them. There are none while another item may
// come that the reader could work on itself.
func (j *streamJob[T, R]) blockers() (b actors.Blockers) {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case j.ordered && j.read == j.fed:
		return b // the item is still to come
	case j.ordered:
		for m := range j.runners {
			if slices.ContainsFunc(m.chunk, func(fed fedItem[T]) bool { return fed.index == j.read }) {
				return actors.Blockers{All: []*actors.Task{&m.task}}
			}
		}
	case !j.feedEnded && j.hasRoom():
		return b
	}
	for m := range j.runners {
		b.Any = append(b.Any, &m.task)
	}
	return b
}

// Run is never called: the root of a stream is not queued.
func (j *streamJob[T, R]) Run(context.Context) {}

// Abandon ends the stream early.
func (j *streamJob[T, R]) Abandon(outcome messages.Outcome, err error, _ bool) error {
	j.end(err)
	j.mu.Lock()
	runners := j.runners
	j.runners = map[*streamRunner[T, R]]struct{}{}
	j.mu.Unlock()
	for m := range runners {
		m.task.Settle(outcome, err)
	}
	return err
}
