"""The command line, as people meet it: from an empty folder to an atlas, and every mistake in one line."""

import json
import random
import signal
import time
from pathlib import Path

import pytest
import torch
from shell import Run, after, answers, finish, held_after, spawn, wait_for_answers

from generator.cli.commands.render import command as render
from generator.core.recipe import SETTINGS

TOML = """\
[atlas]
title = "Test Atlas"

[checkpoints.untrained]
units = ["conv2d0:0-3", "mixed3a:62-65"]

[recipe]
size = 32
input = 64
steps = 4
precision = "float32"
"""


@pytest.fixture
def atlas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an atlas.toml of a few quick units; the current folder."""
    (tmp_path / "atlas.toml").write_text(TOML)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_from_an_empty_folder_to_an_atlas(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("init", "mine")[0] == 0
    monkeypatch.chdir(tmp_path / "mine")
    written = Path("atlas.toml").read_text()
    assert all(f"# {setting.name} = " in written for setting in SETTINGS), "each key must be there to be edited"
    assert run("status")[0] == 0, "what init writes must be read as it is"
    Path("atlas.toml").write_text(TOML)
    assert run("status", "--check")[0] == 1
    code, out, _ = run("render")
    assert (code, out) == (0, "rendered 8, already there 0, failed 0, in site/store\n")
    assert run("render")[1] == "to render 0, already there 8, in site/store\n"
    assert run("status", "--check")[0] == 0
    assert run("build")[0] == 0
    assert run("check")[:2] == (0, "site: clean\n")
    assert Path("site/untrained/mixed3a/63.html").is_file()
    assert run("verify")[0] == 0
    assert json.loads(run("status", "--json")[1])[0]["rendered"] == 8


def test_init_overwrites_nothing(atlas: Path, run: Run) -> None:
    code, _, err = run("init")
    assert (code, len(err.splitlines())) == (2, 1)
    assert (atlas / "atlas.toml").read_text() == TOML


def test_units_options_and_dry_run(atlas: Path, run: Run) -> None:
    code, out, _ = run("render", "mixed4a_3x3:0-9", "4a/11", "--steps", "9", "--dry-run")
    assert code == 0
    assert out.splitlines() == [
        "mixed4a:11,192-201  11 units, 32 px, 9 steps",
        "to render 11, already there 0, in site/store",
    ]
    code, out, _ = run("render", "conv2d0:3", "output:7", "--view", "all", "--steps", "9", "--dry-run")
    assert out.splitlines() == [
        "conv2d0:3  1 unit, 32 px, 9 steps",
        "conv2d0:3  1 unit, view diversity, 32 px, 9 steps",
        "conv2d0:3  1 unit, view neuron, 32 px, 9 steps",
        "conv2d0:3  1 unit, view negative, 32 px, 9 steps",
        "output:7  1 unit, 32 px, 9 steps",
        "to render 5, already there 0, in site/store",
    ]
    assert not (atlas / "site").exists()
    assert run("render", "conv2d0:0", "--seed", "1")[1].startswith("rendered 1,")
    assert run("render", "conv2d0:0")[1].startswith("rendered 1,"), "another seed is another picture"
    code, out, _ = run("render", "conv2d0:0-1")
    assert out == "rendered 1, already there 1, failed 0, in site/store\n"
    assert run("render", "conv2d0:0-1", "--force")[1].startswith("rendered 2,")


def test_a_dry_run_downloads_nothing(atlas: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ATLAS_WEIGHTS", raising=False)
    monkeypatch.setenv("ATLAS_CACHE", str(atlas / "cache"))
    monkeypatch.setattr("generator.network.load.fetch", lambda *given: pytest.fail("downloaded"))
    code, out, _ = run("render", "4a:11", "--checkpoint", "inception5h", "--dry-run")
    assert code == 0
    assert "to render 1, already there 0" in out


def test_every_setting_of_the_recipe_is_an_option_with_its_default(run: Run) -> None:
    offered = {option.name for option in render.params}
    assert {setting.name for setting in SETTINGS} <= offered
    text = run("render", "--help")[1]
    for setting in SETTINGS:
        assert f"--{setting.name.replace('_', '-')}" in text
    assert "Examples:" in text


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["render", "mixed4z:1"], 2, "mixed4"),
        (["render", "mixed4a:508"], 2, "mixed4a:507"),
        (["render", "4a:x"], 2, "mixed4a:0-9,40"),
        (["render", "https://microscope.openai.com/models/alexnet/conv1_0/1"], 2, "alexnet"),
        (["render", "--checkpoint", "untraind"], 2, "untrained"),
        (["render", "--steps", "-1"], 2, "steps"),
        (["render", "--steps", "many"], 2, "--steps"),
        (["render", "--stps", "3"], 2, "--steps"),
        (["render", "--view", "sideways"], 2, "channel"),
        (["render", "--checkpoint", "bvlc_googlenet", "--weights", "nowhere.pth", "mixed4a:1"], 2, "nowhere.pth"),
        (["render", "--device", "toaster"], 1, "--device cpu"),
        (["--config", "other.toml", "status"], 2, "atlas init"),
        (["render", "mixed5b:0", "--input", "16"], 2, "--input 32"),
        (["render", "http://[x"], 2, "mixed4a:11"),
        (["render", "inception5h/mixed4a/11.html"], 2, "--checkpoint inception5h"),
        (["rendr"], 2, "rendr"),
        (["bench", "--steps", "0"], 2, "--steps 128"),
        (["check"], 1, "atlas build"),
    ],
)
def test_a_mistake_is_one_line_that_says_what_to_type(
    atlas: Path, run: Run, words: list[str], code: int, said: str
) -> None:
    exit_code, out, err = run(*words)
    assert exit_code == code
    assert err.startswith("atlas: ")
    assert len(err.splitlines()) == 1, err
    assert said in err
    assert out == ""
    assert not (atlas / "site").exists()


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("steps = 4", "stepps = 4", "atlas.toml:10: no key “stepps” in [recipe]: did you mean steps?"),
        ("steps = 4", 'steps = "4"', "atlas.toml:10: steps = '4': must be a whole number"),
        ("conv2d0:0-3", "conv2d7:0", "atlas.toml:5: no layer in “conv2d7:0”"),
        ("[recipe]", "[recipe", "atlas.toml"),
    ],
)
def test_a_mistake_in_atlas_toml_is_named_with_its_line(
    atlas: Path, run: Run, before: str, after: str, said: str
) -> None:
    (atlas / "atlas.toml").write_text(TOML.replace(before, after))
    code, _, err = run("render")
    assert code == 2
    assert said in err
    assert len(err.splitlines()) == 1


def test_weights_that_are_not_those_of_the_atlas_are_refused(atlas: Path, run: Run) -> None:
    section = f'[checkpoints.mine]\narchitecture = "inception5h"\nweights = "mine.pth"\nfingerprint = "{"0" * 64}"\n'
    (atlas / "atlas.toml").write_text(TOML + section + 'units = ["conv2d0:0"]\n')
    (atlas / "mine.pth").write_bytes(b"not weights")
    code, _, err = run("render", "--checkpoint", "mine")
    assert (code, len(err.splitlines())) == (1, 1)
    assert "mine.pth" in err
    from generator.checkpoints.inception5h import ARCHITECTURE as INCEPTION5H
    from generator.network.load import draw_weights

    torch.save(draw_weights(INCEPTION5H, seed=1), atlas / "mine.pth")
    code, _, err = run("render", "--checkpoint", "mine")
    assert (code, len(err.splitlines())) == (1, 1)
    assert "fingerprint" in err


def test_all_that_is_selected_is_rendered_of_every_checkpoint(atlas: Path, run: Run) -> None:
    from generator.checkpoints.inception5h import ARCHITECTURE as INCEPTION5H
    from generator.network.load import draw_weights

    section = '[checkpoints.mine]\narchitecture = "inception5h"\nweights = "mine.pth"\nunits = ["conv2d0:0-1"]\n'
    (atlas / "atlas.toml").write_text(TOML.replace("[recipe]", section + "[recipe]"))
    tensors = draw_weights(INCEPTION5H, seed=1)
    torch.save({**tensors, "conv2d0.bias": tensors["conv2d0.bias"] + 1}, atlas / "mine.pth")
    code, out, _ = run("render")
    assert (code, out.count("rendered 8,"), out.count("rendered 2,")) == (0, 1, 1)
    assert run("status", "--check")[0] == 0
    torch.save({**tensors, "conv2d0.bias": tensors["conv2d0.bias"] + 2}, atlas / "mine.pth")
    assert "rendered 2," in run("render")[1], "weights that changed under the same name make other pictures"


@pytest.mark.parametrize(
    "text",
    [
        "decay = 1" + "0" * 400,
        "seed = " + "9" * 5000,
        "x = " + "[" * 3000,
        '[atlas]\nurl = "http://[x"',
        '[atlas]\noutput = "a\\u0000b"',
    ],
)
def test_a_strange_atlas_toml_is_one_line(atlas: Path, run: Run, text: str) -> None:
    (atlas / "atlas.toml").write_text(text if "[atlas]" in text else f"[recipe]\n{text}\n" + TOML)
    code, _, err = run("status")
    assert (code, len(err.splitlines())) == (2, 1)


def test_a_file_where_a_folder_of_the_store_should_be(atlas: Path, run: Run) -> None:
    run("render", "conv2d0:0")
    free = next(name for name in map("{:02x}".format, range(256)) if not (atlas / "site/store" / name).exists())
    (atlas / "site/store" / free).write_text("")
    assert [run(word)[0] for word in ("status", "verify", "build", "check")] == [0, 0, 0, 0]


def test_a_damaged_answer_is_named_set_aside_and_made_again(atlas: Path, run: Run) -> None:
    assert run("render", "conv2d0:0-3", "mixed3a:62-65")[0] == 0
    picture = next((atlas / "site/store").glob("*/*.webp"))
    picture.write_bytes(picture.read_bytes()[:100])
    code, out, err = run("verify")
    assert code == 1
    assert out.count("damaged:") == 1
    assert "atlas render" in err
    assert run("render")[1] == "rendered 1, already there 7, failed 0, in site/store\n"
    assert run("verify")[0] == 0


def test_the_reading_half_needs_no_torch(atlas: Path, run: Run) -> None:
    run("render")
    blocked = "import sys\nfor name in ('torch', 'lucent', 'safetensors', 'google'): sys.modules[name] = None"
    others = after(["status"], ["build"], ["check"], ["verify"], ["render"], ["--help"])
    code, _, err = finish(spawn(atlas, "render", "--dry-run", "4a", code=blocked + others))
    assert (code, err) == (0, "")
    code, _, err = finish(spawn(atlas, "render", "conv2d0:9", code=blocked))
    assert code == 1
    assert err.startswith("atlas: rendering needs torch")
    assert "pip install 'inception-atlas[render]'" in err


def test_ctrl_c_keeps_what_is_finished_and_says_how_to_go_on(atlas: Path) -> None:
    process = spawn(atlas, "render", "conv2d0", "--batch", "2", code=held_after(5))
    wait_for_answers(atlas, 4, process)
    process.send_signal(signal.SIGINT)
    code, out, err = finish(process)
    assert code == 130
    assert "Type the same command again" in err
    kept = len(answers(atlas))
    assert out.startswith(f"rendered {kept}, ")
    assert 4 <= kept <= 10


def test_a_run_that_is_killed_loses_one_batch_and_nothing_else(atlas: Path, run: Run) -> None:
    chance = random.Random(0)
    words = ("render", "conv2d0", "--batch", "2")
    for _ in range(2):
        before = len(answers(atlas))
        process = spawn(atlas, *words, code=held_after(10))
        wait_for_answers(atlas, before + 1, process)
        time.sleep(chance.random() / 5)
        process.kill()
        finish(process)
        assert run("verify")[0] == 0
    kept = len(answers(atlas))
    assert run(*words)[1] == f"rendered {64 - kept}, already there {kept}, failed 0, in site/store\n"
    assert run("verify")[1].startswith("64 answers whole, 0 damaged, in site/store\n")


def test_two_renderers_on_one_store_both_finish(atlas: Path, run: Run) -> None:
    both = [spawn(atlas, "render", "conv2d0:0-11", "--batch", str(size)) for size in (2, 3)]
    results = [finish(process) for process in both]
    assert [code for code, _, _ in results] == [0, 0]
    assert sum(int(out.split()[1].rstrip(",")) for _, out, _ in results) == 12, "each unit is kept once"
    assert run("verify")[1].startswith("12 answers whole, 0 damaged")


def test_bench_prints_one_object_a_layer(atlas: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("generator.bench.compare.matrix_rate", lambda dtype, device: 1e12)  # takes longer than the rest
    quick = ["--units", "2", "--repeats", "1", "--size", "48", "--input", "64", "--steps", "4"]
    code, out, _ = run("bench", "--layer", "conv2d0", "--layer", "mixed3a", *quick, "--lucent-steps", "2", "--json")
    assert code == 0
    told = [json.loads(line) for line in out.splitlines()]
    assert [one["layer"] for one in told] == ["conv2d0", "mixed3a"]
    assert all(one["arithmetic"] in ("bfloat16", "float32") for one in told)
    assert all(one["over_floor"] > 0 and len(one["lucent"]["activations"]) == 2 for one in told)
    code, out, _ = run("bench", "--layer", "conv2d0", *quick, "--no-lucent")
    assert code == 0
    assert out.startswith("| layer |")
    assert "all 64 units of these 1 layers" in out
    assert not (atlas / "site").exists(), "a benchmark keeps nothing"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--layer", "mixed4z"], "did you mean mixed4"),
        (["--layer", "mixed4a_3x3"], "mixed4a"),
        (["--units", "0"], "--units"),
        (["--device", "mps9"], "--device cpu"),
    ],
)
def test_a_mistake_in_bench_is_one_line(atlas: Path, run: Run, words: list[str], said: str) -> None:
    code, _, err = run("bench", *words)
    assert code != 0
    assert err.startswith("atlas: ")
    assert err.count("\n") == 1
    assert said in err


def test_sigterm_ends_a_run_as_ctrl_c_does(atlas: Path) -> None:
    """It is how clusters and containers say stop."""
    process = spawn(atlas, "render", "conv2d0", "--batch", "2", code=held_after(5))
    wait_for_answers(atlas, 4, process)
    process.send_signal(signal.SIGTERM)
    code, out, err = finish(process)
    kept = len(answers(atlas))
    assert (code, out) == (143, f"rendered {kept}, already there 0, failed 0, in site/store\n")
    assert 4 <= kept <= 10
    assert "Type the same command again" in err.splitlines()[-1]
    assert "Traceback" not in err


def test_what_a_terminal_would_obey_is_shown_as_escapes(atlas: Path, run: Run) -> None:
    code, _, err = run("render", "mixed4a:1\x1b[31m\u202e\n\udcff")
    assert code == 2
    assert "\\x1b[31m\\u202e\\n\\udcff" in err
    assert err.count("\n") == 1


def test_a_name_of_several_lines_is_one_line_of_a_report(atlas: Path, run: Run) -> None:
    run("render", "conv2d0:0")
    run("build")
    (atlas / "site/a\nerror: forged").symlink_to("nothing")
    assert run("check")[1].splitlines()[0].startswith("warning: a\\nerror: forged: is a link to nothing")


def test_an_old_encoding_of_the_terminal_or_pipe_takes_names_in_any_script(
    atlas: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "cp1252")
    assert finish(spawn(atlas, "init", "図")) == (
        0,
        "\\u56f3/atlas.toml written; look into it, then type `atlas render` beside it\n",
        "",
    )


@pytest.mark.parametrize(
    "device",
    [
        "toaster",
        "cuda:99",
        "xpu:99",
        "cuda:x",
        "vulkan",
        "privateuseone",
        "mkldnn",
        pytest.param("x" * 3000, id="long"),
    ],
)
def test_a_device_that_cannot_be_used_has_one_short_reason(atlas: Path, run: Run, device: str) -> None:
    code, _, err = run("render", "--device", device)
    assert code == 1
    assert err.startswith(f"atlas: cannot use the device “{device[:30]}")
    assert err.endswith("); type --device cpu\n")
    assert len(err) < 240


def test_a_renderer_without_lucent_renders(atlas: Path) -> None:
    """Lucent is asked for by two options only; what it brings along is leant on nowhere."""
    hidden = "lucent", "kornia", "coverage", "coveralls", "pytest", "sklearn", "scipy", "decorator", "IPython"
    blocked = f"import sys\nfor name in {hidden}: sys.modules[name] = None"
    bench, figure = ["bench", "--units", "1"], ["figure", "parameterizations", "conv2d0:0", "--engine", "lucent"]
    code, out, err = finish(spawn(atlas, "render", "conv2d0:0", code=blocked + after(bench, figure, code=1)))
    assert (code, out) == (0, "rendered 1, already there 0, failed 0, in site/store\n"), err
    said = "needs lucent, which is not installed; type `pip install 'inception-atlas[render]'`"
    assert err.count(said) == err.count("atlas: ") == 2, err
