"""Whether albums are as good for every part of all families: slices with their intervals, and a gate on the worst."""
