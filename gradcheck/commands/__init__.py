"""What do the longer commands ask for? One file a command; each imports what it needs only when it is called."""
