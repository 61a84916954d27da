"""`oodkit list`."""

from oodkit.cli.main import run


def test_scorers_with_needs_cost_and_source(capsys):
    """Each on a line."""
    assert run(["list", "scorers"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("knn ") and "Sun et al." in line for line in lines)
    assert any(line.startswith("relative_mahalanobis ") and "Needs labels. Fit: two passes" in line for line in lines)


def test_families_of_other_packages_have_a_line_each(capsys):
    """Any detector of scikit-learn or PyOD by its class."""
    assert run(["list", "scorers", "*:NAME"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["sklearn:NAME", "pyod:NAME"]
    assert "such as sklearn:LocalOutlierFactor" in lines[0]


def test_heads_with_needs(capsys):
    """The command that an unknown head points to."""
    assert run(["list", "heads"]) == 0
    assert "probe" in capsys.readouterr().out


def test_datasets_of_the_catalog_and_of_the_data_root(photo_folder, capsys):
    """Catalog entries and folders at hand."""
    assert run(["list", "datasets", "--data-root", str(photo_folder.parent)]) == 0
    names = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert {"cifar10", "cifar100", "imagenet30", "ninco", "photos"} <= set(names)


def test_backbones_by_wildcard(capsys):
    """All of timm and open_clip, filtered."""
    assert run(["list", "backbones", "ViT-L-14*"]) == 0
    names = capsys.readouterr().out.split()
    assert "open_clip:ViT-L-14/openai" in names
    assert all("ViT-L-14" in name for name in names)
