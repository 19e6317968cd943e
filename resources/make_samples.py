"""Makes resources/samples: the small data sets that `lakedrop demo` uploads.

A made-up chain of shops in Vietnam: orders, customers, stores. Everything follows from one seed, so
the same pinned pyarrow writes the same bytes, and a test compares them with what is committed.

    .venv/bin/python resources/make_samples.py [FOLDER]
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import random
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

SEED = 20_261_101
SAMPLES = Path(__file__).resolve().parent / "samples"

# The demo's full sync takes the first folder, its incremental sync the second.
FULL_SYNC_FOLDER = "transactions"
INCREMENTAL_SYNC_FOLDER = "khách hàng"

STORES = (
    # id, name, city, province, opened
    ("HN01", "Chợ Hôm", "Hà Nội", "Hà Nội", dt.date(2014, 3, 8)),
    ("HN02", "Cầu Giấy", "Hà Nội", "Hà Nội", dt.date(2018, 9, 2)),
    ("HP01", "Lạch Tray", "Hải Phòng", "Hải Phòng", dt.date(2019, 5, 19)),
    ("HUE1", "Đông Ba", "Huế", "Thừa Thiên Huế", dt.date(2016, 7, 1)),
    ("DN01", "Sông Hàn", "Đà Nẵng", "Đà Nẵng", dt.date(2015, 11, 20)),
    ("SG01", "Bến Thành", "Thành phố Hồ Chí Minh", "Hồ Chí Minh", dt.date(2012, 1, 15)),
    ("SG02", "Chợ Lớn", "Thành phố Hồ Chí Minh", "Hồ Chí Minh", dt.date(2017, 4, 30)),
    ("CT01", "Ninh Kiều", "Cần Thơ", "Cần Thơ", dt.date(2021, 10, 10)),
)
PRODUCTS = (
    # sku, name, price in dong
    ("CF-250", "Cà phê rang xay 250 g", 89_000),
    ("CF-500", "Cà phê rang xay 500 g", 165_000),
    ("TR-100", "Trà sen Tây Hồ 100 g", 240_000),
    ("NM-500", "Nước mắm Phú Quốc 500 ml", 78_000),
    ("BT-300", "Bánh tráng Trảng Bàng 300 g", 32_000),
    ("HD-200", "Hạt điều rang muối 200 g", 95_000),
    ("MX-1KG", "Mật ong hoa cà phê 1 kg", 210_000),
    ("GM-5KG", "Gạo ST25, túi 5 kg", 185_000),
)
FAMILY_NAMES = ("Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Huỳnh", "Võ", "Đặng", "Bùi", "Đỗ")
MIDDLE_NAMES = ("Thị", "Văn", "Ngọc", "Minh", "Thu", "Quốc", "Thanh", "Hữu")
GIVEN_NAMES = (
    "An",
    "Bình",
    "Châu",
    "Dũng",
    "Giang",
    "Hạnh",
    "Khôi",
    "Linh",
    "Phượng",
    "Tuấn",
    "Yến",
)
PAYMENTS = ("cash", "card", "bank_transfer", "e_wallet")

Row = Mapping[str, object]


def orders(dice: random.Random, month: dt.date, count: int, first_id: int) -> list[Row]:
    """`count` orders of one month, oldest first; amounts are whole dong."""
    moments = sorted(dice.randrange(28 * 24 * 60) for _ in range(count))
    opening = dt.datetime(month.year, month.month, 1, tzinfo=dt.UTC)
    rows: list[Row] = []
    for number, minute in enumerate(moments, start=first_id):
        sku, product, price = dice.choice(PRODUCTS)
        quantity = dice.choices((1, 2, 3, 6, 12), weights=(50, 25, 15, 7, 3))[0]
        rows.append(
            {
                "order_id": number,
                "ordered_at": opening + dt.timedelta(minutes=minute),
                "store_id": dice.choice(STORES)[0],
                "customer_id": dice.randint(1, 240),
                "sku": sku,
                "product": product,
                "quantity": quantity,
                "amount_vnd": quantity * price,
                "payment": dice.choices(PAYMENTS, weights=(40, 25, 15, 20))[0],
            }
        )
    return rows


def customers(dice: random.Random, count: int) -> list[Row]:
    """`count` customers; some never gave an e-mail address."""
    rows: list[Row] = []
    for number in range(1, count + 1):
        name = " ".join(dice.choice(part) for part in (FAMILY_NAMES, MIDDLE_NAMES, GIVEN_NAMES))
        rows.append(
            {
                "customer_id": number,
                "name": name,
                "city": dice.choice(STORES)[2],
                "since": dt.date(2019, 1, 1) + dt.timedelta(days=dice.randrange(2_500)),
                "email": f"khach{number:04d}@example.com" if dice.random() < 0.8 else None,
            }
        )
    return rows


def stores() -> list[Row]:
    """The chain's shops."""
    fields = ("store_id", "name", "city", "province", "opened")
    return [dict(zip(fields, shop, strict=True)) for shop in STORES]


def as_csv(rows: Sequence[Row]) -> bytes:
    """UTF-8 without a byte order mark, LF, a header line."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    for row in rows:
        moments = {k: v.isoformat() for k, v in row.items() if isinstance(v, dt.date)}
        writer.writerow({**row, **moments})
    return text.getvalue().encode("utf-8")


def as_parquet(rows: Sequence[Row]) -> bytes:
    """One row group, Snappy, format 2.6: what Spark and DuckDB read without a thought."""
    target = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(rows), target, compression="snappy", version="2.6")
    return bytes(target.getvalue())


def sample_files() -> dict[str, bytes]:
    """Every sample's bytes by its path below the samples' folder, with `/` between its parts."""
    dice = random.Random(SEED)  # noqa: S311 - sample data, not a secret
    september = orders(dice, dt.date(2026, 9, 1), 400, 10_001)
    october = orders(dice, dt.date(2026, 10, 1), 450, 10_401)
    november = orders(dice, dt.date(2026, 11, 1), 120, 10_851)
    people = customers(dice, 240)
    nested = {
        "danh sách khách hàng.csv": as_csv(people),
        "danh sách khách hàng.parquet": as_parquet(people),
        "bán hàng/2026/tháng 10/đơn hàng.parquet": as_parquet(october),
        "bán hàng/2026/tháng 11/đơn hàng.csv": as_csv(november),
        "bán hàng/2026/tháng 11/đơn hàng.parquet": as_parquet(november),
        "bán hàng/cửa hàng.csv": as_csv(stores()),
    }
    return {
        f"{FULL_SYNC_FOLDER}/orders-2026-09.csv": as_csv(september),
        f"{FULL_SYNC_FOLDER}/orders-2026-09.parquet": as_parquet(september),
        f"{FULL_SYNC_FOLDER}/orders-2026-10.parquet": as_parquet(october),
        f"{FULL_SYNC_FOLDER}/stores.csv": as_csv(stores()),
        **{f"{INCREMENTAL_SYNC_FOLDER}/{path}": content for path, content in nested.items()},
    }


def main(arguments: Sequence[str]) -> int:
    """Writes the samples below the named folder, by default where they are committed."""
    folder = Path(arguments[0]) if arguments else SAMPLES
    for path, content in sample_files().items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        print(f"{len(content):>8} bytes  {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
