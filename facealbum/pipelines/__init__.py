"""Pipelines as code: from a query to a registered model, each step kept by the hash of what went into it.

The same steps run here by one command or on Kubeflow Pipelines; every run is on record in MLflow.  What a pipeline
does stands in `facealbum.steps` and `models.train`; here is how its steps hang together.
"""
