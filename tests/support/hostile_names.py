"""Names and paths that somebody might send to break out, to hide or to break a system: one a line.

`Refused` words stand in the message that refuses them. Everything without is good, however odd it
looks, and must be kept byte for byte. Bytes stand for what is no text; text may hold half
characters, which JSON can say.
"""

from __future__ import annotations

from dataclasses import dataclass

# Why a name is refused, in words of the server's message.
DOTS = "is not a name"
EMPTY = "is empty"
SLASH = "holds a slash"
RESERVED = "not every system allows in a name"
END = "ends with a dot or a space"
DEVICE = "is the name of a Windows device"
CONTROL = "holds a control character"
HIDDEN = "holds an invisible character"
HALF = "holds half a character"
LONG = "is longer than 255 bytes"
NO_TEXT = "UTF-8"
# and a path:
RELATIVE = "must be absolute"
ROOT = "must name a folder below the root"
DEEP = "is deeper than 64 folders"
LONG_PATH = "is longer than 2048 bytes"


@dataclass(frozen=True, slots=True)
class Hostile:
    id: str
    sent: str | bytes
    refused: str | None = None


def _each(refused: str | None, **named: str | bytes) -> list[Hostile]:
    return [Hostile(name.replace("_", " "), sent, refused) for name, sent in named.items()]


def _all(refused: str | None, what: str, sent: list[str]) -> list[Hostile]:
    return [Hostile(f"{what} {name!a}", name, refused) for name in sent]


_WINDOWS_DEVICES = [
    "CON", "con", "Con.txt", "PRN", "prn.csv", "AUX", "aux.tar.gz", "NUL", "nul", "NUL.txt",
    "nUl.parquet", "COM0", "COM1", "com9.log", "COM¹", "COM².txt", "com³", "LPT0", "LPT1.csv",
    "lpt9", "LPT¹", "LPT²", "LPT³.x", "CONIN$", "conout$", "CONOUT$.txt", "CLOCK$", "CON .txt",
    "NUL  .a.b", "COM1.", "AUX.", "PRN ",
]  # fmt: skip
_DEVICE_LIKE = [
    "CONSOLE", "CON1", "CON-1.csv", "NULL", "nul_", "_nul", "COM", "COM10", "COM1x", "LPT", "LPT10",
    "AUXILIARY.csv", "PRNT", "x.CON", "a NUL", "COM⁴", "CONIN", "$CON", "ＣＯＮ",
]  # fmt: skip
_ENDS = [
    "a.", "a..", "a ", "a  ", "a. ", "a .", "...", "....", " ", "  ", ".. ", ". ", "..  ", "a.csv.",
    "a.csv ", "ế.", ".a.", "NULL.",
]  # fmt: skip
_RESERVED = [
    "a:b", "a:", ":a", "C:", "C:a", "a.csv:stream", "a.csv::$DATA", "a:$DATA", "a*b", "*", "a?b",
    "?", "a<b", "a>b", "a|b", 'a"b', '"', "a\\b", "\\", "..\\a", "..\\..\\evil\\passwd", "\\a",
    "\\\\server\\share", "\\\\?\\C:\\evil", "\\\\.\\NUL", "\\??\\C:\\evil", "\\\\?\\UNC\\s\\x",
    "C:\\evil", "\\\\localhost\\c$\\evil", "..\\", ".\\a", "a\\..\\b", "file:a", "data:,a",
    "|id", "<script>", "a>b.csv", "a&b|c", "GLOBALROOT\\Device", "\\\\?\\GLOBALROOT\\x",
]  # fmt: skip
_CONTROLS = {
    "NUL": "a\x00.csv", "NUL alone": "\x00", "NUL at the end": "a.csv\x00", "SOH": "\x01a",
    "backspace": "a\bb", "tab": "a\tb", "line feed": "a\nb", "return": "a\rb",
    "header": "a\r\nX: b",
    "escape": "\x1b[2Ja", "bell": "\x07", "DEL": "a\x7f", "C1 NEL": "a\x85b", "C1 CSI": "\x9b31m",
    "C1 0x80": "\x80", "line separator": "a\u2028b", "paragraph separator": "a\u2029b",
    "line feed at the end": "a.csv\n", "unit separator": "a\x1fb",
}  # fmt: skip
_HIDDEN = {
    "RLO": "invoice\u202ecod.exe", "LRO": "\u202da", "RLE": "a\u202bb", "LRE": "\u202aa",
    "PDF": "a\u202c", "LRI": "\u2066a", "RLI": "a\u2067b", "FSI": "\u2068a", "PDI": "a\u2069",
    "LRM": "a\u200eb", "RLM": "a\u200fb", "ALM": "a\u061cb", "BOM": "\ufeffa",
    "BOM inside": "a\ufeffb",
}  # fmt: skip
_HALVES = {
    "high": "a\ud800", "low": "\udc00a", "swapped": "\udc00\ud800", "alone": "\udfff",
    "surrogateescape": "\udcff.csv", "high before text": "\ud83dx",
}  # fmt: skip
_NO_TEXT = {
    "overlong slash": b"a\xc0\xafb", "overlong slash in three": b"\xe0\x80\xaf",
    "latin-1": b"caf\xe9",
    "overlong dots": b"\xc0\xae\xc0\xae", "overlong NUL": b"a\xc0\x80", "cut short": b"a\xe1\xba",
    "lone continuation": b"\x80a", "above Unicode": b"\xf4\x90\x80\x80", "0xFF": b"\xff\xfea",
    "five bytes": b"\xf8\x88\x80\x80\x80", "GBK": b"\xca\xfd\xbe\xdd.csv",
}  # fmt: skip
# Decoded once and no more; a percent sign is then a letter like any other.
_ODD_BUT_GOOD = [
    "ts=10%3A00", "%2e%2e", "%2E%2E%2Fevil", "%252e%252e", "..%2f", "%00", "%0a", "%5c", "%", "%%",
    "100%.csv", "%u002e", "%c0%af", "a%20b", "+", "a+b", "&amp;", "a;b", "a,b", "a=b", "a'b", "~",
    "~root", "$HOME", "$(id)", "`id`", "{a,b}", "[a]", "!", "#", "@a", "^", "-rf", "--help", ";ls",
    "..a", "...a", "....a", ".a", "a..b", "..a..b", ".hidden", ".lakedrop", "files", ".git",
    "_SUCCESS",
    "desktop.ini", "Thumbs.db", ".DS_Store", "a b", " a", "  a", "a  b", "index.html", "nul ",
    "bảng dữ liệu.csv", "数据.csv", "データ", "Ж.parquet", "עברית.csv", "عربي.csv", "😀.bin",
    "👩\u200d💻.csv",
    "a\u200bb", "a\u00a0b", "a\u3000b", "a\u00adb", "․․", "．．", "∕", "⁄", "／", "＼", "：",
    "ﬁle", "İ", "ı", "ß", "ſ", "K", "\ue000", "\ufffd", "\ufffe", "\U0010ffff", "é", "e\u0301",
    "a", "A", "select", "'; DROP TABLE uploads;--", "a" * 255, "ế" * 85, "😀" * 63, "." + "a" * 254,
]  # fmt: skip

_ODD_BUT_GOOD.remove("nul ")  # stands among the ends

NAMES: list[Hostile] = [
    *_each(DOTS, dot=".", dots=".."),
    *_all(DEVICE, "device", [it for it in _WINDOWS_DEVICES if it[-1] not in ". "]),
    *_all(END, "device with an end", [it for it in _WINDOWS_DEVICES if it[-1] in ". "]),
    *_all(END, "end", _ENDS),
    *_all(RESERVED, "reserved", _RESERVED),
    *[Hostile(f"control: {what}", sent, CONTROL) for what, sent in _CONTROLS.items()],
    *[Hostile(f"hidden: {what}", sent, HIDDEN) for what, sent in _HIDDEN.items()],
    *[Hostile(f"half: {what}", sent, HALF) for what, sent in _HALVES.items()],
    *[Hostile(f"no text: {what}", sent, NO_TEXT) for what, sent in _NO_TEXT.items()],
    *_each(LONG, long="a" * 256, long_in_letters="ế" * 86, long_in_emoji="😀" * 64),
    *_each(LONG, very_long="a" * 1500),
    *_all(None, "good", [*_DEVICE_LIKE, *_ODD_BUT_GOOD]),
]

# Not one part of a path: as names they hold a slash.
NAMES_WITH_SLASHES: list[Hostile] = [
    *_each(EMPTY, empty=""),
    *_all(
        SLASH,
        "slash",
        [
            *("/", "a/b", "/a", "a/", "../a", "../../evil/passwd", "..//a", "./a", "a/../b"),
            *("/etc/passwd", "//server/share", "....//....//evil", "a/./b", "/../evil", "C:/evil"),
            *("\\../a", "..\\/a", "~/evil", "file:///evil"),
        ],
    ),
]

# Whole paths; what is good lies at the place that is told, below files/.
PATHS: list[Hostile] = [
    *_each(RELATIVE, empty="", name="h", relative="h/a", dot_path="./h", climbing="../evil"),
    *_each(RELATIVE, home="~/evil", drive="C:/evil", url="file:///evil", space=" /h"),
    *_each(RELATIVE, back_slash="\\h\\a", unc="\\\\server\\share", verbatim="\\\\?\\C:\\evil"),
    *_each(ROOT, root="/", root_twice="//"),
    *_each(EMPTY, slashes_first="//h/a", slashes_inside="/h//a", slashes_last="/h/a//"),
    *_each(EMPTY, slashes_only="////", server="//server/share/a"),
    *_each(DOTS, up="/h/..", up_and_out="/h/../..", evil="/h/../../evil/passwd", at_once="/.."),
    *_each(DOTS, here="/h/.", inside="/h/./a", last="/h/a/..", far="/h" + "/.." * 40),
    *_each(DOTS, first="/../h/a", cancelled="/h/a/../b", to_own="/h/../../.lakedrop/catalog.db"),
    *_each(RESERVED, drive_inside="/C:/evil", stream="/h/a:b", win_up="/h/..\\..\\evil"),
    *_each(RESERVED, ends_with_back_slash="/h/a\\", star="/h/*", query="/h/a?b"),
    *_each(DEVICE, device_inside="/h/NUL/a", device_first="/CON", device_dot="/h/nul.txt/a"),
    *_each(END, dot_inside="/h/a./b", space_inside="/h/a /b", dots_inside="/h/.../b"),
    *_each(CONTROL, control_nul="/h/a\x00/b", control_line="/h/a\nb"),
    *_each(HIDDEN, bidi="/h/\u202ea"),
    *_each(HALF, half="/h/\ud800/a"),
    *_each(DEEP, depth_65="/h" + "/d" * 64, depth_500="/h" + "/d" * 499),
    *_each(DEEP, depth_500_up="/h" + "/.." * 499),
    *_each(LONG_PATH, long_path="/h" + ("/" + "a" * 200) * 11, longer="/h/" + "a" * 9000),
    *_each(LONG_PATH, long_in_bytes="/h" + ("/" + "ế" * 60) * 12),
    *_each(NO_TEXT, overlong=b"/h/..\xc0\xaf..", latin_1=b"/h/caf\xe9"),
    *_each(None, plain="/h/a", slash_at_the_end="/h/a/", percent="/h/%2e%2e/a"),
    *_each(None, spark="/h/ts=10%3A00"),
    *_each(None, depth_64="/h" + "/d" * 63, long_enough="/h" + ("/" + "a" * 250) * 8),
    *_each(None, hidden_folder="/h/.lakedrop/catalog.db", dots_more="/h/..a/...b"),
    *_each(None, letters="/h/dữ liệu/数据", nfd="/h/e\u0301/é", full_width="/h/．．/a"),
]  # fmt: skip
