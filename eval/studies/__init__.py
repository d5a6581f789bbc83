"""Studies that hold metrics, experiments, alarms and gates to what they promise: docs/studies.md.

Each is a pure function of its seed, apart from those that read albums with known truth.
"""
