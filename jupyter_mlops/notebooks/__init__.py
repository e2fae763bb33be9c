"""One notebook: its parameters, its facts, its execution on a pooled kernel, and what it emits."""
