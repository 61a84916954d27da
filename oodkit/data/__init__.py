"""Data sets: names, sources, and the images behind them. Importing this imports none of it."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from oodkit.data.arrays import ArrayImageSet
    from oodkit.data.dataset import Dataset
    from oodkit.data.files import FileImageSet
    from oodkit.data.folder import FolderDataset
    from oodkit.data.image_set import FileStamp, ImageSet
    from oodkit.data.images import decode_image
    from oodkit.data.inventory import dataset_listing, dataset_names
    from oodkit.data.loading import FitAndTest, load_dataset, load_fit_and_test, open_dataset
    from oodkit.data.names import DatasetName
    from oodkit.data.root import data_root
    from oodkit.data.sampling import halves, take

__all__ = [
    "ArrayImageSet",
    "Dataset",
    "DatasetName",
    "FileImageSet",
    "FileStamp",
    "FitAndTest",
    "FolderDataset",
    "ImageSet",
    "data_root",
    "dataset_listing",
    "dataset_names",
    "decode_image",
    "halves",
    "load_dataset",
    "load_fit_and_test",
    "open_dataset",
    "take",
]

_HOMES = {
    "ArrayImageSet": "arrays",
    "Dataset": "dataset",
    "DatasetName": "names",
    "FileImageSet": "files",
    "FileStamp": "image_set",
    "FitAndTest": "loading",
    "FolderDataset": "folder",
    "ImageSet": "image_set",
    "data_root": "root",
    "dataset_listing": "inventory",
    "dataset_names": "inventory",
    "decode_image": "images",
    "halves": "sampling",
    "load_dataset": "loading",
    "load_fit_and_test": "loading",
    "open_dataset": "loading",
    "take": "sampling",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'oodkit.data' has no attribute {name!r}")
    return getattr(import_module(f"oodkit.data.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
