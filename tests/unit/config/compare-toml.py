#!/usr/bin/env python3
"""Reads changed documents with our TOML reader and with Python's, which must agree: compare-toml.py TOML-DUMP."""
import datetime
import json
import math
import os
import random
import subprocess
import sys

try:
    import tomllib
except ImportError:
    print("1..0 # SKIP this Python has no tomllib")
    sys.exit(77)

SEEDS = [
    'a = 1\nb = "x"\n[t]\nc.d = true\n[[l]]\nn = 1\n[[l]]\nn = 2\n[l.s]\nz = {p = 1, "q r" = [1, [2, 3]]}\n',
    's = "a\\tb\\u00e9\\U0001F600"\nl = \'C:\\x\'\nm = """\none\\\n   two "" three"""\nn = \'\'\'\n\'x\'\'\'\'\'\n',
    'i = [0, -0, +1_000, 0xdead_BEEF, 0o755, 0b1101, 9223372036854775807, -9223372036854775808]\n',
    'f = [1.5, -0.0, 6.02e23, 1E-2, 5e+22, 1_0.0_1, inf, -inf, nan]\nb = [true, false]\n',
    'd = [1979-05-27T07:32:00Z, 1979-05-27 07:32:00.999-07:00, 1979-05-27T07:32:00, 1979-05-27, 07:32:00.5]\n',
    '[a.b.c]\nx = 1\n[a]\ny = 2\n[a.b]\nz = 3\n# comment\n"" = "empty"\n\'quoted key\' . "and" . dotted = 1\n',
    'fruit.apple.color = "red"\nfruit.apple.taste.sweet = true\n[fruit.apple.texture]\nsmooth = true\n[x]\n[x.y.z.w]\n[q]\n',
    'arr = [\n  1, # one\n  2,\n]\r\npoint = { x = 1, y = { z = "w" } }\r\n[[a.b]]\n[a.b.c]\n[[a.b]]\nk = 1\n',
]
PIECES = ['[', ']', '[[', ']]', '{', '}', '=', '.', ',', '"', "'", '"""', "'''", '\n', '\r\n', '\r', ' ', '\t', '#', '\\', '\\u', '0',
          '1', '_', '-', '+', 'e', '0x', ':', 'T', 'Z', 'a', 'b', 'true', 'inf', 'é', '\x00', '\x7f', '\ufeff', 'a = 1\n', '[a]\n',
          '[a.b]\n', '[[l]]\n', 'a.b = 2\n', '1979-05-27', '07:32:00', '24:00:00', '1979-02-29']


def tagged(value):
    if isinstance(value, dict):
        return {k: tagged(v) for k, v in value.items()}
    if isinstance(value, list):
        return [tagged(v) for v in value]
    if isinstance(value, bool):
        return ["boolean", value]
    if isinstance(value, int):
        if not -(2**63) <= value < 2**63:
            raise ValueError("beyond 64 bits")
        return ["integer", value]
    if isinstance(value, float):
        return ["float", None if math.isnan(value) else value]
    if isinstance(value, str):
        return ["string", value]
    return ["datetime", value]


def moment(text):
    text = text.replace("t", "T").replace("z", "Z").replace(" ", "T").replace("Z", "+00:00")
    for kind in (datetime.time, datetime.date, datetime.datetime):
        try:
            head, dot, tail = text.partition(".")
            digits = len(tail) - len(tail.lstrip("0123456789"))
            return kind.fromisoformat(head + (dot + tail[:digits][:6].ljust(6, "0") + tail[digits:] if dot else ""))
        except ValueError:
            pass
    return text


def untag(value):
    if isinstance(value, dict):
        return {k: untag(v) for k, v in value.items()}
    if len(value) == 2 and isinstance(value[0], str):
        if value[0] == "float":
            number = float.fromhex(value[1]) if "nan" not in value[1] else None
            return ["float", number]
        return [value[0], moment(value[1])] if value[0] == "datetime" else value
    return [untag(v) for v in value]


def ours(dump, text):
    run = subprocess.run([dump], input=text.encode("utf-8", "surrogatepass"), capture_output=True)
    if run.returncode not in (0, 1):
        raise SystemExit(f"not ok 1 - ended with {run.returncode}: {text!r}")
    return untag(json.loads(run.stdout)) if run.returncode == 0 else None


def theirs(text):
    try:
        return tagged(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, ValueError, RecursionError):
        return None


def changed(rng):
    text = rng.choice(SEEDS)
    if rng.random() < 0.3:
        text += rng.choice(SEEDS)
    for _ in range(rng.randrange(4)):
        at = rng.randrange(len(text) + 1)
        kind = rng.randrange(3)
        if kind == 0:
            text = text[:at] + rng.choice(PIECES) + text[at:]
        elif kind == 1:
            text = text[:at] + text[at + rng.randrange(1, 4):]
        else:
            other = rng.choice(SEEDS)
            begin = rng.randrange(len(other))
            text = text[:at] + other[begin:begin + rng.randrange(12)] + text[at:]
    return text


# Where the two may differ: seconds and years that Python's dates cannot hold.
def is_excused(text):
    return ":60" in text or "0000-" in text


def main():
    rounds = int(os.environ.get("LEASH_TOML_ROUNDS", "1500"))
    seed = int(os.environ.get("LEASH_TOML_SEED", random.randrange(2**32)))
    rng = random.Random(seed)
    valid = 0
    print("1..1")
    for number in range(rounds):
        text = SEEDS[number] if number < len(SEEDS) else changed(rng)
        mine, other = ours(sys.argv[1], text), theirs(text)
        valid += mine is not None
        if mine != other and not is_excused(text):
            print(f"not ok 1 - seed {seed}: {text!r}\n# ours: {mine}\n# Python's: {other}")
            sys.exit(1)
    print(f"ok 1 - {rounds} documents, {valid} of them valid (seed {seed})")


main()
