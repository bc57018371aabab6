package pooltest_test

import (
	"context"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

type get struct{ reply *actor.PID }
type set struct{ v int }
type incr struct{ store *actor.PID }
type value struct{ v int }

func TestExploreBug(t *testing.T) {
	f := pooltest.Search(t, pooltest.Options{}, func(k *pooltest.Kit) {
		v := 0
		store := k.SpawnNamed(actor.PropsFromFunc(func(c actor.Context) {
			switch m := c.Message().(type) {
			case get:
				c.Respond(value{v})
			case set:
				v = m.v
			}
		}), "store")
		incrementer := func() actor.Actor {
			return actor.ReceiveFunc(func(c actor.Context) {
				switch m := c.Message().(type) {
				case incr:
					c.Request(m.store, get{})
				case value:
					c.Send(store, set{m.v + 1})
				}
			})
		}
		a := k.SpawnNamed(actor.PropsFromProducer(incrementer), "a")
		b := k.SpawnNamed(actor.PropsFromProducer(incrementer), "b")
		k.Send(a, incr{store})
		k.Send(b, incr{store})
		k.Idle()
		require.Equal(k, 2, v)
	})
	require.NotNil(t, f)
	t.Log(f)
}

func TestExplorePool(t *testing.T) {
	start := time.Now()
	pooltest.Explore(t, pooltest.Options{Seeds: 1000}, func(k *pooltest.Kit) {
		p := k.Pool(pool.WithWorkers(3))
		var rs []*pool.AsyncResult[int]
		for i := range 20 {
			rs = append(rs, pool.ApplyAsync(k.Context(), p, func(context.Context) (int, error) { return i, nil }))
		}
		for i, r := range rs {
			v, err := r.Get(k.Context())
			require.NoError(k, err)
			require.Equal(k, i, v)
		}
		out, err := pool.Map(k.Context(), p, func(_ context.Context, i int) (int, error) { return i * i, nil }, []int{1, 2, 3})
		require.NoError(k, err)
		require.Equal(k, []int{1, 4, 9}, out)
		p.Close()
		require.NoError(k, p.Join(k.Context()))
	})
	t.Log(time.Since(start))
}
func Test50(t *testing.T) {
	start := time.Now()
	pooltest.Explore(t, pooltest.Options{Seeds: 1000}, func(k *pooltest.Kit) {
		n := 0
		a := k.Spawn(actor.PropsFromFunc(func(c actor.Context) {
			if i, ok := c.Message().(int); ok {
				n++
				if i > 0 {
					c.Send(c.Self(), i-1)
				}
			}
		}))
		k.Send(a, 24)
		k.Send(a, 24)
		k.Idle()
		require.Equal(k, 50, n)
	})
	t.Log(time.Since(start))
}
