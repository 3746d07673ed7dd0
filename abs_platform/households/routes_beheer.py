# SPDX-License-Identifier: EUPL-1.2
"""The coordinator's addresses: how many there are where, searching one, and changing one by hand with a reason.

No page here knows of vouchers: what an address gave is nobody's business (rule 11).
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from abs_platform import clock
from abs_platform.database import db, transaction
from abs_platform.errors import AbsError, Conflict, InvalidInput, NotFound
from abs_platform.form_input import errors_of
from abs_platform.households import changing, queries
from abs_platform.households.changing import MOST_ADDED_A_DAY, AddressExists
from abs_platform.households.queries import AddressRow, Counts
from abs_platform.households.schemas import OBJECT_TYPES, read_address, read_reason, read_search, read_split
from abs_platform.households.states import SENTENCES
from abs_platform.security import current_actor, staff_required
from abs_platform.users import Role
from abs_platform.work import queries as work
from abs_platform.work.states import WorkKind

bp = Blueprint("addresses_desk", __name__, url_prefix="/beheer/adressen")

ID = "int(max=9223372036854775807)"
IMPORTS_SHOWN = 10
ROWS_A_PAGE = 50
BY_HAND = "met-de-hand"
Answer = str | Response | tuple[str, int]
Errors = dict[str, str]


@bp.get("")
@staff_required(Role.COORDINATOR)
def index() -> str:
    """How many addresses there are where, and which files they came from; or all that was done by hand."""
    session = db.session()
    if request.args.get("lijst") == BY_HAND:
        number = min(max(request.args.get("pagina", 1, type=int), 1), 10**6)
        return render_template(
            "addresses_desk/by_hand.html", page=queries.by_hand(session, number, ROWS_A_PAGE), sentences=SENTENCES
        )
    districts = queries.by_district(session)
    return render_template(
        "addresses_desk/index.html",
        districts=districts,
        total=sum((one.counts for one in districts), Counts()),
        imports=queries.imports(session, IMPORTS_SHOWN),
        looked=work.latest(session, WorkKind.CHECK_ADDRESSES),
        applying=work.latest(session, WorkKind.IMPORT_ADDRESSES),
        by_hand=BY_HAND,
    )


@bp.get("/zoeken")
@staff_required(Role.COORDINATOR)
def search() -> Answer:
    """Find an address by postcode or street, never by voucher."""
    try:
        wanted = read_search(request.args)
    except InvalidInput as error:
        return _search_page(None, errors_of(error)), int(error.status)
    found = queries.search(
        db.session(), postcode=wanted.postcode, street=wanted.street, house_number=wanted.house_number
    )
    return _search_page(found, {})


@bp.get(f"/<{ID}:household_id>")
@staff_required(Role.COORDINATOR)
def show(household_id: int) -> str:
    """One address: what it is, and what was done to it."""
    row = _find(household_id)
    return render_template(
        "addresses_desk/show.html",
        row=row,
        home=row.household,
        history=queries.history(db.session(), row.household),
        kinds=dict(OBJECT_TYPES),
        sentences=SENTENCES,
        made_up=row.household.bag_object_id.startswith(changing.MADE_UP_PREFIX),
        last_import=next(iter(queries.imports(db.session(), 1)), None),
    )


@bp.get("/nieuw")
@staff_required(Role.COORDINATOR)
def new() -> str:
    """The form for an address that the BAG does not have yet."""
    towns = queries.cities(db.session())
    return _add_page({"city": towns[0] if towns else _municipality(), "object_type": "VBO"}, {})


@bp.post("/nieuw")
@staff_required(Role.COORDINATOR)
def add() -> Answer:
    """Add it."""
    try:
        address, reason = read_address(request.form)
        with transaction() as session:
            made = changing.add(
                session,
                address,
                is_new_postcode="is_new_postcode" in request.form,
                reason=reason,
                actor=current_actor(),
                now=clock.now(),
            ).id
    except (InvalidInput, Conflict, NotFound) as error:
        return _add_page(request.form, errors_of(error), _exists(error)), int(error.status)
    flash(_("Het adres is toegevoegd. Bij de volgende uitgifte krijgt het een voucher."))
    return _to_address(made)


@bp.get(f"/<{ID}:household_id>/beeindigen")
@staff_required(Role.COORDINATOR)
def ask_end(household_id: int) -> str:
    """Ask why nobody lives there."""
    return _change_page("end", household_id, {}, {})


@bp.post(f"/<{ID}:household_id>/beeindigen")
@staff_required(Role.COORDINATOR)
def end(household_id: int) -> Answer:
    """End it."""
    _find(household_id)
    db.session.rollback()
    try:
        reason = read_reason(request.form)
        with transaction() as session:
            changing.end(session, household_id, reason=reason, actor=current_actor(), now=clock.now())
    except (InvalidInput, Conflict) as error:
        return _change_page("end", household_id, request.form, errors_of(error)), int(error.status)
    flash(_("Het adres is beëindigd. Het krijgt geen vouchers meer."))
    return _to_address(household_id)


@bp.get(f"/<{ID}:household_id>/terughalen")
@staff_required(Role.COORDINATOR)
def ask_bring_back(household_id: int) -> str:
    """Ask why somebody lives there after all."""
    return _change_page("bring_back", household_id, {}, {})


@bp.post(f"/<{ID}:household_id>/terughalen")
@staff_required(Role.COORDINATOR)
def bring_back(household_id: int) -> Answer:
    """Bring it back."""
    _find(household_id)
    db.session.rollback()
    try:
        reason = read_reason(request.form)
        with transaction() as session:
            changing.bring_back(session, household_id, reason=reason, actor=current_actor(), now=clock.now())
    except (InvalidInput, Conflict) as error:
        page = _change_page("bring_back", household_id, request.form, errors_of(error), _exists(error))
        return page, int(error.status)
    flash(_("Het adres telt weer mee. Bij de volgende uitgifte krijgt het een voucher."))
    return _to_address(household_id)


@bp.get(f"/<{ID}:household_id>/splitsen")
@staff_required(Role.COORDINATOR)
def ask_split(household_id: int) -> str:
    """Ask which numbers it became."""
    return _change_page("split", household_id, {}, {})


@bp.post(f"/<{ID}:household_id>/splitsen")
@staff_required(Role.COORDINATOR)
def split(household_id: int) -> Answer:
    """Split it."""
    house_number = _find(household_id).household.house_number
    db.session.rollback()
    try:
        numbers, reason = read_split(request.form, house_number)
        with transaction() as session:
            made = changing.split(session, household_id, numbers, reason=reason, actor=current_actor(), now=clock.now())
            count = len(made) - 1
    except (InvalidInput, Conflict) as error:
        page = _change_page("split", household_id, request.form, errors_of(error), _exists(error))
        return page, int(error.status)
    flash(
        ngettext(
            "Het adres is gesplitst. Er is %(num)s adres bij gekomen.",
            "Het adres is gesplitst. Er zijn %(num)s adressen bij gekomen.",
            count,
        )
    )
    return _to_address(household_id)


def _find(household_id: int) -> AddressRow:
    found = queries.find(db.session(), household_id)
    if found is None:
        raise NotFound(_("Dit adres bestaat niet."))
    return found


def _exists(error: AbsError) -> int | None:
    return error.household_id if isinstance(error, AddressExists) else None


def _to_address(household_id: int) -> Response:
    return redirect(url_for("addresses_desk.show", household_id=household_id), HTTPStatus.SEE_OTHER)


def _municipality() -> str:
    return str(current_app.extensions["settings"].municipality.name)


def _search_page(found: list[AddressRow] | None, errors: Errors) -> str:
    return render_template(
        "addresses_desk/search.html", found=found, errors=errors, values=request.args, most=queries.MOST_FOUND
    )


def _add_page(values: Mapping[str, str], errors: Errors, exists: int | None = None) -> str:
    session = db.session()
    return render_template(
        "addresses_desk/add.html",
        values=values,
        errors=errors,
        exists=exists,
        neighbourhoods=queries.neighbourhoods(session),
        kinds=OBJECT_TYPES,
        most=MOST_ADDED_A_DAY,
        left=max(0, MOST_ADDED_A_DAY - queries.added_today(session, clock.now())),
    )


def _change_page(
    verb: str, household_id: int, values: Mapping[str, str], errors: Errors, exists: int | None = None
) -> str:
    row = _find(household_id)
    return render_template(
        f"addresses_desk/{verb}.html", row=row, home=row.household, values=values, errors=errors, exists=exists
    )
