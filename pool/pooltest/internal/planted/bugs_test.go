package planted_test

import (
	"github.com/stretchr/testify/require"

	"github.com/greenroom-go/greenroom/pool"
	"github.com/greenroom-go/greenroom/pool/pooltest"
	"github.com/greenroom-go/greenroom/pool/pooltest/internal/planted"
)

// bug is a program and a test of it, which fails if the bug shows. The test does the same
// under Explore and under Run.
type bug struct {
	kind, program string
	body          func(k *pooltest.Kit, v planted.Variant)
}

// bugs are in the order of the table.
var bugs = []bug{
	{"a lost wake-up", "Shelf", shelf},
	{"a reply overwritten by a late one", "SearchBox", searchBox},
	{"a worker leaked at hand-over", "Agency", agency},
	{"messages dropped by a restart", "Ledger", ledger},
	{"check-then-act across two messages", "BoxOffice", boxOffice},
	{"a double terminate", "Exchange", exchange},
	{"stale state after a restart", "FileServer", fileServer},
	{"a drain that misses what is in flight", "Importer", importer},
	{"unfair starvation", "ReadingRoom", readingRoom},
	{"an order assumption between two senders", "Accounts", accounts},
}

// of is the body of the test of one variant.
func (b bug) of(v planted.Variant) func(k *pooltest.Kit) {
	return func(k *pooltest.Kit) { b.body(k, v) }
}

func shelf(k *pooltest.Kit, v planted.Variant) {
	s := planted.StartShelf(k.Root(), v)
	k.Idle()
	k.Send(s.Customer, planted.Fetch{})
	k.Send(s.PID, planted.Put{})
	k.Idle()
	require.Equal(k, 1, s.Got, "the customer waits, and the goods are on the shelf")
}

func searchBox(k *pooltest.Kit, v planted.Variant) {
	p := k.Pool(pool.WithWorkers(2))
	b := planted.StartSearchBox(k.Root(), p.PID(), v)
	require.NoError(k, p.Ready(k.Context()))
	k.Idle()
	k.Send(b.PID, planted.Typed{Text: "gre"})
	k.Send(b.Far, planted.Typed{Text: "greenroom"})
	k.Idle()
	require.Equal(k, "results for "+b.Last, b.Shown)
}

func agency(k *pooltest.Kit, v planted.Variant) {
	a := planted.StartAgency(k.Root(), v)
	k.Idle()
	k.Send(a.First, planted.Hire{})
	k.Idle()
	k.Send(a.Second, planted.Hire{})
	k.Idle()
	k.Send(a.First, planted.Finish{})
	k.Send(a.Second, planted.GiveUp{})
	k.Idle()
	require.Equal(k, 1, a.Idle, "workers that can be lent")
}

func ledger(k *pooltest.Kit, v planted.Variant) {
	l := planted.StartLedger(k.Root(), v)
	k.Idle()
	k.Send(l.Far, planted.TurnPage{})
	k.Send(l.Far, planted.Amount{Cents: 5})
	k.Send(l.PID, planted.Amount{Cents: -1})
	k.Idle()
	require.Equal(k, []int{5}, l.Book)
}

func boxOffice(k *pooltest.Kit, v planted.Variant) {
	o := planted.StartBoxOffice(k.Root(), v)
	k.Idle()
	k.Send(o.Agent, planted.Buy{})
	k.Send(o.PID, planted.Buy{})
	k.Idle()
	require.Equal(k, 1, o.Sold, "tickets for one seat")
}

func exchange(k *pooltest.Kit, v planted.Variant) {
	e := planted.StartExchange(k.Root(), v)
	k.Idle()
	k.Send(e.B, planted.HangUp{})
	k.Send(e.A, planted.HangUp{})
	k.Idle()
	require.Equal(k, 1, e.Free, "free lines of one")
}

func fileServer(k *pooltest.Kit, v planted.Variant) {
	s := planted.StartFileServer(k.Root(), v)
	k.Idle()
	k.Send(s.First, planted.Begin{})
	k.Send(s.Second, planted.Begin{})
	k.Send(s.PID, planted.Crash{})
	k.Idle()
	require.Equal(k, map[string]string{"first": "by first", "second": "by second"}, s.Disk)
}

func importer(k *pooltest.Kit, v planted.Variant) {
	p := k.Pool(pool.WithWorkers(1))
	i := planted.StartImporter(k.Root(), p, v)
	require.NoError(k, p.Ready(k.Context()))
	k.Idle()
	k.Send(i.Far, planted.Row{Text: "a,b"})
	k.Send(i.Far, planted.Row{Text: "c,d"})
	k.Send(i.PID, planted.Drain{})
	k.Idle()
	require.Equal(k, i.Taken, i.Summary, "rows in the summary")
}

func readingRoom(k *pooltest.Kit, v planted.Variant) {
	r := planted.StartReadingRoom(k.Root(), 7, v)
	k.Idle()
	for _, reader := range r.Readers {
		k.Send(reader, planted.Come{})
	}
	k.Send(r.Writer, planted.Come{})
	k.Idle()
	// Readers who happen to overlap once or twice are no starvation.
	require.LessOrEqual(k, r.Overtaken, 4, "readers who were let in while the writer waited")
}

func accounts(k *pooltest.Kit, v planted.Variant) {
	a := planted.StartAccounts(k.Root(), v)
	k.Idle()
	k.Send(a.Registrar, planted.Move{})
	k.Send(a.Old.PID, planted.Deposit{Cents: 10})
	k.Idle()
	require.Equal(k, 10, a.Old.Balance+a.New.Balance)
}
