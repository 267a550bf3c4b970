import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetal_monai.data import ANATOMICAL_CLASSES, LabelError, parse_labels


def test_the_order_is_that_of_a_network_s_outputs() -> None:
    assert ANATOMICAL_CLASSES == ("head", "thorax", "abdomen", "spine", "limbs", "placenta", "background")


@given(st.lists(st.sampled_from(ANATOMICAL_CLASSES[:-1]), min_size=1))
def test_case_blanks_order_and_repeats_do_not_matter(names: list[str]) -> None:
    written = ",".join(f"  {name.title() if index % 2 else name.upper()}\t" for index, name in enumerate(names))

    assert parse_labels(written) == tuple(name for name in ANATOMICAL_CLASSES if name in names)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("limb", r"'limb' is unknown; expected one of head, .*background\. Did you mean 'limbs'\?"),
        ("head, Abdomne", r"'abdomne' is unknown.*Did you mean 'abdomen'\?"),
        ("xyz", r"'xyz' is unknown; expected one of [a-z, ]*\.$"),
        (" , ", "has no label; expected one or more of head"),
        ("background, head", "'background' and head; 'background' means none of the others"),
    ],
)
def test_what_is_no_label_is_told_with_the_mend(text: str, message: str) -> None:
    with pytest.raises(LabelError, match=message):
        parse_labels(text)
