"""Whether what analysis finds still looks like what it used to find, and if not, which photos changed.

Pure: histograms in, distances, thresholds, contributions and a report out.  docs/drift.md tells the method.
"""
