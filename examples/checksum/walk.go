package main

import (
	"context"
	"errors"
	"iter"
	"os"
	"strings"
)

// target is a file to hash, or the place where the walk met an error.
type target struct {
	path string
	err  error
}

// files gives the regular files below root, or root itself if it is one, with
// their paths as find prints them: root as it was given, then what is below it.
// What it cannot read is in the sequence too, so that its error is reported in
// its place, and the walk goes on behind it. It holds the names of one directory
// at each level, and stops when ctx ends.
//
// root may be a symbolic link, as with find -H: someone who names one means what
// it points to.
func files(ctx context.Context, root string) iter.Seq[target] {
	return func(yield func(target) bool) {
		info, err := os.Stat(root)
		switch {
		case err != nil:
			yield(target{root, err})
		case info.IsDir():
			walk(ctx, root, yield)
		case info.Mode().IsRegular():
			yield(target{path: root})
		default:
			yield(target{root, errors.New("neither a regular file nor a directory")})
		}
	}
}

// walk reports false when it was stopped. It is not filepath.WalkDir because
// that cleans the paths: of the files below "." it gives a for ./a, and below
// "dir//" dir/a for dir//a.
func walk(ctx context.Context, dir string, yield func(target) bool) bool {
	entries, err := os.ReadDir(dir) // sorted; with an error, those read before it
	if err != nil && !yield(target{dir, err}) {
		return false
	}
	if !strings.HasSuffix(dir, "/") {
		dir += "/"
	}
	for _, entry := range entries {
		goOn := true
		switch path := dir + entry.Name(); {
		case entry.IsDir():
			goOn = ctx.Err() == nil && walk(ctx, path, yield)
		case entry.Type().IsRegular():
			goOn = yield(target{path: path})
		}
		if !goOn {
			return false
		}
	}
	return true
}
