"""Packaged models: definitions, conversion with provenance, preprocessing and inference."""
