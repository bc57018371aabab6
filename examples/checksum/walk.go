package main

import (
	"context"
	"errors"
	"io"
	"iter"
	"os"
	"slices"
	"strings"
)

// target is a file to hash, or the place where the walk met an error.
type target struct {
	path string
	err  error
}

// files gives the regular files below root, or root itself if it is one, with
// their paths as find prints them: root as it was given, then what is below it.
// They come in the order of the bytes of those paths. What it cannot read is in
// the sequence too, so that its error is reported in its place, and the walk
// goes on behind it. It stops when ctx ends.
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
			walk(ctx, root, maxNames, yield)
		case info.Mode().IsRegular():
			yield(target{path: root})
		default:
			yield(target{root, errors.New("neither a regular file nor a directory")})
		}
	}
}

// maxNames bounds how many names are held of a directory, at each level of the
// walk. One with more is read again for each so many, so the time grows with the
// square of its size: a million empty files in one directory take 7 to 9 s in
// 45 MB, and 4 to 7 s in 210 MB if all names are held.
const maxNames = 1 << 17

// walk reports false when it was stopped. It is not filepath.WalkDir because
// that cleans the paths, so that of the files below "." it gives a for ./a, and
// because it holds all the names of a directory, which may be a million.
func walk(ctx context.Context, dir string, maxNames int, yield func(target) bool) bool {
	prefix := strings.TrimSuffix(dir, "/") + "/"
	for last := ""; ; {
		names, err := namesAfter(last, dir, maxNames)
		if err != nil && !yield(target{dir, err}) {
			return false
		}
		for _, name := range names {
			goOn := true
			if sub, ok := strings.CutSuffix(name, "/"); ok {
				goOn = ctx.Err() == nil && walk(ctx, prefix+sub, maxNames, yield)
			} else {
				goOn = yield(target{path: prefix + name})
			}
			if !goOn {
				return false
			}
		}
		if err != nil || len(names) < maxNames {
			return true
		}
		last = names[len(names)-1]
	}
}

// namesAfter gives, in order, the first names in dir that come after last, most
// of them at most: those of regular files, and those of directories with a slash
// at the end, by which a-b comes before a/x as it does in a list of paths. With
// an error there are some of those read before it.
func namesAfter(last, dir string, most int) ([]string, error) {
	file, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var names []string
	greatest := "" // of as many as there may be; what is beyond it is not among the first
	for {
		entries, err := file.ReadDir(most/16 + 1)
		for _, entry := range entries {
			name := entry.Name()
			if entry.IsDir() {
				name += "/"
			} else if !entry.Type().IsRegular() {
				continue
			}
			if name > last && (greatest == "" || name < greatest) {
				names = append(names, name)
			}
		}
		if err != nil || len(names) > 2*most {
			slices.Sort(names)
			if len(names) > most {
				names = slices.Delete(names, most, len(names))
				greatest = names[most-1]
			}
		}
		switch {
		case err == io.EOF:
			return names, nil
		case err != nil:
			return names, err
		}
	}
}
