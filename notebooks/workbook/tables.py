"""The table of what went over the wire. `wire.py` imports it when a table is asked for, because of pandas."""

from __future__ import annotations

import pandas as pd


class WireTable(pd.DataFrame):
    """A DataFrame that is shown whole, left-aligned and without its index."""

    @property
    def _constructor(self) -> type[WireTable]:
        return WireTable

    def __repr__(self) -> str:
        columns = [[str(name), *map(str, self[name])] for name in self.columns]
        widths = [max(map(len, column)) for column in columns]
        lines = [
            "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
            for line in zip(*columns, strict=True)
        ]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        # No MathJax: JupyterLab would take what is between the $ of $top and $select for a formula.
        with pd.option_context("display.max_colwidth", None, "display.html.use_mathjax", False):
            html: str = self.to_html(index=False, justify="left")
        return html.replace("<td>", '<td style="text-align: left;">')  # JupyterLab aligns cells right by itself
