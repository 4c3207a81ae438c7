"""reachable.py: what a table's metadata reaches, as PyIceberg reads it, and what lies beside it."""
import os
import pathlib
import re
import urllib.parse

from digest import metadata_file

OUR_OWN = re.compile(r"(version-hint\.text|v\d+\.metadata\.json|\d{5}-[0-9a-f-]+\.metadata\.json)$")


def local(uri):
    return urllib.parse.unquote(uri.removeprefix("file://").removeprefix("file:"))


def reached(table, metadata=None):
    """Every file that any snapshot of the current metadata needs."""
    from pyiceberg.table import StaticTable
    path = pathlib.Path(metadata) if metadata else metadata_file(str(table))
    loaded = StaticTable.from_metadata(path.as_uri())
    files = {str(path)}
    files |= {local(entry.metadata_file) for entry in loaded.metadata.metadata_log}
    for snapshot in loaded.snapshots():
        files.add(local(snapshot.manifest_list))
        for manifest in snapshot.manifests(loaded.io):
            files.add(local(manifest.manifest_path))
            for entry in manifest.fetch_manifest_entry(loaded.io, discard_deleted=True):
                files.add(local(entry.data_file.file_path))
    return files


def orphans(table, metadata=None):
    """Files below the table that nothing reaches. Metadata files and the version hint are no orphans:
    they are kept for a day on purpose."""
    needed = reached(table, metadata)
    found = []
    for folder, _, names in os.walk(table):
        for name in names:
            path = os.path.join(folder, name)
            if path not in needed and not OUR_OWN.search(name):
                found.append(path)
    return sorted(found)


def missing(table, metadata=None):
    """Files that the metadata needs and that are not there; old metadata files may be gone."""
    return sorted(path for path in reached(table, metadata)
                  if not os.path.exists(path) and not OUR_OWN.search(path))
