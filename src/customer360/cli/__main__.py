"""`python -m customer360.cli` is `c360`."""

from customer360.cli import main

if __name__ == "__main__":
    main()
