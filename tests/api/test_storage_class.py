"""The storage class of each object: that of the settings for originals, the default for others."""

import pytest

import app
from tests.support import images
from tests.support.album import find_issues, moto_objects, set_parameters, start_upload, sub_of
from tests.support.people import Person

IMAGE = images.jpeg()


def storage_classes() -> dict[str, str]:
    """Return the storage class of each kind of object, once for all objects of the kind."""
    found: dict[str, str] = {}
    for key, stored in moto_objects().items():
        folder = key.split("/")[-2]
        kind = folder if folder in ("previews", "thumbnails") else key.split("/")[0]
        assert found.setdefault(kind, stored.storage_class) == stored.storage_class
    return found


@pytest.mark.parametrize("storage_class", [None, "GLACIER_IR"])
def test_original_is_stored_in_the_chosen_class_and_its_renditions_in_standard(
    mario: Person, storage_class: str | None
) -> None:
    if storage_class:
        set_parameters(ORIGINALS_STORAGE_CLASS=storage_class)
    assert mario.upload(IMAGE).status_code == 200
    assert mario.complete(start_upload(mario, IMAGE)).status_code == 200
    assert len(moto_objects()) >= 6
    expected = storage_class or "INTELLIGENT_TIERING"
    assert storage_classes() == {
        "photos": expected,
        "previews": "STANDARD",
        "thumbnails": "STANDARD",
    }


def test_repaired_thumbnail_is_stored_in_standard(mario: Person) -> None:
    photo = mario.upload(IMAGE).json()["photo"]
    key = f"photos/{photo['user_id']}/thumbnails/{photo['id']}.jpg"
    app.services.storage.delete([key])
    [finding] = find_issues(sub_of(mario), repair=True)
    assert finding.repaired
    assert moto_objects()[key].storage_class == "STANDARD"
