"""Container images and the registries that keep them, without a daemon and without root.

`registry` speaks the Distribution API over `transport`, with `credentials` as docker and
podman keep them; `layer` makes deterministic layers, `image` the configuration and manifests round them,
`layout` files of them for other tools; `sign` signs and verifies as cosign does.
"""
