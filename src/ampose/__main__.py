"""``python -m ampose`` is the ``ampose`` command."""

from ampose.cli.main import main

main()
