package pooltest_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/pool/pooltest"
)

func TestManyMayWaitUntilNothingCanGoOn(t *testing.T) {
	pooltest.Run(t, func(k *pooltest.Kit) {
		for i := range 10 {
			k.Go(fmt.Sprint("goroutine ", i), func() { k.Advance(time.Second) })
		}
		k.Advance(time.Second)
		require.Equal(k, time.Second, k.Elapsed())
	})
}
