package pool_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

// kinds reads all events of a pool that has ended.
func kinds(t testing.TB, events func(func(pool.Event) bool)) (kinds []string) {
	t.Helper()
	var last time.Time
	for e := range events {
		require.False(t, e.At.Before(last), "in order")
		last = e.At
		what := e.Kind.String()
		if e.Worker != "" {
			what += strings.TrimPrefix(e.Worker, e.Pool+"/worker-")
		}
		kinds = append(kinds, what)
	}
	return kinds
}

func TestEventsTellALifeInOrder(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		events := p.Events(t.Context()) // from now on
		_, err := pool.Apply(hour(t), p, boom)
		require.Error(t, err)
		synctest.Wait()
		p.Pause()
		p.Pause()
		p.Resume()
		p.Resume()
		pid := p.PID()
		systemOf(t).Root.Stop(actor.NewPID(pid.Address, pid.Id+"/worker-1"))
		synctest.Wait()
		require.NoError(t, p.Shutdown(hour(t)))
		require.Equal(t, []string{
			"worker started1", "worker failed1", "worker restarted1", "pool paused", "pool resumed",
			"worker stopped1", "worker started1", "pool closing", "worker stopped1", "pool closed",
		}, kinds(t, events))
		require.Equal(t, []string(nil), kinds(t, events), "it has been read")
		require.Equal(t, []string(nil), kinds(t, p.Events(t.Context())), "nothing more happens")
	})
}

func TestEventsSayWhatFailedAndWhatIsDoneAboutIt(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1), pool.WithName("stage"),
			pool.WithSupervision(pool.Supervision{MaxRestarts: 1, Within: time.Minute}))
		events := p.Events(t.Context())
		_, _ = pool.Apply(hour(t), p, boom)
		_, _ = pool.Apply(hour(t), p, func(context.Context) (int, error) { runtime.Goexit(); return 0, nil })
		_, err := pool.Apply(hour(t), p, value(1))
		require.ErrorIs(t, err, pool.ErrBroken)
		p.Terminate()
		var failures []pool.Event
		var texts []string
		for e := range events {
			if e.Err != nil {
				failures = append(failures, e)
				texts = append(texts, e.String())
			}
		}
		require.Len(t, failures, 3)
		require.Equal(t, pool.Restart, failures[0].Directive)
		require.ErrorAs(t, failures[0].Err, new(*pool.PanicError))
		require.Equal(t, pool.Break, failures[1].Directive)
		require.ErrorIs(t, failures[1].Err, pool.ErrGoexit)
		require.ErrorIs(t, failures[1].Err, pool.ErrTooManyRestarts)
		require.Equal(t, pool.PoolBroken, failures[2].Kind)
		require.ErrorIs(t, failures[2].Err, pool.ErrBroken)
		require.Equal(t, "stage: worker failed stage/worker-1, restart: task panicked: boom", texts[0], "in a line")
	})
}

func TestTerminateIsAnEventIfItEndsAnything(t *testing.T) {
	for name, end := range map[string]func(*pool.Pool){
		"Terminate": (*pool.Pool).Terminate,
		"Stop":      func(p *pool.Pool) { pool.SystemOf(p).Root.Stop(p.PID()) },
	} {
		t.Run(name, func(t *testing.T) {
			pooltest.Run(t, func(t *pooltest.Kit) {
				p := newPool(t, pool.WithWorkers(1))
				occupy(t, p)
				events := p.Events(t.Context())
				end(p)
				require.Equal(t, []string{"pool terminated", "worker stopped1", "pool closed"}, kinds(t, events))
			})
		})
	}
}

func TestEventsNameTheTaskThatWasDropped(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1), pool.WithQueueLimit(1), pool.WithQueuePolicy(pool.DropOldest))
		occupy(t, p)
		events := p.Events(t.Context())
		pool.ApplyAsync(t.Context(), p, value(1), pool.WithTaskName("unlucky"))
		pool.ApplyAsync(t.Context(), p, value(2))
		p.Terminate()
		for e := range events {
			require.Equal(t, pool.TaskDropped, e.Kind)
			require.Equal(t, "unlucky", e.Task)
			break
		}
	})
}

func TestDroppedFunctionIsToldBeforeItsEnd(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1), pool.WithQueueLimit(1), pool.WithQueuePolicy(pool.DropOldest))
		events := p.Events(context.Background())
		g := occupy(t, p)
		require.NoError(t, p.Go(context.Background(), func() {}))
		base, cancel := context.WithCancel(context.Background())
		defer cancel()
		var asked atomic.Bool
		go pool.ApplyAsync(hesitantContext{base, func() bool {
			return p.Stats().Outcomes[pool.Dropped] == 1 && !asked.Swap(true)
		}}, p, value(1))
		synctest.Wait()
		require.EqualValues(t, 1, p.Stats().Outcomes[pool.Dropped])
		p.Close()
		close(g.open)
		require.NoError(t, p.Join(hour(t)))
		require.Contains(t, kinds(t, events), "task dropped")
		time.Sleep(time.Minute) // it has said when it ends
	})
}

// hesitantContext takes a while to say when it ends if slow says so.
type hesitantContext struct {
	context.Context
	slow func() bool
}

func (c hesitantContext) Done() <-chan struct{} {
	if c.slow() {
		time.Sleep(time.Minute)
	}
	return c.Context.Done()
}

func TestAllReadersOfOneSequenceOfEventsEnd(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		events := p.Events(context.Background())
		var readers sync.WaitGroup
		for range 3 {
			readers.Go(func() {
				for range events {
				}
			})
		}
		synctest.Wait()
		p.Close()
		readers.Wait()
	})
}

func TestSlowSubscriberLosesEventsAndLearnsHowMany(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		slow, quick := p.Events(t.Context()), p.Events(t.Context())
		seen := make(chan int)
		go func() {
			n := 0
			for e := range quick {
				require.NotEqual(t, pool.EventsLost, e.Kind)
				n++
			}
			seen <- n
		}()
		for range pool.EventBuffer {
			p.Pause()
			p.Resume()
			synctest.Wait() // the quick one keeps up
		}
		p.Close()
		require.NoError(t, p.Join(hour(t)))
		all := <-seen
		var lost, got int
		var last pool.Event
		for e := range slow {
			if e.Kind == pool.EventsLost {
				lost += e.Lost
				require.Equal(t, pool.EventBuffer, got, "behind those that it got")
			} else {
				got++
			}
			last = e
		}
		require.Equal(t, pool.PoolClosed, last.Kind)
		require.Equal(t, all, got+lost)
		require.Equal(t, pool.EventBuffer+1, got)
	})
}

func TestSubscriptionEndsWithItsContextOrLoop(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		p := newPool(t, pool.WithWorkers(1))
		ctx, cancel := context.WithCancel(t.Context())
		events := p.Events(ctx)
		over := make(chan []string)
		go func() { over <- kinds(t, events) }()
		p.Pause()
		synctest.Wait()
		cancel()
		require.Equal(t, []string{"pool paused"}, <-over)
		p.Resume()

		events = p.Events(t.Context())
		p.Pause()
		for range events {
			break
		}
		p.Resume()
		require.Empty(t, kinds(t, events), "the loop has left")
	})
}

func TestEventStreamGetsTheEventsOfAPoolThatIsToldSo(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		system := bubbleSystem(t)
		var got []string
		subscription := system.EventStream.Subscribe(func(event any) {
			if e, ok := event.(*pool.Event); ok {
				got = append(got, e.Kind.String())
				if e.Kind == pool.WorkerStarted {
					panic("a bad subscriber")
				}
			}
		})
		silent := newPool(t, pool.WithActorSystem(system), pool.WithWorkers(1))
		_, err := pool.Apply(hour(t), silent, value(1))
		require.NoError(t, err)
		synctest.Wait()
		require.Empty(t, got)
		p := newPool(t, pool.WithActorSystem(system), pool.WithWorkers(1), pool.WithEventStream())
		_, err = pool.Apply(hour(t), p, value(1))
		require.NoError(t, err)
		require.NoError(t, p.Shutdown(hour(t)))
		synctest.Wait()
		require.Equal(t, []string{"worker started", "pool closing", "worker stopped", "pool closed"}, got)
		system.EventStream.Unsubscribe(subscription)
	})
}

func TestSubscriberOfTheEventStreamThatBlocksHoldsUpNoPool(t *testing.T) {
	pooltest.Run(t, func(t *pooltest.Kit) {
		system := bubbleSystem(t)
		release := make(chan struct{})
		subscription := system.EventStream.Subscribe(func(event any) {
			if _, ok := event.(*pool.Event); ok {
				<-release
			}
		})
		p := newPool(t, pool.WithActorSystem(system), pool.WithWorkers(2), pool.WithEventStream())
		for range 10 {
			_, err := pool.Apply(hour(t), p, boom)
			require.Error(t, err)
		}
		require.NoError(t, p.Shutdown(hour(t)))
		close(release)
		synctest.Wait()
		system.EventStream.Unsubscribe(subscription)
	})
}

func TestKindsOfEventsHaveNames(t *testing.T) {
	seen := map[string]bool{}
	for k := pool.WorkerStarted; k <= pool.EventsLost; k++ {
		require.False(t, seen[k.String()], k)
		seen[k.String()] = true
		require.NotEmpty(t, k.String())
	}
	require.Equal(t, "unknown event", (pool.EventsLost + 1).String())
	require.Equal(t, "p: events lost 3", pool.Event{Kind: pool.EventsLost, Pool: "p", Lost: 3}.String())
	require.Equal(t, "p: worker failed p/worker-1, stop: no", pool.Event{
		Kind: pool.WorkerFailed, Pool: "p", Worker: "p/worker-1", Err: fmt.Errorf("no\nstack %w", errors.New("x")),
	}.String())
}
