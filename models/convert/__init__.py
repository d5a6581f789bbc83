"""Rebuilding the packaged weights from the packages that publish the models; needs the extra `train`.

A reader (ONNX, TensorFlow.js) turns a source file into one plain `Graph`, Keras rebuilds that graph, and the
TensorFlow Lite converter writes it with float16 weights.  The same sources and the same TensorFlow give the same
bytes.  The price: only the operators that our models hold are known, any other is refused.
"""
