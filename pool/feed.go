package pool

import (
	"context"
	"errors"
	"iter"
	"math"
	"runtime"
	"slices"
	"sync/atomic"

	"github.com/greenroom-go/greenroom/actors"
	"github.com/greenroom-go/greenroom/messages"
)

// streamJob is a stream under way, as its feeder and its runners see it. mu of
// the state guards these fields too, but for those that say otherwise.
type streamJob[T, R any] struct {
	streamState[R]
	_     [64]byte
	limit int // up to how many items the feeder knows that there is room; touched only by it
	input input[T]
	_     [64]byte

	fn      func(context.Context, T) (R, error) // nil once the stream has ended
	size    int                                 // of a chunk
	pace    int                                 // how many chunks a runner takes at once
	most    int                                 // what pace can become
	left    []leftover[T]                       // what runners that failed have left behind
	started bool                                // an item has been begun
	queued  int                                 // runners in the queue or at work there
	busy    int                                 // of those, the ones that have items
	lingers int                                 // of those, the ones that found none and look again
	coming  atomic.Int32                        // of those, the ones in the queue. Read without mu, too
	runners []*streamRunner[T, R]               // all, those run in place included
	watch   int                                 // which of them was looked at last, see standing
}

func newStream[T, R any](ctx context.Context, name string, p *Pool, fn func(context.Context, T) (R, error),
	items iter.Seq[T], opts []MapOption, ordered bool,
) *Stream[R] {
	mustHave(p != nil, name, "pool")
	mustHave(fn != nil, name, "function")
	defer runtime.KeepAlive(p) // until the stream is accepted
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
	size := max(1, config.chunk)
	j := &streamJob[T, R]{fn: fn, size: size, pace: 1, most: max(1, rangeSize/size)}
	j.ctx, j.ordered, j.source = ctx, ordered, j
	j.room = make(chan struct{}, 1)
	if j.window = config.window; j.window == 0 {
		j.window = int(min(math.MaxInt, max(64, 4*int64(p.Workers())*int64(j.size))))
	}
	j.limit = j.window
	j.input.init()
	j.alert.Store(true)
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
	j.root.Asked() // its errors come with the results
	j.root.WatchParent()
	p.router.Spawn("feeder", func() { j.feed(items) })
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
	if !j.input.push(item) {
		return false
	}
	if j.alert.Load() {
		j.itemCame()
	}
	return j.input.fed < j.limit || j.awaitRoom()
}

// itemCame sees to it that somebody works on what was fed.
func (j *streamJob[T, R]) itemCame() {
	j.mu.Lock()
	j.wakeTasks()
	j.settleAndUnlock()
}

// awaitRoom ends with reads, Close, or the end of the stream. A feeder that has
// had to sleep is woken when a quarter of the window is free.
func (j *streamJob[T, R]) awaitRoom() bool {
	for looks := 0; ; looks++ {
		if j.limit = j.roomFrom(int(j.read.Load())); j.input.fed < j.limit {
			return true
		}
		if looks < moreLooks {
			runtime.Gosched()
			continue
		}
		j.mu.Lock()
		if j.over != nil || j.feedEnded {
			j.mu.Unlock()
			return false
		}
		if j.unbounded {
			j.limit = math.MaxInt
			j.mu.Unlock()
			return true
		}
		j.feederWaits.Store(true)
		if j.hasRoom() { // it was made before anybody could see that the feeder waits
			j.feederWaits.Store(false)
			j.mu.Unlock()
			continue
		}
		j.mu.Unlock()
		<-j.room
		j.root.Router().Yield("woken")
	}
}

func (j *streamJob[T, R]) fed() int { return j.input.count() }

func (j *streamJob[T, R]) fedAll(err error) {
	j.mu.Lock()
	j.input.close()
	ended := j.endFeed(err)
	j.mu.Unlock()
	if ended {
		j.announceEnd()
	}
}

// CancelUnstarted drops the items that no runner has begun and stops the
// sequence when it next offers one.
func (j *streamJob[T, R]) CancelUnstarted() bool {
	j.mu.Lock()
	if j.over != nil || j.feedEnded && !j.hasMore() {
		j.mu.Unlock()
		return false
	}
	j.input.close()
	j.drop()
	j.feedEnded = false // an error of the sequence would have come after what was dropped
	ended := j.endFeed(ErrCancelled)
	j.wakeFeeder()
	j.mu.Unlock()
	if ended {
		j.announceEnd()
	}
	return true
}

// drop takes back the items that nobody has begun. In an ordered stream one may have
// later ones behind it that are being worked on: then it has its error in its place.
// Called with mu held when the input is closed.
func (j *streamJob[T, R]) drop() {
	dropped := j.unclaim()
	fed := j.input.count()
	slices.SortFunc(dropped, func(a, b indexes) int { return b.low - a.low })
	for _, part := range dropped {
		if !j.ordered || j.flags.Load()&discarded != 0 || part.high == fed {
			fed -= part.high - part.low
			continue
		}
		for i := part.low; i < part.high; i++ {
			var zero R
			number, at := segmentOf(i)
			j.output.segment(number).write(number, at, zero, &ItemError{i, ErrCancelled})
			j.done++
		}
	}
	j.input.drop(fed)
}

// Started reports whether a runner has begun an item.
func (j *streamJob[T, R]) Started() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.started
}

func (j *streamJob[T, R]) forget() {
	j.fn = nil
	j.input.close()
	j.unclaim()
	j.input.drop(j.input.count())
}

// piece gives a waiting task one chunk to work on.
func (j *streamJob[T, R]) piece(worker int) *actors.Task {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.over != nil || !j.hasMore() {
		return nil
	}
	m := j.newRunner()
	m.once = true
	m.task.Start(worker)
	return &m.task
}

func (j *streamJob[T, R]) grown() {
	j.mu.Lock()
	j.settleAndUnlock()
}

// blockers are the runner that has begun the item a reader waits for, or, if none
// has or the order is free, any of them. There are none while another item may
// come that the reader could work on itself.
func (j *streamJob[T, R]) blockers() (b actors.Blockers) {
	j.mu.Lock()
	defer j.mu.Unlock()
	read := int(j.read.Load())
	switch {
	case j.ordered && read == j.fed():
		return b // the item is still to come
	case j.ordered:
		for _, m := range j.runners {
			if m.isAt(read, j.size) {
				return actors.Blockers{All: []*actors.Task{&m.task}}
			}
		}
	case !j.feedEnded && j.hasRoom():
		return b
	}
	for _, m := range j.runners {
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
	j.runners = nil
	j.mu.Unlock()
	for _, m := range runners {
		m.task.Settle(outcome, err)
	}
	return err
}
