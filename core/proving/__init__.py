"""
Proving that nothing is lost and nothing sent twice, against faults at random moments. Begin with `proof.py`.

It makes an installation of its own, with real processes, and believes none of what that says of itself: the verdict
comes from the log of whoever took the messages.
"""
