package main

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWalkHoldsADirectoryInPartWithoutLosingNames(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFiles(t, strange)
	want := slices.Sorted(maps.Keys(strange))
	for most := 1; most <= len(want)+1; most++ {
		names, err := namesAfter("a", ".", most)
		require.NoError(t, err)
		require.LessOrEqual(t, len(names), most)
		require.LessOrEqual(t, cap(names), 4*most, "what was held at once")
		require.Equal(t, "a-b", names[0])

		var paths []string
		require.True(t, walk(t.Context(), ".", most, func(t target) bool {
			paths = append(paths, strings.TrimPrefix(t.path, "./"))
			return t.err == nil
		}))
		require.Equal(t, want, paths)
	}
}

func TestDirectoryThatVanishesIsReportedAndTheWalkGoesOn(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFiles(t, map[string]string{"a": "", "b/c": "", "d": ""})
	var paths []string
	for target := range files(t.Context(), ".") {
		if target.path == "./a" {
			require.NoError(t, os.RemoveAll("b"))
		}
		require.Equal(t, target.path == "./b", errors.Is(target.err, fs.ErrNotExist), "%v", target)
		paths = append(paths, target.path)
	}
	require.Equal(t, []string{"./a", "./b", "./d"}, paths)
}

func TestWalkEndsWithItsContext(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFiles(t, map[string]string{"a/1": "", "b/2": "", "c/3": ""})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var paths []string
	for target := range files(ctx, ".") {
		paths = append(paths, target.path)
		cancel()
	}
	require.Equal(t, []string{"./a/1"}, paths)
}
