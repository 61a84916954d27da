"""The program: exit codes, errors in one line, quick start."""

import os
import signal
import subprocess
import sys
import time
from importlib.metadata import version

import pytest

from oodkit.cli.main import run
from tests.conftest import TINY_FACTORY

OODKIT = [sys.executable, "-c", "from oodkit.cli.main import main; main()"]


def test_version_names_the_distribution(capsys):
    """`oodkit` on the index is another package: the version says which this is."""
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"oodkit-vision {version('oodkit-vision')}\n"


@pytest.mark.parametrize(
    "words", [["--help"], ["score", "--help"], ["embed", "--help"], ["list", "--help"], ["cache", "-h"]]
)
def test_help_is_printed(capsys, words):
    """Every command explains itself."""
    assert run(words) == 0
    assert "Usage: oodkit" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["scorre"], "No such command 'scorre'"),
        (["score", "--in", "digits"], "'--out'"),
        (["score", "--in", "digits", "--out", "digits", "--limit", "many"], "--limit"),
        (["score", "--inn", "digits"], "--in"),
        (["score", "--in", "digitz", "--out", "digits@5-9"], "digits"),
        (["score", "--in", "digits@0-4", "--out", "digits@0-4"], "same images"),
        (["score", "--in", "digits@0-4", "--out", "digits@5-12"], "digits"),
        (["score", "--in", "digits@0-4", "--out", "digits@5-9", "--limit", "0"], "limit"),
        (["score", "--in", "digits@0-4", "--out", "digits@5-9", "--scorer", "knnn"], "did you mean 'knn'"),
        (["score", "--in", "digits@0-4", "--out", "digits@5-9", "--param", "knn.kk=3"], "'k'"),
        (["score", "--in", "digits@0-4", "--out", "digits@5-9", "--param", "k=3"], "SCORER.NAME=VALUE"),
        (["score", "--in", "digits@0-4", "--out", "digits@5-9", "--param", "knn.k=many"], "many"),
        (["score", "--in", "digits@0-4", "--out", "digits@5-9", "--device", "cuda:7"], "cuda:7"),
        (["score", "--in", "digits@0-4", "--out", "digits@5-9", "--image-size", "2"], "at least 8"),
        (["score", "--in", "digits@0-4", "--out", "digits@5-9", "--plot", "no/such/folder.png"], "no folder"),
        (
            ["score", "--in", "digits@0-4", "--out", "digits@5-9", "--backbone", "efficientnet_lite1"],
            "efficientnet_lite0",
        ),
        (
            ["score", "--in", "digits@0-4", "--out", "digits@5-9", "--image-size", "1000000", "--limit", "2"],
            "image-size",
        ),
        (["embed", "digits", "--view", "rotate45"], "rotate90"),
        (["embed", "digits", "--cache", ""], "no name"),
        (["cache", "info", "--cache", "no-such-cache"], "no cache at"),
        (["list", "scorers", "zzz*"], "leave the pattern out"),
    ],
)
def test_what_cannot_be_used_is_one_line_and_exit_2(capsys, words, message):
    """What, why and what to do, without a traceback."""
    assert run(words) == 2
    captured = capsys.readouterr()
    errors = [line for line in captured.err.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert message in errors[0]
    assert "Traceback" not in captured.err
    assert captured.out == ""


def test_debug_shows_the_traceback():
    """--debug raises, wherever it stands."""
    from oodkit.errors import UnknownName

    with pytest.raises(UnknownName):
        run(["score", "--in", "digitz", "--out", "digits", "--debug"])


@pytest.mark.parametrize(
    "words", [["--help"], ["--version"], ["list", "scorers"], ["list", "views"], ["list", "datasets"]]
)
def test_listing_and_help_import_neither_torch_nor_scikit_learn(words):
    """What people type most often answers at once."""
    code = (
        "import sys; from oodkit.cli.main import run; code = run(sys.argv[1:]); "
        "assert not {'torch', 'sklearn', 'scipy', 'matplotlib'} & set(sys.modules); sys.exit(code)"
    )
    subprocess.run([sys.executable, "-c", code, *words], check=True, capture_output=True)


def test_completion_answers_without_torch():
    """The shell asks the program; scorers, data sets and views are completed."""
    for line, expected in (("oodkit score --scorer kn", "knn"), ("oodkit score --in dig", "digits")):
        environment = {
            **os.environ,
            "_OODKIT_COMPLETE": "complete_bash",
            "COMP_WORDS": line,
            "COMP_CWORD": str(len(line.split()) - 1),
            "_TYPER_COMPLETE_ARGS": line,
        }
        code = (
            "import sys\nsys.argv[0] = 'oodkit'\nfrom oodkit.cli.main import main\n"
            "try:\n    main()\nfinally:\n    assert 'torch' not in sys.modules"
        )
        done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
        assert expected in done.stdout.split(), done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGINT")
def test_ctrl_c_keeps_what_is_done_and_the_next_run_goes_on(tmp_path, photograph):
    """Exit 130, one line, and finished embeddings stay."""
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(3000):
        photograph(number, 64, 64).save(folder / f"{number:04d}.bmp")
    factory = tmp_path / "slow.py"  # slow enough that the first run cannot end before it is interrupted
    wait = "__import__('time').sleep(float(__import__('os').environ.get('SECONDS_PER_BATCH', 0)))"
    forward = "    def forward(self, pixels):\n"
    factory.write_text(TINY_FACTORY.replace(forward, f"{forward}        {wait}\n"))
    command = [
        *OODKIT,
        "embed",
        str(folder),
        "--backbone",
        f"module:{factory}:tiny",
        "--cache",
        str(tmp_path / "cache"),
    ]
    slowly = {**os.environ, "SECONDS_PER_BATCH": "0.5"}
    process = subprocess.Popen(
        command,
        env=slowly,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background jobs ignore it
    )
    shards = tmp_path / "cache" / "shards"
    while process.poll() is None and not list(shards.rglob("*.safetensors")):
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert errors.splitlines()[-1].startswith("interrupted; finished embeddings are kept")
    assert "Traceback" not in errors
    again = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "3,000 images x 48" in again.stdout
    assert "3,000 embedded" not in again.stdout


def test_a_closed_pipe_is_not_an_error():
    """`oodkit list datasets | head -1` ends quietly."""
    done = subprocess.run(
        f'"{sys.executable}" -c "from oodkit.cli.main import main; main()" list datasets | head -1',
        shell=True,
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
