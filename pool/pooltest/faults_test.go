package pooltest_test

import (
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/messages"
	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

// heard is what an actor has received, each with its virtual time. To be read when the
// actor has nothing to do.
type heard struct {
	pid *actor.PID
	got []any
	at  []time.Duration
}

// listener spawns an actor that notes numbers and texts.
func listener(k *pooltest.Kit, name string) *heard {
	h := &heard{}
	h.pid = k.SpawnNamed(actor.PropsFromFunc(func(c actor.Context) {
		switch m := c.Message().(type) {
		case int, string, *actor.Terminated:
			h.got = append(h.got, m)
			h.at = append(h.at, k.Elapsed())
		}
	}), name)
	return h
}

func TestFaultsOnMessages(t *testing.T) {
	late := 3 * time.Second
	for _, c := range []struct {
		name   string
		place  func(k *pooltest.Kit, to *actor.PID) *pooltest.Fault
		want   []any
		struck int
	}{
		{
			"without a fault all arrive in order",
			func(*pooltest.Kit, *actor.PID) *pooltest.Fault { return nil },
			[]any{1, 2, "three", 4}, 0,
		},
		{
			"Drop of the second",
			func(k *pooltest.Kit, to *actor.PID) *pooltest.Fault { return k.Faults().On(to).Nth(2).Drop() },
			[]any{1, "three", 4}, 1,
		},
		{
			"Drop of each second",
			func(k *pooltest.Kit, to *actor.PID) *pooltest.Fault { return k.Faults().On(to).Every(2).Drop() },
			[]any{1, "three"}, 2,
		},
		{
			"Drop of all of a type",
			func(k *pooltest.Kit, _ *actor.PID) *pooltest.Fault { return k.Faults().OnType(0).Drop() },
			[]any{"three"}, 3,
		},
		{
			"Drop of the first of a type, which may be an interface",
			func(k *pooltest.Kit, _ *actor.PID) *pooltest.Fault { return pooltest.OnMessage[any](k).Once().Drop() },
			[]any{2, "three", 4}, 1,
		},
		{
			"Drop of what matches",
			func(k *pooltest.Kit, to *actor.PID) *pooltest.Fault {
				return k.Faults().On(to).When(func(m any) bool { n, ok := m.(int); return ok && n > 1 }).Nth(2).Drop()
			},
			[]any{1, 2, "three"}, 1,
		},
		{
			"Duplicate",
			func(k *pooltest.Kit, to *actor.PID) *pooltest.Fault { return k.Faults().On(to).Nth(2).Duplicate() },
			[]any{1, 2, 2, "three", 4}, 1,
		},
		{
			"Delay",
			func(k *pooltest.Kit, to *actor.PID) *pooltest.Fault { return k.Faults().On(to).Nth(2).Delay(late) },
			[]any{1, "three", 4, 2}, 1,
		},
		{
			"Reorder of one",
			func(k *pooltest.Kit, to *actor.PID) *pooltest.Fault { return k.Faults().On(to).Nth(2).Reorder() },
			[]any{1, "three", 2, 4}, 1,
		},
		{
			"Reorder of all",
			func(k *pooltest.Kit, to *actor.PID) *pooltest.Fault { return k.Faults().On(to).Reorder() },
			[]any{2, 1, 4, "three"}, 2,
		},
		{
			"Reorder of the last, which nothing overtakes",
			func(k *pooltest.Kit, to *actor.PID) *pooltest.Fault { return k.Faults().On(to).Nth(4).Reorder() },
			[]any{1, 2, "three", 4}, 1,
		},
		{
			"Panic loses the message, and restarts the actor",
			func(k *pooltest.Kit, to *actor.PID) *pooltest.Fault { return k.Faults().On(to).Nth(2).Panic("boo") },
			[]any{1, "three", 4}, 1,
		},
		{
			"a fault elsewhere has no effect, and shows that",
			func(k *pooltest.Kit, _ *actor.PID) *pooltest.Fault {
				return k.Faults().On(listener(k, "other").pid).Drop()
			},
			[]any{1, 2, "three", 4}, 0,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			both(t, func(k *pooltest.Kit) {
				h := listener(k, "listener")
				fault := c.place(k, h.pid)
				for _, m := range []any{1, 2, "three", 4} {
					k.Send(h.pid, m)
				}
				k.Advance(time.Minute)
				require.Equal(k, c.want, h.got)
				if fault != nil {
					require.Equal(k, c.struck, fault.Struck())
				}
				if c.name == "Delay" {
					require.Equal(k, late, h.at[3])
				}
			})
		})
	}
}

// What one fault has struck the faults behind it do not see.
func TestFaultsStrikeOneAfterTheOther(t *testing.T) {
	both(t, func(k *pooltest.Kit) {
		h := listener(k, "listener")
		drop := k.Faults().On(h.pid).Every(2).Drop()
		twice := k.Faults().On(h.pid).Nth(2).Duplicate()
		for i := range 4 {
			k.Send(h.pid, i)
		}
		k.Idle()
		require.Equal(k, []any{0, 2, 2}, h.got)
		require.Equal(k, 4, drop.Seen())
		require.Equal(k, 2, twice.Seen())
		drop.Lift()
		k.Send(h.pid, 4)
		k.Send(h.pid, 5)
		k.Idle()
		require.Equal(k, []any{0, 2, 2, 4, 5}, h.got)
		require.Equal(k, 2, drop.Struck())
	})
}

// Messages from an actor are struck as those from the body are.
func TestFaultsStrikeWhatActorsSend(t *testing.T) {
	both(t, func(k *pooltest.Kit) {
		h := listener(k, "listener")
		relay := k.Spawn(actor.PropsFromFunc(func(c actor.Context) {
			if n, ok := c.Message().(int); ok {
				c.Request(h.pid, n)
			}
		}))
		fault := pooltest.OnMessage[int](k).When(func(m any) bool { return m.(int) == 2 }).Nth(2).Drop()
		k.Send(relay, 1)
		k.Send(relay, 2)
		k.Idle()
		require.Equal(k, []any{1}, h.got, "the first 2 is that for the relay")
		require.Equal(k, 1, fault.Struck())
	})
}

// A message that is late for its receiver is a dead letter.
func TestDelayedMessageIsADeadLetterIfNobodyIsThere(t *testing.T) {
	both(t, func(k *pooltest.Kit) {
		var dead []any
		s := k.System().EventStream.Subscribe(func(e any) {
			if d, ok := e.(*actor.DeadLetterEvent); ok {
				dead = append(dead, d.Message)
			}
		})
		k.Cleanup(func() { k.System().EventStream.Unsubscribe(s) })
		h := listener(k, "listener")
		k.Faults().On(h.pid).Once().Delay(time.Second)
		k.Send(h.pid, 1)
		k.Root().Stop(h.pid)
		k.Advance(time.Minute)
		require.Equal(k, []any{1}, dead)
		require.Empty(k, h.got)
	})
}

func TestFaultsOnAPool(t *testing.T) {
	both(t, func(k *pooltest.Kit) {
		p := k.Pool(pool.WithWorkers(1), pool.WithName("kitchen"))
		byType := k.Faults().OnType(&messages.Task{}).Nth(2).Drop()
		byPID := k.Faults().On(p.PID()).Nth(2).Delay(time.Second)
		h := &heard{}
		client := k.Spawn(actor.PropsFromFunc(func(c actor.Context) {
			switch m := c.Message().(type) {
			case string:
				for i := range 4 {
					task := k.Task("message")
					task.Release(i)
					c.Request(p.PID(), &messages.Task{Func: task.Func})
				}
			case *messages.Result:
				h.got, h.at = append(h.got, m.Value), append(h.at, k.Elapsed())
			}
		}))
		k.Send(client, "go")
		k.Advance(time.Minute)
		require.Equal(k, []any{0, 3, 2}, h.got)
		require.Equal(k, []time.Duration{0, 0, time.Second}, h.at)
		require.Equal(k, 1, byType.Struck())
		require.Equal(k, 4, byType.Seen(), "what a pool sends within it does not count")
		require.Equal(k, 1, byPID.Struck())
	})
}

// The address of a pool is as before when the pool ends: who sends to it then has a dead
// letter, and a pool on its way out answers.
func TestPoolWithFaultsEndsAsEver(t *testing.T) {
	both(t, func(k *pooltest.Kit) {
		p := k.Pool(pool.WithWorkers(1))
		k.Faults().OnType("").Drop()
		pid := p.PID()
		var answers []any
		client := k.Spawn(actor.PropsFromFunc(func(c actor.Context) {
			switch m := c.Message().(type) {
			case bool:
				c.Request(pid, &messages.Task{Func: k.Task("late").Func})
			case *messages.Result:
				answers = append(answers, m.Err)
			case *actor.DeadLetterResponse:
				answers = append(answers, m)
			case *actor.Started:
				c.Watch(pid)
			case *actor.Terminated:
				answers = append(answers, m.Who.Id)
			}
		}))
		k.Idle()
		task := k.Task("last")
		task.Overrun()
		pool.ApplyAsync(k.Context(), p, task.Func)
		task.AwaitHolding()
		p.Terminate()
		k.Idle()
		k.Send(client, true)
		k.Idle()
		require.Len(k, answers, 1)
		require.ErrorIs(k, answers[0].(error), pool.ErrClosed)
		task.Release(nil)
		require.NoError(k, p.Join(k.Context()))
		k.Idle()
		k.Send(client, true)
		k.Idle()
		require.Equal(k, pid.Id, answers[1])
		require.IsType(k, &actor.DeadLetterResponse{}, answers[2])
	})
}

func TestFaultsAreListedWhenATestFails(t *testing.T) {
	failsWith(t, func(k *pooltest.Kit) {
		p := k.Pool(pool.WithName("kitchen"))
		h := listener(k, "listener")
		k.Faults().On(h.pid).Nth(2).Drop()
		k.Faults().OnType("").Every(3).Delay(time.Second)
		k.Faults().OnWorker(p.Name(), 1).InTask().Once().Panic("fire")
		r := k.Remote("far:1")
		r.Lose()
		k.Send(h.pid, 1)
		k.Send(h.pid, 2)
		k.Idle()
		k.Error("this is wrong")
	},
		"this is wrong",
		"fault: drop: int for listener, number 2 at messages to listener",
		"fault placed: drop: messages to listener, number 2 (faults_test.go:",
		"): struck 1 times, 2 seen",
		"fault placed: delay by 1s: messages of type string, every 3 (faults_test.go:",
		"fault placed: panic(fire): worker 1 of pool kitchen in a task, number 1 (faults_test.go:",
		"): never struck, 0 seen",
		"fault placed: the address far:1 was lost 1 times, 0 watches ended")
}

// A fault can have the body wait for ever; then it is listed, too.
func TestFaultsAreListedWhenABodyHangs(t *testing.T) {
	failsWith(t, func(k *pooltest.Kit) {
		h := listener(k, "listener")
		k.Faults().On(h.pid).Once().Drop()
		k.Send(h.pid, 1)
		answer := make(chan struct{})
		<-answer
	}, "everybody waits, and nothing will come", "fault placed: drop: messages to listener, number 1", "struck 1 times, 1 seen")
}

func TestFaultsRefuse(t *testing.T) {
	for name, c := range map[string]struct {
		body func(k *pooltest.Kit)
		text string
	}{
		"no PID":              {func(k *pooltest.Kit) { k.Faults().On(nil) }, "Faults.On was given no PID"},
		"no type":             {func(k *pooltest.Kit) { k.Faults().OnType(nil) }, "Faults.OnType was given nil"},
		"no predicate":        {func(k *pooltest.Kit) { k.Faults().OnType(1).When(nil) }, "fault on messages of type int: When was given no predicate"},
		"Nth(0)":              {func(k *pooltest.Kit) { k.Faults().OnType(1).Nth(0) }, "Nth(0): it is counted from 1"},
		"Every(-1)":           {func(k *pooltest.Kit) { k.Faults().OnType(1).Every(-1) }, "Every(-1): it is counted from 1"},
		"two numbers":         {func(k *pooltest.Kit) { k.Faults().OnType(1).Nth(1).Every(2) }, "Every(2): it has a number already"},
		"no delay":            {func(k *pooltest.Kit) { k.Faults().OnType(1).Delay(0) }, "Delay(0s): it must be positive"},
		"panic with nil":      {func(k *pooltest.Kit) { k.Faults().OnType(1).Panic(nil) }, "Panic was given nil"},
		"panic of a pool":     {func(k *pooltest.Kit) { k.Faults().On(k.Pool().PID()).Panic(1) }, "it is a pool, which handles no message itself; use OnWorker"},
		"two effects":         {func(k *pooltest.Kit) { r := k.Faults().OnType(1); r.Drop(); r.Duplicate() }, "it is a fault already: drop"},
		"no effect":           {func(k *pooltest.Kit) { k.Faults().OnType(1).Nth(2) }, "a fault on messages of type int was begun and has no effect"},
		"worker 0":            {func(k *pooltest.Kit) { k.Faults().OnWorker("x", 0) }, `Faults.OnWorker("x", 0): workers are counted from 1`},
		"no pool":             {func(k *pooltest.Kit) { k.Faults().OnWorker("", 1) }, "was given no name of a pool"},
		"no moment":           {func(k *pooltest.Kit) { k.Faults().OnWorker("x", 1).Panic(1) }, "fault on worker 1 of pool x: it has no moment"},
		"two moments":         {func(k *pooltest.Kit) { k.Faults().OnWorker("x", 1).InTask().InCleanup() }, "it has a moment already"},
		"no name":             {func(k *pooltest.Kit) { k.Faults().OnWorkers("x").InTaskNamed("") }, "InTaskNamed was given no name"},
		"worker, Nth(0)":      {func(k *pooltest.Kit) { k.Faults().OnWorkers("x").InTask().Nth(0) }, "Nth(0): it is counted from 1"},
		"worker, Every(0)":    {func(k *pooltest.Kit) { k.Faults().OnWorkers("x").InTask().Every(0) }, "Every(0): it is counted from 1"},
		"worker, no panic":    {func(k *pooltest.Kit) { k.Faults().OnWorkers("x").InTask().Panic(nil) }, "Panic was given nil"},
		"worker, no delay":    {func(k *pooltest.Kit) { k.Faults().OnWorkers("x").InTask().Delay(-1) }, "Delay(-1ns): it must be positive"},
		"worker, no error":    {func(k *pooltest.Kit) { k.Faults().OnWorkers("x").InCleanup().Fail(nil) }, "Fail was given no error"},
		"error of a task":     {func(k *pooltest.Kit) { k.Faults().OnWorkers("x").InTask().Fail(pool.ErrFull) }, "an error of a task is no failure of a worker"},
		"worker, two effects": {func(k *pooltest.Kit) { r := k.Faults().OnWorkers("x").InTask(); r.Goexit(); r.Panic(1) }, "it is a fault already: Goexit"},
		"worker, no effect":   {func(k *pooltest.Kit) { k.Faults().OnWorkers("x").InTask() }, "a fault on workers of pool x in a task was begun and has no effect"},
		"address of its own":  {func(k *pooltest.Kit) { k.Remote("nonhost") }, `Kit.Remote("nonhost"): the address must be that of another machine`},
		"no address":          {func(k *pooltest.Kit) { k.Remote("") }, `Kit.Remote(""): the address must be that of another machine`},
	} {
		t.Run(name, func(t *testing.T) { failsWith(t, c.body, c.text, "faults_test.go") })
	}
}
