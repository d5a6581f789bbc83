"""Searching for better parameters without labels: the space, the objective, and families lived through in memory."""
