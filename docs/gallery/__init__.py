"""Rules that people write by hand, right ones beside wrong ones, and what gradcheck says of each.

`python -m docs.gallery` prints the table of docs/gallery.md, made anew.
"""
