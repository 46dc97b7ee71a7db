"""`python -m chappe`: the command line, where the script is not on the path."""

from chappe.cli import main

if __name__ == "__main__":
    main(prog_name="chappe")
