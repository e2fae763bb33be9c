"""What a notebook says to the stores: register and find models and features, run a pipeline, ask how things stand.

Each function is one call on the workspace in which the notebook stands (`place`); in a run that is the run's
workspace, and whatever is registered is tied to the run and its task. The magics are the same functions, with
their arguments read from a line.
"""
