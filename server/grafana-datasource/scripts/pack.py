"""Packs a folder into a zip as Grafana unpacks it: one folder inside, executables executable, the same bytes each time.

pack.py FOLDER NAME ZIP
"""

import os
import sys
import zipfile

folder, name, target = sys.argv[1:]
# The oldest date that a zip can say; a real one would make every build another file.
DATE = (1980, 1, 1, 0, 0, 0)

with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
    for place, folders, files in os.walk(folder):
        folders.sort()
        for file in sorted(files):
            path = os.path.join(place, file)
            entry = zipfile.ZipInfo(os.path.join(name, os.path.relpath(path, folder)), DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o100755 if file.startswith("gpx_") else 0o100644) << 16
            with open(path, "rb") as content:
                packed.writestr(entry, content.read())
