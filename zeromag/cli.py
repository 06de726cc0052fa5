"""The commands; each imports what it needs only when it runs, so that `zeromag --help` is instant."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from zeromag import __version__
from zeromag.commands import access
from zeromag.errors import ZeromagError
from zeromag.one_thread import one_thread_from_now

NOTICE = "Research use. Not a medical device: it measures and displays, and never diagnoses."
SOURCE = "a recording, sim:PRESET[?key=value&…], tcp://HOST:PORT, lsl:NAME, or loop:SOURCE"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 failed, 2 wrong usage, 130 interrupted."""
    parser = _parser()
    flags = parser.parse_args(arguments)
    one_thread_from_now()  # two BLAS threads beside a busy core: p99 a hundred times worse
    try:
        command = importlib.import_module(f"zeromag.commands.{flags.command}")
        return int(command.run(flags))
    except ZeromagError as error:
        print(f"zeromag: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # `zeromag … | head` is no failure
        return 0
    except Exception as error:  # noqa: BLE001 - a fault of ours is one sentence too; its details go into a file
        from zeromag.fault import fault

        print(f"zeromag: {fault(error)}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="zeromag", description=f"A live instrument for the heart's field. {NOTICE}")
    parser.add_argument("--version", action="version", version=f"zeromag {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    tools = (_beats, _simulate, _filters, _compare, _export, _study, _anonymize, _bench, _recover, _verify)
    others = (access.control, access.keys, _doctor)
    for command in (_live, _map, _acquire, _process, _view, *tools, *others):
        command(commands.add_parser)
    return parser


Add = Callable[..., argparse.ArgumentParser]  # adds one command to the parser


def _live(add: Add) -> None:
    parser = add("live", help="acquire, clean, map and see, all on this machine")
    parser.add_argument("source", nargs="?", help=f"{SOURCE}; default sim:adult")
    parser.add_argument("--headless", action="store_true", help="no window and no page")
    parser.add_argument("--web", action="store_true", help="the page on 127.0.0.1 instead of the window")
    parser.add_argument("--seconds", type=_seconds, help="end by itself after this much of the stream")
    parser.add_argument("--until", choices=("usable",), help="end by itself when every parameter is precise enough")
    parser.add_argument("--out", type=Path, help="folder for the recording and the results; without it nothing is kept")
    parser.add_argument("--lsl", dest="lsl_filtered", metavar="NAME", help="send the cleaned stream over LSL too")
    parser.add_argument("--lsl-raw", metavar="NAME", help="send the stream as it comes over LSL too")
    _settings(parser)


def _map(add: Add) -> None:
    parser = add("map", help="the same chain over a recording, as fast as it goes")
    parser.add_argument("source", help=SOURCE)
    parser.add_argument("--out", type=Path, required=True, help="folder for the results")
    _settings(parser)


def _acquire(add: Add) -> None:
    parser = add("acquire", help="own the device: journal first, then publish")
    parser.add_argument("source", nargs="?", help=f"{SOURCE}; default sim:adult")
    parser.add_argument("--bind", help="where to publish; default tcp://127.0.0.1:* (any free port)")
    parser.add_argument("--record", type=Path, help="folder for journal and recording; without it nothing is kept")
    parser.add_argument("--seconds", type=_seconds, help="end by itself after this much of the stream")
    parser.add_argument("--keys", type=Path, help="folder of `zeromag keys`; needed off this machine")
    parser.add_argument("--lsl", dest="lsl_raw", metavar="NAME", help="send the stream over LSL too")
    parser.add_argument("--leash", action="store_true", help=argparse.SUPPRESS)
    _settings(parser)


def _process(add: Add) -> None:
    parser = add("process", help="filter and map a stream, publish what comes out")
    parser.add_argument("--from", dest="endpoint", help="what `acquire` printed, tcp://HOST:PORT")
    parser.add_argument("--bind", help="where to publish; default tcp://127.0.0.1:* (any free port)")
    parser.add_argument("--out", type=Path, help="folder for the results at the end")
    parser.add_argument("--keys", type=Path, help="folder of `zeromag keys`; needed off this machine")
    parser.add_argument("--lsl", dest="lsl_filtered", metavar="NAME", help="send the cleaned stream over LSL too")
    parser.add_argument("--leash", action="store_true", help=argparse.SUPPRESS)
    _settings(parser)


def _view(add: Add) -> None:
    parser = add("view", help="a window (or page) on a running stream, read only; or on a recording, to look back")
    parser.add_argument("source", nargs="?", metavar="recording", help="a recording, or the folder of its results")
    parser.add_argument("--from", dest="endpoint", help="what `process` printed, tcp://HOST:PORT")
    parser.add_argument("--web", action="store_true", help="the page instead of the window; 127.0.0.1 by default")
    parser.add_argument("--host", default="127.0.0.1", help="of the page; off this machine HTTPS, --keys and a token")
    parser.add_argument("--port", type=int, default=0, help="of the page; default any free one")
    parser.add_argument("--certificate", type=Path, help="PEM for HTTPS; default: one made beside the keys")
    parser.add_argument("--certificate-key", type=Path, help="its key; default: in the same file")
    parser.add_argument("--control", action="store_true", help="lead through a scan: record, mark, change settings")
    parser.add_argument("--keys", type=Path, help="folder of `zeromag keys`; needed off this machine")
    parser.add_argument("--leash", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--scan-to", type=Path, help=argparse.SUPPRESS)
    _settings(parser)


def _beats(add: Add) -> None:
    parser = add("beats", help="beats only, of an MCG or an ECG channel")
    parser.add_argument("source", help=SOURCE)
    parser.add_argument("--out", type=Path, help="a .tsv file; default: standard output")
    parser.add_argument("--channel", help="the channel to use; default: all magnetometers, or else the first ECG")
    _settings(parser)


def _simulate(add: Add) -> None:
    parser = add("simulate", help="a recording out of the simulated room, and its ground truth")
    parser.add_argument("source", help="sim:PRESET[?key=value&…]")
    parser.add_argument("--out", type=Path, required=True, help=".fif or .zm.h5; the truth goes to FILE.truth.h5")


def _filters(add: Add) -> None:
    parser = add("filters", help="what each cleaning step does to noise and heart")
    parser.add_argument("source", help=SOURCE)
    parser.add_argument("--seconds", type=_seconds, default=30.0, help="how much of the source to look at")
    parser.add_argument("--league", action="store_true", help="run many chains side by side and rank them")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the league as JSON too")
    parser.add_argument(
        "--choose", action="store_true", help="run the league and write the chain that wins it into --session FILE"
    )
    _settings(parser)


def _export(add: Add) -> None:
    parser = add("export", help="a recording as FIF, BIDS or CSV, its averaged beats as EDF, for others' tools")
    parser.add_argument("source", help=f"{SOURCE}; for edf the folder that `map` filled")
    parser.add_argument("--to", choices=("fif", "bids", "edf", "csv"), required=True, help="the format")
    parser.add_argument("--out", type=Path, required=True, help="the file, or the root of the BIDS dataset")
    parser.add_argument("--task", default="rest", help="BIDS's word for what the person did; default rest")
    _settings(parser)


def _study(add: Add) -> None:
    parser = add("study", help="every recording of a folder or BIDS dataset, and a report of the group")
    parser.add_argument("dataset", type=Path, help="a folder of recordings, or the root of a BIDS dataset")
    parser.add_argument("--out", type=Path, required=True, help="folder for results; what is whole there is not redone")
    parser.add_argument("--jobs", type=int, metavar="N", help="processes at a time; default: all cores")
    parser.add_argument(
        "--scheduler", default="", metavar="ADDRESS", help="a Dask cluster that does it, tcp://HOST:PORT"
    )
    _settings(parser)


def _bench(add: Add) -> None:
    parser = add("bench", help="characterise an array, compare designs of arrays, measure this machine")
    tools = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    array = tools.add_parser("array", help="noise, lines, rejection, gain, crosstalk, response: a report")
    array.add_argument("source", help=SOURCE)
    array.add_argument("--out", type=Path, required=True, help="folder for array.html, array.pdf, array.json")
    array.add_argument("--seconds", type=_seconds, help="how much of the source; default: all, of an endless one 60")
    array.add_argument("--only", metavar="PART,…", help="only these: noise, lines, room, coils, …")
    array.add_argument("--coils", type=Path, help="table of the known coils that play (docs/characterise.md)")
    array.add_argument("--against", help="a second recording: how much quieter SOURCE is, by band")
    array.add_argument("--calibration", type=Path, help="calibration.json to apply first; shows before and after")
    array.add_argument("--spec", type=Path, help="TOML file with limits; exit code 1 when one is missed")
    pipeline = tools.add_parser("pipeline", help="this machine: how late, how much, and where the time goes")
    pipeline.add_argument("--channels", type=int, default=64, help="of the run whose latency is measured; default 64")
    pipeline.add_argument("--rate", type=float, default=1000.0, metavar="HZ", help="of that run; default 1000")
    pipeline.add_argument("--seconds", type=_seconds, default=20.0, help="of that run; default 20")
    pipeline.add_argument("--no-limit", action="store_true", help="do not look for the largest array (a minute or two)")
    pipeline.add_argument("--out", type=Path, help="a .json file for the figures; stacks go to .folded beside it")
    design = tools.add_parser("design", help="what arrays could do that are not built yet")
    design.add_argument("designs", nargs="*", help="grid:6x6/40, … or a sensor table; default: five common ones")
    design.add_argument("--out", type=Path, help="folder for designs.tsv, designs.json and designs.png")


def _anonymize(add: Add) -> None:
    parser = add("anonymize", help="the same recording without names, dates and comments")
    parser.add_argument("recording", type=Path)
    parser.add_argument("--out", type=Path, required=True, help=".fif or .zm.h5")


def _compare(add: Add) -> None:
    parser = add("compare", help="two scans of one person, or one heart by two arrays")
    parser.add_argument("first", help=SOURCE)
    parser.add_argument("second", help=SOURCE)
    parser.add_argument("--out", type=Path, required=True, help="folder for compare.json and compare.png")
    _settings(parser)


def _recover(add: Add) -> None:
    parser = add("recover", help="a usable recording out of a journal, cut off or not")
    parser.add_argument("journal", type=Path)
    parser.add_argument("--out", type=Path, help="default: beside the journal, .zm.h5")
    parser.add_argument("--leash", action="store_true", help=argparse.SUPPRESS)


def _verify(add: Add) -> None:
    parser = add("verify", help="check every block's checksum; names the first bad one")
    parser.add_argument("recording", type=Path)


def _doctor(add: Add) -> None:
    add("doctor", help="versions, display, missing libraries, disk, ports: to paste")


def _settings(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("settings (each is a key of the session file too)")
    group.add_argument("--session", type=Path, help="TOML file with the settings; flags win over it")
    group.add_argument("--subject", help="a code, never a name")
    group.add_argument("--language", help="of the report: en, ja; default en")
    group.add_argument("--suppression", choices=("auto", "joint", "homogeneous", "none"), help="default auto")
    group.add_argument("--line", type=int, choices=(0, 50, 60), help="mains in Hz; default 0: find out")
    group.add_argument("--low-pass", type=float, metavar="HZ", help="default 100")
    group.add_argument("--calibration", type=Path, help="calibration.json of `zeromag bench array`; default: none")
    group.add_argument(
        "--hearts", choices=("auto", "one", "fetal"), help="fetal: a fetus beside its mother; default auto"
    )
    group.add_argument("--block", type=int, metavar="SAMPLES", help="samples per block; default 10")


def _seconds(text: str) -> float:
    value = float(text)
    if not value > 0:
        raise argparse.ArgumentTypeError(f"must be above 0 s, got {text}")
    return value
