"""A model, answering: ``python -m jupyter_mlops.serving --model FOLDER``, the same here and in an image.

The process is small on purpose: its own HTTP protocol over httptools and uvloop, JSON by orjson, and what the model
itself needs. It imports nothing of ours but `errors` and `signatures`, so that an image carries a dozen files.

- `options` what is set, `command` the process; `http` the protocol, `routes` what is asked where
- `payload` what a body says, `intake` the same as the model wants it, `tensors` Open Inference's form
- `version` a loaded model, `batching` one prediction for many requests, `service` which version answers, `traffic`
- `openapi`, `metrics`, `journal` (what was predicted), `tracing`, `logs`, `entities` (features by key)
- `workers` (several processes), `readiness` (told to who started it), `following` (an alias of the store)
"""
