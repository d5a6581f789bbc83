"""`python -m facealbum`: the command line."""

from facealbum.cli import main

main()
