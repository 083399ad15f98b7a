"""The network the simulators move on, drawn by hand: a schematic, not a survey.

Villages and towns stand where they are (GeoNames, through :mod:`geo.belize`); what lies between
them is drawn so that it looks right on a small map. No road, lane or airfield here may be used to
find a way. A real network is imported by the operator.
"""

from __future__ import annotations

from typing import Final, NamedTuple

Waypoint = str | tuple[float, float]
"""The name of a node, or a point (longitude, latitude) that only shapes the line."""

VILLAGES: Final[dict[str, int]] = {
    "Belize City": 3582677, "San Ignacio": 3581194, "San Pedro": 3581164, "Orange Walk": 3581514,
    "Belmopan": 3582672, "Dangriga": 3582228, "Corozal": 3582305, "Santa Elena": 3581143,
    "Ladyville": 3581851, "Benque Viejo": 3582662, "Bella Vista": 13286766, "Trial Farm": 3580895,
    "Punta Gorda": 3581398, "Independence": 3581905, "Placencia": 3581447, "Shipyard": 3581066,
    "Bullet Tree Falls": 3582524, "Guinea Grass": 3581984, "Sarteneja": 3581112,
    "Valley of Peace": 3830322, "Camelote": 3582482, "Spanish Lookout": 3580986,
    "Santa Cruz": 13286761, "Little Belize": 3581813, "San Antonio Cayo": 3581221,
    "Caye Caulker": 3582431, "Silk Grass": 3581050, "Burrell Boom": 3582514,
    "Roaring Creek": 3581304, "Succotz": 3581184, "Armenia": 13118144, "Cotton Tree": 3582294,
    "Hattieville": 3581968, "Sand Hill": 3581208, "August Pine Ridge": 3582733,
    "Pomona": 3581436, "San Estevan": 3581203, "Teakettle": 3580937, "Carmelita": 3582454,
    "San Felipe": 3581199, "Seine Bight": 3581089, "Yo Creek": 3580772, "Chunox": 3582373,
    "Xaibe": 3580799, "Hopkins": 3581922, "San Joaquin": 3581193, "Patchakan": 3581490,
    "Concepcion": 3582329, "Big Fall": 3582645, "San Antonio Toledo": 3581222,
    "Western Paradise": 13286683, "St. Margaret": 11049077, "Progresso": 3581416,
    "St. Matthew's": 13286695, "Maskall": 3581723, "Cristo Rey": 3582262, "Hope Creek": 13286724,
    "Unitedville": 3580873, "Esperanza": 3582137, "San Juan": 8695460, "Georgeville": 3582044,
    "Louisville": 3581776, "Mahogany Heights": 13286680, "Blue Creek": 3582587,
    "Indian Creek": 8695405, "Bladen": 13286767, "Jalacte": 3581890, "Maya Center": 13286729,
    "Biscayne": 3582627, "Pueblo Viejo": 3581407, "Eldridgeville": 13286768,
    "Santa Rosa": 8695374, "Buena Vista": 3582535, "Consejo": 3582324,
    "Ranchito": 3581367,
}  # fmt: skip
"""Nodes by their number in GeoNames, because names repeat."""


class Drawn(NamedTuple):
    """One road or lane: its name, its highest speed in metres per second, and its course."""

    name: str
    limit: float
    course: tuple[Waypoint, ...]


ROADS: Final = (
    Drawn("Philip Goldson Highway", 25.0, (
        "Belize City", (-88.232, 17.517), "Ladyville", (-88.338, 17.595), "Sand Hill",
        (-88.420, 17.672), "Biscayne", (-88.500, 17.800), (-88.545, 17.930), "Carmelita",
        "Orange Walk", "Trial Farm", (-88.569, 18.180), "Buena Vista", "Louisville", "Concepcion",
        "San Joaquin", "Ranchito", "Corozal", (-88.410, 18.435), (-88.399, 18.483))),
    Drawn("George Price Highway", 25.0, (
        "Belize City", (-88.245, 17.499), "Western Paradise", "Hattieville", (-88.480, 17.388),
        "Mahogany Heights", "St. Matthew's", "Cotton Tree", "Roaring Creek", "Camelote",
        "Teakettle", (-88.892, 17.221), "Unitedville", "Georgeville", "Esperanza", "Santa Elena",
        "San Ignacio", (-89.105, 17.118), "Succotz", "Benque Viejo")),
    Drawn("Constitution Drive", 14.0, ("Roaring Creek", (-88.778, 17.258), "Belmopan")),
    Drawn("Hummingbird Highway", 20.0, (
        "Belmopan", (-88.755, 17.205), "Armenia", (-88.680, 17.125), "St. Margaret",
        (-88.560, 17.060), (-88.520, 17.025), (-88.449, 17.002), "Pomona", "Hope Creek",
        (-88.265, 16.985), "Dangriga")),
    Drawn("Southern Highway", 22.0, (
        "Hope Creek", (-88.322, 16.950), "Silk Grass", (-88.366, 16.835), "Maya Center",
        (-88.405, 16.745), "Santa Cruz", "Santa Rosa", (-88.510, 16.640), "San Juan",
        "Bella Vista", "Bladen", (-88.720, 16.405), "Indian Creek", "Big Fall",
        (-88.945, 16.216), (-88.895, 16.165), "Eldridgeville", (-88.828, 16.120), "Punta Gorda")),
    Drawn("Coastal Road", 18.0, (
        "Mahogany Heights", (-88.505, 17.300), (-88.440, 17.245), (-88.365, 17.165),
        (-88.340, 17.080), "Hope Creek")),
    Drawn("Old Northern Highway", 13.0, (
        "Sand Hill", (-88.335, 17.760), "Maskall", (-88.384, 17.970), (-88.470, 18.000),
        "Carmelita")),
    Drawn("Burrell Boom Road", 15.0, ("Hattieville", (-88.400, 17.510), "Burrell Boom",
        (-88.385, 17.600), "Sand Hill")),
    Drawn("Placencia Road", 15.0, (
        "Santa Cruz", (-88.385, 16.690), (-88.360, 16.650), "Seine Bight", "Placencia")),
    Drawn("Independence Road", 15.0, ("Bella Vista", (-88.480, 16.528), "Independence")),
    Drawn("Hopkins Road", 13.0, ("Silk Grass", (-88.330, 16.862), "Hopkins")),
    Drawn("San Antonio Road", 15.0, (
        "Big Fall", (-88.960, 16.215), "San Antonio Toledo", (-89.077, 16.234), "Pueblo Viejo",
        "Jalacte")),
    Drawn("Sarteneja Road", 12.0, (
        "Orange Walk", "San Estevan", "Progresso", "Little Belize", "Chunox", (-88.250, 18.320),
        "Sarteneja")),
    Drawn("Blue Creek Road", 13.0, (
        "Orange Walk", "Yo Creek", (-88.670, 18.035), "August Pine Ridge", "San Felipe",
        "Blue Creek")),
    Drawn("Shipyard Road", 13.0, ("Carmelita", "Guinea Grass", "Shipyard")),
    Drawn("Spanish Lookout Road", 13.0, ("Georgeville", (-88.995, 17.225), "Spanish Lookout")),
    Drawn("Cristo Rey Road", 13.0, (
        "Georgeville", (-88.970, 17.120), "San Antonio Cayo", "Cristo Rey", "Santa Elena")),
    Drawn("Bullet Tree Road", 12.0, ("San Ignacio", "Bullet Tree Falls")),
    Drawn("Valley of Peace Road", 12.0, ("Camelote", (-88.845, 17.290), "Valley of Peace")),
    Drawn("Consejo Road", 12.0, ("Corozal", (-88.350, 18.430), "Consejo")),
    Drawn("Patchakan Road", 12.0, ("Corozal", "Xaibe", "Patchakan")),
)  # fmt: skip

HARBOURS: Final[dict[str, tuple[float, float]]] = {
    "Belize Harbour": (-88.176, 17.487),
    "Caye Caulker Pier": (-88.034, 17.742),
    "San Pedro Pier": (-87.957, 17.912),
    "Bacalar Chico": (-87.805, 18.165),
    "English Caye": (-88.045, 17.320),
    "Dangriga Mouth": (-88.208, 16.965),
    "South Water Caye": (-88.085, 16.790),
    "Placencia Harbour": (-88.355, 16.500),
    "Monkey River": (-88.450, 16.355),
    "Punta Gorda Pier": (-88.795, 16.090),
    "Sarstoon Mouth": (-88.875, 15.920),
    "Hunting Caye": (-88.275, 16.115),
    "Turneffe West": (-87.980, 17.290),
    "Calabash Caye": (-87.790, 17.270),
    "Half Moon Caye": (-87.545, 17.215),
    "Glover's Reef": (-87.810, 16.710),
}
"""Where boats lie and turn."""

SEA_LANES: Final = (
    Drawn("Inner Passage North", 13.0, (
        "Belize Harbour", (-88.160, 17.500), (-88.160, 17.540), (-88.150, 17.563),
        (-88.080, 17.645), (-88.058, 17.720), "Caye Caulker Pier")),
    Drawn("Reef Passage", 13.0, (
        "Caye Caulker Pier", (-88.012, 17.715), (-88.005, 17.790), (-87.965, 17.890),
        "San Pedro Pier", (-87.905, 17.975), (-87.855, 18.060), "Bacalar Chico")),
    Drawn("Ship Channel", 11.0, (
        "Belize Harbour", (-88.120, 17.440), (-88.100, 17.360), "English Caye")),
    Drawn("Inner Channel", 12.0, (
        "English Caye", (-88.120, 17.300), (-88.150, 17.150), (-88.160, 17.040), "Dangriga Mouth",
        (-88.185, 16.870), (-88.230, 16.740), (-88.290, 16.610), (-88.320, 16.520),
        "Placencia Harbour", (-88.390, 16.420), "Monkey River", (-88.560, 16.230),
        "Punta Gorda Pier", "Sarstoon Mouth")),
    Drawn("South Water Lane", 12.0, ("Dangriga Mouth", (-88.140, 16.840), "South Water Caye")),
    Drawn("Barrier Lane", 12.0, ("South Water Caye", (-88.160, 16.600), "Placencia Harbour")),
    Drawn("Sapodilla Lane", 12.0, (
        "Monkey River", (-88.360, 16.230), "Hunting Caye", (-88.500, 16.090),
        "Punta Gorda Pier")),
    Drawn("Turneffe Lane", 13.0, (
        "English Caye", "Turneffe West", (-87.950, 17.150), (-87.870, 17.120), "Calabash Caye")),
    Drawn("Lighthouse Lane", 13.0, ("Calabash Caye", "Half Moon Caye")),
    Drawn("Glover's Lane", 13.0, ("South Water Caye", (-87.960, 16.780), "Glover's Reef")),
)  # fmt: skip

AIRFIELDS: Final[dict[str, tuple[float, float]]] = {
    "Philip Goldson": (-88.306, 17.538),
    "Belmopan Airstrip": (-88.777, 17.269),
    "San Pedro Airstrip": (-87.971, 17.914),
    "Dangriga Airstrip": (-88.231, 16.982),
    "Placencia Airstrip": (-88.361, 16.537),
    "Punta Gorda Airstrip": (-88.808, 16.103),
    "Central Farm Airstrip": (-89.010, 17.188),
    "Corozal Airstrip": (-88.412, 18.382),
}
"""Where aircraft start and land; they fly straight from each to each."""


class Grid(NamedTuple):
    """The streets of a town: a turned and slightly crooked chessboard.

    Attributes:
        town: node in its middle.
        across: crossings from west to east before turning.
        along: crossings from south to north before turning.
        block: metres between two.
        turned: degrees counter-clockwise.
        east: metres the chessboard lies east of the node (inland is west).
        north: metres it lies north of it.
    """

    town: str
    across: int
    along: int
    block: float
    turned: float = 0.0
    east: float = 0.0
    north: float = 0.0


GRIDS: Final = (
    Grid("Belize City", 9, 11, 130.0, 20.0),
    Grid("Ladyville", 4, 4, 140.0, 40.0),
    Grid("Belmopan", 7, 7, 150.0, 10.0),
    Grid("San Ignacio", 5, 6, 110.0, 30.0),
    Grid("Santa Elena", 4, 4, 110.0, 10.0),
    Grid("Benque Viejo", 5, 5, 105.0, 15.0),
    Grid("Orange Walk", 6, 8, 120.0, 5.0, -80.0),
    Grid("Corozal", 7, 6, 110.0, 0.0, -250.0),
    Grid("Dangriga", 5, 9, 120.0, 0.0, -60.0),
    Grid("Placencia", 2, 7, 110.0, 10.0, -20.0),
    Grid("Independence", 4, 4, 120.0, 0.0, -100.0),
    Grid("Punta Gorda", 4, 8, 105.0, -25.0, -120.0),
    Grid("San Pedro", 3, 11, 110.0, -25.0),
    Grid("Caye Caulker", 3, 9, 100.0, -8.0),
)


class DeadSpot(NamedTuple):
    """A circle without network: where it lies (degrees) and its radius in metres."""

    name: str
    lon: float
    lat: float
    radius: float


DEAD_SPOTS: Final = (
    DeadSpot("Hummingbird, the hills", -88.590, 17.075, 6_500.0),
    DeadSpot("Hummingbird, Caves Branch", -88.690, 17.135, 3_500.0),
    DeadSpot("Southern Highway, Bladen", -88.690, 16.430, 8_000.0),
    DeadSpot("Southern Highway, Swasey", -88.490, 16.625, 3_000.0),
    DeadSpot("Coastal Road", -88.400, 17.205, 7_000.0),
    DeadSpot("Toledo, western villages", -89.100, 16.215, 6_000.0),
    DeadSpot("Old Northern Highway", -88.345, 17.820, 6_000.0),
    DeadSpot("Blue Creek", -88.840, 17.880, 6_000.0),
    DeadSpot("Mountain Pine Ridge", -88.965, 17.090, 5_000.0),
    DeadSpot("Shipstern", -88.200, 18.325, 4_000.0),
    DeadSpot("Lighthouse Reef", -87.560, 17.250, 14_000.0),
    DeadSpot("Glover's Reef", -87.830, 16.740, 12_000.0),
    DeadSpot("Southern Channel", -88.400, 16.250, 9_000.0),
    DeadSpot("Bacalar Chico", -87.830, 18.140, 5_000.0),
)
"""Hills, jungle and open sea; invented, in places where networks tend to end."""
