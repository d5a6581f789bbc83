"""Training a head: a linear map that makes embeddings of the default space tell children apart as they grow.

One pattern, each part a small module that can be replaced alone: `faces` (what is learnt from), `start`
(preprocessing: what must not count is taken out), `augment`, `batches`, `model`, `loss`, `step`, and `fit`, which
puts them together by a `Recipe`.  It needs the extra `train` and, for ten thousand faces, less than a minute; the
same faces and seed give the same head.
"""
