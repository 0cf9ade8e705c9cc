"""Five thousand invented people of a shipping company in the north, the same ones every time."""

import itertools
import uuid
from typing import Any

DOMAIN = "havn-logistikk.test"
FIRST_DOMAIN = "havnlogistikk.onmicrosoft.test"
FIRST_NAMES = [
    "Åshild", "Bjørnar", "Dagfinn", "Eirunn", "Frøydis", "Gunnstein", "Hallgerd", "Ingvild", "Jorunn", "Kjellaug",
    "Leidulf", "Magnhild", "Njål", "Oddrun", "Ragnvald", "Sigbjørn", "Torgunn", "Unni", "Vigdis", "Ylva", "Kjartan",
    "Asbjørg", "Bergljot", "Eystein", "Gudveig",
]  # fmt: skip
LAST_NAMES = [
    "Aasgaardstrand", "Brattbakk", "Dyrhovden", "Evensplass", "Fagernæs", "Gjøvåg", "Hovdestøl", "Isdalen",
    "Kvalheimsnes", "Lysøysund", "Myklebustad", "Nesbøvik", "Øvregårdsli", "Raudbergvik", "Skjærvøll", "Tveitnes",
    "Ulvesæter", "Vassbygdås", "O'Hallorane", "Zakariassplass",
]  # fmt: skip
TITLES = ("Loskaptein", "Kranfører", "Tollmegler", "Havnebetjent", "Rutelegger", None)
PLACES = ("Kai 4", "Kai 11", "Terminal Vest", None)
UNITS = ("Losstasjon", "Kranpark", "Fortolling", "Ruter", None)
ORDER = (
    "id", "displayName", "surname", "givenName", "userPrincipalName", "mail", "jobTitle", "officeLocation",
    "mobilePhone", "businessPhones", "preferredLanguage",
)  # fmt: skip
PEOPLE = uuid.UUID("0b1f7a52-6f0e-5c8d-9b35-7f1d2c4e6a90")


def people(count: int) -> list[dict[str, Any]]:
    """All users, in no order that anything may rely on.

    Args:
        count: how many, at least 100.
    """
    names = itertools.cycle(itertools.product(FIRST_NAMES, LAST_NAMES))
    return [person(number, *next(names)) for number in range(count)]


def person(number: int, first: str, last: str) -> dict[str, Any]:
    sign_in = f"{plain(first)}.{plain(last)}{number}@{DOMAIN}"
    kind = "Guest" if number % 17 == 5 else None if number % 211 == 7 else "Member"
    is_guest = kind == "Guest"
    mail = f"{plain(last)}{number}@kysten-partner.test" if is_guest else None if number % 13 == 3 else sign_in
    if is_guest and mail:
        sign_in = f"{mail.replace('@', '_')}#EXT#@{FIRST_DOMAIN}"
    return {
        "id": str(uuid.uuid5(PEOPLE, str(number))),
        "displayName": f"{last}, {first}",
        "surname": last,
        "givenName": first,
        "userPrincipalName": sign_in,
        "mail": mail,
        "jobTitle": None if is_guest else TITLES[number % 6],
        "officeLocation": PLACES[number % 4],
        "mobilePhone": f"+47 9{number:07d}" if number % 3 else None,
        "businessPhones": [f"+47 7{number:07d}"] if number % 5 == 0 else [],
        "preferredLanguage": "nb-NO" if number % 2 else None,
        "userType": kind,
        "accountEnabled": None if number % 401 == 9 else number % 19 != 0,
        "department": None if is_guest else UNITS[number % 5],
        "country": "Norge" if number % 7 else None,
        "city": "Ålesund" if number % 2 else "Tromsø",
        "companyName": "Havn Logistikk",
        "employeeId": None,
        "employeeHireDate": None,
        "createdDateTime": None
        if number % 97 == 0
        else f"20{14 + number % 12}-0{1 + number % 9}-1{number % 10}T08:15:00Z",
        "assignedLicenses": [{"skuId": str(uuid.uuid5(PEOPLE, "licence")), "disabledPlans": []}] if number % 4 else [],
        "usageLocation": "NO",
        "identities": [{"signInType": "userPrincipalName", "issuer": FIRST_DOMAIN, "issuerAssignedId": sign_in}],
        "mailNickname": plain(last) + str(number),
    }


def plain(name: str) -> str:
    """A name in the letters of an address."""
    table = {"å": "aa", "ø": "oe", "æ": "ae", "'": ""}
    return "".join(table.get(letter, letter) for letter in name.lower())
