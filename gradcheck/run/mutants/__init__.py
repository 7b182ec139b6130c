"""Which wrong claims would a run let pass? Every claim is made wrong, judged, and counted by what became of it."""
