"""The palettes of the posters: two grounds and three colours to draw with, mixed for this benchmark."""

from dataclasses import dataclass

import numpy as np

from drc.data.palette import distance, to_oklab, to_rgb


@dataclass(frozen=True)
class Palette:
    """Hex colours. `paper` and `panel` are the grounds; `dark`, `middle` and `light` draw on them."""

    paper: str
    panel: str
    dark: str
    middle: str
    light: str

    def grounds(self, on: str) -> tuple[str, ...]:
        """The colours of "paper", "panel" or "both"."""
        return (self.paper, self.panel) if on == "both" else (getattr(self, on),)

    def ink(self, *grounds: str) -> str:
        """What is read best on the grounds: the darkest or the lightest colour."""
        return farthest((self.dark, self.light), grounds)

    def tones(self, *taken: str) -> tuple[str, str, str]:
        """The drawing colours, dark to light; one that would be lost on a taken colour gives way to another."""
        drawing = (self.dark, self.middle, self.light)
        spare = farthest((self.paper, self.panel), taken)
        spare = farthest(drawing, taken) if lost(spare, taken) else spare
        return tuple(spare if lost(colour, taken) else colour for colour in drawing)

    @property
    def kind(self) -> str:
        """Dark or light, warm or cool: each kind is shared out by itself."""
        lightness, _, _ = to_oklab(to_rgb(self.paper))
        _, green_red, blue_yellow = np.add(*(to_oklab(to_rgb(colour)) for colour in (self.paper, self.panel)))
        return f"{'dark' if lightness < 0.6 else 'light'} {'warm' if green_red + blue_yellow > 0 else 'cool'}"


LOST = 0.13  # distance in OKLab below which a colour is hardly seen on another


def farthest(colours: tuple[str, ...], others: tuple[str, ...]) -> str:
    return max(colours, key=lambda colour: min(distance(colour, other) for other in others))


def lost(colour: str, others: tuple[str, ...]) -> bool:
    return min(distance(colour, other) for other in others) < LOST


PALETTES = {
    "absinthe": Palette("#e9f2d0", "#9cc53b", "#17301c", "#e4572e", "#fbfdf0"),
    "amber-night": Palette("#14110f", "#e0a100", "#2b1d0e", "#e4451a", "#ffe8b8"),
    "apricot": Palette("#fde3cf", "#f79d65", "#4a1942", "#c8553d", "#fff8f0"),
    "aubergine": Palette("#2e1a38", "#7d3c6b", "#160c1c", "#f2a541", "#f6e3ef"),
    "aurora": Palette("#0b2545", "#12866f", "#04101f", "#9be564", "#e6fff4"),
    "bakelite": Palette("#f1e6d2", "#7a2e1d", "#2a1510", "#d9a441", "#fff6e5"),
    "bauhaus": Palette("#f4efe1", "#e3b505", "#1b1b1b", "#d62828", "#fffdf6"),
    "bistro": Palette("#fff4dc", "#b3202a", "#23120b", "#e3a72f", "#fffaf0"),
    "blueprint": Palette("#1b468f", "#3a7be0", "#0a2350", "#8fd3ff", "#f2f8ff"),
    "bubblegum": Palette("#ffd1e3", "#ff5fa2", "#3a1157", "#31c4d8", "#fff5fa"),
    "carbon": Palette("#1c1c1e", "#4a4a4f", "#0a0a0b", "#ff5a36", "#f4f4f5"),
    "cobalt": Palette("#f3f3ee", "#1f3fbf", "#0d1238", "#ff8a3d", "#fefefb"),
    "coral-reef": Palette("#0e6e75", "#ff7f61", "#06363b", "#ffc857", "#f3fffb"),
    "cyanotype": Palette("#dff1f5", "#0b5f8a", "#0a2c40", "#f4b942", "#fafeff"),
    "desert": Palette("#f3d8a8", "#b9541f", "#46210f", "#2f8075", "#fff3d9"),
    "fern": Palette("#204e38", "#88b04b", "#0c2118", "#f2c14e", "#f4f8e8"),
    "flamenco": Palette("#c1121f", "#780c1a", "#26040a", "#ffb703", "#fff1dc"),
    "frost": Palette("#eef4fb", "#a9c7e8", "#22395b", "#5f87c2", "#ffffff"),
    "gaslight": Palette("#3b3a2e", "#807a3a", "#1a1a13", "#f0d264", "#fbf7df"),
    "graphite": Palette("#e7e7e7", "#9d9d9d", "#161616", "#5c5c5c", "#fcfcfc"),
    "heather": Palette("#e6dcf2", "#9a7bc4", "#2d1a4a", "#e85d9b", "#fbf8ff"),
    "jade": Palette("#c9efe0", "#1fa078", "#093a30", "#f26a5a", "#f5fffb"),
    "lagoon": Palette("#9fe3e6", "#12809a", "#06303f", "#ffdd5c", "#f3ffff"),
    "lemonade": Palette("#fff07c", "#f7b801", "#3a2a05", "#e2436b", "#fffce0"),
    "lilac-dusk": Palette("#4b3f72", "#b185db", "#1e1736", "#ffcb77", "#f7f0ff"),
    "linen": Palette("#ede4d6", "#c4b098", "#3a3128", "#93704f", "#fbf8f3"),
    "magma": Palette("#200a12", "#8f1d2c", "#0e0408", "#ff7b1c", "#ffe3c2"),
    "mandarin": Palette("#ff8c2b", "#d4500c", "#3b1404", "#1f7a8c", "#fff1df"),
    "marquee": Palette("#101430", "#3b2f8f", "#070918", "#ff3d81", "#f5f0ff"),
    "matcha": Palette("#dfe8c8", "#6f8c48", "#2c3a1e", "#b5603c", "#fafcf2"),
    "mint-julep": Palette("#d8f7e6", "#5fd3a4", "#123c4a", "#7a4ea3", "#fbfffd"),
    "moss": Palette("#5b6b3a", "#a8b56a", "#20280f", "#e07a3f", "#f7f6e3"),
    "neon-arcade": Palette("#17052b", "#5b0fa8", "#0a0214", "#15e6c6", "#fdf0ff"),
    "newsprint": Palette("#f2efe6", "#c2baa6", "#1d1c1a", "#b3282d", "#fffefa"),
    "orchid": Palette("#b23a8a", "#6a1f63", "#2c0a2b", "#ffd23f", "#fff0fa"),
    "peacock": Palette("#064a5b", "#0f8b8d", "#021f27", "#eca400", "#eafcff"),
    "pool": Palette("#c4e8ff", "#2f9bea", "#0c2a55", "#ff6b57", "#f6fbff"),
    "riviera": Palette("#2778c4", "#f3d34a", "#0c2547", "#f0624d", "#fdfbef"),
    "rosewood": Palette("#f6d5d1", "#b84a5a", "#3a0d1b", "#4f7a6b", "#fff6f4"),
    "rust-belt": Palette("#8a3b1e", "#5a2412", "#240d05", "#f0a04b", "#fdebd6"),
    "seville": Palette("#fbe9b7", "#ef8a17", "#4b1d0a", "#3a7d44", "#fffaea"),
    "ultraviolet": Palette("#5a2ad1", "#341587", "#150640", "#c7f464", "#f4efff"),
}  # fmt: skip


def alike(names: list[str]) -> np.ndarray:
    """[names, names], 1 for the same colours, 0 where a ground or the middle is half the way from black to white apart.

    The dark and the light end hardly tell palettes apart.
    """
    roles = ("paper", "panel", "middle")
    far = [
        [max(distance(getattr(PALETTES[a], role), getattr(PALETTES[b], role)) for role in roles) for b in names]
        for a in names
    ]
    return np.maximum(1 - 2 * np.array(far), 0)
