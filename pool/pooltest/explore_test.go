package pooltest_test

import (
	"context"
	"strings"
	"testing"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

type (
	read      struct{}
	write     struct{ value int }
	increment struct{}
	content   struct{ value int }
)

// spawnCell spawns an actor that keeps a number in *cell.
func spawnCell(k *pooltest.Kit, cell *int) *actor.PID {
	return k.SpawnNamed(actor.PropsFromFunc(func(c actor.Context) {
		switch m := c.Message().(type) {
		case read:
			c.Respond(content{*cell})
		case write:
			*cell = m.value
		}
	}), "cell")
}

// spawnCounter spawns an actor that reads the cell, and then writes what it has read and
// one more: what another one writes in between is lost.
func spawnCounter(k *pooltest.Kit, name string, cell *actor.PID) *actor.PID {
	return k.SpawnNamed(actor.PropsFromFunc(func(c actor.Context) {
		switch m := c.Message().(type) {
		case increment:
			c.Request(cell, read{})
		case content:
			c.Send(cell, write{m.value + 1})
		}
	}), name)
}

// countsTwice fails if two counters are not careful.
func countsTwice(k *pooltest.Kit) {
	number := 0
	cell := spawnCell(k, &number)
	a, b := spawnCounter(k, "a", cell), spawnCounter(k, "b", cell)
	k.Send(a, increment{})
	k.Send(b, increment{})
	k.Idle()
	require.Equal(k, 2, number)
}

func TestRaceOfTwoActorsIsFoundAndRepeated(t *testing.T) {
	for _, s := range []pooltest.Strategy{0, pooltest.PCT, pooltest.RandomWalk} {
		t.Run(s.String(), func(t *testing.T) {
			f := pooltest.Search(t, pooltest.Options{Strategy: s}, countsTwice)
			require.NotNil(t, f)
			require.Contains(t, f.Failures[0], "explore_test.go:")
			require.Contains(t, f.Failures[0], "expected: 2")
			require.Positive(t, f.Runs)
			again := pooltest.Search(t, pooltest.Options{Replay: f.Replay}, countsTwice)
			require.NotNil(t, again)
			require.Equal(t, f.Failures, again.Failures)
			require.Equal(t, f.Trace, again.Trace)
			require.Contains(t, f.String(), "go test github.com/greenroom-go/greenroom/pool/pooltest -run '^TestRaceOfTwoActorsIsFoundAndRepeated$/^")
			require.Contains(t, f.String(), "-pooltest.replay="+f.Replay)
		})
	}
}

func TestFoundRunIsMadeSimple(t *testing.T) {
	// It fails if a comes after b; whatever c and d do is of no matter.
	f := pooltest.Search(t, pooltest.Options{Strategy: pooltest.RandomWalk}, func(k *pooltest.Kit) {
		var order []string
		for _, name := range []string{"a", "b", "c", "d"} {
			k.Go(name, func() {
				for range 5 {
					k.Yield()
				}
				order = append(order, name)
			})
		}
		k.Idle()
		if got := strings.Join(order, ""); strings.Index(got, "a") > strings.Index(got, "b") {
			k.Errorf("b came first: %s", got)
		}
	})
	require.NotNil(t, f)
	switches := 0
	for _, s := range f.Trace {
		if s.Switch {
			switches++
		}
	}
	require.LessOrEqual(t, switches, 7, "each begins once, the body comes twice, and one has to stop\n%v", f)
}

func TestTestThatHoldsInEveryOrderPasses(t *testing.T) {
	pooltest.Explore(t, pooltest.Options{Seeds: 50}, func(k *pooltest.Kit) {
		p := k.Pool(pool.WithWorkers(3))
		var results []*pool.AsyncResult[int]
		for i := range 10 {
			results = append(results, pool.ApplyAsync(k.Context(), p, value(i)))
		}
		for i, r := range results {
			v, err := r.Get(k.Context())
			require.NoError(k, err)
			require.Equal(k, i, v)
		}
		squares, err := pool.Map(k.Context(), p, func(_ context.Context, i int) (int, error) { return i * i, nil }, []int{1, 2, 3})
		require.NoError(k, err)
		require.Equal(k, []int{1, 4, 9}, squares)
		p.Close()
		require.NoError(k, p.Join(k.Context()))
	})
}

// value is a task that returns v.
func value[R any](v R) func(context.Context) (R, error) {
	return func(context.Context) (R, error) { return v, nil }
}

func TestOrderInWhichTasksBeginIsExplored(t *testing.T) {
	orders := map[string]bool{}
	pooltest.Explore(t, pooltest.Options{Seeds: 200}, func(k *pooltest.Kit) {
		p := k.Pool(pool.WithWorkers(2))
		var order []string
		var results []*pool.AsyncResult[struct{}]
		for _, name := range []string{"a", "b", "c"} {
			results = append(results, pool.ApplyAsync(k.Context(), p, func(context.Context) (struct{}, error) {
				order = append(order, name)
				return struct{}{}, nil
			}))
		}
		for _, r := range results {
			require.NoError(k, r.Wait(k.Context()))
		}
		orders[strings.Join(order, "")] = true
	})
	require.Contains(t, orders, "abc")
	require.Greater(t, len(orders), 2, "two workers take them, so either may be late: %v", orders)
}

// BenchmarkExplore runs tests of 50 messages, one for each of b.N.
func BenchmarkExplore(b *testing.B) {
	body := func(k *pooltest.Kit) {
		left := k.Spawn(actor.PropsFromFunc(func(c actor.Context) {
			if i, ok := c.Message().(int); ok && i > 0 {
				c.Send(c.Self(), i-1)
			}
		}))
		k.Send(left, 24)
		k.Send(left, 24)
		k.Idle()
	}
	b.ReportAllocs()
	explore := testing.InternalTest{Name: "BenchmarkExplore", F: func(t *testing.T) {
		pooltest.Explore(t, pooltest.Options{Seeds: b.N, Strategy: pooltest.RandomWalk}, body)
	}}
	if !testing.RunTests(func(string, string) (bool, error) { return true, nil }, []testing.InternalTest{explore}) {
		b.Fatal("it failed")
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "schedules/s")
}
