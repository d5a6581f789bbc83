"""Training, in one pattern for all models: `recipe` puts exchangeable `parts` together and trains.

Parts: `start` (preprocessing of a head), `augment`, `batches`, `model`, `loss`, `optimiser`, `step`.  Recipes: `head`.
It needs the extra `train`; docs/trainings.md tells how to write another.
"""
