"""`python -m autofix`, the same as the `autofix` command."""

from autofix.cli import main

if __name__ == "__main__":
    main(prog_name="autofix")
