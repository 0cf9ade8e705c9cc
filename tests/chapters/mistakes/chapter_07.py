"""Known answers to the exercises of chapter 07, right and wrong ones: tests/support/exercises.py says how."""

_WAIT = "def seconds_to_wait(status, headers, attempt):\n"
_WORTH = "    if status not in (429, 503, 504) or attempt >= 5:\n        return None\n"
_COMPLETE = "def complete(parts, count):\n"
_BY_ID = "    people = {user['id']: user for part in parts for user in part}\n"

RIGHT = {
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
            f"{_WAIT}    if status in {{429, 503, 504}} and attempt < 5:\n        try:\n"
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
            f"{_WAIT}    if status != 429 or attempt >= 5:\n        return None\n"
            "    return float(headers.get('Retry-After', 2**attempt))\n",
            "503 and 504 pass",
        ),
        "every failure": (
            f"{_WAIT}    if status < 400 or attempt >= 5:\n        return None\n"
            "    return float(headers.get('Retry-After', 2**attempt))\n",
            "for 400 it waits 1 s",
        ),
        "server errors as well": (
            f"{_WAIT}    if status not in (429, 500, 502, 503, 504) or attempt >= 5:\n        return None\n"
            "    return float(headers.get('Retry-After', 2**attempt))\n",
            "for 500 it waits",
        ),
        "from 429 on": (
            f"{_WAIT}    if status < 429 or attempt >= 5:\n        return None\n"
            "    return float(headers.get('Retry-After', 2**attempt))\n",
            "for 431 it waits",
        ),
        "never gives up": (
            f"{_WAIT}    if status not in (429, 503, 504):\n        return None\n"
            "    return float(headers.get('Retry-After', 2**attempt))\n",
            "goes on forever",
        ),
        "gives up too early": (
            f"{_WAIT}    if status not in (429, 503, 504) or attempt >= 4:\n        return None\n"
            "    return float(headers.get('Retry-After', 2**attempt))\n",
            "all five",
        ),
        "the header beats the limit": (
            f"{_WAIT}    if status in (429, 503, 504) and 'Retry-After' in headers:\n"
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
