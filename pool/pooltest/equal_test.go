package pooltest_test

import (
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/greenroom-go/greenroom/pool/pooltest"
)

type node struct {
	name string
	next *node
	any  any
	to   map[string][]*node
}

// ring is a list that ends where it begins.
func ring(names ...string) *node {
	first := &node{name: names[0]}
	last := first
	for _, name := range names[1:] {
		last.next = &node{name: name}
		last = last.next
	}
	last.next = first
	return first
}

func TestMessagesThatSayTheSameAreEqual(t *testing.T) {
	pooltest.Run(t, func(k *pooltest.Kit) {
		used := k.Probe("p").PID()
		k.Send(used, 1) // caches the process
		fresh := actor.NewPID(used.Address, used.Id)
		require.NotEqual(k, fresh, used, "to reflect.DeepEqual they differ")
		printed := &actor.Terminated{Who: used}
		_ = printed.String()
		require.NotEqual(k, &actor.Terminated{Who: fresh}, printed)
		other := actor.NewPID(used.Address, "q")
		inItself := []any{1, nil}
		inItself[1] = inItself
		inItselfToo := []any{1, nil}
		inItselfToo[1] = inItselfToo
		boo := errors.New("boo")
		for _, c := range []struct {
			name string
			a, b any
			want bool
		}{
			{"PIDs of one address", fresh, used, true},
			{"PIDs of two addresses", fresh, other, false},
			{"PIDs with two requests", fresh, &actor.PID{Address: used.Address, Id: used.Id, RequestId: 1}, false},
			{"PIDs in unexported fields", ping{1, fresh}, ping{1, used}, true},
			{"other PIDs in unexported fields", ping{1, fresh}, ping{1, other}, false},
			{"a PID and none", ping{1, fresh}, ping{1, nil}, false},
			{"protobuf messages", &actor.Terminated{Who: fresh}, printed, true},
			{"protobuf messages with another field", &actor.Terminated{Who: fresh, Why: 1}, printed, false},
			{"nil", nil, nil, true},
			{"nil and something", nil, 0, false},
			{"something and nil", 0, nil, false},
			{"nil pointers of two types", (*node)(nil), (*ping)(nil), false},
			{"numbers of two types", 1, int64(1), false},
			{"no bytes and nil bytes", []byte{}, []byte(nil), false},
			{"errors", errors.New("boo"), errors.New("boo"), true},
			{"other errors", errors.New("boo"), errors.New("moo"), false},
			{"rings", ring("a", "b"), ring("a", "b"), true},
			{"other rings", ring("a", "b"), ring("a", "c"), false},
			{"a list that has itself", inItself, inItselfToo, true},
			{"parts of a list", []int{1, 2, 3}[:2], []int{1, 2, 3}, false},
			{"maps", map[string]any{"a": []int{1}}, map[string]any{"a": []int{1}}, true},
			{"maps with another key", map[string]any{"a": nil}, map[string]any{"b": nil}, false},
			{"maps with another value", map[string]any{"a": []int{1}}, map[string]any{"a": []int{2}}, false},
			{"something in an interface", node{any: &node{name: "a"}}, node{any: &node{name: "a"}}, true},
			{"something else in an interface", node{any: &node{name: "a"}}, node{any: "a"}, false},
			{"the same error", boo, boo, true},
			{"no number", math.NaN(), math.NaN(), false},
			{"functions", strings.ToUpper, strings.ToUpper, false},
			{"empty structs", struct{}{}, struct{}{}, true},
		} {
			assert.Equal(k, c.want, pooltest.Equal(c.a, c.b), c.name)
			assert.Equal(k, c.want, pooltest.Equal(c.b, c.a), c.name)
		}
	})
}

func TestEqualIsDeepEqualWithoutPIDs(t *testing.T) {
	nodes := rapid.Custom(func(t *rapid.T) *node {
		some := []*node{nil, {}, {}, {}}
		names := rapid.SampledFrom([]string{"a", "b"})
		which := rapid.IntRange(0, 3)
		for _, n := range some[1:] {
			n.name = names.Draw(t, "name")
			n.next = some[which.Draw(t, "next")]
			n.any = []any{nil, 1, "a", some[1], *some[2], []int{1}}[rapid.IntRange(0, 5).Draw(t, "any")]
			if key := which.Draw(t, "to"); key > 0 {
				n.to = map[string][]*node{names.Draw(t, "key"): some[key:]}
			}
		}
		return some[1]
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := nodes.Draw(t, "a"), nodes.Draw(t, "b")
		require.Equal(t, reflect.DeepEqual(a, b), pooltest.Equal(a, b))
	})
}

type named string

func TestWhatAMessageIsShownAs(t *testing.T) {
	pid := actor.NewPID("nonhost", "a")
	for want, message := range map[string]any{
		`nil`:                                    nil,
		`int(1)`:                                 1,
		`time.Duration(1s)`:                      time.Second,
		`"a\n"`:                                  "a\n",
		`pooltest_test.named("a")`:               named("a"),
		`true`:                                   true,
		`PID(a)`:                                 pid,
		`PID(b#7)`:                               &actor.PID{Id: "b", RequestId: 7},
		`PID(host:1/c)`:                          actor.NewPID("host:1", "c"),
		`*errors.errorString("boo")`:             errors.New("boo"),
		`pooltest_test.ping{n: 1, from: PID(a)}`: ping{1, pid},
		`&pooltest_test.pong{n: 1}`:              &pong{1},
		`nil *pooltest_test.pong`:                (*pong)(nil),
		`&actor.Terminated{Who: PID(a), Why: Stopped}`:     &actor.Terminated{Who: pid},
		`[]int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, and 2 more}`: []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12},
		`[]interface {}{int(1), "a", nil}`:                 []any{1, "a", nil},
		`map[string]int of 1`:                              map[string]int{"a": 1},
		`&pooltest_test.node{name: "a", next: *pooltest_test.node, any: pooltest_test.pong{n: 1}, to: nil}`: &node{name: "a", next: &node{}, any: pong{1}},
		`"` + strings.Repeat("ä", 149) + `… (402 bytes)`:                                                    strings.Repeat("ä", 200),
	} {
		assert.Equal(t, want, pooltest.Show(message))
	}
}
