"""Small files of OpenStreetMap, made by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import quoteattr

import osmium

Places = Mapping[int, tuple[float, float]]
Ways = Sequence[tuple[Sequence[int], Mapping[str, str]]]

PLACES = {
    1: (-88.5, 17.2), 2: (-88.45, 17.2), 3: (-88.4, 17.2), 4: (-88.3, 17.2), 5: (-88.4, 17.3),
    6: (-88.5, 17.3),
}  # fmt: skip
"""A highway from west to east, and a street up from its middle and back to its beginning."""
WAYS: Ways = (
    ((1, 2, 3, 4), {"highway": "primary", "name": "Hummingbird Highway", "ref": "H2"}),
    ((3, 5), {"highway": "residential", "oneway": "yes"}),
    ((5, 6, 1), {"highway": "track", "name": "Farm Road"}),
    ((2, 6), {"highway": "footway"}),
)


def xml(places: Places = PLACES, ways: Ways = WAYS) -> str:
    """A file of these nodes and ways."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', '<osm version="0.6" generator="by hand">']
    for number, (lon, lat) in places.items():
        lines.append(f'<node id="{number}" version="1" lat="{lat:.7f}" lon="{lon:.7f}"/>')
    for number, (nodes, tags) in enumerate(ways, 1):
        lines.append(f'<way id="{number}" version="1">')
        lines += [f'<nd ref="{node}"/>' for node in nodes]
        lines += [f"<tag k={quoteattr(k)} v={quoteattr(v)}/>" for k, v in tags.items()]
        lines.append("</way>")
    return "\n".join([*lines, "</osm>"])


def pbf(source: Path) -> Path:
    """The same file as PBF, beside it."""
    made = source.with_suffix(".osm.pbf")
    with osmium.SimpleWriter(str(made), overwrite=True) as writer:
        for each in osmium.FileProcessor(str(source)):
            writer.add(each)
    return made
