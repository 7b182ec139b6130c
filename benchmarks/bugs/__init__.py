"""Which real gradient bugs are noticed, and which right rules are accused?"""
