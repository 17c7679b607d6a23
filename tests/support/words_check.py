#!/usr/bin/env python3
"""Checks the texts that people read: spelling, phrases, length of sentences, form of Markdown.

spelling   codespell, if it is installed (tools/deps does); words that are right: words/spelling_ignore.txt
phrase     words/phrases.txt, in Markdown, man pages, comments, test names, and texts of programs
name       words/identifiers.txt, in names of C++ and Python and comments of C++; "look up", in test names too, is allowed
sentence   more than 25 words, in Markdown, man pages and texts of programs (settings, help, errors)
line       Markdown: longer than 100 characters outside tables and code, or two blank lines in a row

How a sentence is counted: `code`, a URL, a quoted text and a pair of numbers are one word each. What stands in parentheses is
a sentence of its own. A list behind a colon, whose items ';' or at least two ',' part, is counted item by item. A '.'
ends a sentence if white space and no lower-case letter follow; ';' does not end one. In texts of Python programs a line end
ends one too: such texts are messages of one line, zones and configurations.

    words_check.py [FILE...]    the findings of these files, one a line; of all files: those above the baseline
    words_check.py --lower      writes words/baseline.txt: findings per folder and kind, which may only become fewer
"""
import ast
import bisect
import collections
import io
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import tokenize

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent / "words"
BASELINE = HERE / "baseline.txt"
MOST_WORDS = 25
MOST_COLUMNS = 100
# Bytes of others, and these rules themselves, whose words are examples.
LEFT_OUT = ("tests/fuzz/corpus/", "tests/import/", "tests/support/words/", "tests/support/words_", "tests/unit/config/bad/", "LICENSE",
            "docs/explanation/figures/results.json")

Block = collections.namedtuple("Block", "lines sentences")  # lines: [(number, text)]; sentences: whether they are measured


def phrases() -> list[tuple[str, re.Pattern, str]]:
    """(a word that every match holds, the pattern, what to write instead)"""
    rows = []
    for line in (HERE / "phrases.txt").read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        pattern, instead = line.split(" => ")
        plain = re.sub(r"\([^()]*\)", " ", re.sub(r"\(\?!.*?\)\)?", " ", pattern)).replace("s?", " ").replace("\\w+", " ")
        words = re.findall(r"[a-z' ]+", plain)
        rows.append((max((w.strip().split(" ")[0] if " " in w.strip() else w.strip() for w in words), key=len, default=""),
                     re.compile(r"\b" + pattern.replace(" ", r"[\s_]+") + r"(?![a-z])", re.IGNORECASE), instead))
    return rows


def retired() -> tuple[dict[str, str], dict[str, str], dict[str, set[str]]]:
    """words/identifiers.txt: for names and comments; for names only; the words that stay, by the begin of a path"""
    both: dict[str, str] = {}
    names: dict[str, str] = {}
    kept: dict[str, set[str]] = {}
    for line in (HERE / "identifiers.txt").read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        if line.startswith("keep "):
            path, _, words = line[len("keep "):].partition(": ")
            kept[path] = set(words.split())
            continue
        word, instead = line.split(" => ")
        (names if word.startswith("name ") else both)[word.removeprefix("name ")] = instead
    return both, names, kept


RETIRED, RETIRED_NAMES, KEPT = retired()
ANY_RETIRED = re.compile("|".join(RETIRED | RETIRED_NAMES), re.IGNORECASE)
IN_COMMENT = re.compile(r"(?<![\w`\"])(?!look\w*\s+(?://+ *)?(?:\w+ +){0,2}up\b)(" + "|".join(RETIRED) + r")(?![\w`\"])", re.IGNORECASE)
CPP_TOKEN = re.compile(r'R"(?P<mark>\w*)\([^\0]*?\)(?P=mark)"|(?P<comment>//[^\n]*(?:\n[ \t]*//[^\n]*)*|/\*[^\0]*?\*/)|"(?:[^"\\\n]|\\.)*"'
                       r"|'(?:[^'\\\n]|\\.)'|\d[\w.']*|(?P<name>[A-Za-z_]\w*)")


def parts_of(name: str) -> list[str]:
    return [part.lower() for part in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", re.sub(r"look(?:s|ed|ing)?_up", "", name))]


def retired_words(path: str, text: str) -> list[tuple[int, str, str]]:
    """(line, the name or comment's word, what to write)"""
    if not ANY_RETIRED.search(text):
        return []
    kept = set().union(*(words for begin, words in KEPT.items() if path.startswith(begin)))
    found = []
    names: list[tuple[int, str]] = []
    if path.endswith((".h", ".cpp", ".c")):
        for m in CPP_TOKEN.finditer(text):
            if m["name"] and ANY_RETIRED.search(m[0]):
                names.append((text.count("\n", 0, m.start()) + 1, m[0]))
            elif m["comment"] and ANY_RETIRED.search(m[0]):
                plain = re.sub(r'"[^"\n]*"', lambda q: " " * len(q[0]), m[0])
                found += [(text.count("\n", 0, m.start() + w.start()) + 1, w[0], RETIRED[w[0].lower()]) for w in IN_COMMENT.finditer(plain)]
    elif path.endswith(".py") or text.startswith("#!/usr/bin/env python3"):
        names = [(t.start[0], t.string) for t in tokenize.generate_tokens(io.StringIO(text).readline)
                 if t.type == tokenize.NAME and not t.string.startswith("test_") and ANY_RETIRED.search(t.string)]
        names = [(n, w) for n, w in names if w != "trouble"]  # as a keyword: a key of JSON
    words = RETIRED | RETIRED_NAMES
    for line, name in names:
        is_sentence = name.count("_") > 3  # the name of a test
        for part in parts_of(name):
            if part in words and part not in kept and not (is_sentence and part in RETIRED_NAMES):
                found.append((line, name, words[part]))
                break
    return found


# ---- texts of a file

def cpp_blocks(text: str, is_test: bool) -> list[Block]:
    """Comments, each run of lines as one; texts, each run of adjacent literals as one; names of tests."""
    blocks: list[Block] = []
    token = re.compile(r'R"(?P<mark>\w*)\((?P<raw>[^\0]*?)\)(?P=mark)"|//(?P<comment>[^\n]*)|"(?P<text>(?:[^"\\\n]|\\.)*)"'
                       r"|/\*(?P<long>[^\0]*?)\*/|'(?:[^'\\\n]|\\.)'")
    number, at = 1, 0
    comment: list[tuple[int, str]] = []
    comment_alone = False
    literal: list[tuple[int, str]] = []
    end_of_literal = 0
    for m in token.finditer(text):
        number += text.count("\n", at, m.start())
        at = m.start()
        groups = m.groupdict()
        line_start = text.rfind("\n", 0, at) + 1
        if groups["comment"] is not None:
            alone = not text[line_start:at].strip()
            if comment and not (alone and comment[-1][0] == number - 1 and comment_alone and groups["comment"].strip()):
                blocks.append(Block(comment, False))
                comment = []
            comment.append((number, groups["comment"].strip()))
            comment_alone = alone
        elif groups["text"] is not None:
            if is_test or text.startswith("#include", line_start):
                continue
            if literal and text[end_of_literal:m.start()].strip():
                blocks.append(Block(literal, True))
                literal = []
            literal.append((number, groups["text"].replace("\\n", "\n").replace('\\"', "'")))
            end_of_literal = m.end()
        elif groups.get("long"):
            blocks.append(Block([(number + i, line.strip(" *")) for i, line in enumerate(groups["long"].split("\n"))], False))
        elif groups.get("raw") and not is_test:
            blocks.append(Block([(number + i, line) for i, line in enumerate(groups["raw"].split("\n"))], False))
    blocks += [Block(b, s) for b, s in ((comment, False), (literal, True)) if b]
    for m in re.finditer(r"BOOST_(?:AUTO|FIXTURE|DATA)_TEST_(?:CASE|SUITE)\((\w+)", text):
        blocks.append(Block([(text.count("\n", 0, m.start()) + 1, m[1].replace("_", " "))], False))
    return blocks


def python_blocks(text: str, is_test: bool) -> list[Block]:
    """Comments and docstrings; in programs also texts; in tests their names."""
    blocks: list[Block] = []
    last = -1
    for t in tokenize.generate_tokens(io.StringIO(text).readline):
        if t.type == tokenize.COMMENT:
            line = (t.start[0], t.string.lstrip("#! "))
            if t.start[0] == last + 1 and blocks:
                blocks[-1].lines.append(line)
            else:
                blocks.append(Block([line], False))
            last = t.start[0]
    tree = ast.parse(text)
    docs = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            docs.add(id(node.value))
            blocks.append(Block([(node.lineno + i, line.strip()) for i, line in enumerate(node.value.value.split("\n"))], False))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            blocks.append(Block([(node.lineno, node.name.replace("_", " "))], False))
    if not is_test:
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs and " " in node.value:
                blocks += [Block([(node.lineno + i, line)], True) for i, line in enumerate(node.value.split("\n"))]
    return blocks


def hash_blocks(text: str) -> list[Block]:
    """Comments after '#': shell, YAML, meson."""
    lines = [(i, m[1].strip()) for i, line in enumerate(text.splitlines(), 1) if (m := re.search(r"(?:^|\s)#+ (.*)", line))]
    blocks: list[Block] = []
    for number, line in lines:
        if blocks and blocks[-1].lines[-1][0] == number - 1:
            blocks[-1].lines.append((number, line))
        else:
            blocks.append(Block([(number, line)], False))
    return blocks


def markdown_blocks(text: str) -> list[Block]:
    """Paragraphs, items of lists, headings and cells of tables; without code and comments."""
    blocks: list[Block] = []
    fence = None
    for number, line in enumerate(text.splitlines(), 1):
        mark = re.match(r"\s*(?:[-*>] |\d+\. )*(```+|~~~+)", line)
        if mark:
            fence = None if fence and mark[1].startswith(fence) else fence or mark[1]
            blocks.append(Block([], True))
        elif fence:
            continue
        elif line.lstrip().startswith("|"):
            blocks += [Block([(number, cell)], True) for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]
            blocks.append(Block([], True))
        elif not line.strip() or re.match(r"\s*<!--", line):
            blocks.append(Block([], True))
        elif re.match(r"#+ ", line):
            blocks += [Block([(number, line.lstrip("# "))], True), Block([], True)]
        elif re.match(r"\s*([-*+]|\d+\.) ", line) or not blocks:
            blocks.append(Block([(number, re.sub(r"^\s*([-*+]|\d+\.) ", "", line))], True))
        else:
            blocks[-1].lines.append((number, line))
    return [b for b in blocks if b.lines]


def man_blocks(text: str) -> list[Block]:
    blocks: list[Block] = [Block([], True)]
    code = False
    for number, line in enumerate(text.splitlines(), 1):
        if re.match(r"\.(nf|EX)\b", line):
            code = True
        elif re.match(r"\.(fi|EE)\b", line):
            code = False
        if code or re.match(r'\.\\"|\.TH\b', line):
            continue
        if re.match(r"\.(SH|SS|TP|PP|P|LP|IP|HP|RS|RE|SY|YS|TQ|br|sp|fi|EE|nf|EX)\b", line):
            blocks.append(Block([], True))
            if line.startswith((".SH ", ".SS ")):
                blocks += [Block([(number, line[4:])], True), Block([], True)]
            continue
        plain = re.sub(r"^\.([BIR]+|SM|SB) ", "", line)
        plain = re.sub(r"\\f\(?[A-Z]+", "", plain).replace("\\-", "-").replace("\\&", "").replace("\\(aq", "'")
        if plain != line and line.startswith((".B", ".I", ".R")):
            plain = plain.replace(" ", "")  # one name, its parts in several faces
        if plain:
            blocks[-1].lines.append((number, plain))
        if plain and blocks[-1].lines and len(blocks[-1].lines) == 1 and text.splitlines()[number - 2].startswith(".TP"):
            blocks.append(Block([], True))  # the tag of a paragraph
    return [b for b in blocks if b.lines]


def blocks_of(name: str, text: str) -> list[Block]:
    is_test = name.startswith("tests/")
    if name.endswith((".h", ".cpp", ".c")):
        return cpp_blocks(text, is_test)
    if name.endswith(".py") or text.startswith("#!/usr/bin/env python3"):
        return python_blocks(text, is_test)
    if name.endswith((".md", ".md.in")):
        return markdown_blocks(text)
    if re.search(r"\.[1-9](\.in)?$", name):
        return man_blocks(text)
    if name.endswith((".yaml", ".yml", ".sh", "meson.build", "meson_options.txt", ".story", ".in")) or text.startswith("#!"):
        return hash_blocks(text)
    return []


# ---- measures

def pieces(text: str) -> list[str]:
    """The sentences of a text, as the head of this file says."""
    text = re.sub(r"`+[^`]*`+", "CODE", text)
    text = re.sub(r"!?\[([^\]]*)\](\([^)]*\)|\[[^\]]*\])", r"\1", text)
    text = re.sub(r"<[^>\s]+>", " ", text)
    text = re.sub(r'"[^"]*"', "CODE", text)
    text = re.sub(r"(?<!\w)'[^']*'(?!\w)", "CODE", text)
    text = re.sub(r"\bhttps?://\S+", "CODE", text)
    found = []
    while (inner := re.search(r"\(([^()]*)\)", text)):  # from the inside out
        found.append(inner[1])
        text = text[:inner.start()] + " " + text[inner.end():]
    found.append(text)
    sentences = []
    for part in found:
        sentences += re.split(r"(?<=[.?!])[*_\"')]*\s+(?![a-z])|\n\s*\n", part)
    result = []
    for sentence in sentences:
        head, colon, tail = sentence.partition(": ")
        items = tail.split(";") if ";" in tail else re.split(r", ", tail) if tail.count(", ") >= 2 else []
        result += [head, *items] if colon and items else [sentence]
    return result


def words_of(sentence: str) -> int:
    return len(re.findall(r"[^\W_][\w'’./:=+%-]*(?: (?=\d)[\d.,]+)?", sentence))


def long_sentences(text: str) -> list[tuple[str, int]]:
    return [(p, n) for p in pieces(text) if (n := words_of(p)) > MOST_WORDS]


def file_findings(name: str, text: str, rules) -> list[tuple[int, str, str]]:
    """(line, kind, sentence)"""
    found = []
    for block in blocks_of(name, text):
        joined = "\n".join(line for _, line in block.lines)
        low = joined.lower()
        starts = [0]
        for _, line in block.lines:
            starts.append(starts[-1] + len(line) + 1)
        prose = re.sub(r"`[^`\n]*`", lambda m: " " * len(m[0]), low) if "`" in low else low
        for word, pattern, instead in rules:
            if word in prose:
                for m in pattern.finditer(prose):
                    line = block.lines[bisect.bisect_right(starts, m.start()) - 1][0]
                    words = " ".join(joined[m.start():m.end()].split())
                    found.append((line, "phrase", f'"{words}": write: {instead}'))
        if block.sentences:
            for sentence, n in long_sentences(joined):
                first = " ".join(sentence.split()[:6])
                line = next((number for number, line in block.lines if " ".join(sentence.split()[:3]) in line), block.lines[0][0])
                found.append((line, "sentence", f'{n} words in "{first} ...", expected {MOST_WORDS} at most: split it'))
    found += [(line, "name", f'"{word}": write: {instead}') for line, word, instead in retired_words(name, text)]
    if name.endswith(".md"):
        fenced = False
        blank = 0
        for number, line in enumerate(text.splitlines(), 1):
            if re.match(r"\s*(?:[-*>] |\d+\. )*(```|~~~)", line):
                fenced = not fenced
            blank = 0 if line.strip() or fenced else blank + 1
            if blank == 2:
                found.append((number, "line", "two blank lines in a row: leave one"))
            over = len(line) > MOST_COLUMNS and " " in line.strip()[: MOST_COLUMNS]
            if over and not fenced and not line.lstrip().startswith(("|", "<", "[")):
                found.append((number, "line", f"{len(line)} columns, expected {MOST_COLUMNS} at most"))
    return found


def spelling(texts: dict[str, str]) -> list[str]:
    """codespell over the blocks of these files, so that neither identifiers nor the data of tests count."""
    if not shutil.which("codespell"):
        print("words: codespell is not installed, so spelling is not checked: tools/deps", file=sys.stderr)
        return []
    places = []
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as all_lines:
        for name, text in texts.items():
            for block in blocks_of(name, text):
                for number, line in block.lines:
                    for one in line.split("\n"):
                        places.append(f"{name}:{number}")
                        all_lines.write(re.sub(r"`[^`]*`", "", one) + "\n")
        all_lines.flush()
        done = subprocess.run(["codespell", "--quiet-level", "3", "--ignore-words", str(HERE / "spelling_ignore.txt"),
                               all_lines.name], capture_output=True, text=True)
    found = []
    for line in done.stdout.splitlines():
        _, number, words = line.split(":", 2)
        wrong, _, right = words.partition(" ==> ")
        found.append(f'{places[int(number) - 1]}: spelling: "{wrong.strip()}": write: {right}')
    return found


def tracked() -> list[str]:
    out = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, check=True,
                         capture_output=True, text=True).stdout.splitlines()
    return [n for n in out if not n.startswith(LEFT_OUT) and (ROOT / n).is_file()]


def folder_of(name: str) -> str:
    parts = name.split("/")
    return "/".join(parts[:-1][:2]) or "."


def main(args: list[str]) -> int:
    rules = phrases()
    names = [n for n in args if not n.startswith("--")] or tracked()
    counts: collections.Counter = collections.Counter()
    lines: dict[tuple[str, str], list[str]] = collections.defaultdict(list)
    texts: dict[str, str] = {}
    for name in names:
        try:
            text = (ROOT / name).read_text()
        except UnicodeDecodeError:
            continue  # no text
        texts[name] = text
        for number, kind, sentence in sorted(file_findings(name, text, rules)):
            key = (folder_of(name), kind)
            counts[key] += 1
            lines[key].append(f"{name}:{number}: {kind}: {sentence}")
    allowed = {}
    for row in BASELINE.read_text().splitlines() if BASELINE.exists() else []:
        if not row.startswith("#"):
            folder, kind, n = row.split()
            allowed[folder, kind] = int(n)
    if "--lower" in args:
        left = {key: min(n, allowed.get(key, n)) for key, n in sorted(counts.items()) if key in allowed or not BASELINE.exists()}
        BASELINE.write_text("# Findings of words_check.py per folder and kind that are still there. They may only become fewer.\n" +
                            "".join(f"{folder} {kind} {n}\n" for (folder, kind), n in left.items()))
        return 0
    if any(not a.startswith("--") for a in args):
        found = spelling(texts) + [line for key in sorted(lines) for line in lines[key]]
        print("\n".join(found)) if found else None
        return 1 if found else 0
    bad = spelling(texts)
    for key, n in sorted(counts.items()):
        if n > allowed.get(key, 0):
            bad += lines[key] if key not in allowed else []
            bad.append(f"{key[0]}: {n} findings of kind '{key[1]}', expected {allowed.get(key, 0)} at most: "
                       f"see them by tests/support/words_check.py FILE")
    print("\n".join(bad)) if bad else None
    left, was = sum(counts.values()), sum(allowed.values())
    if not bad and left < was:
        print(f"words: {left} findings are left, the baseline says {was}: lower it by tests/support/words_check.py --lower")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
