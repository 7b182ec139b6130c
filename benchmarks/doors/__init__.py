"""What does a call through a peer's signature cost, beside the peer's own?"""
