"""A model's signal tower for programs without biosig: ONNX, or a saved program of torch."""
