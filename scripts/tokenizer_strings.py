"""Seeded mixed strings for comparing tokenizers: text, code, numbers, CJK, emoji, combining marks, broken UTF-8, long
runs of spaces and newlines, special tokens."""

import random

WORDS = (
    "the cat sat on a mat Janet's ducks lay 16 eggs per day how much in dollars does she make I'll we've "
    "they'RE don't HTTPServer camelCase snake_case Größe naïve façade Straße Ærøskøbing ÀÉÎÕÜ Привет мир "
    "Ελλάδα שלום العربية हिन्दी ไทย"
).split()
CODE = [
    "def f(x):\n\treturn x**2\n", "for (int i = 0; i < n; ++i) {\n    sum += a[i];\n}\n",
    "<div class=\"a\">&nbsp;</div>", "SELECT * FROM t WHERE id=42;", "\\frac{1}{2} + \\sqrt{x}",
    "#include <vector>\r\n", "a->b::c<d>&&e||!f", "{\"k\": [1,2.5e-3,null]}",
]
SPACES = [
    " ", "\t", "\n", "\r", "\r\n", "\xa0", "\u2003", "\u3000", "\x85", "\u2028", "\u180e", "\u200b", "\x0b", "\x0c",
]
EMOJI = [
    "😀", "👩\u200d👩\u200d👧\u200d👦", "🇩🇪", "👍🏽", "❤️", "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
    "☺", "𓀀", "𝒳",
]
MARKS = [  # escaped: an editor may normalise them
    "e\u0301", "a\u0323\u0302", "\u1100\u1161\u11a8", "\uac00", "\u0958", "\u212b", "\u2126", "q\u0307\u0323",
    "\u0344", "\u304c", "\u0bc6\u0bbe", "\u0f73", "\u1ac1\u0315", "\U00011938", "\U00011935\U00011930", "\xc5\u0327",
    "\ufb1d", "\u017f", "'\u017f", "'S", "K", "\u0149",
]
SYMBOLS = ["'s", "'LL", "'Re", "!!!", "...", "—", "-", "_", "\x00", "\x7f", "''", "``", "(", "?\n\n", " \n \n "]
BROKEN = [
    b"\xff", b"\xc3", b"\xe2\x82", b"\xf0\x9f\x98", b"\xed\xa0\x80", b"\xc0\xaf", b"\x80\x80", b"\xf4\x90\x80\x80",
    b"\xf0\x80", b"\xe1\x80\xc3",
]


def _number(rng):
    return rng.choice([str(rng.randrange(10 ** rng.randrange(1, 15))), f"{rng.uniform(-1e4, 1e4):.3f}",
                       f"{rng.randrange(10**9):,}", "٣٤٥", "Ⅻ", "½", "①②", "१२३", f"{rng.randrange(2**32):x}"])


def _cjk(rng):
    low, high = rng.choice([(0x4E00, 0x9FFF), (0x3040, 0x30FF), (0xAC00, 0xD7A3), (0x20000, 0x2A6DF)])
    return "".join(chr(rng.randint(low, high)) for _ in range(rng.randrange(1, 9)))


def _any_character(rng):
    code = rng.choice([rng.randrange(0x20, 0x250), rng.randrange(0x10000), rng.randrange(0x110000)])
    return chr(code) if not 0xD800 <= code < 0xE000 else "\ufffd"


def _part(rng, corpus, added):
    """One part as bytes."""
    kind = rng.randrange(14)
    if kind == 0 and corpus:
        text = rng.choice(corpus)
        begin = rng.randrange(len(text))
        part = text[begin:begin + rng.randrange(1, 200)]
    elif kind <= 3:
        part = " ".join(rng.choice(WORDS) for _ in range(rng.randrange(1, 12)))
    elif kind == 4:
        part = rng.choice(CODE)
    elif kind == 5:
        part = _number(rng)
    elif kind == 6:
        part = _cjk(rng)
    elif kind == 7:
        part = rng.choice(EMOJI) * rng.randrange(1, 4)
    elif kind == 8:
        part = "".join(rng.choice(MARKS) for _ in range(rng.randrange(1, 5)))
    elif kind == 9:
        return rng.choice(BROKEN) * rng.randrange(1, 3)
    elif kind == 10:
        part = rng.choice(SPACES) * rng.choice([1, 2, 3, 5, 17, 64, 300])
    elif kind == 11 and added:
        token = rng.choice(added)
        part = rng.choice([token, token, token * 2, token[:-1], " " + token + " "])
    elif kind == 12:
        part = "".join(_any_character(rng) for _ in range(rng.randrange(1, 12)))
    else:
        part = rng.choice(SYMBOLS) * rng.randrange(1, 4)
    return part.encode("utf-8", "surrogatepass")


def mixed_strings(count, seed, corpus=(), added=()):
    """`count` byte strings, some of them not UTF-8."""
    rng = random.Random(seed)
    result = []
    for _ in range(count):
        separator = rng.choice([b"", b"", b" "])
        result.append(separator.join(_part(rng, corpus, added) for _ in range(rng.randrange(0, 9))))
    return result
