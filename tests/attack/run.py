"""Attacks a server, and prints what came of it as a table. Each attack has a server of its own and ends by itself.

    run.py BINARY [ATTACK ...]
"""

import importlib
import pathlib
import sys

import base

FOLDER = pathlib.Path(__file__).parent


def attacks(names):
    found = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem not in ("base", "run"))
    unknown = set(names) - set(found)
    if unknown:
        sys.exit(f"there is no attack {', '.join(sorted(unknown))}; there are {', '.join(found)}")
    return [importlib.import_module(name) for name in found if not names or name in names]


def row(attack, binary):
    with base.Server(binary, getattr(attack, "BOUNDS", None)) as server:
        before = server.peak()
        neighbour = base.Neighbour(server)
        neighbour.start()
        try:
            seen = attack.run(server)
        except OSError as error:
            seen = f"{type(error).__name__}: {error}"
        neighbour.finish()
        if neighbour.was_killed:
            memory = f"more than {base.TOO_MUCH} MiB"
        elif server.is_alive():
            memory = f"{before} to {server.peak()} MiB"
        else:
            memory = "the process died"
            print(server.log()[-2000:], file=sys.stderr)
        others = f"{neighbour.answered} of {neighbour.answered + neighbour.failed}, {neighbour.slowest * 1000:.0f} ms"
        return [attack.NAME, memory, seen, others, attack.BOUND], server.is_alive() and neighbour.answered > 0


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    binary, names = sys.argv[1], sys.argv[2:]
    print("| attack | peak memory | its clients | others answered, slowest | bounds |\n|---|---|---|---|---|", flush=True)
    failed = 0
    for attack in attacks(names):
        cells, is_well = row(attack, binary)
        failed += not is_well
        print("| " + " | ".join(cells) + " |", flush=True)
    if failed:
        sys.exit(f"{failed} attacks have taken the server from the others")


if __name__ == "__main__":
    main()
