"""The daily totals of every pair by Polars, as one Parquet file. Arguments: the result, then a site and one of its files, again and again."""

import os
import sys

os.environ["POLARS_MAX_THREADS"] = "2"
import polars as pl  # noqa: E402 - the number of threads is read when it is imported

MEASURES = {"flow_duration_us": "Flow Duration", "fwd_pkts": "Tot Fwd Pkts"}


def figures():
    for name, column in MEASURES.items():
        value = pl.col(column)
        wide = value.cast(pl.Int128)
        yield wide.sum().cast(pl.Int64).alias(f"{name}_sum")
        yield (wide * wide).sum().cast(pl.Decimal(38, 0)).alias(f"{name}_sum_sq")
        yield value.min().alias(f"{name}_min")
        yield value.max().alias(f"{name}_max")


def totals_of(site, files):
    with open(files[0], encoding="utf8") as file:
        schema = dict.fromkeys(file.readline().rstrip().split(","), pl.String)
    for column in MEASURES.values():
        schema[column] = pl.Int64
    day = pl.col("Timestamp").str.to_datetime("%d/%m/%Y %I:%M:%S %p").dt.date().alias("day")
    return (
        pl.scan_csv(files, schema=schema)
        .group_by(pl.col("Src IP").alias("src_ip"), pl.col("Dst IP").alias("dst_ip"), day)
        .agg(pl.len().cast(pl.Int64).alias("flows"), pl.col("Flow Duration").count().cast(pl.Int64).alias("timed_flows"), *figures())
        .select(pl.lit(site).alias("site"), pl.exclude("day"))
    )


def main():
    result, *named = sys.argv[1:]
    files_of = {}
    for site, path in zip(named[::2], named[1::2]):
        files_of.setdefault(site, []).append(path)
    totals = pl.concat([totals_of(site, files) for site, files in files_of.items()])
    totals.sort("site", "src_ip", "dst_ip").collect(engine="streaming").write_parquet(result)


main()
