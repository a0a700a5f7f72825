"""`python -m biosig` is the command `biosig`."""

from biosig.cli import main

main()
