"""Check that SECRET_KEY decrypts the encrypted secrets in the database."""

from collections.abc import Iterator

from app.doctor.finding import Finding, fault, ok, warning
from app.services.shared import encrypted_columns

WHAT = "stored secrets"


def examine() -> Iterator[Finding]:
    counts = [column.count() for column in encrypted_columns.all_columns()]
    total = sum(count.total for count in counts)
    earlier = sum(count.earlier for count in counts)
    unreadable = sum(count.unreadable for count in counts)
    if unreadable:
        mend = "add the key that encrypted them to SECRET_KEY_FALLBACKS."
        yield fault(WHAT, f"{unreadable} of {total} cannot be read: {mend}")
    if earlier:
        yield warning(WHAT, f"{earlier} of {total} are under an earlier key: flask secrets rotate")
    if not unreadable and not earlier:
        yield ok(WHAT, f"all {total} are under SECRET_KEY")
