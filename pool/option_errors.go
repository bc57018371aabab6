package pool

import (
	"errors"
	"fmt"
	"slices"
)

// optionErrors collects what is wrong with options, in the order in which they
// were given. Of an option that was given twice only the last use counts.
type optionErrors struct{ list []optionError }

type optionError struct {
	option string
	err    error
}

// check records whether the latest use of an option is allowed.
func (e *optionErrors) check(ok bool, option, format string, args ...any) {
	e.list = slices.DeleteFunc(e.list, func(other optionError) bool { return other.option == option })
	if !ok {
		e.list = append(e.list, optionError{option, fmt.Errorf("%w: %s: %s", ErrInvalid, option, fmt.Sprintf(format, args...))})
	}
}

// isNil records an option that is nil; kind says of what, i where, from 0.
func (e *optionErrors) isNil(kind string, i int) {
	e.list = append(e.list, optionError{err: fmt.Errorf("%w: %s %d is nil", ErrInvalid, kind, i+1)})
}

func (e *optionErrors) err() error {
	var errs []error
	for _, o := range e.list {
		errs = append(errs, o.err)
	}
	return errors.Join(errs...)
}
