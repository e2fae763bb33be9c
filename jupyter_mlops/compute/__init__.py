"""Compute units, what they were measured to do, and what using them costs, here and elsewhere.

Nothing is imported here: what every run asks (`limits`, `offers`) must not bring along what only `cost` needs.
"""
