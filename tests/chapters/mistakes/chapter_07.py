"""Known answers to the exercises of chapter 07, right and wrong ones: tests/support/exercises.py says how."""

_WAIT = "def seconds_to_wait(status, headers, attempt):\n"
_BUSY = "status in (408, 429) or (status >= 500 and status != 501)"
_WORTH = f"    if not ({_BUSY}) or attempt >= 5:\n        return None\n"
_PAUSE = "    return float(headers.get('Retry-After', 2**attempt))\n"
_COMPLETE = "def complete(parts, count):\n"
_BY_ID = "    people = {user['id']: user for part in parts for user in part}\n"

_LAYER = "def starts_over(failure):\n"

RIGHT = {
    "07-which": {
        "a set": "worth_another = {429, 500, 503}",
        "another order, as a tuple": "worth_another = (503, 429, 500)",
        "a range and a condition": "worth_another = [s for s in (400, 401, 403, 404, 429, 500, 503) if s > 404]",
        "an array of numpy": "import numpy\nworth_another = numpy.array([500, 503, 429])",
    },
    "07-layer": {
        "two comparisons": (
            f"{_LAYER}    status = failure.response.status_code\n    return status == 400 or status == 410\n"
        ),
        "names of the standard library": (
            f"{_LAYER}    from http import HTTPStatus\n"
            "    return failure.response.status_code in {HTTPStatus.BAD_REQUEST, HTTPStatus.GONE}\n"
        ),
        "a boolean of numpy": (
            f"{_LAYER}    import numpy\n    return numpy.isin(failure.response.status_code, [400, 410])[()]\n"
        ),
        "match": (
            f"{_LAYER}    match failure.response.status_code:\n        case 400 | 410:\n            return True\n"
            "    return False\n"
        ),
    },
    "07-wait": {
        "the header in small letters": (
            f"{_WAIT}{_WORTH}    asked = headers.get('retry-after')\n"
            "    return 2**attempt if asked is None else float(asked)\n"
        ),
        "a number of numpy": (
            f"{_WAIT}    import numpy\n{_WORTH}"
            "    return numpy.float64(headers['Retry-After']) if 'Retry-After' in headers else numpy.exp2(attempt)\n"
        ),
        "a table of pauses": (
            f"{_WAIT}    worth = status in {{408, 429}} or (status != 501 and 500 <= status < 600)\n"
            "    if worth and attempt < 5:\n        try:\n"
            "            return float(headers['RETRY-AFTER'])\n        except KeyError:\n"
            "            return [1, 2, 4, 8, 16][attempt]\n"
        ),
    },
    "07-complete": {
        "a loop with a set": (
            f"{_COMPLETE}    seen, people = set(), []\n    for part in parts:\n        for user in part:\n"
            "            if user['id'] not in seen:\n                seen.add(user['id'])\n"
            "                people.append(user)\n    if len(seen) != count:\n        raise ValueError\n"
            "    return people\n"
        ),
        "the dictionary's values": (
            f"{_COMPLETE}{_BY_ID}    if not len(people) == count:\n        raise ValueError('somebody is missing')\n"
            "    return people.values()\n"
        ),
        "the parts used up": (
            f"{_COMPLETE}    everybody = {{}}\n    while parts:\n        part = parts.pop()\n        while part:\n"
            "            user = part.pop()\n            everybody[user['id']] = user\n"
            "    if len(everybody) != count:\n        raise ValueError(len(everybody))\n"
            "    return tuple(everybody.values())\n"
        ),
        "an error of its own kind": (
            "class Incomplete(ValueError):\n    pass\n"
            f"{_COMPLETE}{_BY_ID}    if len(people) != count:\n        raise Incomplete()\n"
            "    return [*people.values()]\n"
        ),
    },
}

MISTAKES = {
    "07-which": {
        "a wrong request": ("worth_another = [400, 429, 500, 503]", "[400, 400, 400]"),
        "a bad token": ("worth_another = [401, 429, 500, 503]", "[401, 401, 401]"),
        "a missing permission": ("worth_another = [403, 429, 500, 503]", "[403, 403, 403]"),
        "a missing object": ("worth_another = [404, 429, 500, 503]", "[404, 404, 404]"),
        "429 only": ("worth_another = [429]", "500 is missing"),
        "server errors only": ("worth_another = [500, 503]", "[429, 200]"),
        "those with Retry-After": ("worth_another = [429, 500]", "503 is missing"),
        "texts": ('worth_another = ["429", "500", "503"]', "without quotation marks"),
        "one number": ("worth_another = 429", "gives an int, expected a list"),
        "another status": ("worth_another = [429, 500, 502, 503]", "502 is none of the seven"),
    },
    "07-layer": {
        "400 only": (f"{_LAYER}    return failure.response.status_code == 400\n", "for 410 it gives False"),
        "410 only": (f"{_LAYER}    return failure.response.status_code == 410\n", "for 400 it gives False"),
        "or between numbers": (f"{_LAYER}    return failure.response.status_code == 400 or 410\n", "gives an int"),
        "every refusal": (
            f"{_LAYER}    return 400 <= failure.response.status_code < 500\n",
            "for 403 it gives True",
        ),
        "all but the permissions": (
            f"{_LAYER}    return failure.response.status_code not in (401, 403)\n",
            "for 404 it gives True",
        ),
        "what waiting cures as well": (
            f"{_LAYER}    return failure.response.status_code in (400, 410, 429)\n",
            "for 429 it gives True",
        ),
        "a busy service as well": (
            f"{_LAYER}    return failure.response.status_code in (400, 410, 503)\n",
            "for 503 it gives True",
        ),
        "from 400 to 410, but for the permissions": (
            f"{_LAYER}    return failure.response.status_code in (400, 405, 406, 409, 410)\n",
            "for 409 it gives True",
        ),
        "the failure has no status": (f"{_LAYER}    return failure.status_code in (400, 410)\n", "AttributeError"),
        "the status itself": (f"{_LAYER}    return failure.response.status_code\n", "a failure with 400) gives an int"),
    },
    "07-wait": {
        "the header as it came": (
            f"{_WAIT}{_WORTH}    return headers.get('Retry-After', 2**attempt)\n",
            "a header is always text",
        ),
        "the header not looked at": (f"{_WAIT}{_WORTH}    return 2**attempt\n", "what Graph asks for decides"),
        "the shorter of the two": (
            f"{_WAIT}{_WORTH}    return min(float(headers.get('Retry-After', 99)), 2**attempt)\n",
            "too early is counted again",
        ),
        "whole seconds only": (
            f"{_WAIT}{_WORTH}    return int(headers.get('Retry-After', 2**attempt))\n",
            "int() does not take that text",
        ),
        "the header taken for granted": (
            f"{_WAIT}{_WORTH}    return float(headers['Retry-After'])\n",
            "without Retry-After",
        ),
        "always the same pause": (
            f"{_WAIT}{_WORTH}    return float(headers.get('Retry-After', 1))\n",
            "these are 1, 1, 1, 1, 1",
        ),
        "429 only": (
            f"{_WAIT}    if status != 429 or attempt >= 5:\n        return None\n{_PAUSE}",
            "for 503 it does not",
        ),
        "the three that Graph documents": (
            f"{_WAIT}    if status not in (429, 503, 504) or attempt >= 5:\n        return None\n{_PAUSE}",
            "for 500 it does not",
        ),
        "five server errors by number": (
            f"{_WAIT}    if status not in (408, 429, 500, 502, 503, 504) or attempt >= 5:\n"
            f"        return None\n{_PAUSE}",
            "for 507 it does not",
        ),
        "no 408": (
            f"{_WAIT}    if not (status == 429 or status >= 500 and status != 501) or attempt >= 5:\n"
            f"        return None\n{_PAUSE}",
            "for 408 it does not",
        ),
        "every failure": (
            f"{_WAIT}    if status < 400 or attempt >= 5:\n        return None\n"
            "    return float(headers.get('Retry-After', 2**attempt))\n",
            "for 400 it waits 1 s",
        ),
        "server errors with 501": (
            f"{_WAIT}    if not (status in (408, 429) or status >= 500) or attempt >= 5:\n"
            f"        return None\n{_PAUSE}",
            "for 501 it waits",
        ),
        "from 429 on": (
            f"{_WAIT}    if (status < 429 and status != 408) or attempt >= 5:\n        return None\n"
            "    return float(headers.get('Retry-After', 2**attempt))\n",
            "for 431 it waits",
        ),
        "never gives up": (
            f"{_WAIT}    if not ({_BUSY}):\n        return None\n"
            "    return float(headers.get('Retry-After', 2**attempt))\n",
            "goes on forever",
        ),
        "gives up too early": (
            f"{_WAIT}    if not ({_BUSY}) or attempt >= 4:\n        return None\n"
            "    return float(headers.get('Retry-After', 2**attempt))\n",
            "all five",
        ),
        "the header beats the limit": (
            f"{_WAIT}    if ({_BUSY}) and 'Retry-After' in headers:\n"
            f"        return float(headers['Retry-After'])\n{_WORTH}    return 2**attempt\n",
            "even when the header asks",
        ),
    },
    "07-complete": {
        "counts rows": (
            f"{_COMPLETE}    people = [user for part in parts for user in part]\n    if len(people) != count:\n"
            "        raise ValueError('somebody is missing')\n    return people\n",
            "compare the ids",
        ),
        "counts rows, then removes the doubles": (
            f"{_COMPLETE}{_BY_ID}    if sum(len(part) for part in parts) < count:\n"
            "        raise ValueError('somebody is missing')\n    return list(people.values())\n",
            "one is there twice and one is missing",
        ),
        "more users than counted": (
            f"{_COMPLETE}{_BY_ID}    if len(people) < count:\n        raise ValueError('somebody is missing')\n"
            "    return list(people.values())\n",
            "where Graph counts two",
        ),
        "keeps the doubles": (
            f"{_COMPLETE}{_BY_ID}    if len(people) != count:\n        raise ValueError('somebody is missing')\n"
            "    return [user for part in parts for user in part]\n",
            "each id once",
        ),
        "never complains": (f"{_COMPLETE}{_BY_ID}    return list(people.values())\n", "without a word"),
        "returns nothing when somebody is missing": (
            f"{_COMPLETE}{_BY_ID}    if len(people) == count:\n        return list(people.values())\n",
            "returns None",
        ),
        "asserts": (
            f"{_COMPLETE}{_BY_ID}    assert len(people) == count\n    return list(people.values())\n",
            "raises AssertionError",
        ),
        "ids instead of users": (
            f"{_COMPLETE}{_BY_ID}    if len(people) != count:\n        raise ValueError('somebody is missing')\n"
            "    return list(people)\n",
            "not only their ids",
        ),
        "a dictionary": (
            f"{_COMPLETE}{_BY_ID}    if len(people) != count:\n        raise ValueError('somebody is missing')\n"
            "    return people\n",
            "gives a dict",
        ),
    },
}
