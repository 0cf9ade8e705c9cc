"""Chapter 06: from a page of JSON to a table, and what does not come along.

It must say: each object in `value` becomes a row and each name a column; what is null is unknown; a name in `$select`
that Graph does not know brings no column and no error; the link at the end says that there is more.
"""

from ink import CARE, GRAPH, MARGIN, WIDTH, YOURS, Sheet

ALTERNATIVE = (
    "A page of JSON beside the table made of it. Each object in value becomes a row, and each name a column. A null "
    "becomes a missing value, which means unknown. The misspelt name in $select has no column, and no error says so. "
    "The nextLink leads to the next page."
)

JSON = """{ "value": [
    { "displayName": "Lucía",
      "department": "Sales" },
    { "displayName": "Miho",
      "department": null }
  ],
  "@odata.nextLink": "https://…" }"""


def draw() -> Sheet:
    sheet = Sheet(424, "From a page of JSON to a table, and what is missing")
    sheet.text(MARGIN, 72, "asked for", size=12)
    sheet.text(MARGIN + 74, 72, "GET /users?$select=displayName,department,jobTitel", size=12, mono=True)

    sheet.area(MARGIN, 94, 342, 206, GRAPH)
    sheet.text(MARGIN + 18, 118, "What Graph answers", size=14, bold=True, behind=GRAPH.fill)
    sheet.text(MARGIN + 18, 206, JSON, size=12, mono=True, behind=GRAPH.fill)
    sheet.arrow((MARGIN + 345, 197), (457, 197), hue=YOURS, word="pandas")
    sheet.text(414, 182, "pandas", size=12, align="center")

    sheet.area(460, 94, WIDTH - MARGIN - 460, 206, YOURS)
    sheet.text(478, 118, "The DataFrame", size=14, bold=True, behind=YOURS.fill)
    for x, words in ((478, "displayName"), (600, "department")):
        sheet.text(x, 154, words, size=12, bold=True, mono=True, behind=YOURS.fill)
    sheet.line((474, 170), (722, 170))
    for y, name, department in ((192, "Lucía", "Sales"), (224, "Miho", "NaN")):
        sheet.text(478, y, name, size=12, mono=True, behind=YOURS.fill)
        sheet.text(600, y, department, size=12, mono=True, behind=YOURS.fill)
    sheet.box(736, 138, 120, 146, CARE, "jobTitel", "no column,\nno error", size=13, mono=True, dashed=True)

    sheet.arrow((630, 240), (630, 337), hue=YOURS, word="unknown")
    sheet.arrow((796, 287), (796, 337), hue=CARE, word="silently missing")
    sheet.arrow((120, 303), (120, 337), hue=GRAPH, word="next page")
    sheet.box(MARGIN, 340, 342, 56, GRAPH, "the next page", "until an answer has no link", size=13)
    sheet.box(460, 340, 226, 56, YOURS, "null is unknown", "not “no”, and not “none”", size=13)
    sheet.box(700, 340, 172, 56, CARE, "silently missing", "compare the columns", size=13)
    return sheet
