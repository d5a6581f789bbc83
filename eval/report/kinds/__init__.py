"""Each kind of report: a pure function from the figures of its area to a Paper."""
