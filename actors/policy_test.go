package actors

import (
	"testing"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"
)

func TestDecide(t *testing.T) {
	for _, c := range []struct {
		name      string
		kind      FailureKind
		stopping  bool
		directive actor.Directive
		breaks    bool
	}{
		{"restarts a worker whose task panicked", TaskPanicked, false, actor.RestartDirective, false},
		{"restarts a worker whose task exited", TaskExited, false, actor.RestartDirective, false},
		{"stops a worker whose initializer failed and breaks the pool", InitializerFailed, false, actor.StopDirective, true},
		{"stops a worker whose task panicked while the pool stops", TaskPanicked, true, actor.StopDirective, false},
		{"stops a worker whose task exited while the pool stops", TaskExited, true, actor.StopDirective, false},
		{"stops a worker whose initializer failed while the pool stops and breaks nothing", InitializerFailed, true, actor.StopDirective, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			directive, breaks := Decide(c.kind, c.stopping)
			require.Equal(t, c.directive, directive)
			require.Equal(t, c.breaks, breaks)
		})
	}
}
