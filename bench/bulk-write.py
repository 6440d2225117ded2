#!/usr/bin/python3
"""The peers of bench/bulk-write: the same programs into a table like ours by
Django's bulk_create and bulk_update, or by asyncpg with one unnest.

usage: bulk-write.py django|django-100|asyncpg HOST PORT TABLE ACCOUNT

Reads all programs of the account from our own table, and then, for each line of
stdin, writes them to TABLE and answers with the seconds that it took:

	new		rows that are not there
	changed N	another value in every column that can change
	same		what is there already
"""
import asyncio
import datetime
import sys
import time

KIND, HOST, PORT, TABLE, ACCOUNT = sys.argv[1:6]
TEXTS = ("yelp_business_id partner_business_id program_type program_status "
         "program_pause_status currency fee_period ad_campaign_id").split()
NUMBERS = ("budget max_bid billed_impressions billed_clicks ad_cost "
           "page_upgrade_monthly_rate page_upgrade_cost").split()
LISTS = ("active_features available_features businesses "
         "future_budget_changes ad_categories").split()
DATES = ["start_date", "end_date"]
BYTES = ["row_hash"]
TRUTHS = ["is_autobid"]
COLUMNS = TEXTS + NUMBERS + LISTS + DATES + BYTES + TRUTHS


def other(row, n):
    """The row with another value wherever ours changes."""
    row = dict(row)
    for name in TEXTS[1:]:
        row[name] = f"{(row[name] or '').split('~')[0]}~{n % 10}"
    for name in NUMBERS:
        row[name] += n
    row["active_features"] = changed_list(row["active_features"], n)
    row["start_date"] += datetime.timedelta(days=n % 2 * 2 - 1)
    row["row_hash"] = bytes([n % 256]) + row["row_hash"][1:]
    row["is_autobid"] = n % 2 == 0
    return row


def changed_list(value, n):
    return f'["LINK_TRACKING_{n}"]' if isinstance(value, str) \
        else [f"LINK_TRACKING_{n}"]


async def with_asyncpg():
    import asyncpg
    db = await asyncpg.connect(host=HOST, port=int(PORT), user="lockstep",
                               database="lockstep")
    types = {**dict.fromkeys(TEXTS, "text"), **dict.fromkeys(NUMBERS, "bigint"),
             **dict.fromkeys(LISTS, "jsonb"), **dict.fromkeys(DATES, "date"),
             **dict.fromkeys(BYTES, "bytea"), **dict.fromkeys(TRUTHS, "boolean")}
    names = ["program_id"] + COLUMNS
    types["program_id"] = "text"
    arrays = ", ".join(f"${i + 2}::{types[n]}[]" for i, n in enumerate(names))
    upsert = (f"INSERT INTO {TABLE} AS p (account_id, {', '.join(names)}) "
              f"SELECT $1::bigint, * FROM unnest({arrays}) "
              "ON CONFLICT (account_id, program_id) DO UPDATE SET "
              + ", ".join(f"{n} = excluded.{n}" for n in COLUMNS)
              + ", updated_at = clock_timestamp()")
    distinct = " WHERE ({}) IS DISTINCT FROM ({})".format(
        ", ".join(f"p.{n}" for n in COLUMNS),
        ", ".join(f"excluded.{n}" for n in COLUMNS))
    rows = [dict(r) for r in await db.fetch(
        f"SELECT {', '.join(names)} FROM program "
        "WHERE account_id = $1 ORDER BY program_id", int(ACCOUNT))]
    for words in commands():
        if words[0] == "changed":
            rows = [other(r, int(words[1])) for r in rows]
        statement = upsert + distinct if words[0] == "same" else upsert
        since = time.monotonic()
        columns = [[r[n] for r in rows] for n in names]
        await db.execute(statement, int(ACCOUNT), *columns)
        answer(time.monotonic() - since)
    await db.close()


def django_model():
    import django
    from django.conf import settings
    settings.configure(DATABASES={"default": {
        "ENGINE": "django.db.backends.postgresql", "HOST": HOST, "PORT": PORT,
        "NAME": "lockstep", "USER": "lockstep"}}, USE_TZ=True)
    django.setup()
    from django.db import models
    fields = {
        "__module__": "peer",
        "Meta": type("Meta", (), {"managed": False, "db_table": TABLE,
                                  "app_label": "peer"}),
        "account_id": models.BigIntegerField(),
        "program_id": models.TextField(primary_key=True),
        "created_at": models.DateTimeField(auto_now_add=True),
        "updated_at": models.DateTimeField(auto_now=True),
    }
    for names, field in ((TEXTS, models.TextField), (DATES, models.DateField),
                         (NUMBERS, models.BigIntegerField),
                         (LISTS, models.JSONField), (BYTES, models.BinaryField),
                         (TRUTHS, models.BooleanField)):
        fields.update({n: field(null=True) for n in names})
    return type("Program", (models.Model,), fields)


def with_django(batch):
    program = django_model()
    from django.db import connection
    import json
    names = ["program_id"] + COLUMNS
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(names)} FROM program "
                       "WHERE account_id = %s ORDER BY program_id", [ACCOUNT])
        rows = [dict(zip(names, r)) for r in cursor.fetchall()]
    for row in rows:
        row["row_hash"] = bytes(row["row_hash"])
        for name in LISTS:
            if isinstance(row[name], str):
                row[name] = json.loads(row[name])
    for words in commands():
        if words[0] == "changed":
            rows = [other(r, int(words[1])) for r in rows]
        objects = [program(account_id=int(ACCOUNT), **r) for r in rows]
        since = time.monotonic()
        if words[0] == "new":
            program.objects.bulk_create(objects)
        else:
            program.objects.bulk_update(objects, COLUMNS, batch_size=batch)
        answer(time.monotonic() - since)


def commands():
    answer(0)
    for line in sys.stdin:
        yield line.split()


def answer(seconds):
    print(f"{seconds:.6f}", flush=True)


if KIND == "asyncpg":
    asyncio.run(with_asyncpg())
else:
    with_django(100 if KIND == "django-100" else None)
