"""Numbers and pieces of the page as HTML."""

from html import escape


def percent(figure):
    if figure is None:
        return "–"
    if figure.ci_low is None:
        return f"{100 * figure.value:.1f}"
    return f"{100 * figure.value:.1f} [{100 * figure.ci_low:.1f}, {100 * figure.ci_high:.1f}]"


def number(figure, digits=2):
    if figure is None:
        return "–"
    if figure.ci_low is None:
        return f"{figure.value:.{digits}f}"
    return f"{figure.value:.{digits}f} [{figure.ci_low:.{digits}f}, {figure.ci_high:.{digits}f}]"


def p_text(value):
    if value >= 0.001:
        return f"{value:.3f}"
    if value < 1e-300:
        return "0"
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa}·10<sup>{int(exponent)}</sup>"


def p_cell(figure):
    return "–" if figure is None else p_text(figure.value)


def table(head, lines, tall=False, text_columns=(0,)):
    """Cells are HTML."""
    def cell(tag, i, content):
        kind = ' class="text"' if i in text_columns else ""
        return f"<{tag}{kind}>{content}</{tag}>"

    def row(tag, cells):
        return "<tr>" + "".join(cell(tag, i, c) for i, c in enumerate(cells)) + "</tr>"

    kind = "scroll tall" if tall else "scroll"
    return (f'<div class="{kind}"><table><thead>{row("th", head)}</thead><tbody>'
            + "".join(row("td", cells) + "\n" for cells in lines) + "</tbody></table></div>\n")


def drawing(svg, caption):
    return f'<figure role="img" aria-label="{escape(caption, quote=True)}">{svg}<figcaption>{escape(caption)}</figcaption></figure>\n'
