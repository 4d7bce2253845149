"""A report as one HTML page that needs nothing else."""

from __future__ import annotations

from html import escape
from string import Template

from shouwang.benchmark.pictures import pictures
from shouwang.benchmark.report import Report
from shouwang.benchmark.tables import Table, notes, tables
from shouwang.language import language, say

PAGE = Template("""<!doctype html>
<html lang="$language">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>$title</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem }
div { overflow-x: auto }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
th, td { border-bottom: 1px solid #ccc; padding: .3rem .7rem; text-align: left; white-space: nowrap }
figure { margin: 1.5rem 0 }
svg { height: auto; max-width: 100% }
</style>
<h1>$title</h1>
$body
</html>
""")


def page(found: Report) -> str:
    """All tables with their pictures, then the notes."""
    drawn = pictures(found)
    first, *rest = (_table(each) for each in tables(found))
    shown = [f"<figure>{svg}<figcaption>{escape(title)}</figcaption></figure>" for title, svg in drawn.items()]
    if not drawn:
        shown = [f"<p>{escape(say('No pictures', '无图'))}: pip install 'shouwang[plot]'</p>"]
    about = [f"<li>{escape(note)}" for note in notes(found)]
    body = "\n".join([first, *shown, *rest, "<ul>", *about, "</ul>"])
    return PAGE.substitute(language=language(), title=escape(say("Benchmark", "基准")), body=body)


def _table(table: Table) -> str:
    head = "".join(f"<th>{escape(each)}" for each in table.headings)
    rows = "\n".join("<tr>" + "".join(f"<td>{escape(each)}" for each in row) for row in table.rows)
    title, about = escape(table.title), escape(table.about)
    return f"<h2>{title}</h2>\n<p>{about}</p>\n<div><table>\n<tr>{head}\n{rows}\n</table></div>"
