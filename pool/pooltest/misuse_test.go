package pooltest_test

import (
	"context"
	"flag"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

// onNumber is an actor that does something with each number.
func onNumber(k *pooltest.Kit, name string, f func(int)) *actor.PID {
	return k.SpawnNamed(actor.PropsFromFunc(func(c actor.Context) {
		if n, ok := c.Message().(int); ok {
			f(n)
		}
	}), name)
}

var (
	runs int           // of the body that counts them
	kept *pooltest.Kit // of the run before
)

// misuses are test bodies that do what they must not, and what is reported.
var misuses = []struct {
	name string
	body func(t *testing.T, k *pooltest.Kit)
	says []string
}{
	{"a global that the run before has changed", func(_ *testing.T, k *pooltest.Kit) {
		runs++
		a := onNumber(k, "a", func(int) {})
		for range runs {
			k.Send(a, 1)
		}
	}, []string{"the body is not deterministic by itself", "run 1: ends before step 4", "run 2: step 4 is", "a global"}},
	{"random numbers", func(_ *testing.T, k *pooltest.Kit) {
		a, b := onNumber(k, "a", func(int) {}), onNumber(k, "b", func(int) {})
		for range 50 {
			k.Send([]*actor.PID{a, b}[rand.N(2)], 1)
		}
	}, []string{"the body is not deterministic by itself", "random numbers"}},
	{"the order of a map", func(_ *testing.T, k *pooltest.Kit) {
		actors := map[string]*actor.PID{}
		for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
			actors[name] = onNumber(k, name, func(int) {})
		}
		for range 8 {
			for _, pid := range actors {
				k.Send(pid, 1)
			}
		}
	}, []string{"the body is not deterministic by itself", "the order of a map"}},
	{"an outcome that changes", func(t *testing.T, k *pooltest.Kit) {
		if runs++; runs%2 == 0 {
			k.Errorf("every second run")
		}
	}, []string{"the body is not deterministic by itself", "passes", "fails: misuse_test.go:"}},
	{"a lock that is held across a message", func(_ *testing.T, k *pooltest.Kit) {
		var mu sync.Mutex
		a := onNumber(k, "a", func(int) { mu.Lock(); defer mu.Unlock() })
		mu.Lock()
		defer mu.Unlock()
		k.Send(a, 1)
		k.Idle()
	}, []string{"a run has made no step for 100ms", "a lock, say", "sync.Mutex.Lock", "misuse_test.go"}},
	{"a body that waits for ever", func(_ *testing.T, k *pooltest.Kit) {
		<-make(chan int)
	}, []string{"everybody waits, and nothing will come", "chan receive", "misuse_test.go"}},
	{"an actor that waits for ever", func(_ *testing.T, k *pooltest.Kit) {
		k.Send(onNumber(k, "a", func(int) { <-make(chan int) }), 1)
	}, []string{"left at the end: actor a has not stopped 1h0m0s after it was told to", "chan receive", "misuse_test.go"}},
	{"a task that waits for ever", func(_ *testing.T, k *pooltest.Kit) {
		p := k.Pool(pool.WithWorkers(1), pool.WithName("p"))
		pool.ApplyAsync(k.Context(), p, func(context.Context) (int, error) { <-make(chan int); return 0, nil })
		k.Idle()
	}, []string{"left at the end: pool p has not ended 1h0m0s after it was terminated", "misuse_test.go"}},
	{"a goroutine of the kit that is left", func(_ *testing.T, k *pooltest.Kit) {
		k.Go("g", func() { <-make(chan int) })
	}, []string{"left at the end: goroutines that Kit.Go has started have not returned 1h0m0s after the end of the test", "misuse_test.go"}},
	{"another goroutine that is left", func(_ *testing.T, k *pooltest.Kit) {
		go func() { <-make(chan int) }()
	}, []string{"waits for ever", "chan receive", "misuse_test.go"}},
	{"a body that panics", func(_ *testing.T, k *pooltest.Kit) {
		panic("boom")
	}, []string{"misuse_test.go:", ": panic: boom", "to repeat it"}},
	{"a goroutine that panics", func(_ *testing.T, k *pooltest.Kit) {
		k.Go("g", func() { panic("boom") })
	}, []string{"misuse_test.go:", ": panic: boom", "to repeat it"}},
	{"a clean-up that panics", func(_ *testing.T, k *pooltest.Kit) {
		k.Cleanup(func() { panic("boom") })
	}, []string{"misuse_test.go:", ": panic: boom", "to repeat it"}},
	{"a timer that panics", func(_ *testing.T, k *pooltest.Kit) {
		k.AfterFunc("timer", time.Second, func() { panic("boom") })
		k.Advance(time.Second)
	}, []string{"misuse_test.go:", ": panic: boom", "to repeat it"}},
	{"a body that never ends", func(_ *testing.T, k *pooltest.Kit) {
		for {
			k.Yield()
		}
	}, []string{"the run has not ended after 1000 steps", "… 801 steps …", "misuse_test.go:"}},
	{"an actor that never ends", func(_ *testing.T, k *pooltest.Kit) {
		self := make(chan *actor.PID, 1)
		a := onNumber(k, "a", func(int) { pid := <-self; self <- pid; k.System().Root.Send(pid, 1) })
		self <- a
		k.Send(a, 1)
		k.Idle()
	}, []string{"the run has not ended after 1000 steps"}},
	{"a process that stays registered", func(_ *testing.T, k *pooltest.Kit) {
		k.System().ProcessRegistry.Add(k.System().DeadLetter, "mine")
	}, []string{"left at the end: process mine is still registered 1h0m0s after the end of the test"}},
	{"a body that ends with Goexit", func(_ *testing.T, k *pooltest.Kit) {
		runtime.Goexit()
	}, []string{"the body has ended its goroutine without the Kit"}},
	{"FailNow in an actor", func(_ *testing.T, k *pooltest.Kit) {
		k.Send(onNumber(k, "a", func(n int) { require.Equal(k, 2, n) }), 1)
		k.Idle()
	}, []string{"Not equal", "runtime.Goexit was called while a handled int", "FailNow is for the body only"}},
	{"a Kit after its run", func(_ *testing.T, k *pooltest.Kit) {
		if kept == nil {
			kept = k
		}
		onNumber(kept, "a", func(int) {})
	}, []string{"Kit.Root was called after its test, TestMisuseIsReportedForWhatItIs/a_Kit_after_its_run, had ended"}},
	{"Explore in an actor", func(t *testing.T, k *pooltest.Kit) {
		k.Send(onNumber(k, "a", func(int) { pooltest.Explore(t, pooltest.Options{}, func(*pooltest.Kit) {}) }), 1)
		k.Idle()
		k.Error("failed, to see the log")
	}, []string{"a panicked with pooltest: Explore was called inside of Run or Explore"}},
	{"Explore in Explore", func(t *testing.T, k *pooltest.Kit) {
		pooltest.Explore(t, pooltest.Options{}, func(*pooltest.Kit) {})
	}, []string{"Explore was called inside of Run or Explore; a body has one Kit", "misuse_test.go:"}},
	{"Run in Explore", func(t *testing.T, k *pooltest.Kit) {
		pooltest.Run(t, func(*pooltest.Kit) {})
	}, []string{"Run was called inside of Run or Explore"}},
	{"synctest in Explore", func(t *testing.T, k *pooltest.Kit) {
		synctest.Test(t, func(*testing.T) {})
	}, []string{"panic: ", "synctest", "misuse_test.go"}},
	{"synctest.Wait in Explore", func(t *testing.T, k *pooltest.Kit) {
		synctest.Wait()
	}, []string{"synctest.Wait was called in a body of Explore", "a body calls Kit.Idle in its stead"}},
}

func TestMisuseIsReportedForWhatItIs(t *testing.T) {
	inFull(t) // who leaves something gets no actor system back, and to make one takes long
	for _, misuse := range misuses {
		t.Run(misuse.name, func(t *testing.T) {
			runs, kept = 0, nil
			patience := time.Minute // in real time
			if misuse.says[0] == "a run has made no step for 100ms" {
				patience = 100 * time.Millisecond
			}
			f := pooltest.Search(t, pooltest.Options{Seeds: 20, Steps: 1000, Patience: patience}, func(k *pooltest.Kit) { misuse.body(t, k) })
			require.NotNil(t, f)
			for _, says := range misuse.says {
				require.Contains(t, f.String(), says)
			}
		})
	}
}

func TestSkippedRunIsNoMisuse(t *testing.T) {
	skipped := false
	t.Run("skips", func(t *testing.T) {
		t.Cleanup(func() { skipped = t.Skipped() })
		pooltest.Explore(t, pooltest.Options{Seeds: 1}, func(k *pooltest.Kit) {
			defer func() { require.True(t, k.Skipped()) }()
			k.Skip("not here")
		})
	})
	require.True(t, skipped)
}

// fatal are misuses that end a test, or its process, and what is printed.
var fatal = []struct {
	name   string
	misuse func(t *testing.T)
	says   []string
}{
	{"options that are not allowed", func(t *testing.T) {
		pooltest.Explore(t, pooltest.Options{Seeds: -1, Strategy: 3, Depth: -2, Patience: -time.Second}, func(*pooltest.Kit) { panic("called") })
	}, []string{"Seeds is -1; it must not be negative", "Strategy is 3; it must be 0, PCT or RandomWalk", "Depth is -2; it must be from 0 to 1023", "Patience is -1s; it must not be negative"}},
	{"a depth beyond the last", func(t *testing.T) {
		pooltest.Explore(t, pooltest.Options{Depth: 1024}, func(*pooltest.Kit) { panic("called") })
	}, []string{"Depth is 1024; it must be from 0 to 1023"}},
	{"Explore without a body", func(t *testing.T) { pooltest.Explore(t, pooltest.Options{}, nil) },
		[]string{"pooltest: Explore needs a body; it is nil"}},
	{"Run without a body", func(t *testing.T) { pooltest.Run(t, nil) },
		[]string{"pooltest: Run needs a body; it is nil"}},
	{"TestStrategy without a constructor", func(t *testing.T) { pooltest.TestStrategy(t, nil) },
		[]string{"pooltest: TestStrategy needs a function that makes strategies; it is nil"}},
	{"TestMailbox without a constructor", func(t *testing.T) { pooltest.TestMailbox(t, nil) },
		[]string{"pooltest: TestMailbox needs a function that makes mailboxes; it is nil"}},
	{"Explore in Run", func(t *testing.T) {
		pooltest.Run(t, func(*pooltest.Kit) { pooltest.Explore(t, pooltest.Options{}, func(*pooltest.Kit) {}) })
	}, []string{"misuse_test.go:", "panic: pooltest: Explore was called inside of Run or Explore"}},
	{"Run in Run", func(t *testing.T) {
		pooltest.Run(t, func(*pooltest.Kit) { pooltest.Run(t, func(*pooltest.Kit) {}) })
	}, []string{"misuse_test.go:", "panic: pooltest: Run was called inside of Run or Explore"}},
	{"Explore in synctest", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { pooltest.Explore(t, pooltest.Options{}, func(*pooltest.Kit) {}) })
	}, []string{"misuse_test.go:", "pooltest: Explore was called inside of synctest.Test"}},
	{"Run in synctest", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { pooltest.Run(t, func(*pooltest.Kit) {}) })
	}, []string{"misuse_test.go:", "pooltest: Run was called inside of synctest.Test"}},
	{"assertions of the test in Explore", func(t *testing.T) {
		pooltest.Explore(t, pooltest.Options{}, func(k *pooltest.Kit) { require.Equal(t, 1, 2) })
	}, []string{"the body has ended its goroutine without the Kit", "give the Kit to assertions", "to repeat it"}},
	{"failures of the test in Explore", func(t *testing.T) {
		pooltest.Explore(t, pooltest.Options{}, func(k *pooltest.Kit) { t.Error("mine") })
	}, []string{"give the Kit to assertions", "to repeat it"}},
	{"a failure after the run", func(t *testing.T) {
		pooltest.Explore(t, pooltest.Options{}, func(k *pooltest.Kit) {
			if kept == nil {
				kept = k
			} else {
				kept.Errorf("late")
			}
		})
	}, []string{"a failure was reported to a Kit after its test", "misuse_test.go:", "late"}},
	{"a body of Run that waits for ever", func(t *testing.T) {
		pooltest.Run(t, func(k *pooltest.Kit) {
			k.Logf("about to wait")
			<-make(chan int)
		})
	}, []string{"wait for ever, the body or what it has left", "chan receive", "misuse_test.go:", "about to wait"}},
	{"a goroutine that Run leaves", func(t *testing.T) {
		pooltest.Run(t, func(k *pooltest.Kit) { go func() { <-make(chan int) }() })
	}, []string{"1 goroutines wait for ever, the body or what it has left", "chan receive", "misuse_test.go:"}},
	{"a replay that is none", func(t *testing.T) {
		require.NoError(t, flag.Set("pooltest.replay", "steps:1.x"))
		pooltest.Explore(t, pooltest.Options{}, func(k *pooltest.Kit) {})
	}, []string{`-pooltest.replay: "steps:1.x" has a step "1.x", which is not STEP.NUMBER`}},
}

// TestFatalMisuseIsReportedForWhatItIs has another process do each misuse.
func TestFatalMisuseIsReportedForWhatItIs(t *testing.T) {
	const chosen = "POOLTEST_MISUSE"
	inFull(t)
	for _, f := range fatal {
		t.Run(f.name, func(t *testing.T) {
			if os.Getenv(chosen) == f.name {
				f.misuse(t)
				return
			}
			name := strings.ReplaceAll(t.Name(), "/", "$/^")
			cmd := exec.Command(os.Args[0], "-test.run=^"+name+"$", "-test.timeout=1m", "-test.cpu=2")
			cmd.Env = append(os.Environ(), chosen+"="+f.name)
			printed, err := cmd.CombinedOutput()
			require.Error(t, err, "%s", printed)
			require.NotContains(t, string(printed), "test timed out")
			for _, says := range f.says {
				require.Contains(t, string(printed), says)
			}
		})
	}
}

func TestRunThatWasGivenUpMayStillEnd(t *testing.T) {
	// From outside of the bubble, so that the run makes no step and does not rest either.
	released, ended := make(chan struct{}), make(chan struct{})
	f := pooltest.Search(t, pooltest.Options{Patience: 100 * time.Millisecond}, func(k *pooltest.Kit) {
		k.Cleanup(func() { close(ended) })
		<-released
	})
	require.NotNil(t, f)
	require.Contains(t, f.String(), "a run has made no step for 100ms")
	close(released)
	<-ended
	pooltest.Explore(t, pooltest.Options{Seeds: 10}, func(k *pooltest.Kit) {
		k.Send(onNumber(k, "a", func(int) {}), 1)
	})
}

// inFull skips a test of the harness itself where others are repeated often, or under the
// race detector, which has nothing to find in it: one strand at a time goes on there.
func inFull(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("it takes seconds, and is the same each time")
	}
	withoutRace(t)
}

func withoutRace(t *testing.T) {
	t.Helper()
	if withRace {
		t.Skip("it takes seconds, and one strand at a time goes on")
	}
}
