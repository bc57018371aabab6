package pool

// SharedSystem is the actor system of the pools that were not given one.
var SharedSystem = sharedSystem
