package workloads

var (
	CheckSum     = checkSum
	CheckSquares = checkSquares
	Arrivals     = arrivals
	EmptyTask    = emptyTask
	Partition    = partition
	ChunksOf     = chunksOf
	SizeFor      = sizeFor
	Forks        = forks
)

// LatencyTask is how long a task of the latency workload computes.
const LatencyTask = latencyTask
