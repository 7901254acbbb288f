"""A form catches the refusals of services, and no other error."""

import pytest
from flask import Flask

from app.errors import Conflict, Forbidden, Invalid, NoMail, TooManyRequests
from app.faults import Code, Fault
from app.pages import account_fields
from app.pages.forms import Form


class NameForm(Form):
    username = account_fields.username()


@pytest.fixture
def form(app: Flask) -> NameForm:
    with app.test_request_context():
        return NameForm()


def test_refusal_stands_beside_its_field_and_the_view_goes_on(form: NameForm) -> None:
    with form.show_refusals():
        raise Invalid("No.", {"username": Fault(Code.TAKEN, "It is taken.")})
    assert (list(form.username.errors), form.http_status) == (["It is taken."], 422)


def test_refusal_of_no_field_of_the_form_stands_above_it(form: NameForm) -> None:
    with form.show_refusals():
        raise Conflict("No.", {"email": Fault(Code.TAKEN, "It is taken.")})
    assert list(form.form_errors) == ["It is taken."]


def test_other_error_passes(form: NameForm) -> None:
    with pytest.raises(Forbidden), form.show_refusals():
        raise Forbidden("No.")
    assert not form.errors


def test_other_kind_is_caught_where_the_view_names_it(form: NameForm) -> None:
    with form.show_refusals(NoMail):
        raise NoMail("No mail.")
    assert list(form.form_errors) == ["No mail."]


def test_refusal_for_a_time_gives_its_status(app: Flask) -> None:
    with app.test_request_context():
        form = NameForm()
        with form.show_refusals():
            raise TooManyRequests("Wait.", 7)
        assert form.http_status == 429
