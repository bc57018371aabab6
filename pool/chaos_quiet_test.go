package pool_test

import (
	"context"
	"errors"
	"iter"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/pool"
)

// ready waits for all workers for a while.
func (p *player) ready(ctx context.Context, _ int) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	_ = p.p.Ready(ctx)
	p.woken()
}

// checkQuiet checks what must hold of a pool that has nothing left to do: no task without
// an end, no place that was given away, and all its workers there for those who need them.
// A pool that somebody has ended, or that has broken, is left alone.
func (c *chaos) checkQuiet(t testing.TB) {
	var s pool.Stats
	for range 100 { // what goes on may pause it, and may be much
		c.p.Resume()
		c.sleep(2 * time.Minute)
		c.idle()
		if s = c.p.Stats(); !s.Paused && s.Waiting == 0 && s.Running == 0 {
			break
		}
	}
	ended := int64(0)
	for _, n := range s.Outcomes {
		ended += n
	}
	require.Equal(t, s.Accepted, ended, "%+v", s)
	require.Zero(t, s.Waiting, "%+v", s)
	require.Zero(t, s.Running, "%+v", s)
	if c.isOver(t) {
		return
	}
	require.Zero(t, s.Replaced, "%+v", s)
	err := c.p.Ready(hour(t))
	c.woken()
	if !errors.Is(err, pool.ErrBroken) {
		require.NoError(t, err, "%+v", c.p.Stats())
		c.checkCapacity(t)
	}
}

// isOver reports whether the pool takes no tasks any more.
func (c *chaos) isOver(t testing.TB) bool {
	_, err := c.submit(value(1)).Get(hour(t))
	c.woken()
	if errors.Is(err, pool.ErrClosed) || errors.Is(err, pool.ErrBroken) {
		return true
	}
	require.NoError(t, err, "%+v", c.p.Stats())
	return false
}

// submit submits a task that no player knows of.
func (c *chaos) submit(fn func(context.Context) (int, error)) *pool.AsyncResult[int] {
	r := pool.ApplyAsync(context.Background(), c.p, fn)
	c.told.keepOther(ending(r, func(v int) bool { return v == 0 }))
	return r
}

// checkCapacity has all workers at work at once, if that does not depend on more than them:
// on the routing, a limit, or how late a task may be.
func (c *chaos) checkCapacity(t testing.TB) {
	if c.assigned || c.sheds || !c.unlimited {
		return
	}
	var atWork atomic.Int64
	open := make(chan struct{})
	for range mostWorkers {
		c.submit(func(context.Context) (int, error) {
			atWork.Add(1)
			<-open
			c.woken()
			return 1, nil
		})
	}
	c.sleep(time.Hour) // they are initialized, perhaps again and again
	c.idle()
	workers, now := c.p.Workers(), atWork.Load()
	close(open)
	if !c.isOver(t) {
		require.EqualValues(t, min(workers, mostWorkers), now, "functions at work; %+v", c.p.WorkerStats())
	}
}

// checkLives checks that each worker that has come is gone, and that the end of the pool
// comes last, once.
func checkLives(t testing.TB, events iter.Seq[pool.Event]) {
	there := map[string]bool{}
	lost := false
	var last pool.Event
	for e := range events {
		require.NotEqual(t, pool.PoolClosed, last.Kind, "%v", e)
		switch last = e; e.Kind {
		case pool.EventsLost:
			lost = true
		case pool.WorkerStarted:
			require.False(t, there[e.Worker] && !lost, "%v, but it was there", e)
			there[e.Worker] = true
		case pool.WorkerStopped:
			delete(there, e.Worker)
		}
	}
	require.Equal(t, pool.PoolClosed, last.Kind)
	require.True(t, lost || len(there) == 0, "%v", there)
}
