"""The Jupyter server extension: what the panel asks, over REST, and the bell that says when to ask again.

``openapi.yaml`` is the contract. `contract` reads requests by it and `handlers` makes the routes of it, so that
a route without a description, or a description without a route, cannot be. Behind each operation stands one
plain function (`pipelines`, `runs`, `tasks`, `models`, `features`, `compute`): it makes one call on a
collaborator and hands the records to `present*`, which make the JSON. All of it runs in threads; the event loop
only parses and sends. `app` is where Jupyter comes in. A run is driven by a process of its own (`runner.launch`).
"""
