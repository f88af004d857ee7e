"""Which column is what: a guess by its name and its values, which the person then confirms."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence

from standfast.components.audience.rejects import MARK
from standfast.protocols.address import AddressError, parse_address

CUSTOM = "field:"
STANDARD = {
    "email": "E-mail address", "first_name": "First name", "last_name": "Last name", "phone": "Phone", "fax": "Fax",
    "uid": "Your own number (UID)", "time_zone": "Time zone", "tags": "Tags",
}  # fmt: skip
_NAMES = {
    "email": "email emailaddress mail emailadresse adressemail courriel correo correoelectronico mailadresse emailid "
             "subscriberemail contactemail adressee mel epost posta postaelettronica emailaddr",
    "first_name": "firstname first givenname forename vorname prenom nombre nome voornaam fornavn fname name",
    "last_name": "lastname last surname familyname nachname nom nomdefamille apellido apellidos cognome achternaam efternavn lname",
    "phone": "phone telephone phonenumber mobile mobilephone cell tel telefon telefono handy portable mobil phonework phonemobile",
    "fax": "fax faxnumber telefax telecopie",
    "uid": "uid externalid customerid customernumber kundennummer numeroclient userid contactuid",
    "time_zone": "timezone tz zeitzone fuseauhoraire",
    "tags": "tags tag labels schlagworte etiquettes",
}  # fmt: skip
_BY_NAME = {name: key for key, names in _NAMES.items() for name in names.split()}


def plain(name: str) -> str:
    """Letters and figures of a name, without accents: "Adresse e-mail" and "adresse_email" are one."""
    bare = unicodedata.normalize("NFKD", name).casefold()
    return re.sub(r"[^a-z0-9]", "", bare)


def guess_mapping(header: Sequence[str], sample: Sequence[Sequence[str]], fields: Mapping[str, str]) -> dict[str, str]:
    """Column number (as text) to a standard key or "field:<key>". `fields` are the account's custom fields, key to label."""
    customs = {plain(label): key for key, label in fields.items()} | {plain(key): key for key in fields}
    found: dict[str, str] = {}
    for number, name in enumerate(header):
        bare = plain(name)
        key = CUSTOM + customs[bare] if bare in customs else _BY_NAME.get(bare, "")
        if key and key not in found.values():
            found[str(number)] = key
    if "email" not in found.values():
        column = _column_of_addresses(len(header), sample)
        if column is not None:
            found[str(column)] = "email"
    return found


def propose_field(name: str, values: Sequence[str]) -> bool:
    """Whether a column that is nothing known is worth a field: one without name and values is what a comma too many leaves,
    and why we refused a row is not about the person."""
    return name not in MARK and (any(value.strip() for value in values) or not re.fullmatch(r"Column \d+", name))


def list_name_of(file_name: str, taken: Collection[str]) -> str:
    """A free name for the list of a file's people: "people_2024.csv.gz" gives "people 2024"."""
    bare = re.sub(r"(\.(csv|tsv|txt|gz|dat))+$", "", file_name.strip(), flags=re.IGNORECASE)
    name = " ".join(re.sub(r"[_\s]+", " ", bare).split())[:200] or "Imported people"
    low = {one.casefold() for one in taken}
    free, number = name, 2
    while free.casefold() in low:
        free, number = f"{name} {number}", number + 1
    return free


def _column_of_addresses(columns: int, sample: Sequence[Sequence[str]]) -> int | None:
    best, most = None, 0
    for number in range(columns):
        hits = sum(1 for row in sample if number < len(row) and _is_address(row[number]))
        if hits > most:
            best, most = number, hits
    return best


def _is_address(text: str) -> bool:
    try:
        parse_address(text)
    except AddressError:
        return False
    return True


def key_of(label: str, taken: Sequence[str]) -> str:
    """A free key for a new custom field, as templates write it."""
    bare = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode().lower()
    key = re.sub(r"[^a-z0-9]+", "_", bare).strip("_")[:50] or "field"
    key = f"f_{key}" if key[0].isdigit() else key
    free, number = key, 2
    while free in taken or free in STANDARD:
        free, number = f"{key}_{number}", number + 1
    return free
