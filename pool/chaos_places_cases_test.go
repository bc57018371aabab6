package pool_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
)

// stage is a worker whose functions a test has begin, wait and return in an order of its
// own.
type stage struct {
	places
	complaints []string
}

func newStage() *stage {
	s := &stage{}
	s.init(s)
	return s
}

func (s *stage) Errorf(format string, args ...any) {
	s.complaints = append(s.complaints, fmt.Sprintf(format, args...))
}

type nameOfTask struct{}

// task is a context like that of a task: one that is equal to no other.
func task(name string) context.Context {
	return context.WithValue(context.Background(), nameOfTask{}, name)
}

func (s *stage) begin(ctx context.Context) *standing {
	f := &standing{}
	s.enter(f, "worker-1", ctx)
	return f
}

// givesUp has a function wait, and go on without what it has waited for.
func (s *stage) givesUp(f *standing) {
	s.pause(f)
	s.resume(f, false)
}

func TestPlacesAllowWhatHasBeenGivenUp(t *testing.T) {
	for name, play := range map[string]func(s *stage){
		"it began before": func(s *stage) {
			a := s.begin(task("a"))
			s.pause(a)
			b := s.begin(task("b"))
			s.resume(a, false)
			s.leave(b)
			s.leave(a)
		},
		"it begins after": func(s *stage) {
			a := s.begin(task("a"))
			s.givesUp(a)
			b := s.begin(task("b"))
			s.leave(a)
			s.leave(b)
		},
		"it begins while the one that gave up waits for something else, which comes": func(s *stage) {
			a := s.begin(task("a"))
			s.givesUp(a)
			s.pause(a)
			b := s.begin(task("b"))
			time.Sleep(time.Second)
			s.resume(a, true)
			s.leave(b)
			s.leave(a)
		},
		"it begins after the next item": func(s *stage) {
			ofMap := task("map")
			first := s.begin(ofMap)
			s.givesUp(first)
			s.leave(first)
			second := s.begin(ofMap)
			b := s.begin(task("b"))
			s.leave(second)
			s.leave(b)
		},
		"it begins between two items": func(s *stage) {
			ofMap := task("map")
			first := s.begin(ofMap)
			s.givesUp(first)
			s.leave(first)
			b := s.begin(task("b"))
			second := s.begin(ofMap)
			s.pause(second)
			time.Sleep(time.Second)
			s.resume(second, true)
			s.leave(b)
			s.leave(second)
		},
		"it begins when what was waited for has returned, but not what that gave up": func(s *stage) {
			a := s.begin(task("a"))
			s.pause(a)
			b := s.begin(task("b"))
			s.givesUp(b)
			s.leave(b)
			s.resume(a, true)
			c := s.begin(task("c"))
			s.leave(a)
			s.leave(c)
		},
		"the next items of two begin that have each given up": func(s *stage) {
			ofMap, ofInner := task("map"), task("inner map")
			first := s.begin(ofMap)
			s.pause(first)
			inner := s.begin(ofInner)
			s.pause(inner)
			c := s.begin(task("c"))
			s.resume(inner, false)
			s.leave(inner)
			s.resume(first, false)
			s.leave(first)
			second := s.begin(ofMap)
			nextInner := s.begin(ofInner)
			s.leave(second)
			s.leave(nextInner)
			s.leave(c)
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				s := newStage()
				play(s)
				require.Empty(t, s.complaints)
				time.Sleep(time.Second)
				require.Empty(t, s.left())
			})
		})
	}
}

func TestPlacesComplainOfMoreFunctionsThanPlaces(t *testing.T) {
	const two, three = "2 functions are at work on worker-1 when one begins; there may be 1", "3 functions are at work on worker-1 when one begins; there may be 2"
	for name, c := range map[string]struct {
		play      func(s *stage)
		complaint string
	}{
		"beside one that does not wait": {func(s *stage) {
			s.begin(task("a"))
			s.begin(task("b"))
		}, two},
		"beside one that gave up a while ago": {func(s *stage) {
			a := s.begin(task("a"))
			s.givesUp(a)
			time.Sleep(time.Second)
			s.begin(task("b"))
		}, two},
		"beside the next item, if the one before gave up a while ago": {func(s *stage) {
			ofMap := task("map")
			first := s.begin(ofMap)
			s.givesUp(first)
			time.Sleep(time.Second)
			s.leave(first)
			s.begin(ofMap)
			s.begin(task("b"))
		}, two},
		"beside another task, though one that has returned gave something up": {func(s *stage) {
			a := s.begin(task("a"))
			s.givesUp(a)
			s.leave(a)
			time.Sleep(time.Second)
			s.begin(task("b"))
			s.begin(task("c"))
		}, two},
		"a second one beside one that gave up": {func(s *stage) {
			s.givesUp(s.begin(task("a")))
			s.begin(task("b"))
			s.begin(task("c"))
		}, three},
		"what was waited for has not returned": {func(s *stage) {
			a := s.begin(task("a"))
			s.pause(a)
			s.begin(task("b"))
			s.resume(a, true)
		}, "a task goes on while what it has waited for is still at work in its place"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				s := newStage()
				c.play(s)
				require.Equal(t, []string{c.complaint}, s.complaints)
			})
		})
	}
}

// What places allows for comes about: a function that was given up for its result was
// there, since it was cancelled, begins when the next item of the map has begun.
func TestFunctionThatWasGivenUpMayBeginAfterTheNextItem(t *testing.T) {
	const found = "it begins after the next item"
	f := pooltest.Search(t, pooltest.Options{}, func(k *pooltest.Kit) {
		p := k.Pool(pool.WithWorkers(1))
		next := false
		_, err := pool.Map(k.Context(), p, func(ctx context.Context, item int) (int, error) {
			if item > 0 {
				next = true
				return item, nil
			}
			r := pool.ApplyAsync(ctx, p, func(context.Context) (int, error) {
				if next {
					k.Error(found)
				}
				return 1, nil
			})
			k.Go("canceller", func() { r.Cancel() })
			_ = r.Wait(ctx)
			return item, nil
		}, []int{0, 1}, pool.WithChunkSize(2))
		require.NoError(k, err)
	})
	require.NotNil(t, f)
	require.Contains(t, f.Failures[0], found)
}
