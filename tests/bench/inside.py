# SPDX-License-Identifier: LGPL-2.1-or-later
"""Started by ccid-sim: inside.py TOOL SCENE LIBRARY prints the rows of a scene as JSON."""
import json
import sys

import measure
from scenes import SCENES


def main():
    tool, scene, library = sys.argv[1:]
    reader = SCENES[scene]
    name = f"usb:{reader.reader.replace(':', '/')}:libudev:{reader.interface}:/dev/bus/usb/001/"
    try:
        rows = measure.run(tool, library, name, reader.steps)
    except measure.Failed as failed:
        print(json.dumps({"failed": str(failed)}))
        return
    print(json.dumps(rows))


main()
