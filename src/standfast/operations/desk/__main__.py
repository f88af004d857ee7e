"""python -m standfast.operations.desk --map operations.toml"""

import sys

from standfast.operations.desk.main import main

sys.exit(main(sys.argv[1:]))
