"""Run the command line: `python -m zeromag`."""

from zeromag.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
