"""The schema `dashboard`: refreshing its aggregates, what its relations promise, and the queries of each page."""
