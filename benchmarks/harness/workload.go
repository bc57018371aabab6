package harness

import "errors"

// Workload is one question, asked in one or several cases.
type Workload struct {
	// Name is one word, for -only and for file names.
	Name string
	// Title heads the section of the report.
	Title string
	// About says in Markdown what is done and how it is measured.
	About string
	Cases []Case
}

// Case is one setting of a workload. Its contenders are compared with each
// other, round by round.
type Case struct {
	Name string
	// N is how many tasks a contender is given; the warm-up gets fewer.
	N int
	// MaxRounds bounds the rounds of a case that takes long; 0 is no bound.
	MaxRounds int
	// SkipWarmUp is for cases whose contenders warm each other up.
	SkipWarmUp bool
	// Reference names the contender that the others are compared with.
	// Empty means the best pool among the peers.
	Reference string
	// Quantities are the columns of the table. The first is the one that is
	// compared and drawn. Nil means [PerTask].
	Quantities []Quantity
	Contenders []Contender
}

// Kind tells apart whom a contender may be compared with.
type Kind uint8

const (
	// Greenroom is what is being judged.
	Greenroom Kind = iota
	// Pool is a peer that bounds the number of tasks that run at once.
	Pool
	// Raw is what people write without a library.
	Raw
	// Actor is Proto.Actor itself.
	Actor
	// Python is CPython.
	Python
)

// Contender is one way to do the work of a case.
type Contender struct {
	Name string
	Kind Kind
	// Unable says in a few words why there is nothing to run, such as "no
	// results". The table shows it in the place of numbers.
	Unable string
	// N overrides the case's number of tasks, for contenders so slow that they
	// would take the time of all others; 0 means the case's.
	N int
	// Series and X place the contender on a line of a chart that shows how a
	// cost grows. Without a series the contender is a bar.
	Series string
	X      float64
	// Run does n tasks, measures them with m, and checks what came out. It
	// returns an [Unable] if this machine has not got what it takes.
	Run func(m *Meter, n int) error
}

// Unable is the error of a contender that cannot take part; its text stands in
// the table.
type Unable string

func (u Unable) Error() string { return string(u) }

// asUnable returns the reason if err says that a contender cannot take part.
func asUnable(err error) (string, bool) {
	var u Unable
	if errors.As(err, &u) {
		return string(u), true
	}
	return "", false
}

// Columns are the case's quantities.
func (c *Case) Columns() []Quantity {
	if c.Quantities == nil {
		return PerTask
	}
	return c.Quantities
}

// Headline is the quantity by which contenders are compared.
func (c *Case) Headline() Quantity { return c.Columns()[0] }
