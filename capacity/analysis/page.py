"""The report of an experiment as one HTML page that needs nothing else."""

import base64
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

STYLE = """
:root { color-scheme: light dark;
  --ink: #1d2329; --paper: #fdfdfc; --faint: #6b7480; --line: #d9dde2 }
@media (prefers-color-scheme: dark) {
  :root { --ink: #dfe3e8; --paper: #15181c; --faint: #98a1ac; --line: #343a42 } }
body { font: 16px/1.55 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 62rem; margin: 2.5rem auto; padding: 0 1.25rem }
h1 { font-size: 1.7rem; margin: 0 }
h2 { font-size: 1.15rem; margin: 2.5rem 0 .75rem }
p, figcaption, dt { color: var(--faint) }
a { color: inherit }
.figures { display: grid; gap: 1.5rem;
  grid-template-columns: repeat(auto-fit, minmax(min(29rem, 100%), 1fr)) }
figure { margin: 0 }
figcaption { font-size: .875rem; margin-top: .4rem }
img { width: 100%; box-sizing: border-box; padding: 8px; background: #fff;
  border: 1px solid var(--line); border-radius: 6px }
pre { overflow-x: auto; padding: .9rem 1rem; border: 1px solid var(--line); border-radius: 6px;
  font: 13px/1.5 ui-monospace, monospace }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1.2rem; font-size: .9rem }
dd { margin: 0; overflow-wrap: anywhere }
"""

Told = tuple[str, str, str]
"""Heading, lines of plain text, legend."""


def page(
    title: str,
    tables: Sequence[Told],
    figures: Mapping[str, tuple[str, bytes]],
    provenance: Mapping[str, Any],
    links: Sequence[str],
) -> str:
    """The page.

    Args:
      title: the experiment's name.
      tables: plain text under a heading, with a legend of what its numbers are.
      figures: by name, a caption and a PNG image; the name also leads to figures/<name>.pdf.
      provenance: as `store.Results` has it.
      links: files beside the page.
    """
    told = "\n".join(_table(*table) for table in tables)
    drawn = "\n".join(_figure(name, *content) for name, content in figures.items())
    anchors = " · ".join(f'<a href="{escape(link)}">{escape(link)}</a>' for link in links)
    runs = "\n".join(_run(i, run) for i, run in enumerate(provenance["runs"], start=1))
    config = "\n".join(_yaml_lines(provenance["config"]))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>{STYLE}</style>
</head>
<body>
<h1>{escape(title)}</h1>
<p>{anchors}</p>
{told}
<h2>Figures</h2>
<div class="figures">
{drawn}
</div>
<h2>Provenance</h2>
{runs}
<h2>Config</h2>
<pre>{escape(config)}</pre>
</body>
</html>
"""


def _table(heading: str, lines: str, legend: str) -> str:
    return f"<h2>{escape(heading)}</h2>\n<pre>{escape(lines)}</pre>\n<p>{escape(legend)}</p>"


def _figure(name: str, caption: str, png: bytes) -> str:
    data = base64.b64encode(png).decode()
    return (
        f'<figure><img alt="{escape(caption)}" src="data:image/png;base64,{data}">'
        f'<figcaption>{escape(caption)} <a href="figures/{escape(name)}.pdf">PDF</a></figcaption>'
        "</figure>"
    )


def _run(index: int, run: Mapping[str, Any]) -> str:
    versions = {"python": run.get("python"), **(run.get("versions") or {})}
    commit = run.get("commit")
    told = {
        "run": index,
        "started": run.get("started"),
        "finished": run.get("finished") or "not recorded: the run was broken off",
        "wall time": f"{run['wall_seconds']} s" if run.get("wall_seconds") is not None else None,
        "device": run.get("device"),
        "platform": run.get("platform"),
        "commit": commit and commit + (", with changes" if run.get("dirty") else ""),
        "versions": ", ".join(f"{name} {number}" for name, number in versions.items() if number),
    }
    entries = (f"<dt>{k}</dt><dd>{escape(str(v))}</dd>" for k, v in told.items() if v is not None)
    return f"<dl>{''.join(entries)}</dl>"


def _yaml_lines(tree: Mapping[str, Any], indent: str = "") -> list[str]:
    lines = []
    for key, value in tree.items():
        if isinstance(value, Mapping):
            lines += [f"{indent}{key}:", *_yaml_lines(value, indent + "  ")]
        else:
            lines.append(f"{indent}{key}: {'null' if value is None else value}")
    return lines
