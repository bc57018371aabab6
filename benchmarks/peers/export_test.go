package peers

var Shards = shards
