package report

var (
	Number    = number
	Count     = count
	Slug      = slug
	TickLabel = tickLabel
)
